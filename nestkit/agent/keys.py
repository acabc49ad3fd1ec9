"""A server's address, what the person set and the environment, in; the key that may be sent there, if any, out. *Pure*.

A key goes to nobody whom the person did not name for it: not to whatever address an environment variable holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ENV = "env:"


class Key(NamedTuple):
    """What may be sent, and what a person should know."""

    secret: str = ""
    why_not: str = ""
    """Why a key that is there is not sent."""


NO_KEY = Key()


def find_key(host: str, setting: str, environ: Mapping[str, str], variable: str, homes: tuple[str, ...]) -> Key:
    """The key for this address: the one set for it, else the variable's where the address is one of its homes.

    `setting` is the key itself or `env:NAME`. No key travels unencrypted beyond this machine.
    """
    name = urlsplit(host).hostname or ""
    at_home = any(name == home or name.endswith(f".{home}") for home in homes)
    if setting:
        secret = environ.get(setting.removeprefix(_ENV), "") if setting.startswith(_ENV) else setting
    else:
        secret = environ.get(variable, "") if at_home else ""
    if secret and not host.startswith("https:") and name not in _LOOPBACK:
        return Key("", f"the key is not sent: {host} is neither encrypted nor on this machine")
    return Key(secret)


def without_key(text: str, secret: str) -> str:
    """The text with the key blotted out, as servers like to repeat it in their errors."""
    return text.replace(secret, "(key)") if len(secret) > 3 else text
