"""Does the ledger tell the truth? Every file one state, every finished job its outputs, no output without a job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clipper.errors import LivecutError
from pipelines import places
from pipelines.ledger.owners import Owner
from pipelines.ledger.states import FINISHED, STATES, Job, Output
from pipelines.ledger.store import Ledger

STALE_PART_S = 86_400.0
"""A temporary file older than this belongs to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that an audit has to say."""

    wrong: bool
    """Whether a promise is broken; else it is only worth knowing."""
    path: Path | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found."""

    files: int
    jobs: int
    outputs: int
    """Published files that were read and compared with their digest."""
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether every promise holds."""
        return not any(finding.wrong for finding in self.findings)


def audit(ledger: Ledger) -> Audit:
    """Compare the ledger with the disk; reads every published file, changes nothing."""
    began = time.monotonic()
    jobs = tuple(ledger.jobs())
    outputs = {job.id: ledger.outputs(job.id) for job in jobs}
    files = tuple(ledger.files())
    findings: list[Finding] = [
        *(_wrong(file.path, f"has no state, or an unknown one: {file.state}") for file in files if file.state not in STATES),
        *(finding for job in jobs for finding in _job(ledger, job, outputs[job.id])),
        *_unknown(ledger, jobs, {one.path for each in outputs.values() for one in each}),
    ]
    return Audit(
        files=len(files),
        jobs=len(jobs),
        outputs=sum(len(each) for each in outputs.values()),
        findings=tuple(findings),
        seconds=time.monotonic() - began,
    )


def _wrong(path: Path | None, text: str) -> Finding:
    return Finding(wrong=True, path=path, text=text)


def _job(ledger: Ledger, job: Job, outputs: tuple[Output, ...]) -> Iterator[Finding]:
    if job.state in FINISHED:
        if not outputs:
            yield _wrong(job.path, f"is {job.state}, and has no outputs")
        for one in outputs:
            yield from _output(job, one)
    elif outputs:
        yield _wrong(job.path, f"is {job.state}, and has {len(outputs)} published outputs")
    if job.state == "running" and Owner.parse(job.owner).is_dead():
        yield Finding(wrong=False, path=job.path, text=f"its worker was killed in attempt {job.attempt}; the next run takes it up")
    if job.state != "gone" and not ledger.paths(job.id):
        yield Finding(wrong=False, path=job.path, text=f"is {job.state}, and its file is no longer there")


def _output(job: Job, one: Output) -> Iterator[Finding]:
    try:
        same = places.sha256(one.path) == one.sha256
    except (OSError, LivecutError) as error:
        yield _wrong(
            one.path, f"is an output of {places.written(job.path)} and cannot be read: {getattr(error, 'strerror', None) or error}"
        )
        return
    if not same and one.editable:
        yield Finding(wrong=False, path=one.path, text="was edited since it was written")
    elif not same:
        yield _wrong(one.path, f"is an output of {job.path} and has changed since it was published")


def _unknown(ledger: Ledger, jobs: tuple[Job, ...], known: set[Path]) -> Iterator[Finding]:
    """Look for results that no job owns, beside the ledger and wherever jobs put theirs."""
    folders = {job.folder: job for job in jobs}
    finished = {job.folder for job in jobs if job.state in FINISHED}
    forgotten = ledger.forgotten()
    for parent in sorted({ledger.path.absolute().parent, *(folder.parent for folder in forgotten | set(folders))}):
        for folder in _results(parent):
            if folder in forgotten and folder not in folders:
                yield Finding(wrong=False, path=folder, text="holds results of a file that was forgotten")
            elif folder not in folders:
                yield _wrong(folder, "holds results, and no job knows of it; run its recording again to record them")
            elif folder in finished:
                yield from (
                    _wrong(path, "looks like a result, and no job has published it") for path in _videos(folder) if path not in known
                )
    for folder in sorted(folder for folder in folders if not places.is_url(folder)):
        yield from (
            Finding(wrong=False, path=path, text="is left over from a killed run; it may be deleted")
            for path in sorted(folder.rglob("*.part"))
            if time.time() - path.stat().st_mtime > STALE_PART_S
        )


def _results(parent: Path) -> list[Path]:
    """Folders of results in a folder."""
    if places.is_url(parent):
        return sorted(path.parent for path in places.below(parent, 2) if path.name == "manifest.json" and path.parent.parent == parent)
    try:
        return sorted(path for path in parent.iterdir() if (path / "manifest.json").is_file())
    except OSError:
        return []


def _videos(folder: Path) -> list[Path]:
    if places.is_url(folder):
        return sorted(path for path in places.below(folder, 2) if path.suffix == ".mp4" and path.parent.name in ("clips", "videos"))
    return sorted((*(folder / "clips").glob("*.mp4"), *(folder / "videos").glob("*.mp4")))
