"""A run under way in; its sealed trace on disk, and what an earlier part of it recorded, out. Part of the hall. *Disk*.

The trace is written as the run goes: before a program sees an answer, the answer is in it. So a run that was parked or
killed goes on by running its programs again over what is recorded, up to the call that was open. Answers of built-in
tools that only read are large and cheap to get again: they are held in memory and written when the run is parked or
has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nestkit.change import Change, digest
from nestkit.errors import NestError, StateError
from nestkit.hall.traces import MOST_BYTES, open_ledger, trace_path
from nestkit.matter import draft_bytes, draft_record, parse_bytes
from nestkit.model import Chat, Message, Reply
from nestkit.run import Outcome, Run, Step, ToolCall
from nestkit.runs.ledger import Entry, Ledger
from nestkit.runs.retold import parse_call, parse_reply
from nestkit.runs.trace import Recorded, Sealer
from nestkit.sandbox.child.packing import pack
from nestkit.sandbox.job import Stopped
from nestkit.sandbox.tape import Taped
from nestkit.vault.append import Growing
from nestkit.vault.beneath import read_digest
from nestkit.vault.place import vault_key
from nestkit.vault.prune import is_due
from nestkit.vault.stage import Stage
from nestkit.vault.write import delete_file

if TYPE_CHECKING:
    from nestkit.hall.writers import Writer
    from nestkit.nest import Nest

_HELD_BYTES = 32 << 20
"""Answers of readers held for the case that the run is parked; the rest is asked again then."""

_KEPT_BYTES = 8 << 20
"""Of these, as much as is kept of a run that has ended, so that it can be replayed."""
_END_BYTES = 1 << 20
"""Room that is left for how a run ends."""

_CALL_PARTS = tuple(item.name for item in fields(ToolCall))


class Recording:
    """The trace of one run: the broker's tape, and the model's."""

    def __init__(self, nest: Nest, run: Run, stage: Stage, *, live: bool, keep: bool) -> None:
        """With `live` each event is on disk before the run goes on; without `keep` nothing is ever written."""
        self._nest, self._run, self._stage = nest, run, stage
        self._live, self._off = live, not keep
        self._lines: list[bytes] = []
        self._file: Growing | None = None
        self._ledger: Ledger | None = None
        self._sealer = Sealer(b"")
        self._told = Recorded()
        self._replies = self._number = self._call = self._size = self._held_bytes = 0
        self._known: dict[str, bytes | None] = {}
        self._held: dict[tuple[int, int], bytes] = {}
        self._readers = {tool.name for tool in nest.registry.tools if tool.manner == "builtin" and not tool.effects}
        self.redo: Callable[[ToolCall], None] = lambda call: None
        """Told of each call that is recalled."""
        self.trouble = ""
        """Why this run cannot be resumed."""
        self.diverged = ""
        """How this run is not the one that was recorded."""
        if keep:
            self._prepare()

    def _prepare(self) -> None:
        try:
            self._ledger = open_ledger(self._nest)
            self._sealer.key = self._ledger.key()
        except StateError as error:
            self._give_up(str(error))
            return
        ask = {"id": self._run.id, "vault": vault_key(self._nest.root), "ask": asdict(self._run.ask)}
        self._lines.append(self._sealer.draft({"event": "ask", **ask, "parent": self._run.parent}))

    def go_on(self, growing: Growing, told: Recorded) -> None:
        """Run again over what was recorded, and write on where it ends."""
        self._file, self._told, self._live, self._lines = growing, told, True, []
        self._sealer.last, self._size = told.last, told.size
        self._write({"event": "resume"})

    @property
    def told(self) -> Recorded:
        """What an earlier part of this run recorded; nothing for a new run."""
        return self._told

    @property
    def number(self) -> int:
        """Of the program that is running or was the last; 0 before the first."""
        return self._number

    def chat(self, chat: Chat) -> Chat:
        """The model's replies as they were recorded, and from there on the model's own."""

        def talk(messages: Sequence[Message]) -> Reply:
            if self._replies < len(self._told.replies):
                self._replies += 1
                return parse_reply(self._told.replies[self._replies - 1])
            reply = chat(messages)
            self._replies += 1
            self._write({"event": "reply", **asdict(reply)})
            return reply

        return talk

    def writer(self, writer: Writer) -> None:
        """Who writes the programs is known."""
        if not self._told.writer and not self._off:
            told: dict[str, Any] = {
                "model": writer.model,
                "reading": writer.reading,
                "prompt_digest": writer.prompt_digest,
            }
            told["kept_from"] = writer.kept_from
            if writer.programs:
                told["programs"] = writer.programs
            self._lines.append(
                self._sealer.draft({"event": "writer", **told})
            )  # written with what follows, if anything

    def begin(self) -> None:
        """The next program comes."""
        self._number += 1
        self._call = 0

    def program(self, text: str, approval: str, before: str = "") -> None:
        """A program is about to run, under this approval; `before` it the composed tools that it calls. Raises
        NestError when another one ran here before."""
        known = self._told.programs.get(self._number)
        if known is None or known["approval"] != approval:
            event = {"event": "program", "number": self._number, "text": text, "approval": approval}
            self._write(event | ({"before": before} if before else {}))
        if known is not None and (known["text"], known.get("before", "")) != (text, before):
            self.diverged = f"program {self._number} is not the one that ran before"
            raise NestError(f"this run does not run again as it did: {self.diverged}", "ask again")

    def recall(self, asked: str) -> Taped | None:
        """See `Tape`."""
        answered = self._told.calls.get(self._number, [])
        self._call += 1
        if self._call > len(answered):
            return None
        event = answered[self._call - 1]
        if event["asked"] != asked:
            self.diverged = f"call {self._call} of program {self._number} is not the one that was made before"
            raise Stopped("replay", self.diverged)
        if "reply" not in event:
            return None  # it only reads: it is made again
        call = parse_call(event)
        for change in event.get("staged", ()):
            self._stage.restage(Change(change["path"], parse_bytes(change["before"]), parse_bytes(change["after"])))
        self._known = self._stage.staged()
        self.redo(call)
        return Taped(call, event["reply"])

    def open(self, tool: str) -> None:
        """See `Tape`."""
        number = self._call - 1
        if (self._number, number) in self._told.opened:
            self.diverged = (
                f"{tool} had begun when it was broken off, and may have done its work: look before you ask again"
            )
            raise Stopped("replay", self.diverged)
        self._write({"event": "open", "program": self._number, "number": number, "tool": tool})

    def applied(self, run: Run) -> None:
        """The run's changes are in the vault, or it is known why not."""
        self._write({"event": "applied", "applied": [asdict(done) for done in run.applied]})

    def keep(self, asked: str, call: ToolCall, body: bytes) -> None:
        """See `Tape`."""
        number = self._call - 1
        if self._off or number < len(self._told.calls.get(self._number, [])):
            return
        event = {"event": "call", "program": self._number, "number": number, "asked": asked}
        event["call"] = {name: getattr(call, name) for name in _CALL_PARTS} | {"arguments": _packed(call.arguments)}
        if staged := self._newly_staged(call):
            event["staged"] = staged
        if call.tool in self._readers and not call.error:
            if self._held_bytes + len(body) < _HELD_BYTES:
                self._held[self._number, number] = body
                self._held_bytes += len(body)
            self._lines.append(self._sealer.draft(event))  # in order, with the next event that must not be lost
        else:
            self._write(event, b'"reply":' + body)

    def _newly_staged(self, call: ToolCall) -> list[dict[str, Any]]:
        if not call.effects:
            return []
        staged, known = self._stage.staged(), self._known
        self._known = staged
        return [
            {"path": path, "before": draft_bytes(self._stage.before(path)), "after": draft_bytes(after)}
            for path, after in staged.items()
            if path not in known or known[path] != after
        ]

    def step(self, step: Step) -> None:
        """A step was taken."""
        if step.number <= len(self._told.steps):
            return
        account = step.account and asdict(step.account)
        self._write(
            {
                "event": "step",
                **_parts(step),
                "account": account,
                "outcome": draft_outcome(step.outcome),
                "ran": self._number if step.program else 0,
            }
        )

    def write_held(self, most_bytes: int = _HELD_BYTES) -> None:
        """From here on the vault may become another: what was read so far is written down, as much as there is room
        for."""
        room = min(most_bytes, MOST_BYTES - self._size - _END_BYTES)
        for (program, number), body in self._held.items():
            if len(body) <= room:
                room -= len(body)
                self._write({"event": "value", "program": program, "number": number}, b'"reply":' + body)
        self._held.clear()
        self._held_bytes = 0

    def park(self, run: Run) -> bool:
        """The run waits: whether all it takes to go on is written down."""
        if run.matter is None:
            return False
        self.write_held()
        self._write({"event": "park", "matter": draft_record(run.matter), **_ending(run)})
        self._live = True
        self._flush()
        return not self._off

    def end(self, run: Run) -> None:
        """The run has ended like this, its note is written: the ledger need not know of it any more."""
        self.write_held(_KEPT_BYTES)
        self._write({"event": "end", **_ending(run)})
        self.forget()
        with suppress(NestError, OSError):  # what cannot be put away now is put away by the next run
            stamp = self._nest.folders.state / vault_key(self._nest.root) / "traces-seen"
            if not self._off and is_due(stamp, self._size):
                from nestkit.hall.upkeep import put_away_traces  # late: hardly any run has to

                put_away_traces(self._nest)

    def note(self, path: str, seal: str) -> str:
        """The run's note is about to be written here, with bytes of this digest: all so far is on disk, whatever
        becomes of this machine. The seal of the trace."""
        self._write({"event": "note", "path": path, "digest": seal})
        self._live = True
        self._flush()
        if self._file is not None:
            with suppress(NestError):
                self._file.flush()
        return self._sealer.last

    def put(self, entry: Entry) -> None:
        """Keep the run in the ledger; raises StateError."""
        if self._ledger is not None:
            self._ledger.put(entry)

    def note_mark(self, found: bytes, drafted: bytes) -> None:
        """The asking note was marked: what the run has staged of it was staged over the note without the mark."""
        if self._ledger is not None:
            marked, unmarked = self._ledger.find_mark(self._run.id)
            first = unmarked if marked == digest(found) else digest(found)
            self._ledger.put_mark(self._run.id, digest(drafted), first)

    def is_marked(self, before: bytes | None, now: bytes | None) -> bool:
        """Whether a note is what the run started from, but for nest's own mark that the run waits."""
        if self._ledger is None or before is None or now is None:
            return False
        return (digest(now), digest(before)) == self._ledger.find_mark(self._run.id)

    def forget(self) -> None:
        """Nothing is left to do for this run."""
        if self._ledger is not None:
            self._ledger.forget(self._run.id)

    def drop(self) -> None:
        """The run is not worth a trace."""
        if self._file is not None:
            with suppress(NestError):
                path = trace_path(self._run.id)
                delete_file(self._nest.root, path, read_digest(self._nest.root, path))
        self._off = True
        self.forget()

    def close(self) -> None:
        """Let go of the trace."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._off = True

    def _write(self, event: Mapping[str, Any], more: bytes = b"") -> None:
        if self._off:
            return
        self._lines.append(self._sealer.draft(event, more))
        if self._live:
            self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if self._off or not lines:
            return
        self._size += sum(map(len, lines))
        try:
            if self._size > MOST_BYTES:
                raise StateError(f"its trace would be larger than {MOST_BYTES >> 20} MB")
            is_new, file = self._file is None, self._file or self._begin_file()
            for line in lines:
                file.append(line)
            if is_new:
                self.put(Entry(self._run.id, self._run.ask.text, datetime.now().astimezone().isoformat()))
        except NestError as error:
            self._give_up(str(error))

    def _begin_file(self) -> Growing:
        from nestkit.vault.journal import make_nest  # late: reading needs no journal

        make_nest(self._nest.root)
        self._file = Growing(self._nest.root, trace_path(self._run.id), is_new=True)
        return self._file

    def _give_up(self, why: str) -> None:
        self._off, self.trouble = True, why


def _ending(run: Run) -> dict[str, Any]:
    end = {**_parts(run.end), "answer": _packed(run.end.answer)}
    return {"end": end, "tier": run.tier, "tool_digests": dict(run.tool_digests), "seconds": run.seconds}


def draft_outcome(outcome: Outcome) -> dict[str, Any]:
    """What came of a program as it is recorded, but for its calls: each has its own event."""
    record = {**_parts(outcome), "value": _packed(outcome.value)}
    record["refusals"] = [asdict(refusal) for refusal in outcome.refusals]
    record["files"] = {path: draft_bytes(content) for path, content in outcome.files.items()}
    del record["calls"]
    return record


def _parts(word: Any) -> dict[str, Any]:
    """Name -> value of a dataclass, the values as they are: those of programs cannot be copied."""
    return {item.name: getattr(word, item.name) for item in fields(word)}


def _packed(value: Any) -> Any:
    """The value in words of JSON, as it travels; text for what does not."""
    try:
        return pack(value)
    except (TypeError, ValueError):
        return repr(value)
