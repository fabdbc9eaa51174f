"""Every setting: its variable, default, unit and meaning.  The only reader of the environment.

A value given in code wins over the environment, and that over the default.  `.env.example` and the table in
`docs/configuration.md` are generated from here (`python -m agent.settings`, `--table`), and a test compares them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, create_model, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent.errors import SettingsError
from agent.search.provider_registry import PROVIDERS
from agent.text.source_filters import first_day, site_name
from agent.text.urls import is_local_host
from agent.types import Limits

Depth = Literal["quick", "standard", "deep"]
Library = Literal["use", "fresh", "only"]
Check = Literal["none", "rules", "full"]  # full: rules, and a model for what they cannot tell
APP = "r1-research-agent"

# First values; they change with a measured run beside them.
DEPTHS: dict[Depth, Limits] = {
    "quick": Limits(
        rounds=1, queries=3, hits=8, pages=6, fetches=6, evidence_tokens=6_000, revisions=0, seconds=90, plans=False
    ),
    "standard": Limits(
        rounds=2, queries=4, hits=8, pages=12, fetches=8, evidence_tokens=12_000, revisions=1, seconds=300
    ),
    "deep": Limits(
        rounds=5, queries=6, hits=10, pages=40, fetches=10, evidence_tokens=32_000, revisions=2, seconds=1_800
    ),
}
EXTRACTIVE = "extractive"  # the built-in model name that needs no endpoint


def _absolute_url(value: str | None) -> str | None:
    if value is None:
        return None
    if not value.lower().startswith(("http://", "https://")):
        raise ValueError("needs to begin with http:// or https://")
    if not _hostname(value):
        raise ValueError("names no host")
    return value.rstrip("/")


def _fields_of_providers() -> dict[str, Any]:
    """Name → type and default, of what each search provider declares."""
    kinds = {True: SecretStr | None, False: Annotated[str | None, AfterValidator(_absolute_url)]}
    return {
        f"{provider.name}_{one.name}": (kinds[one.name == "api_key"], Field(one.default, description=one.description))
        for provider in PROVIDERS.values()
        for one in provider.settings
    }


if TYPE_CHECKING:
    _ProviderSettings = BaseSettings
else:
    _ProviderSettings = create_model("_ProviderSettings", __base__=BaseSettings, **_fields_of_providers())


class Settings(_ProviderSettings):
    """What a user may set.  Raises `SettingsError` for a value that does not work."""

    model_config = SettingsConfigDict(env_prefix="AGENT_", extra="forbid", frozen=True, env_ignore_empty=True)

    model: str | None = Field(None, description="model name at the endpoint; `extractive` needs no endpoint")
    base_url: str | None = Field(None, description="OpenAI-compatible endpoint of the reasoner")
    api_key: SecretStr | None = Field(None, description="its key")
    profile: str | None = Field(None, description="endpoint profile; default: chosen from URL and model name")
    writer_model: str | None = Field(None, description="a second model that writes what the reasoner concluded")
    writer_base_url: str | None = Field(None, description="its endpoint; default: the reasoner's")
    writer_api_key: SecretStr | None = Field(None, description="its key; default: the reasoner's on the same endpoint")
    fast_model: str | None = Field(None, description="a small model for repairs; default: the reasoner")
    fast_base_url: str | None = Field(None, description="its endpoint; default: the reasoner's")
    fast_api_key: SecretStr | None = Field(None, description="its key; default: the reasoner's on the same endpoint")
    pass_thinking: bool = Field(False, description="show the writer the reasoner's thinking beside its notes")
    search: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="search providers in order of preference, separated by commas"
    )
    since: str | None = Field(
        None, description="no sources known to be older: day, week, month, year, or a date such as 2025-01-20"
    )
    site: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="sources from these hosts and their subdomains only, separated by commas"
    )
    not_site: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="no sources from these hosts and their subdomains, separated by commas"
    )
    folder: Path | None = Field(None, description="local documents as a source")
    library: Library = Field(
        "use",
        description="what earlier runs read: use it while it is fresh, leave it (fresh), or ask nothing else (only)",
    )
    library_warn_mb: int = Field(
        1_000, ge=0, description="megabytes from which on the library is said to have grown large; 0: never"
    )
    share_folder: bool = Field(False, description="let a model that has seen local documents write web searches")
    depth: Depth = Field("standard", description="how far to go: quick, standard or deep")
    check: Check | None = Field(
        None, description="how claims are checked: none, rules or full; default: rules for quick, else full"
    )
    unconfirmed: Literal["show", "drop"] = Field(
        "show", description="sentences that failed the check: show them apart, or drop them"
    )
    max_seconds: float | None = Field(None, gt=0, description="soft limit on the run's time, in seconds")
    max_usd: float | None = Field(None, gt=0, description="soft limit on the cost of all model calls, in US dollars")
    max_total_tokens: int | None = Field(None, gt=0, description="soft limit on tokens over all model calls")
    max_pages: int | None = Field(None, gt=0, le=200, description="pages read in a run, at most")
    lang: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="the answer's language; default: the question's",
    )
    embeddings_model: str | None = Field(
        None, description="a model of an OpenAI-compatible embeddings endpoint; default: the built-in embedder"
    )
    embeddings_base_url: str | None = Field(None, description="that endpoint; default: Ollama's on this machine")
    embeddings_api_key: SecretStr | None = Field(
        None, description="its key; default: the reasoner's on the same endpoint"
    )
    chroma_url: str | None = Field(
        None, description="a Chroma server (`chroma run`) instead of the embedded Chroma, such as http://localhost:8000"
    )
    chroma_api_key: SecretStr | None = Field(None, description="its key, where something before it asks for one")
    data_dir: Path | None = Field(None, description="library, Chroma, runs; default: the user's data directory")
    cache_dir: Path | None = Field(
        None, description="the embedder, search replies, refusals; default: the user's cache directory"
    )
    allow_private_addresses: bool = Field(
        False, description="let the page fetcher reach private and loopback addresses and any port"
    )
    ignore_robots: bool = Field(False, description="read pages whatever robots.txt says; for one's own sites")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as e:
            raise SettingsError(_in_one_line(e)) from None

    @field_validator("search", "site", "not_site", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @field_validator(
        "base_url",
        "writer_base_url",
        "fast_base_url",
        "embeddings_base_url",
        "chroma_url",
    )
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        return _absolute_url(value)

    @field_validator("since")
    @classmethod
    def _a_day(cls, value: str | None) -> str | None:
        if value is not None:
            first_day(value, date.max)  # whether it is in the future, a run knows
        return value

    @field_validator("site", "not_site")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(site_name(each) for each in value)

    @field_validator("folder")
    @classmethod
    def _there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.expanduser().is_dir():
            raise ValueError("is not a directory")
        return value.expanduser() if value else value

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.model and self.model != EXTRACTIVE and not (self.base_url or self.profile):
            raise ValueError(
                f"the model {self.model!r} needs an endpoint: set AGENT_BASE_URL (--base-url), "
                "or AGENT_MODEL=extractive for the built-in one"
            )
        for role in ("writer", "fast"):
            if getattr(self, f"{role}_base_url") and not getattr(self, f"{role}_model"):
                raise ValueError(f"the {role}'s endpoint needs a model name: set AGENT_{role.upper()}_MODEL (--{role})")
            if getattr(self, f"{role}_model") and self.model == EXTRACTIVE:
                raise ValueError(f"the built-in reasoner takes no {role}: set AGENT_MODEL and AGENT_BASE_URL for one")
        for provider in (PROVIDERS[name] for name in self.search if name in PROVIDERS):
            if provider.needs and not self.option(f"{provider.name}_{provider.needs}"):
                raise ValueError(provider.lacks)
        if self.library == "only" and set(self.search) - {"folder", "sample"}:
            raise ValueError(
                f"AGENT_LIBRARY=only (--library-only) asks no search provider: leave out {', '.join(self.search)!r}"
            )
        if "folder" in self.search and not self.folder:
            raise ValueError("the search provider 'folder' needs a directory: set AGENT_FOLDER (--folder)")
        return self

    @model_validator(mode="after")
    def _embeddings(self) -> Settings:
        if (self.embeddings_base_url or self.embeddings_api_key) and not self.embeddings_model:
            raise ValueError("the embeddings endpoint needs a model name: set AGENT_EMBEDDINGS_MODEL")
        if self.chroma_api_key and not self.chroma_url:
            raise ValueError("the Chroma server's key needs its address: set AGENT_CHROMA_URL")
        return self

    def option(self, name: str) -> str | None:
        """The value of a setting that a search provider declares, such as "serper_api_key"; secrets in plain text."""
        value = getattr(self, name, None)
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    @property
    def limits(self) -> Limits:
        """The depth's limits with the user's own in their place.

        The soft seconds do not apply to a local endpoint, whose pace is its owner's to judge, unless they are set.
        """
        depth = DEPTHS[self.depth]
        seconds = self.max_seconds or (None if self.endpoint_is_local else depth.seconds)
        pages = self.max_pages or depth.pages
        return replace(depth, seconds=seconds, total_tokens=self.max_total_tokens, usd=self.max_usd, pages=pages)

    @property
    def checking(self) -> Check:
        """How claims are checked; without a model, rules are all there is."""
        wanted = self.check or ("rules" if self.depth == "quick" else "full")
        return "rules" if wanted == "full" and self.model == EXTRACTIVE else wanted

    @property
    def endpoint_is_local(self) -> bool:
        return bool(self.base_url) and is_local_host(self.base_url or "")

    @property
    def data_home(self) -> Path:
        from platformdirs import user_data_path

        return self.data_dir.expanduser() if self.data_dir else user_data_path(APP, appauthor=False)

    @property
    def cache_home(self) -> Path:
        from platformdirs import user_cache_path

        return self.cache_dir.expanduser() if self.cache_dir else user_cache_path(APP, appauthor=False)

    def to_store(self) -> str:
        """All of it as JSON, for a run that may be resumed: without secrets and without places.

        Defaults too: what is not in it would be taken from the environment of the day on which the run goes on.
        """
        return self.model_dump_json(exclude=_OF_NOW)

    def restored(self, stored: dict[str, Any]) -> Settings:
        """The stored settings, with the secrets and places of these."""
        now = {name: getattr(self, name) for name in _OF_NOW}
        return Settings(**{**stored, **{name: value for name, value in now.items() if value is not None}})


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _of_now() -> set[str]:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    return secret | {"data_dir", "cache_dir", "chroma_url"}


def _in_one_line(error: ValidationError) -> str:
    """The first fault, with the variable's name, the value and the way out."""
    first = error.errors()[0]
    told = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return told
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"{name!r} is not a setting; the settings are {', '.join(sorted(Settings.model_fields))}"
    value = "" if name in _OF_NOW else f"={str(first['input'])!r}"
    return f"AGENT_{name.upper()}{value}: {told[0].lower()}{told[1:]}"


def describe() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of each setting, in order; those of providers behind `search`."""
    own = [name for name in Settings.model_fields if name not in _ProviderSettings.model_fields]
    after = own.index("search") + 1
    return [
        (f"AGENT_{name.upper()}", _default_in_words(field.default), field.description or "")
        for name in (*own[:after], *_ProviderSettings.model_fields, *own[after:])
        for field in (Settings.model_fields[name],)
    ]


def _default_in_words(default: object) -> str:
    if default in (None, ()):
        return ""
    return str(int(default)) if isinstance(default, bool) else str(default)


def environment_example() -> str:
    """The text of `.env.example`."""
    lines = ["# Copy to .env; the command line and the app read it from the working directory.", ""]
    for variable, default, meaning in describe():
        lines += [f"# {meaning}", f"# {variable}={default}", ""]
    return "\n".join(lines)


def table() -> str:
    """The table of `docs/configuration.md`."""
    rows = [f"| `{v}` | {f'`{d}`' if d else ''} | {m} |" for v, d, m in describe()]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


_OF_NOW = _of_now()


if __name__ == "__main__":
    import sys

    sys.stdout.write(table() + "\n" if "--table" in sys.argv else environment_example())
