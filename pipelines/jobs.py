"""What a job is: one content with one set of options, done in stages, and what its end means for the ledger.

Two recordings are the same when their bytes are; two runs are the same when options and side files are, too. What only says
where and how fast (folder, threads, device) makes no other job.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from clipper import artefact, audience, media
from clipper.catalog import find_catalog, read_catalog
from clipper.errors import Cancelled, InputError, LivecutError, ModelError, NothingFound, ToolError, ToolFailed
from clipper.media.formats import HEAD_BYTES, sniff_bytes
from pipelines import carrying, places
from pipelines.clips import Inputs, Known, make_clips, run_folder
from pipelines.executors import Context, Needs, Task, TaskFailed, WorkerDied
from pipelines.ledger import Job, Ledger, Seen, State
from pipelines.settings import Settings
from pipelines.workdir import digest

Outcome = Literal["goes on", "finished", "failed", "later", "rejected", "quarantined", "gone", "stopped"]

_NO_MATTER = {"run": ("out", "jobs", "recordings", "attempts", "ledger", "executor", "scratch", "http"), "speech": ("threads", "device")}
"""Options that change where and how fast, and not what."""
_SECTIONS = {
    "clip": ("run", "speech", "vision", "gather", "find", "plan", "render"),
    "generate": ("generate", "plan", "render"),
}
"""Sections of the options that each kind of job looks at."""
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
WORK = "pipelines.jobs:run_stage"
"""What workers are asked to do."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a job that runs as one task."""

    until: str | None
    """Stage of `make_clips` to end after; None for the rest."""
    share: float
    """Share of a machine's processors that it keeps busy while others run beside it, in (0, 1]."""
    at_most: float
    """Processors that it can use at all."""
    gpu: bool
    memory_mb: int


STAGES = {
    "clip": (
        Stage(until="recognise", share=0.6, at_most=16, gpu=True, memory_mb=1500),
        Stage(until="plan", share=0.4, at_most=2, gpu=False, memory_mb=1000),
        Stage(until=None, share=0.4, at_most=16, gpu=False, memory_mb=1500),
    ),
    "generate": (Stage(until=None, share=0.4, at_most=16, gpu=True, memory_mb=2000),),
}
"""Stages of each kind of job. The shares let looking and rendering run beside a recognition, and hold two recognitions apart:
each has the model in memory and all processors to itself."""


# --- what is one job ----------------------------------------------------------------------------


def enrol(ledger: Ledger, inputs: Inputs, settings: Settings, *, replan: bool = False) -> Job:
    """Record a recording and its job in the ledger; its bytes are read only when the ledger does not know them yet.

    A folder is one product's pictures, to make videos of. Raises InputError for what is no recording: such a file is recorded
    as rejected.
    """
    path = places.absolute(inputs.recording)
    if not places.is_url(path) and path.is_dir():
        return _enrol_pictures(ledger, path, inputs, settings, replan=replan)
    try:
        _sniff(path, settings)
    except InputError as error:
        if places.is_url(path) or path.is_file():
            ledger.note([_seen_or_unknown(path)], "rejected", str(error))
        raise
    seen = Seen.of(path)
    chosen = {
        "kind": "clip",
        "settings": what_matters(settings, "clip"),
        "side_files": _side_files(inputs, settings),
        "start_time": inputs.start_time,
    }
    options = digest(chosen)
    folder = _folder_of(path, settings)
    return ledger.add(
        seen,
        kind="clip",
        content=content_of(ledger, seen),
        options=options,
        plain=json.dumps(chosen, sort_keys=True),
        task=task_text(inputs, settings, replan=replan),
        folder=folder,
        spare=folder.with_name(f"{path.stem[:80]}-{digest(str(path))[:8]}"),
    )


def _sniff(path: Path, settings: Settings) -> None:
    """Raise InputError for what is no recording, read from its first bytes wherever it lies."""
    if not places.is_url(path):
        media.sniff(path)
        return
    places.refuse_strange(path, http=settings.run.http)
    with places.reading(path) as file:
        sniff_bytes(file.read(HEAD_BYTES), places.written(path))


def _seen_or_unknown(path: Path) -> Seen:
    try:
        return Seen.of(path)
    except LivecutError:
        return Seen(path=path, size=0, mtime_ns=0, device=0, inode=0)


def _folder_of(path: Path, settings: Settings) -> Path:
    """The run's folder for a recording; where one of both lies elsewhere, the ledger alone keeps two of one name apart."""
    out = places.absolute(settings.run.out)
    if places.is_url(path) or places.is_url(out):
        return out / path.stem
    return Path(os.path.abspath(run_folder(Path(settings.run.out), path)))  # noqa: PTH100


def _enrol_pictures(ledger: Ledger, folder: Path, inputs: Inputs, settings: Settings, *, replan: bool) -> Job:
    source = _product_in(folder, settings)
    content = digest([(Path(picture).name, media.sha256(Path(picture))) for picture in source.pictures])
    chosen = {"kind": "generate", "settings": what_matters(settings, "generate"), "name": source.name}
    place = Path(os.path.abspath(Path(settings.run.out) / source.name))  # noqa: PTH100
    return ledger.add(
        Seen.of(folder),
        kind="generate",
        content=content,
        options=digest(chosen),
        plain=json.dumps(chosen, sort_keys=True),
        task=task_text(inputs, settings, replan=replan),
        folder=place,
        spare=place.with_name(f"{source.name}-{digest(str(folder))[:8]}"),
    )


