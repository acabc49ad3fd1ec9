"""Words for settings: a settings file's text in, checked settings out. *Pure*."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from nestkit.errors import ConfigError
from nestkit.policy import CONTRACTS, ENGINES, Contract, Limits, narrow

KNOWN: Mapping[str, Mapping[str, type]] = {
    "vault": {"system": str, "runs": str, "private": list, "protected": list},
    "ask": {
        "model": str,
        "contract": str,
        "engine": str,
        "image": str,
        "steps": int,
        "seconds": float,
        "tokens": int,
    },
    "limits": {item.name: int if item.type == "int" else float for item in fields(Limits)},
    "model": {"host": str, "host_key": str, "openai": str, "openai_key": str, "think": str},
    "packages": {"index": str, "fetch": str},
    "review": {"tick": bool},
    "watch": {
        "settle": float,
        "reconcile": float,
        "per_note": int,
        "per_vault": int,
        "inbox": str,
        "inbox_ask": str,
        "exclude": list,
        "host": str,
    },
    "keep": {"trace_days": int, "trace_mb": int},
    "check": {},
}
"""Section -> key -> type. `check` belongs to a door that reads it itself."""


FETCHING = ("always", "ask", "never")
THINKING = ("", "off", "on", "low", "medium", "high", "max")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where models' servers are. A key is the key itself, or `env:NAME` for a variable that holds it."""

    host: str = ""
    """Of Ollama; else OLLAMA_HOST."""
    host_key: str = ""
    openai: str = ""
    """Of a server that speaks OpenAI's protocol, up to and with `/v1`; else OPENAI_BASE_URL."""
    openai_key: str = ""
    think: str = ""
    """How much a model at Ollama is to think; empty leaves it to the server."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What `nest watch` goes by."""

    settle: float = 2.0
    """Seconds that a note must stand still: an app saves about so long after the last key."""
    reconcile: float = 300.0
    """Seconds between two looks at the whole vault."""
    per_note: int = 12
    """Questions of one note that are asked in an hour."""
    per_vault: int = 120
    inbox: str = ""
    """Folder of which every note asks `inbox_ask`; empty for none."""
    inbox_ask: str = ""
    exclude: tuple[str, ...] = ()
    """Globs of notes that never ask."""
    host: str = ""
    """The only machine that works on this vault; empty for any."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of old runs is kept, the person's own settings only; the newest few always are."""

    trace_days: int = 90
    trace_mb: int = 512


@dataclass(frozen=True, slots=True)
class Config:
    """All settings in force; the defaults are what an untouched vault gets."""

    system: str = "02_System"
    """Folder of the scripts."""
    runs: str = "03_Runs"
    """Folder of the run notes."""
    private: tuple[str, ...] = ()
    """Globs never read by programs or tools and never sent to a model."""
    protected: tuple[str, ...] = ()
    """Globs never written, besides those always protected."""
    model: str = "auto"
    contract: Contract = "brokered"
    engine: str = "auto"
    """What isolates programs; the person's own settings only."""
    image: str = ""
    """Image for the engine `container`, pinned by its digest; the person's own settings only."""
    servers: Servers = field(default_factory=Servers)
    """The person's own settings only, never a vault's."""
    index: str = "https://pypi.org/simple"
    """Where packages of scripts come from: an address, or an absolute folder of wheels; the person's own settings."""
    fetch: str = "ask"
    """Whether packages are fetched for a script: always, after a person's yes, never."""
    tick: bool = False
    """Whether a ticked box in a run's note approves what it shows; the person's own settings only."""
    limits: Limits = field(default_factory=Limits)
    watch: Watch = field(default_factory=Watch)
    keep: Keep = field(default_factory=Keep)


def parse_config(text: str, file: str) -> Mapping[str, Mapping[str, Any]]:
    """The sections of a settings file, each key known and of its type.

    Raises ConfigError with the file and, for bad TOML, the line.
    """
    import tomllib  # late: most vaults have no nest.toml

    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}", "mend that line, or move the file away") from None
    except RecursionError:
        raise ConfigError(f"{file}: nested too deeply", "mend it, or move the file away") from None
    for name, section in sections.items():
        if name not in KNOWN or not isinstance(section, dict):
            raise ConfigError(f"{file}: unknown section [{name}]", f"known: {', '.join(KNOWN)}")
        for key, value in section.items():
            _check_key(file, name, key, value)
    return sections


