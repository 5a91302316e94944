"""One recording in, finished clips out.

`make_clips` reads like the diagram of the design: probe, recognise, look, gather, find, plan, render, report. Every value
lies in the run's folder; what is there with the right key is used again, so a killed run goes on where it was.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clipper import artefact, audience, media, plan
from clipper import render as rendering
from clipper.errors import InputError, LivecutError, NothingFound
from clipper.values import AudienceLog, Recording, Render
from pipelines import memory, run_record
from pipelines.analysing import analyse, catalog_of, stored
from pipelines.inputs import Inputs, Known
from pipelines.manifest import Analysis, Clip, manifest
from pipelines.plans import PlanFile, load_plan, save_plans, stored_plans
from pipelines.progress import Asked, Callback, Meter, Reached, ignore, never
from pipelines.review.report import report
from pipelines.settings import Settings
from pipelines.workdir import Workdir, alone, clear_leftovers, digest, json_bytes, run_folder, stamp, sweep, writable

__all__ = [
    "STAGES",
    "Inputs",
    "Known",
    "Run",
    "alone",
    "analyse",
    "describe",
    "make_clips",
    "publish",
    "render_plans",
    "run_folder",
    "stamp",
    "writable",
]

log = logging.getLogger(__name__)

STAGES = ("probe", "recognise", "listen", "look", "find", "plan")
"""Stages that a run may end after, to go on in another process; rendering follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run."""

    folder: Path
    manifest: Mapping[str, Any]
    """The contents of manifest.json."""
    clips: tuple[Clip, ...]
    made: tuple[str, ...]
    """Steps that were computed now; everything else was on disk."""

    @property
    def videos(self) -> tuple[Path, ...]:
        """Paths of the finished clips."""
        return tuple(self.folder / clip.render.video for clip in self.clips)


def make_clips(
    recording: str | Path,
    *,
    settings: Settings | None = None,
    catalog: str | Path | None = None,
    chat: Sequence[str | Path] = (),
    events: Sequence[str | Path] = (),
    start_time: str | None = None,
    replan: bool = False,
    folder: str | Path | None = None,
    until: str | None = None,
    known: Known | None = None,
    progress: Callback = ignore,
    cancelled: Asked = never,
) -> Run:
    """Cut one recording into finished clips: what `livecut clip` does.

    `progress` is called with the stage and the share of it that is done; `cancelled` is asked between and inside stages.
    `folder` is the run's folder, by default one in `settings.run.out`. `until` names one of `STAGES` to end after: the next
    call goes on from there, in this process or in another; the manifest of such a Run is empty. `known` saves hashing the
    recording once more.
    Raises InputError for input that cannot be used, NothingFound when the recording holds nothing to cut (its manifest says
    why), ToolError, ModelError, and Cancelled. Whatever was finished is kept and used by the next call.
    """
    settings = settings or Settings()
    inputs = Inputs(
        recording=Path(recording),
        catalog=Path(catalog) if catalog else None,
        chat=tuple(map(Path, chat)),
        events=tuple(map(Path, events)),
        start_time=start_time,
        known=known,
    )
    if until is not None and until not in STAGES:
        raise InputError(f"until = {until!r}: expected one of {', '.join(STAGES)}")
    media.sniff(inputs.recording)
    meter = Meter(progress, cancelled, until=until)
    work = Workdir(Path(folder) if folder else run_folder(Path(settings.run.out), inputs.recording))
    with writable(work.root), alone(work.root):
        clear_leftovers(work.root)
        try:
            analysis = analyse(inputs, settings, work, meter)
            memory.release()
            plans = _plan(analysis, settings, work, replan, meter)
        except Reached:
            run_record.remember(work, meter)
            return Run(folder=work.root, manifest={}, clips=(), made=tuple(work.made))
        clips = _render_all(plans, analysis.recording, settings, work, meter)
        why_nothing = None if clips else _why_nothing(analysis)
        data = publish(analysis, clips, settings, work, meter, why_nothing)
    if why_nothing:
        raise NothingFound(f"nothing to cut in {inputs.recording}: {why_nothing}; {work.root / 'manifest.json'} says what was seen")
    return Run(folder=work.root, manifest=data, clips=clips, made=tuple(work.made))


def render_plans(
    paths: Sequence[str | Path], *, settings: Settings | None = None, progress: Callback = ignore, cancelled: Asked = never
) -> tuple[Path, ...]:
    """Render plan files anew and bring their run's manifest and report up to date.

    A plan in a run's `plans` folder goes to that run's `clips`; any other is rendered beside itself. Returns the videos.
    """
    settings = settings or Settings()
    meter = Meter(progress, cancelled)
    videos: list[Path] = []
    runs: dict[Path, set[str]] = {}
    for path in map(Path, paths):
        edited = load_plan(path)
        root = path.resolve().parent.parent
        if path.resolve().parent.name == "plans" and (root / "manifest.json").is_file():
            runs.setdefault(root, set()).add(path.stem)
            continue
        with writable(path.parent):
            source = media.probe(Path(edited.recording))
            clip = _render_one(PlanFile(path.stem, edited, True), source, settings, Workdir(path.resolve().parent), meter, "")
        videos.append(path.resolve().parent / clip.render.video)
    for root, names in runs.items():
        work = Workdir(root)
        with writable(root), alone(root):
            clear_leftovers(root)
            analysis = stored(root)
            files = stored_plans(root / "plans")
            clips = _render_all(files, analysis.recording, settings, work, meter)
            publish(analysis, clips, settings, work, meter, None)
        videos += [root / clip.render.video for clip in clips if clip.name in names]
    return tuple(videos)


def publish(
    analysis: Analysis, clips: Sequence[Clip], settings: Settings, work: Workdir, meter: Meter, why_nothing: str | None
) -> dict[str, Any]:
    """Write manifest.json, report.html and run.json: the files that say what a run came to."""
    with meter.stage("report"):
        data = manifest(analysis, clips, why_nothing=why_nothing)
        artefact.save(work.root / "manifest.json", json_bytes(data))
        page = report(data, analysis.transcript, analysis.evidence, analysis.findings, work.root, products=analysis.catalog.products)
        artefact.save(work.root / "report.html", page.encode("utf-8", "backslashreplace"))
    run_record.finish(settings, work, meter)
    return data


def _plan(analysis: Analysis, settings: Settings, work: Workdir, replan: bool, meter: Meter) -> tuple[PlanFile, ...]:
    with meter.stage("plan"):
        stream = plan.Stream(
            recording=analysis.recording,
            evidence=analysis.evidence,
            products=analysis.catalog.products,
            pauses=analysis.pauses,
            valid_until=_valid_until(analysis, settings.run.timezone),
        )
        return save_plans(work.folder("plans"), plan.plan_clips(stream, analysis.findings, settings.plan), replan=replan)


def _valid_until(analysis: Analysis, zone_name: str) -> str:
    """The end of the stream's day: what was said to hold "today" may be wrong afterwards."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"run.timezone = {zone_name!r} is not a time zone; expected an IANA name such as Asia/Shanghai") from error
    began = analysis.evidence.log.started_at
    if began is None:
        began = Path(analysis.recording.path).stat().st_mtime - analysis.recording.duration
    day = datetime.fromtimestamp(began + analysis.recording.duration, zone).date()
    return datetime.combine(day, time(23, 59, 59), zone).isoformat()


