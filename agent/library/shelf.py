"""A library as its owner keeps it: where its parts are, and whether it has grown large.

Knows names of files.  Does not know what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.library.record import Record
from agent.library.schema import FILE

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Shelf:
    directory: Path

    @property
    def is_there(self) -> bool:
        return (self.directory / FILE).exists()

    def record(self) -> Record:
        return Record(self.directory / FILE)

    @property
    def indexes(self) -> Path:
        """Where Chroma's are, one directory an embedder."""
        return self.directory / "chroma"

    @property
    def folders(self) -> Path:
        """Where the indexes of local documents are, one file a folder."""
        return self.directory / "folders"

    @property
    def has_folders(self) -> bool:
        return any(self.folders.glob("*.sqlite3"))

    def forget_folders(self) -> None:
        """Their texts go too; a folder that is asked about again is read anew."""
        for path in self.folders.glob("*.sqlite3*"):
            path.unlink(missing_ok=True)

    def bytes(self) -> int:
        """Of all its files, Chroma's among them."""
        return sum(_size(path) for path in self.directory.rglob("*"))


def size_note(directory: Path, warn_mb: int) -> str:
    """One line where the library there has grown beyond `warn_mb`; else, and with 0, the empty string."""
    size = Shelf(directory).bytes() if warn_mb else 0
    if size <= warn_mb * MB:
        return ""
    return (
        f"the library {directory} has grown to {size / MB:,.0f} MB (AGENT_LIBRARY_WARN_MB={warn_mb}): `library list` "
        "shows what is in it, `library forget --older-than 90d` would be one way"
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:  # gone meanwhile
        return 0
