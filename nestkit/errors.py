"""What can go wrong, as one tree: each error says what and where, and its hint says what to do. *Pure*.

```
NestError                     exit 1
├── VaultError
│   ├── NoVault               no vault here, or the one named does not exist
│   ├── OutsideVault          a path leads out of the vault, or into a place nobody may touch
│   ├── NoteMissing           the note asked for is not there
│   ├── NoteExists            a new note would overwrite one
│   └── NoteChanged           the note is no longer what was read: compare-and-swap lost
├── ModelError                the server answered with an error
│   ├── Unreachable           no server there, or it hung or broke off
│   ├── ModelMissing          the server does not have this model
│   └── OutOfTime             the time of the ask ran out while the model was at work
├── NoTool                    no tool of this name, or more than one
├── SandboxError              the child could not start, or broke the protocol (our fault, not the program's)
├── StateError                what nest keeps for this user cannot be read or written
└── ConfigError               a settings file that cannot be read
```

What is *expected* is a value instead: a broken note is a `Problem`, a failing program an `Outcome`, an ask
turned down a `Refusal`, no answer within the limits a `Run` with that status.
"""

from __future__ import annotations


class NestError(Exception):
    """The root: one line of what went wrong, one of what to do, and the exit code of the command."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class VaultError(NestError):
    """Something about the vault's files."""


class NoVault(VaultError):
    """There is no vault where one was looked for."""


class OutsideVault(VaultError):
    """The path leads out of the vault or into a protected place."""


class NoteMissing(VaultError):
    """There is no such note."""


class NoteExists(VaultError):
    """A note of that name is already there; nest never overwrites it unasked."""


class NoteChanged(VaultError):
    """Somebody else wrote the file between our reading and our writing."""


class ModelError(NestError):
    """The model's server answered with an error. `again` says whether one more try may help."""

    def __init__(self, what: str, hint: str = "", *, again: bool = False) -> None:
        super().__init__(what, hint)
        self.again = again


class Unreachable(ModelError):
    """No server answers, or it stopped in the middle of its reply."""


class TooLong(ModelError):
    """The conversation does not fit the window that the server has for the model.

    `window` is the window in tokens, `tokens` what the server counted (at least); 0 where it did not tell.
    """

    def __init__(self, what: str, hint: str = "", *, window: int = 0, tokens: int = 0) -> None:
        super().__init__(what, hint)
        self.window, self.tokens = window, tokens


class ModelMissing(ModelError):
    """The server is there, the model is not."""


class OutOfTime(ModelError):
    """The time of the ask ran out while the model was at work."""


class NoTool(NestError):
    """No tool answers to the name, or several do."""


class SandboxError(NestError):
    """The isolated child could not be started, or spoke out of turn."""


class NoLayers(SandboxError):
    """This machine, or this disk, cannot lay one folder over another: a full copy is needed."""


class StateError(NestError):
    """Something about the user's state folder: no approval without it."""


class ConfigError(NestError):
    """A settings file is not what it should be."""
