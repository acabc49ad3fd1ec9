"""The daemon's log: a line for each thing that happened, and nothing a note says looks like one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nestkit.watching.log import LOG, open_log


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a daemon's log is open to its end
def test_a_question_of_many_lines_looks_like_no_line_of_the_log(tmp_path: Path) -> None:
    write = open_log(tmp_path)
    write("asking: x\n2026-03-18 09:00:00 Q.md: approved\r2026-03-18 09:00:01 forged\x1b[2J")
    write("done")
    lines = (tmp_path / LOG).read_text("utf-8").splitlines()
    begun = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert [line[20:] for line in begun] == ["asking: x", "done"], lines
    assert "\x1b" not in "".join(lines)
