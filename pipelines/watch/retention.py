"""Results that are kept for a time only: their job is written off first, then their files go.

Recordings themselves are never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipelines import places
from pipelines.ledger import FINISHED, Job, Ledger

DAY_S = 86_400.0
REASON = "its results were kept for as long as they were to be, and deleted"


def remove_old(ledger: Ledger, root: Path, days: float) -> Iterator[Path]:
    """Delete the results of recordings below `root` that were finished more than `days` ago; yields each deleted folder.

    A crash between writing off and deleting leaves a folder of a job that is written off: the next sweep deletes it.
    """
    oldest = ledger.clock.wall() - days * DAY_S
    for job in _below(ledger, root):
        if job.state in FINISHED and job.changed_at < oldest:
            with ledger.writing() as change:
                change.retire(job.id, REASON)
        elif job.state != "gone" or job.reason != REASON:
            continue
        if places.exists(job.folder / "manifest.json") and not _is_taken(ledger, job.folder):
            _delete(job.folder)
            yield job.folder


def _is_taken(ledger: Ledger, folder: Path) -> bool:
    """Whether a folder holds, or is to hold, the results of a later run."""
    return any(job.state != "gone" for job in ledger.jobs(folder=folder))


def _delete(folder: Path) -> None:
    """Delete a folder of results; its manifest last, so that a crash leaves a folder that is found again."""
    if not places.is_url(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in sorted(places.below(folder), key=lambda path: path.name == "manifest.json"):
        places.remove(path)


def _below(ledger: Ledger, root: Path) -> Iterator[Job]:
    for state in (*FINISHED, "gone"):
        yield from (job for job in list(ledger.jobs(state=state)) if job.path.is_relative_to(root))
