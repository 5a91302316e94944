"""What a caller gives for one recording: its files, and what is known of them already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The caller's files for one recording; None and empty mean: look beside the recording."""

    recording: Path
    catalog: Path | None = None
    chat: tuple[Path, ...] = ()
    events: tuple[Path, ...] = ()
    start_time: str | None = None
    """When the recording began, ISO 8601; wins over every other source."""
    known: Known | None = None
    """What is known of the recording's bytes already."""


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a file that looked like this: whoever finds it so need not read it again."""

    sha256: str
    stamp: tuple[int, int, int, int]
    """Size, time of change in ns, device, inode."""

    def digest_of(self, path: Path) -> str:
        """The digest, when the file still looks as it did; else nothing."""
        found = path.stat()
        return self.sha256 if (found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino) == self.stamp else ""
