"""Who holds a claim, and whether that process still lives; and clocks that do not jump.

A lease that ends by the wall clock ends early or never when the clock is set. So it ends by the machine's uptime, which runs
through suspension and is the same for all processes, together with the boot it belongs to: an owner of an earlier boot is
dead. On one machine nobody has to wait for the end of a lease: process number and start time tell at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


def _uptime() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """Time for people and time for leases; tests put their own here."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970, for people."""
    uptime: Callable[[], float] = _uptime
    """Seconds since the machine started, for leases."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, named so that a later one with the same number is not taken for it."""

    boot: str
    """The machine's boot."""
    space: str
    """The name space in which the process number is meant; a container has its own."""
    pid: int
    started: int
    """Clock ticks after boot at which it started; 0 where that cannot be known."""

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(boot_id(), _space(), os.getpid(), _started(os.getpid()) or 0)

    @classmethod
    def parse(cls, token: str) -> Owner:
        """Read back what `str` wrote."""
        boot, space, pid, started = token.split("/")
        return cls(boot, space, int(pid), int(started))

    def __str__(self) -> str:
        return f"{self.boot}/{self.space}/{self.pid}/{self.started}"

    def is_dead(self) -> bool:
        """Whether the process is certainly gone; False also when that cannot be told from here."""
        if self.boot != boot_id():
            return True
        if self.space != _space():
            return False
        now = _started(self.pid)
        if now is None:
            return not _exists(self.pid)
        return bool(self.started) and now != self.started


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Name this boot of the machine; where the system has no name for it, the second it started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"boot-{round((time.time() - time.monotonic()) / 60)}"


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:").strip("[]")
    except OSError:
        return "0"


def _started(pid: int) -> int | None:
    """Start time of a process in ticks; None when it is gone (a zombie counts as gone) or the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _exists(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
