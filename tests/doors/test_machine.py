"""What the machine denies a command is one line of what and what to do, never a fault of ours."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from checks import COMMAND, NestCommand

from nestkit.doors.init import init_vault
from nestkit.doors.machine import explain


def shell(line: str, vault: Path) -> subprocess.CompletedProcess[bytes]:
    line = f"unset PYTHONUNBUFFERED; {line}"  # what is buffered meets a full disk at exit only
    return subprocess.run(["bash", "-c", line, str(COMMAND)], cwd=vault, capture_output=True, timeout=60)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-", "2>/dev/full"])
def test_a_stream_that_is_closed_or_full_keeps_nothing_from_being_answered(ops: Path, closed: str) -> None:
    done = shell(f'"$0" ask "how many notes are tagged #client?" --model builtin {closed}', ops)
    assert (done.returncode, done.stdout) == (0, b"3\n"), done.stderr


def test_without_stdout_the_answer_is_in_its_note(ops: Path) -> None:
    done = shell('"$0" ask "how many notes are tagged #client?" --model builtin >&-', ops)
    assert done.returncode == 0, done.stderr
    assert len(list((ops / "03_Runs").rglob("*.md"))) == 1


def test_a_question_from_a_closed_stdin_is_none(ops: Path) -> None:
    done = shell('"$0" ask - --model builtin <&-', ops)
    assert done.returncode == 2
    assert b"there is no question" in done.stderr


@pytest.mark.parametrize("words", ["show tags", "show tags --json", "--help", 'ask "how many notes?" --model builtin'])
def test_a_full_stdout_is_one_line(ops: Path, words: str) -> None:
    done = shell(f'"$0" {words} >/dev/full', ops)
    assert done.returncode == 1
    assert b"the disk is full" in done.stderr
    assert b"bug" not in done.stderr
    assert b"Exception" not in done.stderr


def test_words_that_are_no_text_are_wrong_use(ops: Path) -> None:
    done = shell("\"$0\" ask $'\\xff\\xfe bad bytes' --model builtin", ops)
    assert done.returncode == 2
    assert b"no UTF-8 text: \\xff\\xfe bad" in done.stderr


def test_a_byte_order_mark_is_no_part_of_the_question(nest: NestCommand) -> None:
    assert nest("ask", "-", "--model", "builtin", stdin="\ufeffhow many notes are tagged #client?").stdout == "3\n"


def test_a_terminal_of_another_encoding_gets_what_it_can_show(nest: NestCommand, ops: Path) -> None:
    (ops / "日記.md").write_text("x")
    done = nest("show", "notes", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0, done.stderr
    assert "\\u65e5\\u8a18.md" in done.stdout


@pytest.mark.parametrize("kind", ["CACHE", "STATE"])
@pytest.mark.parametrize("words", [("show", "tags"), ("watch", "--once"), ("doctor", "--quick"), ("init",)])
def test_a_folder_of_nests_own_that_cannot_be_is_no_bug(
    nest: NestCommand, tmp_path: Path, words: tuple[str, ...], kind: str
) -> None:
    (tmp_path / "file").write_text("")
    done = nest(*words, env={f"NEST_{kind}_DIR": str(tmp_path / "file" / "below")})
    assert done.returncode in (0, 1), done.stderr
    assert "bug" not in done.stderr
    if (kind, words) == ("CACHE", ("show", "tags")):
        assert f"{tmp_path}/file/below" in done.stderr
        assert "NEST_CACHE_DIR" in done.stderr


def test_what_is_ours_stays_a_bug() -> None:
    assert explain(FileNotFoundError(errno.ENOENT, "x", "file")) is None
    assert explain(PermissionError(errno.EPERM, "kill")) is None
    assert explain(ValueError("x")) is None
    assert explain(PermissionError(errno.EACCES, "x", "/a/b")) is not None


def test_an_index_without_room_is_the_disk_s(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "index")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE a (b)").execute("INSERT INTO a VALUES (?)", ("x" * 99999,))
    told = explain(caught.value)
    assert told is not None
    assert "the disk is full" in told[0]


def test_a_nest_that_found_no_room_leaves_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = tmp_path / "new"
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 0; exec "$0" init "$1"', COMMAND, vault],
        env={**os.environ, "NEST_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert not (vault / "nest.toml").exists()
    assert "nest.toml" in init_vault(vault)


def test_trust_speaks_json(nest: NestCommand) -> None:
    reads = nest("trust", "fx.convert", "--json")
    assert json.loads(reads.stdout) == []
    assert "only reads" in reads.stderr


def test_a_list_of_runs_shows_long_questions_short(nest: NestCommand) -> None:
    nest("ask", "why " * 500, "--model", "builtin")
    (line,) = nest("runs").stdout.splitlines()
    assert len(line) < 300
    assert "…" in line


@pytest.mark.parametrize("variable", ["OLLAMA_HOST", "OPENAI_BASE_URL"])
@pytest.mark.parametrize("model", ["auto", "ollama/x", "openai/x"])
def test_an_address_that_is_none_is_said(nest: NestCommand, variable: str, model: str) -> None:
    done = nest("ask", "how many notes?", "--model", model, env={variable: "http://[bad", "NO_PROXY": "*"})
    assert "bug" not in done.stderr
    if (variable, model) in (("OLLAMA_HOST", "ollama/x"), ("OPENAI_BASE_URL", "openai/x")):
        assert done.returncode == 1
        assert f"{variable} is no address" in done.stderr


@pytest.mark.parametrize("now", ["9999-12-31T23:59:59-12:00", "10000-01-01", "0001-01-01T00:00+14:00"])
def test_a_time_beyond_the_calendar_is_wrong_use(nest: NestCommand, now: str) -> None:
    assert nest("ask", "how many notes?", "--model", "builtin", "--now", now).returncode == 2


def test_no_name_means_no_run_even_where_there_is_only_one(nest: NestCommand) -> None:
    nest("call", "vault.append_note", "--note", "README", "--text", "more", "--yes")
    for words in (("undo", ""), ("runs", "show", ""), ("replay", "")):
        done = nest(*words)
        assert done.returncode == 1
        assert "no run ''" in done.stderr
    assert nest("undo", "last").returncode == 0


def test_runs_of_no_status_are_told_from_no_runs(nest: NestCommand) -> None:
    assert nest("runs", "list", "--status", "done").returncode == 2
    assert nest("runs", "list", "--status", "error").stdout == "no run is error\n"


def test_the_doctor_says_that_nothing_can_be_kept(nest: NestCommand, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = json.loads(nest("doctor", "--quick", "--json", env={"NEST_STATE_DIR": f"{tmp_path}/file/x"}).stdout)
    assert {"vault", "index", "isolation", "models"} <= {finding["what"] for finding in found}
    (folders,) = [finding for finding in found if finding["what"] == "folders"]
    assert not folders["good"]
    assert "NEST_STATE_DIR" in folders["hint"]
    found = json.loads(nest("doctor", "--quick", "--json", env={"NEST_CACHE_DIR": f"{tmp_path}/file/x"}).stdout)
    assert "a file stands where a folder is needed" in found[0]["finding"]
    assert all(finding["what"] != "folders" for finding in json.loads(nest("doctor", "--quick", "--json").stdout))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_the_doctor_says_that_the_vault_cannot_be_written(nest: NestCommand, ops: Path) -> None:
    ops.chmod(0o555)
    vault = json.loads(nest("doctor", "--quick", "--json").stdout)[0]
    ops.chmod(0o755)
    assert (vault["what"], vault["good"]) == ("vault", False)


def test_a_last_run_by_the_clock_alone_is_not_undone(nest: NestCommand, ops: Path) -> None:
    for note, now in (("README", "2026-03-18"), ("Finance", "2020-01-01")):
        assert (
            nest("call", "vault.append_note", "--note", note, "--text", "more", "--yes", "--now", now).returncode == 0
        )
    done = nest("undo", "last")
    assert done.returncode == 1
    newest, latest = (run["id"] for run in json.loads(nest("runs", "--json").stdout))
    assert f"by its clock the last run is {newest}, by its trace it is {latest}" in done.stderr
    assert (ops / "README.md").read_text().endswith("more\n")
    assert nest("undo", latest).returncode == 0
    assert "more" in (ops / "README.md").read_text()
    assert not (ops / "Areas/Finance.md").read_text().endswith("more\n")


def test_a_folder_that_is_gone_is_said(ops: Path) -> None:
    done = shell('mkdir gone; cd gone; rmdir ../gone; "$0" show tags', ops)
    assert done.returncode == 1
    assert b"not there any more" in done.stderr
