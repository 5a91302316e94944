"""The words of the ledger: states and how one follows another, what was seen, what is to be done, who works on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipper.errors import InputError, LivecutError
from pipelines import places

State = Literal["waiting", "running", "done", "degraded", "quarantined", "rejected", "ignored", "gone"]

STATES: dict[State, str] = {
    "waiting": "known, and to be worked on",
    "running": "somebody works on it",
    "done": "finished; its results lie in its folder",
    "degraded": "finished from a damaged recording: parts are missing, the manifest says which",
    "quarantined": "given up, with the reason; `livecut retry` tries again",
    "rejected": "not a recording that livecut can read",
    "ignored": "left alone by a rule: temporary, hidden, a link",
    "gone": "no longer there, or its results were replaced by a later run",
}
"""Every state with its meaning; a file has exactly one."""

MOVES: dict[State, frozenset[State]] = {
    "waiting": frozenset({"running", "gone"}),
    "running": frozenset({"waiting", "done", "degraded", "quarantined", "rejected", "gone"}),
    "done": frozenset({"waiting", "gone"}),
    "degraded": frozenset({"waiting", "gone"}),
    "quarantined": frozenset({"waiting", "gone"}),
    "rejected": frozenset({"waiting", "gone"}),
    "gone": frozenset({"waiting"}),
}
"""What a job's state may become. A job is never ignored: only files without a job are."""

FINISHED: tuple[State, ...] = ("done", "degraded")
"""States whose results are published."""
FILE_STATES: tuple[State, ...] = ("waiting", "ignored", "rejected", "gone")
"""States of a file that has no job: still being written or not yet read, left alone, unreadable, vanished."""


class LedgerError(LivecutError):
    """The ledger cannot be used or written: damaged, newer, on a network file system, or the disk is full."""


class LostLease(LivecutError):
    """Somebody else has taken the job over: what this attempt made is not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOptions:
    """How patient the ledger is."""

    lease_s: float = 60.0
    """A claim that nobody renewed for this long is taken over, 0.05 to 86,400 s; a dead owner on this machine is seen at once."""
    max_attempts: int = 3
    """Failed attempts after which a job is quarantined, 1 to 100."""
    max_deaths: int = 10
    """How often the program that works on a job may be killed before the job itself is suspected, 1 to 1,000."""
    backoff_s: float = 5.0
    """Wait after the first failure, 0 to 86,400 s; each further one waits four times as long."""
    backoff_max_s: float = 3600.0
    """Longest wait, 0 to 864,000 s."""

    def __post_init__(self) -> None:
        _check("lease_s", self.lease_s, 0.05, 86_400)
        _check("max_attempts", self.max_attempts, 1, 100)
        _check("max_deaths", self.max_deaths, 1, 1000)
        _check("backoff_s", self.backoff_s, 0, 86_400)
        _check("backoff_max_s", self.backoff_max_s, 0, 864_000)

    def wait_after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.backoff_s * 4.0 ** min(max(failures - 1, 0), 20), self.backoff_max_s)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} = {value}: expected {low:g} to {high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file as the file system describes it; equal stamps mean that its content need not be read again."""

    path: Path
    """Absolute; any bytes that a file name may have."""
    size: int
    """Bytes."""
    mtime_ns: int
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Seen:
        """Look at a file. Raises OSError; for a URL InputError and ToolError."""
        if places.is_url(path) and not os.path.lexists(path):
            size, mark = places.look(path)
            return cls(path=path, size=size, mtime_ns=mark, device=0, inode=0)
        found = path.stat()
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  keeps links, drops "..": the name people used
        return cls(path=absolute, size=found.st_size, mtime_ns=found.st_mtime_ns, device=found.st_dev, inode=found.st_ino)

    @property
    def stamp(self) -> tuple[int, int, int, int]:
        """What changes when the file does."""
        return self.size, self.mtime_ns, self.device, self.inode


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file that was ever seen."""

    path: Path
    state: State
    """Its own when it has no job, else its job's."""
    reason: str
    job_id: int | None
    stamp: tuple[int, int, int, int]
    seen_at: float
    """Wall clock, seconds since 1970, of the last look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One content with one set of options: what is to be done once."""

    id: int
    kind: str
    """clip or generate."""
    content: str
    """Digest of the recording or of the pictures."""
    options: str
    """Digest of the effective options and side files."""
    state: State
    reason: str
    attempt: int
    """Attempts ever started: the fence."""
    failures: int
    """Attempts that failed since the last success or retry."""
    deaths: int
    """Attempts whose owner was killed since the last success or retry."""
    code: int
    """Exit code of the last outcome; 5 for a recording that holds nothing to cut."""
    folder: Path
    """Where the results lie."""
    task: str
    """JSON: what a worker needs to do it."""
    path: Path
    """The file it was first seen as."""
    due_at: float
    """Wall clock before which it is not tried again."""
    changed_at: float
    """Wall clock of the last change of state."""
    owner: str
    """Who works on it; empty when nobody does."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job, as long as nobody else has taken it over."""

    job: Job
    attempt: int

    @property
    def job_id(self) -> int:
        """The job's number."""
        return self.job.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A published file."""

    path: Path
    sha256: str
    size: int
    mtime_ns: int
    editable: bool = False
    """Whether people may change it: a plan, not a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a file or a job."""

    at: float
    """Wall clock, seconds since 1970."""
    job_id: int | None
    path: Path | None
    attempt: int
    what: str
    """The new state, or seen, renewed options and the like."""
    detail: str