def merge_config(user: Mapping[str, Mapping[str, Any]], vault: Mapping[str, Mapping[str, Any]]) -> Config:
    """The person's settings with the vault's on top, where the vault may only narrow.

    A vault comes from anywhere, so its file may name folders, hide notes and lower ceilings; it may not raise a
    limit, loosen the contract or choose another server.
    """
    index = user.get("packages", {}).get("index", Config().index)
    mine = _apply(Config(servers=Servers(**user.get("model", {})), index=index), user)
    theirs = _apply(mine, vault)
    lower = {
        item.name: min(getattr(mine.limits, item.name), getattr(theirs.limits, item.name)) for item in fields(Limits)
    }
    return replace(
        theirs,
        servers=mine.servers,
        engine=mine.engine,
        image=mine.image,
        model=_narrower_model(mine.model, theirs.model),
        tick=mine.tick and theirs.tick,
        keep=mine.keep,
        fetch=max(mine.fetch, theirs.fetch, key=FETCHING.index),
        contract=narrow(mine.contract, theirs.contract),
        private=mine.private + theirs.private if theirs.private != mine.private else mine.private,
        protected=mine.protected + theirs.protected if theirs.protected != mine.protected else mine.protected,
        limits=Limits(**lower),
        watch=replace(
            theirs.watch,
            settle=max(mine.watch.settle, theirs.watch.settle),
            reconcile=max(mine.watch.reconcile, theirs.watch.reconcile),
            per_note=min(mine.watch.per_note, theirs.watch.per_note),
            per_vault=min(mine.watch.per_vault, theirs.watch.per_vault),
            exclude=tuple(dict.fromkeys(mine.watch.exclude + theirs.watch.exclude)),
        ),
    )


def _narrower_model(mine: str, theirs: str) -> str:
    """The model that a vault asks for, if that leads to no other server than the person's own choice does."""
    mine_at, theirs_at = mine.partition("/")[0], theirs.partition("/")[0]
    is_free = mine_at == "auto" and theirs_at in ("auto", "ollama")
    return theirs if theirs == "builtin" or theirs_at == mine_at or is_free else mine


def _check_key(file: str, section: str, key: str, value: object) -> None:
    known = KNOWN[section]
    if not known:
        return
    if key not in known:
        raise ConfigError(f"{file}: unknown key {section}.{key}", f"known in [{section}]: {', '.join(known)}")
    wanted = known[key]
    good = isinstance(value, (int, float) if wanted is float else wanted) and not (
        wanted is not bool and isinstance(value, bool)
    )
    if wanted is list:
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not good:
        named = {str: "text", int: "a whole number", float: "a number", list: "a list of texts", bool: "true or false"}[
            wanted
        ]
        raise ConfigError(f"{file}: {section}.{key} should be {named}, not {value!r}")
    if isinstance(value, (int, float)) and not 0 <= value < math.inf:  # to a kernel, -1 is no limit at all
        raise ConfigError(f"{file}: {section}.{key} should be a number from 0 up, not {value!r}")
    if section == "vault" and isinstance(value, str) and not _is_folder(value, may_be_root=key == "system"):
        raise ConfigError(f"{file}: vault.{key} should be a folder of the vault, not {value!r}")
    if key == "think" and value not in THINKING:
        raise ConfigError(f"{file}: model.think should be one of {', '.join(THINKING[1:])}, not {value!r}")
    if key == "fetch" and value not in FETCHING:
        raise ConfigError(f"{file}: packages.fetch should be one of {', '.join(FETCHING)}, not {value!r}")
    if key == "index" and not str(value).startswith(("https://", "http://", "/")):
        raise ConfigError(f"{file}: packages.index should be an address or an absolute folder, not {value!r}")
    words = {"contract": CONTRACTS, "engine": ENGINES}.get(key) if section == "ask" else None
    if words and value not in words:
        raise ConfigError(f"{file}: ask.{key} should be one of {', '.join(words)}, not {value!r}")


def _is_folder(text: str, *, may_be_root: bool) -> bool:
    """Whether this names a folder that a vault may have: none of another program's, and nothing outside."""
    folder = text.strip("/")
    plain = all(part and part[0] not in ".~" and part.isprintable() and "\\" not in part for part in folder.split("/"))
    return plain if folder else may_be_root


def _apply(config: Config, sections: Mapping[str, Mapping[str, Any]]) -> Config:
    place, ask = sections.get("vault", {}), sections.get("ask", {})
    limits = dict(sections.get("limits", {})) | {key: ask[key] for key in ("steps", "seconds", "tokens") if key in ask}
    return replace(
        config,
        system=str(place.get("system", config.system)).strip("/"),
        runs=str(place.get("runs", config.runs)).strip("/"),
        private=tuple(place.get("private", config.private)),
        protected=tuple(place.get("protected", config.protected)),
        model=str(ask.get("model", config.model)),
        contract=ask.get("contract", config.contract),
        engine=str(ask.get("engine", config.engine)),
        image=str(ask.get("image", config.image)),
        fetch=sections.get("packages", {}).get("fetch", config.fetch),
        tick=sections.get("review", {}).get("tick", config.tick),
        limits=replace(config.limits, **limits),
        keep=replace(config.keep, **sections.get("keep", {})),
        watch=replace(config.watch, **{key: _watched(value) for key, value in sections.get("watch", {}).items()}),
    )


def _watched(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value.strip("/ ") if isinstance(value, str) else value
