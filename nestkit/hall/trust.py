"""What a tool needs a person's leave for, and the leave they gave: asked, kept, taken back. Part of the hall. *Disk*.

A grant is tied to the bytes of the script and of every file of the vault that it may load, and to the effects that were
shown. Any of them changed, and the person is asked again. Grants lie in the user's state folder: nothing that comes
with a vault can give itself one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nestkit.change import digest
from nestkit.errors import NoTool, VaultError
from nestkit.index.registry import by_module
from nestkit.policy import Grant, Wants, effects_needing_leave
from nestkit.tool import Effect, Script, Tool
from nestkit.vault.grants import change_grants, read_grants
from nestkit.vault.place import vault_key
from nestkit.visible import find_pretenders, reviewed

if TYPE_CHECKING:
    from nestkit.nest import Nest

_MAX_LINES = 40
_MAX_FILES = 12
_MAX_CHARS = 200

_MEANS: Mapping[str, tuple[str, str]] = {
    "write": ("write and change files in {}", "write and change any file of the vault"),
    "delete": ("delete files in {}", "delete any file of the vault"),
    "network": ("talk to {}", "talk to any host"),
    "env": ("read the environment variable {}", "read environment variables"),
    "run": ("start the program {}", "start programs"),
    "read": ("read {}", "read the vault; its author wants you asked before every call"),
}
"""Kind of effect -> what it is to a person, with a scope and without."""


class Trust:
    """The grants of one vault."""

    def __init__(self, nest: Nest) -> None:
        self._nest = nest
        self._file = nest.folders.state / vault_key(nest.root) / "grants.json"
        self.trouble = ""
        """Why the grants could not be read, as far as known; then there are none."""
        self._known: dict[str, Wants] = {}
        """By tool, as long as the registry is the same."""
        self._known_of: object = None

    def wants(self, tool: Tool) -> Wants:
        """What this tool needs leave for as of the last refresh."""
        if self._known_of is not self._nest.registry:
            self._known, self._known_of = {}, self._nest.registry
        if tool.name not in self._known:
            self._known[tool.name] = self._wants(tool)
        script = next(script for script in self._nest.registry.scripts if script.path == tool.script)
        missing = script.dependencies and self._nest.packages.find(script) is None
        return replace(self._known[tool.name], fetch=self._nest.packages.source if missing else "")

    def _wants(self, tool: Tool) -> Wants:
        below = f"{self._nest.config.system}/"
        scripts = [script for script in self._nest.registry.scripts if script.path.startswith(below)]
        script = next(script for script in self._nest.registry.scripts if script.path == tool.script)
        loaded = loaded_by(script, scripts)
        # what it starts may run any of the others, and nobody looks at what a program loads
        covered = scripts if tool.manner == "shell" or any(e.kind == "run" for e in tool.effects) else loaded
        files = {each.path: each.digest for each in (script, *covered)}
        return Wants(
            tool=tool.name,
            script=tool.script,
            effects=effects_needing_leave(tool),
            digest=sha256("".join(f"{path}\0{files[path]}\n" for path in sorted(files)).encode()).hexdigest(),
            files=files,
            lines=tuple(self._lines(tool, loaded)),
            dependencies=script.dependencies,
        )

    def holds(self, wants: Wants) -> bool:
        """Whether the person gave leave for all of this."""
        return any(grant.covers(wants) for grant in self.grants())

    def grants(self) -> tuple[Grant, ...]:
        """Every grant there is for this vault, those that no longer fit included."""
        try:
            self._check_place()
            return read_grants(self._file)
        except VaultError as error:
            self.trouble = str(error)
            return ()

    def give(self, wanted: Sequence[Wants], now: datetime) -> None:
        """Keep the person's leave for exactly this; raises VaultError where it could not be kept safe."""
        self._check_place()
        names = {(wants.script, wants.tool) for wants in wanted}
        given = now.isoformat(timespec="seconds")
        new = [Grant(w.tool, w.script, w.digest, tuple(map(str, w.effects)), given) for w in wanted]
        change_grants(self._file, lambda old: [*(g for g in old if (g.script, g.tool) not in names), *new])

    def keep(self, wants: Wants, now: datetime, say: Callable[[str], None]) -> None:
        """The same for a yes that was just given: it holds for what is at hand, even where it cannot be kept."""
        try:
            self.give([wants], now)
        except VaultError as error:
            say(f"{error}; {error.hint}")

    def take(self, name: str = "") -> list[Grant]:
        """Take back the grants of a tool or script, or all of them, and return them. Raises NoTool when it has none."""
        taken = [grant for grant in self.grants() if not name or name in _names(grant.tool, grant.script)]
        if name and not taken:
            raise NoTool(f"nothing was granted to {name!r}", "`nest trust --list` shows what was")
        change_grants(self._file, lambda old: [grant for grant in old if grant not in taken])
        return taken

    def state(self, grant: Grant) -> str:
        """What a grant is worth today, in a few words: `in force`, or why it is not."""
        if grant.tool == grant.script:
            from nestkit.hall.prompts import find_prompt_note

            note = find_prompt_note(self._nest, grant.script)
            wants = note.wants if note else None
        else:
            tools = self._nest.registry.tools
            tool = next((t for t in tools if (t.name, t.script) == (grant.tool, grant.script)), None)
            wants = self.wants(tool) if tool else None
        if wants is None:
            return "the note is gone" if grant.tool == grant.script else "the tool is gone"
        if grant.covers(wants):
            return "in force"
        return "changed since: asks again" if grant.digest != wants.digest else "needs more by now: asks again"

    def find_tools(self, name: str) -> list[Tool]:
        """The tools somebody means by the name of a tool or of a script. Raises NoTool."""
        tools = [tool for tool in self._nest.registry.tools if tool.manner != "builtin"]
        exact = [tool for tool in tools if tool.name == name]
        return exact or [t for t in tools if name in _names("", t.script)] or [self._nest.get_tool(name)]

    def _check_place(self) -> None:
        """Raises VaultError when the vault holds nest's own state: whoever made the vault could have made that."""
        if self._file.is_relative_to(self._nest.root):
            raise VaultError(
                f"{self._file.parent} lies inside the vault, so no grant there counts",
                "set NEST_STATE_DIR to a folder outside it",
            )

    def _lines(self, tool: Tool, helpers: Sequence[Script]) -> Iterator[tuple[str, int, str]]:
        """The lines that show what it does besides reading, in the script and in what it loads."""
        seen = [(tool.script, effect) for effect in tool.found]
        for helper in helpers:
            seen += [(helper.path, effect) for effect in self._effects_of(helper)]
        for path, line in dict.fromkeys((path, effect.line) for path, effect in seen if effect.kind != "read"):
            yield path, line, self._line(path, line)

    def _effects_of(self, script: Script) -> list[Effect]:
        """All effects that a file shows, whoever in it has them."""
        from nestkit.parse.effects import find_effects
        from nestkit.parse.source import Source, parse_source

        source = parse_source(script.path, self._nest.find_bytes(script.path) or b"")
        if not isinstance(source, Source):
            return []
        own = find_effects(source).own.values()
        return sorted({effect for effects in own for effect in effects}, key=lambda effect: effect.line)

    def _line(self, path: str, line: int) -> str:
        """One line of a script as it was read; empty when the file is another by now."""
        content = self._nest.find_bytes(path) or b""
        known = {script.path: script.digest for script in self._nest.registry.scripts}
        lines = content.decode("utf-8", "replace").splitlines() if known.get(path) == digest(content) else []
        return lines[line - 1] if 0 < line <= len(lines) else ""


