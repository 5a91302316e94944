"""Files that must never be opened, and the proof that nobody did: the kernel itself says so, through inotify."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

IN_OPEN, IN_NONBLOCK = 0x20, os.O_NONBLOCK
SECRET = "canary-3f9a17"


@dataclass
class Canary:
    """A file with a secret in a folder of its own, and a listener on loopback."""

    path: Path
    port: int
    _inotify: int
    calls: list[bytes] = field(default_factory=list)

    def opened(self) -> list[str]:
        """Names of files in the canary's folder that were opened since the last question, by any process."""
        names = []
        with suppress(BlockingIOError):
            data = os.read(self._inotify, 1 << 20)
            while data:
                _, _, _, length = struct.unpack_from("iIII", data)
                names.append(data[16 : 16 + length].rstrip(b"\0").decode())
                data = data[16 + length :]
        return [name for name in names if name]


@contextmanager
def watched(folder: Path, name: str = "canary.ts") -> Iterator[Canary]:
    """Put a canary into a folder and watch it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(SECRET * 20 + "\n", encoding="utf-8")
    libc = ctypes.CDLL(None, use_errno=True)
    inotify = libc.inotify_init1(IN_NONBLOCK)
    assert inotify >= 0 and libc.inotify_add_watch(inotify, os.fsencode(folder), IN_OPEN) >= 0
    server = socket.create_server(("127.0.0.1", 0))
    canary = Canary(path, server.getsockname()[1], inotify)
    threading.Thread(target=_answer, args=(server, canary.calls), daemon=True).start()
    try:
        yield canary
    finally:
        os.close(inotify)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def _answer(server: socket.socket, calls: list[bytes]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            calls.append(connection.recv(1000))
            connection.close()
