"""What the end of an attempt means for its job: is it the recording, the machine, the caller, or bad luck?"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from clipper.errors import Cancelled, InputError, LivecutError, ModelError, NothingFound, ToolError, ToolFailed
from pipelines import places
from pipelines.executors import TaskFailed, WorkerDied
from pipelines.ledger import State

Outcome = Literal["goes on", "finished", "failed", "later", "rejected", "quarantined", "gone", "stopped"]

_NOT_ITS_FAULT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.EAGAIN,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
}
"""Errors of the machine, not of the recording: no space, no right, a disk that fails, a folder that is in use."""
LATER_S = 60.0
"""Wait before work is tried again that failed for no fault of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an attempt, or a stage of it, came to."""

    outcome: Outcome
    reason: str = ""
    code: int = 0
    """Exit code that belongs to it."""
    state: State = "done"
    """Of a finished job: done or degraded."""


def of_manifest(manifest: Mapping[str, Any]) -> Verdict:
    """Read from a manifest whether its recording was whole."""
    coverage = manifest["coverage"]
    if coverage.get("damaged_s"):
        return Verdict(outcome="finished", state="degraded", reason=f"{coverage['damaged_s']:g} s of the recording are damaged")
    return Verdict(outcome="finished")


def judge(error: BaseException, recording: Path | None = None) -> Verdict:
    """Say what an error means for its job: is it the recording, the machine, the caller, or bad luck?"""
    code = getattr(error, "exit_code", 1)
    reason = str(error) or type(error).__name__
    if isinstance(error, NothingFound):
        return Verdict(outcome="finished", reason=reason, code=code)
    if isinstance(error, Cancelled):
        return Verdict(outcome="stopped", reason="stopped by the caller", code=code)
    if isinstance(error, WorkerDied):
        return Verdict(outcome="failed", reason=reason, code=code)
    if isinstance(error, TaskFailed):
        return Verdict(outcome="failed", reason=f"a bug in livecut: {reason}" if error.trace else reason, code=code)
    if _errno(error) in _NOT_ITS_FAULT or (isinstance(error, ModelError | ToolError) and not isinstance(error, ToolFailed)):
        return Verdict(outcome="later", reason=reason, code=code)
    if isinstance(error, InputError):
        if recording is not None and _is_gone(recording):
            return Verdict(outcome="gone", reason="the file has gone", code=code)
        return Verdict(outcome="quarantined", reason=reason, code=code)
    if isinstance(error, LivecutError):
        return Verdict(outcome="failed", reason=reason, code=code)
    return Verdict(outcome="failed", reason=f"a bug in livecut: {type(error).__name__}: {error}", code=1)


def _is_gone(recording: Path) -> bool:
    try:
        return not places.exists(recording)
    except LivecutError:
        return False  # its storage cannot be asked


def _errno(error: BaseException) -> int | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            return seen.errno
        seen = seen.__cause__
    return None


def verdict_of(value: Any) -> Verdict:
    """Read back what `run_stage` returned."""
    return msgspec.convert(value, Verdict)