def loaded_by(script: Script, scripts: Iterable[Script]) -> list[Script]:
    """The other files of the vault that this script may load, and those that they may, by path."""
    scripts = list(scripts)
    modules, by_path = by_module(scripts), {each.path: each for each in scripts}
    found: dict[str, Script] = {script.path: script}
    waiting = [script]
    while waiting:
        loader = waiting.pop()
        asked = [each for module in loader.imports for each in modules.get(module, ())]
        new = [each for each in (*asked, *_packages_above(loader, by_path)) if each.path not in found]
        found |= {each.path: each for each in new}
        waiting += new
    return [found[path] for path in sorted(found) if path != script.path]


def _packages_above(script: Script, by_path: Mapping[str, Script]) -> list[Script]:
    """The `__init__.py` files that run when a file is loaded as part of its packages."""
    folders = script.path.split("/")[:-1]
    paths = ("/".join((*folders[:end], "__init__.py")) for end in range(1, len(folders) + 1))
    return [by_path[path] for path in paths if path in by_path]


def draft_wants(wants: Wants, declared: Sequence[Effect] | None) -> list[str]:
    """What is asked for and why, in lines for a person; nothing in them can hide or pretend to be ours."""
    asked = set(declared or ())
    lines = [f"{_inline(wants.tool)} ({_inline(wants.script)}) wants leave, besides reading the vault, to"]
    if wants.fetch:
        lines.append(f"  - have packages fetched from {wants.fetch}: {', '.join(map(_inline, wants.dependencies))}")
    for effect in wants.effects:
        with_scope, without = _MEANS[effect.kind]
        said = "" if effect in asked or effect.kind == "read" else " (seen in the code, not declared)"
        lines.append(f"  - {with_scope.format(_inline(effect.scope)) if effect.scope else without}{said}")
    if wants.lines:
        lines.append("because of")
        lines += [f"  {_inline(path)}:{line}  {_cut(_inline(text))}" for path, line, text in wants.lines[:_MAX_LINES]]
    if len(wants.lines) > _MAX_LINES:
        lines.append(f"  and {len(wants.lines) - _MAX_LINES} more lines: read the script before you say yes")
    if others := [_inline(path) for path in wants.files if path != wants.script]:
        more = f" and {len(others) - _MAX_FILES} more" if len(others) > _MAX_FILES else ""
        lines.append(f"with the same leave for what it may load or start: {', '.join(others[:_MAX_FILES])}{more}")
    if wants.dependencies and wants.effects:
        lines.append(f"and for the packages it needs: {', '.join(map(_inline, wants.dependencies))}")
    told = " ".join((wants.tool, wants.script, *map(str, wants.effects), *wants.dependencies, *wants.files))
    shown = " ".join(text for _, _, text in wants.lines)
    return lines + [f"careful: {why}" for why in find_pretenders(f"{told} {shown}")]


def draft_prompt_wants(wants: Wants) -> list[str]:
    """All that a note would have a model told, in lines for a person, as of `draft_wants`."""
    lines = [f"{_inline(wants.script)} would be the first thing that every model is told, in place of the prompt:"]
    lines += [f"  {_inline(text)}" for _, _, text in wants.lines]
    return lines + [f"careful: {why}" for why in find_pretenders(" ".join(text for _, _, text in wants.lines))]


def _names(tool: str, script: str) -> tuple[str, ...]:
    """What a person may call a tool or its script."""
    file = script.rpartition("/")[2]
    return tool, script, file, file.removesuffix(".py")


def _inline(text: str) -> str:
    """Text as one line: runs of blanks, which could push something out of sight, are one blank."""
    return " ".join(reviewed(text).split())


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}... (and {len(text) - _MAX_CHARS} characters more)"


def grant_record(grant: Grant, state: str) -> dict[str, Any]:
    """A grant as the JSON that programs read."""
    return {
        "tool": grant.tool,
        "script": grant.script,
        "effects": list(grant.effects) or (["prompt"] if grant.tool == grant.script else []),
        "given": grant.given,
        "state": state,
    }
