"""Nothing in; something to steal, that an escape would reach and a child must not, out. *Disk, Network*."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from nestkit.sandbox.temporary import Held


class Bait:
    """Something to steal, somewhere to write, someone to talk to: what an escape would reach."""

    def __init__(self) -> None:
        """Raises OSError where there is no room for it."""
        self._held = Held(0o711)
        self.folder = self._held.folder
        os.mkdir(f"{self.folder}/root", 0o755)
        os.mkdir(f"{self.folder}/bait")
        os.chmod(f"{self.folder}/bait", 0o1777)
        file = f"{self.folder}/bait/{secrets.token_hex(8)}"
        Path(file).write_text("bait", encoding="ascii")
        os.chmod(file, 0o666)
        self._local = socket.socket(socket.AF_UNIX)
        name = f"nest-{secrets.token_hex(8)}"
        local = f"\0{name}" if sys.platform.startswith("linux") else f"{self.folder}/bait/{name[:12]}"
        self._local.bind(local)
        self._local.listen()
        self._port = socket.socket()
        self.wish = {"file": file, "local": local, "port": self._open_port()}

    def _open_port(self) -> int:
        """A port on this machine that can be reached, or 0 where there is no such thing."""
        try:
            self._port.bind(("127.0.0.1", 0))
            self._port.listen()
            with socket.socket() as link:  # not create_connection: it loads a codec that takes longer than all this
                link.settimeout(1)
                link.connect(self._port.getsockname())
            return int(self._port.getsockname()[1])
        except OSError:
            return 0

    def close(self) -> None:
        self._local.close()
        self._port.close()
        self._held.close()
