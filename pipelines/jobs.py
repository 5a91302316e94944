"""A job on its way: cut into stages for an executor, done by a worker, and what it leaves.

What one job is stands in `enrolling`, what its end means in `verdicts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from clipper import artefact
from clipper.errors import LivecutError
from pipelines import carrying, places
from pipelines.clips import make_clips
from pipelines.executors import Context, Needs, Task
from pipelines.inputs import Inputs, Known
from pipelines.ledger import Job, Ledger
from pipelines.settings import Settings
from pipelines.verdicts import Verdict, judge, of_manifest

WORK = "pipelines.jobs:run_stage"
"""What workers are asked to do."""


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


# --- from the ledger to a worker and back -------------------------------------------------------


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
