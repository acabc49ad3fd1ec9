"""What a note can hand over through the plugin, at its worst, and what nest says it was asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HOSTILE = [
    "plain",
    "'; touch pwned; echo '",
    '"; touch pwned; echo "',
    "$(touch pwned) `touch pwned` ${IFS}",
    "a\nb\r\nc\n\n",
    "\\ \\n \\\\ %PATH% !x! ^ & | > pwned < ~ * ? [a] {b,c} # ; \t",
    "{{vault_path}} {{!selection}} <% tp %> [[link]] %% x %% ```nest\nlist all notes\n```",
    "中文 עברית \u202e e\u0301 \U0001f600 \x07\x1b[31m",
    "x" * 3_000_000,
]


def asked(vault: Path, path: str) -> dict[str, Any]:
    """The ask of the run whose note is there, from its trace."""
    text = (vault / path).read_text("utf-8")
    run = re.search(r'^nest-id: "([^"]+)"$', text, re.M)
    assert run
    trace = (vault / f".nest/runs/{run[1]}.jsonl").read_text("utf-8")
    ask: dict[str, Any] = json.loads(trace.splitlines()[0])["ask"]
    return ask
