"""Keep what is finished: a file to which every recognised window is added, so that a long job goes on where it stopped."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)


class Checkpoint(Protocol):
    """Results of windows by key."""

    def load(self, key: str) -> Any | None:
        """Return what was saved under a key, or None."""
        ...

    def save(self, key: str, result: Any) -> None:
        """Keep a result, made of what JSON can say."""
        ...


class FileCheckpoint:
    """A file of JSON lines; a line that was cut off by a crash is skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)

    def load(self, key: str) -> Any | None:
        """Return what was saved under a key, or None."""
        return self._known.get(key)

    def save(self, key: str, result: Any) -> None:
        """Add a line in one write and wait for the disk."""
        line = json.dumps({"key": key, "result": result}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, b"\n" + line if torn else line)
            os.fsync(handle)
        finally:
            os.close(handle)
        self._known[key] = result


def _read(path: Path) -> dict[str, Any]:
    known: dict[str, Any] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return known
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            known[row["key"]] = row["result"]
        except (ValueError, KeyError, TypeError):
            if line.strip():
                log.info("%s line %d is not whole: that window is recognised again", path, number)
    return known
