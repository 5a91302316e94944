"""One recording in, finished clips out.

`make_clips` reads like the diagram of the design: probe, recognise, look, gather, find, plan, render, report. Every value
lies in the run's folder; what is there with the right key is used again, so a killed run goes on where it was.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clipper import artefact, audience, detect, media, plan, sound, vision
from clipper import render as rendering
from clipper.catalog import find_catalog, read_catalog
from clipper.errors import InputError, LivecutError, NothingFound
from clipper.speech import transcribe, weights
from clipper.values import AudienceLog, Catalog, Evidence, Findings, Picture, Product, Recording, Render, Track, Transcript
from clipper.version import __version__
from pipelines import config, memory
from pipelines.manifest import Analysis, Clip, manifest
from pipelines.plans import PlanFile, load_plan, save_plans, stored_plans
from pipelines.progress import Asked, Callback, Meter, Reached, ignore, never
from pipelines.review.report import report
from pipelines.settings import Settings
from pipelines.workdir import Workdir, digest, json_bytes, sweep

log = logging.getLogger(__name__)

Tell = Callable[[float], None]

STAGES = ("probe", "recognise", "listen", "look", "find", "plan")
"""Stages that a run may end after, to go on in another process; rendering follows."""
_SESSION = ".session.json"
"""What earlier parts of a run that is done in parts have spent."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The caller's files for one recording; None and empty mean: look beside the recording."""

    recording: Path
    catalog: Path | None = None
    chat: tuple[Path, ...] = ()
    events: tuple[Path, ...] = ()
    start_time: str | None = None
    """When the recording began, ISO 8601; wins over every other source."""
    known: Known | None = None
    """What is known of the recording's bytes already."""


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a file that looked like this: whoever finds it so need not read it again."""

    sha256: str
    stamp: tuple[int, int, int, int]
    """Size, time of change in ns, device, inode."""

    def digest_of(self, path: Path) -> str:
        """The digest, when the file still looks as it did; else nothing."""
        found = path.stat()
        return self.sha256 if (found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino) == self.stamp else ""


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
        try:
            analysis = analyse(inputs, settings, work, meter)
            memory.release()
            plans = _plan(analysis, settings, work, replan, meter)
        except Reached:
            _remember(work, meter)
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
            analysis = _stored(root)
            files = stored_plans(root / "plans")
            clips = _render_all(files, analysis.recording, settings, work, meter)
            publish(analysis, clips, settings, work, meter, None)
        videos += [root / clip.render.video for clip in clips if clip.name in names]
    return tuple(videos)


def analyse(inputs: Inputs, settings: Settings, work: Workdir, meter: Meter) -> Analysis:
    """Find out what a recording holds; every value lands in the run's folder."""
    with meter.stage("probe"):
        identity = _identity(inputs.recording)
        source = work.step("recording", Recording, 1, identity, lambda: _probe(inputs, work))
        found = _catalog(inputs)
        catalog = work.step("catalog", Catalog, 1, (found,), lambda: found)
        audience_log = audience.read_logs(
            inputs.recording,
            chat=inputs.chat,
            events=inputs.events,
            start_time=inputs.start_time,
            recording_created=source.creation_time,
            duration=source.duration,
        )
        audience_log = _by_catalogue_sku(audience_log, catalog)
    products = catalog.products
    names = [(product.sku, product.title, product.aliases, product.brand) for product in products]
    with meter.stage("recognise") as tell:
        transcript = work.step(
            "transcript",
            Transcript,
            transcribe.VERSION,
            (source.sha256, names, settings.speech),
            lambda: _transcribe(source, products, settings, work, tell, meter.cancelled),
        )
    memory.release()
    with meter.stage("listen"):
        loudness = work.step("loudness", Track, sound.VERSION, (source.sha256,), lambda: sound.measure_loudness(media.audio_blocks(source)))
    with meter.stage("look") as tell:
        pictures = [(product.sku, [stamp(Path(image)) for image in product.images]) for product in products]
        picture = work.step(
            "picture",
            Picture,
            vision.VERSION,
            (source.sha256, pictures, settings.vision, settings.run.faces),
            lambda: _look(source, products, settings, tell, meter.cancelled),
        )
    with meter.stage("find"):
        evidence = work.step(
            "evidence",
            Evidence,
            detect.GATHER_VERSION,
            (transcript, catalog, audience_log, digest(picture, loudness), settings.gather),
            lambda: detect.gather(transcript, catalog, audience_log, picture, loudness, settings.gather),
        )
        findings = work.step(
            "segments",
            Findings,
            detect.FIND_VERSION,
            (digest(evidence), products, settings.find),
            lambda: detect.find(evidence, products, settings.find),
        )
    return _analysis(source, catalog, transcript, evidence, findings)


def _analysis(source: Recording, catalog: Catalog, transcript: Transcript, evidence: Evidence, findings: Findings) -> Analysis:
    return Analysis(
        recording=source,
        catalog=catalog,
        transcript=transcript,
        evidence=evidence,
        findings=findings,
        why_none=tuple(detect.why_none(evidence, catalog.products, findings)),
        pauses=detect.pauses(evidence),
    )


