"""What a recording of a batch came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.ledger import Job, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one recording of a batch came to."""

    recording: Path
    state: State
    code: int
    """Exit code that this recording alone would have had."""
    reason: str = ""
    folder: Path | None = None
    attempt: int = 0
    seconds: float = 0.0
    """Of this batch, from its start on a worker to its publication."""
    reused: bool = False
    """Whether it was finished before and nothing was done now."""
    same_as: Path | None = None
    """The recording with the same content that was done in its stead."""


def outcome_of(job: Job, recording: Path, *, seconds: float = 0.0, reused: bool = False) -> Outcome:
    """Say what a recording came to whose job has ended, or waits."""
    code = job.code if job.state != "waiting" or job.code else 1
    if job.state in ("quarantined", "rejected", "gone"):
        code = job.code or 1
    return Outcome(
        recording=recording,
        state=job.state,
        code=code,
        reason=job.reason,
        folder=job.folder,
        attempt=job.attempt,
        seconds=seconds,
        reused=reused,
    )
