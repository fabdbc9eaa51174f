"""Values to plain JSON and back.

One codec for graph channels, events, `--json` and the journal, so that a value means the same everywhere: tuples
come back as tuples, nested values as themselves.  pydantic does the work and checks what comes in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def to_json(value: object, kind: Any = None) -> Any:
    """`value` as plain JSON; `kind` is needed only where `type(value)` does not say it (a tuple of values)."""
    wanted: Any = type(value) if kind is None else kind
    return adapter(wanted).dump_python(value, mode="json")


def from_json(kind: type[T], raw: object) -> T:
    """The value that `to_json` made `raw` of.  Raises pydantic's ValidationError."""
    wanted: Any = kind
    return adapter(wanted).validate_python(raw)  # type: ignore[no-any-return]
