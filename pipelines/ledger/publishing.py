"""Making results count: on the disk first, then in the ledger, and only for the attempt that still holds the job.

Order, each step after the one before is durable: hash and flush every file; take the ledger's write lock and check the
attempt; rename what was staged; flush the folders; mark the job done; commit. Nobody can take a job over while the lock is
held, so the check and the renames are one. A crash before the commit leaves a job that is not done; the next attempt does
the renames again over the same names. See docs/why/ledger-publication.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from clipper.errors import InputError
from pipelines import places
from pipelines.ledger.states import Claim, Output, State
from pipelines.ledger.store import Ledger

STEPS = ("sealed", "fenced", "renamed", "flushed", "marked", "committed")
"""What `reached` is called with, in order."""


def reached(step: str) -> None:
    """Do nothing; tests stop here, between one step of a publication and the next."""


def publish(
    ledger: Ledger,
    claim: Claim,
    files: Iterable[Path] = (),
    *,
    staged: Sequence[tuple[Path, Path]] = (),
    editable: Iterable[Path] = (),
    state: State = "done",
    reason: str = "",
    code: int = 0,
) -> tuple[Output, ...]:
    """Publish the results of an attempt and mark its job as done or degraded.

    `files` lie under their final names already; `staged` are pairs of a finished file and the name it is to get, on the same
    file system; `editable` are files that people may change afterwards. Raises LostLease, with nothing renamed, when somebody
    else has taken the job over, and OSError when a file is missing.
    """
    outputs = [seal(path) for path in files]
    outputs += [seal(path, editable=True) for path in editable]
    moved = [(seal(source), target) for source, target in staged]
    flush_folders(one.path for one in outputs)
    reached("sealed")
    with ledger.writing() as change:
        change.held(claim)
        reached("fenced")
        for one, target in moved:
            target.parent.mkdir(parents=True, exist_ok=True)
            one.path.replace(target)
            outputs.append(replace(one, path=target))
        reached("renamed")
        flush_folders(target for _, target in moved)
        reached("flushed")
        change.finish(claim, outputs, state=state, reason=reason, code=code)
        reached("marked")
    reached("committed")
    return tuple(outputs)


def seal(path: Path, *, editable: bool = False) -> Output:
    """Flush a file to the disk and digest it; what lies at a URL is durable already, and read back."""
    if places.is_url(path):
        size, mark = places.look(path)
        return Output(path=path, sha256=places.sha256(path), size=size, mtime_ns=mark, editable=editable)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        found = os.fstat(file.fileno())
    return Output(path=path, sha256=digest, size=found.st_size, mtime_ns=found.st_mtime_ns, editable=editable)


def flush_folders(paths: Iterable[Path]) -> None:
    """Make the names of files durable: flush the folders that hold them."""
    for folder in sorted({path.parent for path in paths if not places.is_url(path)}):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_fresh(outputs: Iterable[Output]) -> bool:
    """Whether published files still look as they did, without reading them; an edited plan is not fresh."""
    seen = False
    for one in outputs:
        seen = True
        with suppress(OSError, InputError):
            if _looks(one.path) == (one.size, one.mtime_ns):
                continue
        return False
    return seen


def _looks(path: Path) -> tuple[int, int]:
    if places.is_url(path):
        return places.look(path)
    found = path.stat()
    return found.st_size, found.st_mtime_ns