def enrol_made(ledger: Ledger, folder: Path, settings: Settings) -> Job:
    """Record a folder of videos that were made already, by the pictures its manifest names; its job waits to be published."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    pictures = made["inputs"]["pictures"]
    chosen = {"kind": "generate", "settings": what_matters(settings, "generate"), "product": made["product"], "folder": str(folder)}
    content = digest([(Path(picture["path"]).name, picture["sha256"]) for picture in pictures])
    inputs = Inputs(recording=Path(pictures[0]["path"]).absolute())
    job: Job | None = None
    for picture in pictures:
        job = ledger.add(
            Seen.of(Path(picture["path"]).absolute()),
            kind="generate",
            content=content,
            options=digest(chosen),
            plain=json.dumps(chosen, sort_keys=True),
            task=task_text(inputs, settings, replan=False),
            folder=folder,
            spare=folder,
        )
    assert job is not None, "videos are made of pictures"
    ledger.retry(job.id, "made again")
    return job


def _product_in(folder: Path, settings: Settings) -> Any:
    from pipelines.casting import cast

    sources = cast([folder], None, (), settings.generate).sources
    if len(sources) != 1:
        raise InputError(f"could not use {folder}: it holds {len(sources)} products; give the folder of each")
    return sources[0]


def content_of(ledger: Ledger, seen: Seen) -> str:
    """Digest a file, or take the digest from the ledger when the file looks as it did then."""
    known = ledger.file(seen.path)
    if known and known.job_id is not None and known.stamp == seen.stamp:
        return ledger.job(known.job_id).content
    return places.sha256(seen.path)


def what_matters(settings: Settings, kind: str) -> dict[str, Any]:
    """Options that decide what comes out of a kind of job, as plain data."""
    everything: dict[str, Any] = artefact.plain(settings)
    return {
        section: {name: value for name, value in everything[section].items() if name not in _NO_MATTER.get(section, ())}
        for section in _SECTIONS[kind]
    }


def _side_files(inputs: Inputs, settings: Settings) -> list[str]:
    """Digests of the catalogue, its pictures and the logs that a run would use, given or found."""
    if any(places.is_url(path) for path in (inputs.recording, inputs.catalog or "", *inputs.chat, *inputs.events)):
        with carrying.side_files_of(inputs, scratch=settings.run.scratch, http=settings.run.http) as here:
            return _digests(here)
    return _digests(inputs)


def _digests(inputs: Inputs) -> list[str]:
    catalog = inputs.catalog or find_catalog(inputs.recording.parent)
    logs = [*inputs.chat, *inputs.events] if inputs.chat and inputs.events else [*inputs.chat, *inputs.events, *_found(inputs)]
    files = [*([catalog] if catalog else []), *dict.fromkeys(logs)]
    digests = [_digest(path) for path in files]
    if catalog:
        digests += [_digest(Path(image)) for product in _products(catalog) for image in product.images]
    return digests


def _found(inputs: Inputs) -> Sequence[Path]:
    return audience.find_logs(inputs.recording)


def _products(catalog: Path) -> Sequence[Any]:
    try:
        return read_catalog(catalog).products
    except LivecutError:
        return ()  # the run says what is wrong with it


def _digest(path: Path) -> str:
    try:
        return media.sha256(path)
    except OSError:
        return "missing"


# --- from the ledger to a worker and back -------------------------------------------------------


def task_text(inputs: Inputs, settings: Settings, *, replan: bool) -> str:
    """Write down all that a worker needs, as JSON; file names of any bytes survive."""
    given = {
        "recording": str(places.absolute(inputs.recording)),
        "catalog": str(places.absolute(inputs.catalog)) if inputs.catalog else None,
        "chat": [str(places.absolute(path)) for path in inputs.chat],
        "events": [str(places.absolute(path)) for path in inputs.events],
        "start_time": inputs.start_time,
    }
    return json.dumps({"inputs": given, "settings": artefact.plain(settings), "replan": replan})


def stage_tasks(job: Job, task: str, machine: Needs, *, recording: Path, attempt: int, known: Known | None = None) -> tuple[Task, ...]:
    """Cut a job into tasks for an executor: one per stage, in one group, each reusing what those before it left in the folder."""
    arguments = json.loads(task)
    arguments["inputs"]["recording"] = str(recording)
    arguments |= {"kind": job.kind, "content": job.content, "folder": str(job.folder), "known": list(known.stamp) if known else None}
    stages = STAGES[job.kind]
    group = f"job {job.id}, attempt {attempt}"
    alone = _ran_out_of_memory(job)
    if alone:  # the second time with all the memory there is, one clip at a time
        arguments["settings"]["run"]["jobs"] = 1
    given = arguments["inputs"]
    inputs = [str(recording), *filter(None, [given["catalog"], *given["chat"], *given["events"]])]
    return tuple(
        Task(
            id=f"{group}, {stage.until or 'rest'}",
            function=WORK,
            arguments={**arguments, "until": stage.until},
            needs=_needs(stage, machine, arguments["settings"], alone=alone),
            group=group,
            last=stage is stages[-1],
            inputs=tuple(inputs),
        )
        for stage in stages
    )


def _ran_out_of_memory(job: Job) -> bool:
    """Whether a job's last attempt was killed, as the system kills what takes too much memory."""
    return job.failures > 0 and "memory" in job.reason


