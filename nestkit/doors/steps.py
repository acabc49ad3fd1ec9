"""A run under way, in; what a person at a terminal sees of it on stderr, out. *Disk*."""

from __future__ import annotations

import click

from nestkit.doors.printing import hint
from nestkit.run import Account, Step
from nestkit.visible import visible


class Screen:
    """Shows each reply as it is written, and each step when it is done."""

    def __init__(self, *, streams: bool, verbose: bool) -> None:
        self._streams, self._verbose = streams, verbose
        self._written = ""

    def on_text(self, piece: str) -> None:
        """A piece of a reply."""
        if self._streams:
            shown = visible(piece)
            self._written += shown
            click.echo(shown, err=True, nl=False)

    def on_step(self, step: Step) -> None:
        """A step that is done: its account, its calls and what came of it."""
        written, self._written = self._written, ""
        if written and not written.endswith("\n"):
            hint("")
        if not self._verbose:
            return
        hint(f"-- step {step.number}: {step.seconds:.3f} s{f'; {draft_account(step.account)}' if step.account else ''}")
        if not written:
            hint(step.program.rstrip("\n"))
        for call in step.outcome.calls:
            hint(f"   {call.tool} {call.seconds * 1000:.1f} ms{'' if not call.error else ': ' + call.error}")
        for text in (step.outcome.output, step.outcome.error):
            if text:
                hint(text.rstrip("\n"))


def draft_account(account: Account) -> str:
    """One line: what was read and written, what the window leaves, where the time went."""
    read = f"{account.read} tokens read" if account.read else "the server does not count tokens"
    speed = account.written / account.model_seconds if account.model_seconds else 0.0
    left = account.window - (account.read or account.estimated) - account.written
    parts = [
        f"{read} ({account.estimated} estimated), {account.written} written",
        f"{max(0, left)} left of {account.window}",
        f"{account.shortened} old observations shortened" if account.shortened else "",
        f"model {account.model_seconds:.3f} s",
        f"loading it {account.load_seconds:.1f} s" if account.load_seconds >= 0.1 else "",
        f"{speed:.0f} tokens a second" if speed else "",
    ]
    return ", ".join(part for part in parts if part)
