"""Where `nest` is and on which system, in; the plugin's settings that make its palette commands, out. *Pure*.

Paths go as arguments, unquoted, since the plugin escapes what a variable holds; every other text goes through stdin,
where quotes, lines and shell marks survive and mean nothing. What is printed is shown in a window, as text: the
plugin's notifications draw HTML, and an error can quote a note or a tool.

**Source**: the settings of obsidian-shellcommands 0.23.0: 18 fields an entry, 6 a prompt, 6 a field of it, 4 a custom
variable. An entry that lacks one, or names an icon as it was before 0.23.0, is rewritten when the plugin loads.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX = "nest-"
"""Ids that begin so are nest's; all others are the person's and are never touched."""
SECTIONS = ("shell_commands", "prompts", "custom_variables")
"""Lists of the plugin's settings that nest adds to."""

Item = dict[str, Any]
Wanted = Mapping[str, Sequence[Item]]
"""Section -> entries, in the order in which they are added."""

_VAULT = "--vault {{vault_path}}"
_NOTE = "{{file_path:relative}}"
_SHELLS = {"linux": "/bin/bash", "darwin": "/bin/bash", "win32": "PowerShell.exe"}
"""Each escapes what a variable holds. cmd.exe and a shell of the person's own may not, so that a note's name could run
something; and the plugin refuses a desktop's shell that it does not know, fish for one."""
_QUIET_CODES = (0, 3, 4, 5)
"""An ask that was answered, was refused, waits, or has no answer: its note says so, and opens; no more need be said."""


@dataclass(frozen=True, slots=True)
class _Command:
    """One palette command, as far as it differs from the others."""

    name: str
    alias: str
    words: str
    """What follows `nest --vault ...`."""
    icon: str
    prompt: str = ""
    stdin: str | None = None
    stdout: str = "open-files"
    menu: bool = False
    """Whether it also stands in the editor's context menu."""


_QUESTION = "{{_nest_question}}"
_COMMANDS = (
    _Command("ask", "nest: ask", "ask - --print path", "message-circle-question", "ask", _QUESTION),
    _Command(
        "ask-selection",
        "nest: ask about the selection",
        "ask - --selection - --print path",
        "text-select",
        "ask",
        _QUESTION + "\n{{selection}}",
        menu=True,
    ),
    _Command(
        "ask-note",
        "nest: ask about this note",
        f"ask - --note={_NOTE} --print path",
        "file-question",
        "ask",
        _QUESTION,
        menu=True,
    ),
    _Command(
        "call",
        "nest: run a tool on this note",
        f"call - --max-bytes 60000 -- {_NOTE}",  # a note may be called `--yes=1.md`
        "wrench",
        "call",
        "{{_nest_tool}}",
        "modal",
    ),
    _Command("review", "nest: review waiting runs", "runs list --status waiting --print path", "list-checks"),
    _Command("last", "nest: open the last run", "runs open last --print path", "history"),
    _Command("index", "nest: index", "index", "database", stdout="notification"),
)
_PROMPTS = (
    ("ask", "Ask nest", "The answer comes back as a note.", "Question", "question", "Ask"),
    ("call", "Run a tool on this note", "Its first parameter gets the note's path.", "Tool", "tool", "Run"),
)
_VARIABLES = (("question", "What nest is asked."), ("tool", "The tool that nest runs."))


def draft_wanted(program: str, platform: str) -> Wanted:
    """All that nest adds; `program` is its absolute path on this `platform` (linux, darwin or win32)."""
    return {
        "shell_commands": [_draft_entry(command, program, platform) for command in _COMMANDS],
        "prompts": [_draft_prompt(*prompt) for prompt in _PROMPTS],
        "custom_variables": [
            {"id": f"{PREFIX}variable-{name}", "name": f"nest_{name}", "description": text, "default_value": None}
            for name, text in _VARIABLES
        ],
    }


def _draft_entry(command: _Command, program: str, platform: str) -> Item:
    programs = {"default": "nest", "win32": "nest", platform: program}
    return {
        "id": PREFIX + command.name,
        "platform_specific_commands": {
            system: f"{_quoted(path, system)} {_VAULT} {command.words}" for system, path in programs.items()
        },
        "shells": dict(_SHELLS),
        "alias": command.alias,
        "icon": f"lucide-{command.icon}",
        "confirm_execution": False,
        "ignore_error_codes": list(_QUIET_CODES) if command.prompt == "ask" else [],
        "input_contents": {"stdin": command.stdin},
        "output_handlers": {
            "stdout": {"handler": command.stdout, "convert_ansi_code": False},
            "stderr": {"handler": "modal", "convert_ansi_code": False},
        },
        "output_wrappers": {"stdout": None, "stderr": None},
        "output_channel_order": "stdout-first",
        "output_handling_mode": "buffered",
        "execution_notification_mode": None,
        "events": {"editor-menu": {"enabled": True}} if command.menu else {},
        "debounce": None,
        "command_palette_availability": "enabled",
        "preactions": (
            [{"type": "prompt", "enabled": True, "prompt_id": f"{PREFIX}prompt-{command.prompt}"}]
            if command.prompt
            else []
        ),
        "variable_default_values": {},
    }


def _draft_prompt(name: str, title: str, description: str, label: str, variable: str, button: str) -> Item:
    field = {
        "type": "single-line-text",
        "label": label,
        "description": "",
        "default_value": "",
        "target_variable_id": f"{PREFIX}variable-{variable}",
        "required": True,
    }
    return {
        "id": f"{PREFIX}prompt-{name}",
        "title": title,
        "description": description,
        "preview_shell_command": False,
        "fields": [field],
        "execute_button_text": button,
    }


def _quoted(program: str, system: str) -> str:
    """The program for the shell of that system; PowerShell calls a quoted path only with `&`."""
    if system != "win32":
        return shlex.quote(program)
    return program if program == "nest" else "& '" + program.replace("'", "''") + "'"