def _needs(stage: Stage, machine: Needs, settings: Mapping[str, Any], *, alone: bool = False) -> Needs:
    on_gpu = stage.gpu and machine.gpus >= 1 and settings["speech"]["device"] != "cpu"
    cpus = 1.0 if on_gpu else max(min(stage.share * machine.cpus, stage.at_most), min(1.0, machine.cpus))
    return Needs(
        cpus=min(cpus, machine.cpus), gpus=1.0 if on_gpu else 0.0, memory_mb=max(stage.memory_mb, machine.memory_mb if alone else 0)
    )


def run_stage(arguments: Mapping[str, Any], context: Context) -> Any:
    """Do one stage of a job in a worker; returns a Verdict as plain data. Bugs are left to the executor."""
    try:
        with carrying.carried(arguments) as here:
            verdict = _stage(here.arguments, context)
            if verdict.outcome in ("goes on", "finished"):
                here.send(last=verdict.outcome == "finished")
    except LivecutError as error:
        verdict = judge(error, Path(arguments["inputs"]["recording"]))
    return artefact.plain(verdict)


def _stage(arguments: Mapping[str, Any], context: Context) -> Verdict:
    try:
        return (_clip if arguments["kind"] == "clip" else _generate)(arguments, context)
    except LivecutError as error:
        return judge(error, Path(arguments["inputs"]["recording"]))


def _generate(arguments: Mapping[str, Any], context: Context) -> Verdict:
    from pipelines.videos import make_videos

    make_videos(
        [arguments["inputs"]["recording"]],
        settings=msgspec.convert(arguments["settings"], Settings),
        replan=arguments["replan"],
        folder=arguments["folder"],
        progress=context.progress,
        cancelled=context.cancelled,
    )
    return Verdict(outcome="finished")


def _clip(arguments: Mapping[str, Any], context: Context) -> Verdict:
    settings = msgspec.convert(arguments["settings"], Settings)
    given = arguments["inputs"]
    done = make_clips(
        given["recording"],
        settings=settings,
        catalog=given["catalog"],
        chat=given["chat"],
        events=given["events"],
        start_time=given["start_time"],
        replan=arguments["replan"],
        folder=arguments["folder"],
        until=arguments["until"],
        known=Known(arguments["content"], tuple(arguments["known"])) if arguments.get("known") else None,
        progress=context.progress,
        cancelled=context.cancelled,
    )
    return Verdict(outcome="goes on") if arguments["until"] else of_manifest(done.manifest)


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


def results(job: Job) -> tuple[list[Path], list[Path]]:
    """List what a finished run has made: its results, and the plans, which people may edit.

    Raises ValueError when the run read other bytes than the job is about, and OSError when there is no manifest.
    """
    folder = job.folder
    manifest = json.loads(places.read(folder / "manifest.json"))
    if job.kind == "clip" and manifest["recording"]["sha256"] != job.content:
        raise ValueError("the recording changed while it was worked on")
    names = ["manifest.json", "report.html", "run.json"]
    files = [folder / name for name in names if places.exists(folder / name)]
    plans: list[Path] = []
    for clip in (*manifest.get("clips", ()), *manifest.get("videos", ())):
        files += [folder / clip[name] for name in ("file", "captions", "cover", "sidecar") if clip.get(name)]
        plans += [folder / clip["plan"]] if clip.get("plan") else []
    return list(dict.fromkeys(files)), [path for path in dict.fromkeys(plans) if places.exists(path)]


def recording_of(ledger: Ledger, job: Job) -> Path | None:
    """Find a file that has a job's content now; None when all have gone."""
    return next((path for path in ledger.paths(job.id) if places.is_url(path) or path.exists()), None)


def inputs_of(job: Job) -> tuple[Inputs, Settings, bool]:
    """Read a job's task back: inputs, options, and whether plans are written anew."""
    task = json.loads(job.task)
    given = task["inputs"]
    inputs = Inputs(
        recording=Path(given["recording"]),
        catalog=Path(given["catalog"]) if given["catalog"] else None,
        chat=tuple(map(Path, given["chat"])),
        events=tuple(map(Path, given["events"])),
        start_time=given["start_time"],
    )
    return inputs, msgspec.convert(task["settings"], Settings), bool(task["replan"])


def with_renders(settings: Settings, recordings: int, cpus: int) -> Settings:
    """Share the processors between recordings that are worked on at once, unless the caller has said how many clips to render."""
    if settings.run.jobs or recordings < 2:
        return settings
    return replace(settings, run=replace(settings.run, jobs=max(1, cpus // recordings)))