def publish(
    analysis: Analysis, clips: Sequence[Clip], settings: Settings, work: Workdir, meter: Meter, why_nothing: str | None
) -> dict[str, Any]:
    """Write manifest.json, report.html and run.json: the files that say what a run came to."""
    with meter.stage("report"):
        data = manifest(analysis, clips, why_nothing=why_nothing)
        artefact.save(work.root / "manifest.json", json_bytes(data))
        page = report(data, analysis.transcript, analysis.evidence, analysis.findings, work.root, products=analysis.catalog.products)
        artefact.save(work.root / "report.html", page.encode("utf-8", "backslashreplace"))
    earlier = _remembered(work)
    made = [*earlier["made"], *(name for name in work.made if name not in earlier["made"])]
    run = {
        "schema": "livecut.run",
        "version": 1,
        "livecut": __version__,
        "options": config.plain(settings),
        "made": made,
        "reused": [name for name in work.reused if name not in made],
        "stages": _longest(earlier["stages"], meter.stages),
    }
    artefact.save(work.root / "run.json", json_bytes(run))
    (work.root / _SESSION).unlink(missing_ok=True)
    return data


def _remember(work: Workdir, meter: Meter) -> None:
    """Keep what a run that ends early has spent and made, for the run.json of the one that finishes it."""
    earlier = _remembered(work)
    stages = _longest(earlier["stages"], meter.stages)
    made = [*earlier["made"], *(name for name in work.made if name not in earlier["made"])]
    artefact.save(work.root / _SESSION, json_bytes({"made": made, "stages": stages}))


def _longest(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Of each stage, the time it was done in and not the one it was found done in."""
    both = {**earlier, **now}
    return {name: max((one for one in (earlier.get(name), now.get(name)) if one), key=lambda one: float(one["seconds"])) for name in both}


def _remembered(work: Workdir) -> dict[str, Any]:
    try:
        found = json.loads((work.root / _SESSION).read_text(encoding="utf-8"))
        return {"made": list(found["made"]), "stages": dict(found["stages"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"made": [], "stages": {}}


def run_folder(out: Path, recording: Path) -> Path:
    """Name the run's folder: OUT/<recording's stem>, made distinct when another recording has that name there."""
    folder = out / recording.stem
    try:
        other = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["recording"]["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return folder
    if Path(other) == recording.resolve() or not Path(other).exists():
        return folder
    return out / f"{recording.stem}-{digest(str(recording.resolve()))[:8]}"


def _identity(path: Path) -> tuple[object, ...]:
    """What tells that a file is still the one that was probed, without reading it."""
    return stamp(path.resolve())


def stamp(path: Path) -> tuple[object, ...]:
    """What tells that a file is still the same one, without reading it; a missing file has a stamp of its own."""
    try:
        stat = path.stat()
    except OSError:
        return (str(path), None)
    return (str(path), stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _probe(inputs: Inputs, work: Workdir) -> Recording:
    """Probe a recording; one whose time stamps break is copied onto one clock inside the run's folder first."""
    found = media.probe(inputs.recording, digest=inputs.known.digest_of(inputs.recording) if inputs.known else "")
    return replace(media.normalise(found, work.root / "media"), sha256=found.sha256)


def _catalog(inputs: Inputs) -> Catalog:
    path = inputs.catalog or find_catalog(inputs.recording.parent)
    return read_catalog(path) if path else Catalog(path=None, products=())


def _by_catalogue_sku(told: AudienceLog, catalog: Catalog) -> AudienceLog:
    """Call products in the log what the catalogue calls them: an order names a variant's sku."""

    def own(sku: str) -> str:
        product = catalog.named(sku)
        return product.sku if product else sku

    orders = told.orders and tuple(replace(order, sku=own(order.sku)) for order in told.orders)
    cards = told.cards and tuple(replace(card, sku=own(card.sku)) for card in told.cards)
    return replace(told, orders=orders, cards=cards)


def _transcribe(
    source: Recording, products: tuple[Product, ...], settings: Settings, work: Workdir, tell: Tell, cancelled: Asked
) -> Transcript:
    checkpoint = transcribe.FileCheckpoint(work.root / "recognition.jsonl")
    return transcribe.transcribe(source, products, settings.speech, checkpoint=checkpoint, progress=tell, cancelled=cancelled)


def _look(source: Recording, products: tuple[Product, ...], settings: Settings, tell: Tell, cancelled: Asked) -> Picture:
    faces = weights.locate("centerface") / "centerface.onnx" if settings.run.faces else None
    return vision.look(source, products, settings.vision, face_model=faces, progress=tell, cancelled=cancelled)


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


def _stored(root: Path) -> Analysis:
    """Load what a finished run knows, without its inputs."""

    def value(name: str, kind: type[Any], version: int) -> Any:
        path = root / f"{name}.json"
        return artefact.loads(path.read_bytes(), kind, name, version, where=str(path))

    evidence: Evidence = value("evidence", Evidence, detect.GATHER_VERSION)
    catalog: Catalog = value("catalog", Catalog, 1)
    return _analysis(
        value("recording", Recording, 1),
        catalog,
        value("transcript", Transcript, transcribe.VERSION),
        evidence,
        value("segments", Findings, detect.FIND_VERSION),
    )


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder into an error that says what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise LivecutError(
                f"could not finish {folder}: no space left on the device; free some space and run again, what was finished is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise InputError(f"could not write {folder}: {error.strerror}; choose another folder with -o") from error
        raise


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep two runs out of one folder; the lock goes with the process."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"could not use {folder}: another livecut is at work in it; wait for it, or choose another folder with -o"
            ) from error
        yield


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
    found = _catalog(inputs)
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