def _render_all(files: Sequence[PlanFile], source: Recording, settings: Settings, work: Workdir, meter: Meter) -> tuple[Clip, ...]:
    """Render what has no finished clip of its plan yet; drop files of clips that are planned no more."""
    sweep(work.folder("clips"), {file.name for file in files}, (".mp4", ".srt", ".jpg"))
    with ThreadPoolExecutor(settings.run.jobs or min(os.cpu_count() or 1, 8)) as pool:
        futures = [pool.submit(_render_one, file, source, settings, work, meter, "clips") for file in files]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def _render_one(file: PlanFile, source: Recording, settings: Settings, work: Workdir, meter: Meter, folder: str) -> Clip:
    out = work.folder(folder) if folder else work.root
    record = out / f".{file.name}.json"
    key = digest(rendering.VERSION, file.plan, settings.render, source.sha256)
    done = _finished(record, key, work.root)
    if done is None:
        with meter.stage(f"render {file.name}") as tell:
            done = rendering.render(file.plan, source, out, file.name, settings.render, progress=tell, cancelled=meter.cancelled)
        prefix = f"{folder}/" if folder else ""
        done = replace(done, video=prefix + done.video, captions=prefix + done.captions, cover=prefix + done.cover)
        artefact.save(record, artefact.dumps(done, "render", 1, key=key))
        work.made.append(f"render {file.name}")
    else:
        work.reused.append(f"render {file.name}")
    return Clip(name=file.name, plan=file.plan, render=done, edited=file.edited)


def _finished(record: Path, key: str, root: Path) -> Render | None:
    """A clip that is on disk whole, made from this very plan."""
    if artefact.key_of(record) != key:
        return None
    try:
        done = artefact.loads(record.read_bytes(), Render, "render", 1, where=str(record))
    except LivecutError:
        return None
    files = [root / name for name in (done.video, done.captions, done.cover)]
    whole = all(path.is_file() for path in files) and media.sha256(files[0]) == done.sha256
    return done if whole else None


def _why_nothing(analysis: Analysis) -> str:
    english = analysis.transcript.language == "en"
    if not analysis.recording.has_audio:
        return "the recording has no sound"
    if not analysis.transcript.sentences:
        return "no speech was recognised"
    if not analysis.findings.segments:
        return "people speak, but no product is explained" if english else "people speak, but no product of the catalogue is explained"
    return "what was found is too short or too unsure for a clip"


def describe(
    recording: Path,
    *,
    settings: Settings,
    catalog: Path | None = None,
    chat: Sequence[Path] = (),
    events: Sequence[Path] = (),
    start_time: str | None = None,
) -> str:
    """Say what `make_clips` would read and write; writes nothing."""
    source = media.probe(recording)
    inputs = Inputs(recording=recording, catalog=catalog, chat=tuple(chat), events=tuple(events), start_time=start_time)
    found = catalog_of(inputs)
    audience_log: AudienceLog = audience.read_logs(
        recording,
        chat=inputs.chat,
        events=inputs.events,
        start_time=start_time,
        recording_created=source.creation_time,
        duration=source.duration,
    )
    lines = [
        f"recording  {recording}: {source.format}, {source.duration:.1f} s, {source.width_px}×{source.height_px}",
        f"catalogue  {found.path or 'none'}: {len(found.products)} products, {len(found.rejects)} rows rejected",
        f"logs       {', '.join(audience_log.sources) or 'none'}; missing: {', '.join(audience_log.missing) or 'nothing'}",
        f"results    {run_folder(Path(settings.run.out), recording)}",
    ]
    return "\n".join(lines)
