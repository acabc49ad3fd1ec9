"""A vault and the command `nest` in; what starts `nest watch` with the desktop, written where the system looks, out.
*Disk*."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from nestkit.errors import NestError

_KEPT = ("NEST_CACHE_DIR", "NEST_STATE_DIR", "NEST_CONFIG_DIR", "NEST_HOST", "OLLAMA_HOST", "PATH")
"""Variables of this shell that the service gets: a desktop reads no profile."""
STOP_SECONDS = 150
"""How long what runs may take to end, when the system stops the service: longer than one ask may."""


@dataclass(frozen=True, slots=True)
class Service:
    """One file for the system, and the commands that go with it."""

    file: Path
    text: str
    hints: tuple[str, ...]


def draft_service(home: Path, name: str, program: str, vault: Path, environ: Mapping[str, str], log: Path) -> Service:
    """A systemd user unit, or a launchd plist on macOS. Raises NestError elsewhere."""
    kept = {key: environ[key] for key in _KEPT if environ.get(key)}
    words = [program, "--vault", str(vault), "watch"]
    if sys.platform == "darwin":
        return _launchd(home, f"nest.watch.{name}", words, kept, log)
    if sys.platform.startswith("linux"):
        return _systemd(home, f"nest-watch-{name}.service", words, kept, log)
    raise NestError("there is no service for this system", "start `nest watch` in a terminal, or by a task of yours")


def write_service(service: Service) -> bool:
    """Whether the file was written; the same one is left as it is."""
    if service.file.exists() and service.file.read_text("utf-8") == service.text:
        return False
    service.file.parent.mkdir(parents=True, exist_ok=True)
    temp = service.file.with_name(service.file.name + ".new")
    temp.write_text(service.text, "utf-8")
    temp.replace(service.file)
    return True


def _systemd(home: Path, name: str, words: list[str], kept: Mapping[str, str], log: Path) -> Service:
    """**Source**: systemd.service(5), systemd.exec(5), systemd.kill(5): `mixed` stops nest, not its tools."""
    lines = [
        "[Unit]",
        f"Description=nest watch {_unit(words[2], quoted=False)}",
        "",
        "[Service]",
        f"ExecStart={' '.join(map(_unit, words))}",
        *(f"Environment={_unit(f'{key}={value}')}" for key, value in kept.items()),
        "Restart=on-failure",
        "RestartSec=30",
        "KillMode=mixed",
        f"TimeoutStopSec={STOP_SECONDS}",
        "Nice=10",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    hints = (
        f"start: systemctl --user daemon-reload && systemctl --user enable --now {name}",
        f"stop:  systemctl --user disable --now {name}",
        f"log:   {log}  (or journalctl --user -u {name})",
    )
    return Service(home / ".config/systemd/user" / name, "\n".join(lines) + "\n", hints)


def _unit(text: str, *, quoted: bool = True) -> str:
    """Text in a unit file: quotes, and nothing in it that systemd would replace."""
    text = text.replace("%", "%%")
    if not quoted:
        return " ".join(text.split())
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("\n", "\\n") + '"'


def _launchd(home: Path, name: str, words: list[str], kept: Mapping[str, str], log: Path) -> Service:
    """**Source**: launchd.plist(5)."""
    arguments = "".join(f"\n    <string>{escape(word)}</string>" for word in words)
    variables = "".join(f"\n    <key>{k}</key><string>{escape(v)}</string>" for k, v in kept.items())
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{escape(name)}</string>
  <key>ProgramArguments</key>
  <array>{arguments}
  </array>
  <key>EnvironmentVariables</key>
  <dict>{variables}
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ExitTimeOut</key><integer>{STOP_SECONDS}</integer>
  <key>ProcessType</key><string>Background</string>
</dict>
</plist>
"""
    file = home / "Library/LaunchAgents" / f"{name}.plist"
    hints = (f"start: launchctl load -w '{file}'", f"stop:  launchctl unload -w '{file}'", f"log:   {log}")
    return Service(file, text, hints)
