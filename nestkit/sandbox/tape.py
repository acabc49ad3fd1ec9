"""Words for a run that is run again: its calls as they were answered, each handed out once, in order. *Pure*."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nestkit.run import ToolCall


@dataclass(frozen=True, slots=True)
class Taped:
    """One call that was answered."""

    call: ToolCall
    reply: Mapping[str, Any]
    """The message that the program got."""


class Tape(Protocol):
    """What the broker knows of earlier runs of the same program, and whom it tells of this one."""

    def recall(self, asked: str) -> Taped | None:
        """The answer of this call, with all it did done again; None when it must be made.

        Raises Stopped when another call stands here: then the program is not the one that was recorded.
        """

    def open(self, tool: str) -> None:
        """A call is about to be made that may act outside the vault, where nobody can take it back.

        Raises Stopped when an earlier run of the program had begun this very call and nobody knows how it ended.
        """

    def keep(self, asked: str, call: ToolCall, body: bytes) -> None:
        """A call was answered with this message (JSON)."""


def draft_asked(message: Mapping[str, Any]) -> str:
    """A call as a program sent it, as text that is equal for equal calls."""
    return _encode([message["call"], message.get("args"), message.get("kwargs")])


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
