"""Product pictures in, finished videos out.

`make_videos` reads: subjects, storyboards, shots (each tried until it shows the product), composition, manifest. Everything
lies in a folder per product; what is there with the right key is used again, so a killed run goes on at its shot, and an
edited storyboard is rendered, never overwritten.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from clipper import artefact, media
from clipper.errors import Cancelled, InputError, LivecutError
from clipper.version import __version__
from generators import compose, fidelity, storyboard, takes
from generators.animators import kling
from generators.compose import Cast, Film, Heard, Made, film, wanted_seconds
from generators.cutout import cut_out
from generators.images import read_picture
from generators.styles import style_named
from generators.subjects import Source
from generators.takes import Outcome, Rung
from generators.values import Cutout, Photo, Shot, ShotRequest, Storyboard, Style, Subject, Take
from pipelines import config, memory
from pipelines.backends import Backends, choose_backends
from pipelines.casting import Casting, beats_of, cast, plan_boards, subject_of
from pipelines.clips import alone, stamp, writable
from pipelines.gate import judge, lock
from pipelines.generate_options import GenerateOptions
from pipelines.progress import Asked, Callback, Meter, ignore, never
from pipelines.settings import Settings
from pipelines.storyboards import BoardFile, load_board, save_boards, stored_boards
from pipelines.video_manifest import manifest, sidecar
from pipelines.workdir import Workdir, digest, json_bytes, sweep

log = logging.getLogger(__name__)

PLAN_VERSION = 1
"""Goes up when equal pictures and options are planned differently, beside the storyboard's own version."""
SHOTS_SHARE = {True: 0.25, False: 0.92}
"""Part of a video's time that its shots take: by whether the camera makes them (while they are composed) or a model."""

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A finished video, and how it came to be."""

    name: str
    """Stem of its files, e.g. 001-clean-studio."""
    board: Storyboard
    film: Film
    shots: tuple[ShotRecord, ...]
    edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotRecord:
    """What became of one shot: what was tried, what was used."""

    shot: Shot
    """As it was made: with the seed and the move that passed."""
    rung: str
    takes: tuple[Take, ...]
    notes: tuple[str, ...] = ()
    is_camera: bool = False


Gallery = dict[str, tuple[Photo, Cutout]]
"""Pictures of the product in hand and their cut-outs, by the digest of the file: they are read and cut out once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is known of a product once its pictures were looked at."""

    boards: tuple[Storyboard, ...]
    product: dict[str, Any]
    pictures: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRun:
    """The finished videos of one product."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    videos: tuple[Path, ...]
    made: tuple[str, ...]
    """Steps that were computed now; everything else was on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRun:
    """A finished run over one or several products."""

    products: tuple[ProductRun, ...]
    failures: tuple[tuple[str, LivecutError], ...] = ()
    """Products that came to nothing: name and reason."""
    backend: str = ""
    why: str = ""
    """Why this backend."""

    @property
    def videos(self) -> tuple[Path, ...]:
        """Paths of all finished videos."""
        return tuple(video for product in self.products for video in product.videos)


def make_videos(
    pictures: Sequence[str | Path] = (),
    *,
    catalog: str | Path | None = None,
    skus: Sequence[str] = (),
    settings: Settings | None = None,
    style: str | None = None,
    backend: str | None = None,
    replan: bool = False,
    progress: Callback = ignore,
    cancelled: Asked = never,
    confirmed: bool = False,
    folder: str | Path | None = None,
) -> VideoRun:
    """Make videos of product pictures: what `livecut generate` does.

    `pictures` are files, which together show one product, and folders, one product each; or give a `catalog` and, to choose,
    `skus`. `style` and `backend` win over the settings. One product's failure is kept in `failures` when others are made, and
    raised when there is no other. `confirmed` says that the kling backend may spend what it costs. `folder` is where a single
    product's results go, by default a folder of its name in `settings.run.out`.

    Raises InputError, ModelError, ToolError, and Cancelled; what was finished is kept and used
    by the next call.
    """
    settings = _with(settings or Settings(), style, backend)
    wanted = cast(pictures, catalog, skus, settings.generate)
    look = style_named(settings.generate.style)
    beats = beats_of(settings.generate)
    backends = choose_backends(settings.generate, confirmed=confirmed)
    meter = Meter(progress, cancelled)
    done: list[ProductRun] = []
    failures: list[tuple[str, LivecutError]] = []
    try:
        for source in wanted.sources:
            try:
                with _alone_in(Path(folder) if folder else Path(settings.run.out) / source.name) as work:
                    done.append(_one_product(source, wanted, look, beats, backends, settings, work, meter, replan))
            except Cancelled:
                raise
            except LivecutError as error:
                if len(wanted.sources) == 1:
                    raise
                log.warning("%s: %s", source.name, error)
                failures.append((source.name, error))
    finally:
        backends.close()
    return VideoRun(products=tuple(done), failures=tuple(failures), backend=backends.name, why=backends.why)


def render_boards(
    paths: Sequence[str | Path], *, settings: Settings | None = None, progress: Callback = ignore, cancelled: Asked = never
) -> tuple[Path, ...]:
    """Render storyboard files anew and bring their run's manifest up to date; one outside a run is rendered beside itself."""
    settings = settings or Settings()
    meter = Meter(progress, cancelled)
    videos: list[Path] = []
    for path in map(Path, paths):
        board = load_board(path)
        root = path.resolve().parent.parent
        in_run = path.resolve().parent.name == "plans" and (root / "manifest.json").is_file()
        backends = choose_backends(replace(settings.generate, backend=board.backend))  # type: ignore[arg-type]
        try:
            if in_run:
                videos.append(_again(root, path.stem, backends, settings, meter))
            else:
                work = Workdir(path.resolve().parent)
                with writable(work.root):
                    made = _one_video(BoardFile(path.stem, board, True), backends, settings, work, meter, "", {})
                videos.append(work.root / made.film.video)
        finally:
            backends.close()
    return tuple(videos)


def _again(root: Path, name: str, backends: Backends, settings: Settings, meter: Meter) -> Path:
    work = Workdir(root)
    with writable(root), alone(root):
        old = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
        files = stored_boards(root / "plans")
        gallery: Gallery = {}
        videos = [_one_video(file, backends, settings, work, meter, "videos/", gallery) for file in files]
        _publish(old["product"], old.get("inputs", {}), videos, backends, settings, work, meter)
    return root / next(video.film.video for video in videos if video.name == name)


def _with(settings: Settings, style: str | None, backend: str | None) -> Settings:
    chosen = {key: value for key, value in (("style", style), ("backend", backend)) if value is not None}
    return replace(settings, generate=replace(settings.generate, **chosen)) if chosen else settings  # type: ignore[arg-type]


# --- one product -----------------------------------------------------------------------------------


@contextmanager
def _alone_in(root: Path) -> Iterator[Workdir]:
    """A product's folder, which no other run may use meanwhile."""
    with writable(root), alone(root):
        yield Workdir(root)


def _one_product(
    source: Source,
    casting: Casting,
    look: Style,
    beats: Sequence[float],
    backends: Backends,
    settings: Settings,
    work: Workdir,
    meter: Meter,
    replan: bool,
) -> ProductRun:
    gallery: Gallery = {}
    with meter.stage(f"look at {source.name}"):
        key = (source, [stamp(Path(picture)) for picture in source.pictures], look, settings.generate, settings.plan, beats)
        version = PLAN_VERSION + storyboard.VERSION
        planned = work.step("storyboards", Planned, version, key, lambda: _plan(source, look, beats, settings, gallery))
        files = save_boards(work.folder("plans"), planned.boards, replan=replan)
    sweep(work.folder("videos"), {file.name for file in files}, (".mp4", ".json", ".jpg"))
    if backends.name == "kling":
        bill = kling.confirm([shot for file in files for shot in file.board.shots], settings.generate.kling, confirmed=backends.confirmed)
        log.info("%s: %s", source.name, bill.text)
    videos = [_one_video(file, backends, settings, work, meter, "videos/", gallery) for file in files]
    inputs = {
        "catalog": casting.catalog,
        "pictures": planned.pictures,
        "music": settings.generate.music or None,
        "warnings": [*planned.warnings, *(f"{reject.path}: {reject.reason}" for reject in casting.rejects)],
    }
    data = _publish(planned.product, inputs, videos, backends, settings, work, meter)
    paths = tuple(work.root / video.film.video for video in videos)
    return ProductRun(name=source.name, folder=work.root, manifest=data, videos=paths, made=tuple(work.made))


def _plan(source: Source, look: Style, beats: Sequence[float], settings: Settings, gallery: Gallery) -> Planned:
    """Read a product's pictures, plan its videos, and leave the pictures in the gallery for the shots."""
    subject = subject_of(source, settings.generate)
    gallery.update({photo.sha256: (photo, cutout) for photo, cutout in zip(subject.photos, subject.cutouts, strict=True)})
    return Planned(
        boards=plan_boards(subject, look, settings, beats),
        product=_product_row(subject),
        pictures=[_picture_row(photo, cutout) for photo, cutout in zip(subject.photos, subject.cutouts, strict=True)],
        warnings=subject.warnings,
    )


def _product_row(subject: Subject) -> dict[str, Any]:
    return {
        "sku": subject.sku,
        "title": subject.title,
        "price": subject.price,
        "list_price": subject.list_price,
        "category": subject.category,
    }


def _picture_row(photo: Photo, cutout: Cutout) -> dict[str, Any]:
    return {
        "path": photo.path,
        "sha256": photo.sha256,
        "width": photo.width_px,
        "height": photo.height_px,
        "aigc": json.loads(photo.aigc) if photo.aigc else None,
        "cutout": {"method": cutout.method, "confidence": round(cutout.confidence, 3), "lifted": cutout.is_layer()},
        "reasons": list(cutout.reasons),
        "warnings": list(photo.warnings),
    }


def _publish(
    product: Mapping[str, Any],
    inputs: Mapping[str, Any],
    videos: Sequence[Video],
    backends: Backends,
    settings: Settings,
    work: Workdir,
    meter: Meter,
) -> dict[str, Any]:
    data = manifest(product, inputs, videos, backend=settings.generate.backend, used=backends.name, why=backends.why)
    artefact.save(work.root / "manifest.json", json_bytes(data))
    run = {
        "schema": "livecut.run",
        "version": 1,
        "livecut": __version__,
        "options": config.plain(settings),
        "made": work.made,
        "reused": work.reused,
        "stages": meter.stages,
    }
    artefact.save(work.root / "run.json", json_bytes(run))
    return data


# --- one video -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A storyboard with everything that it names loaded."""

    board: Storyboard
    style: Style
    photos: tuple[Photo, ...]
    cutouts: tuple[Cutout, ...]
    heard: tuple[Heard, ...]


def _one_video(
    file: BoardFile, backends: Backends, settings: Settings, work: Workdir, meter: Meter, prefix: str, gallery: Gallery
) -> Video:
    options = settings.generate
    folder = work.folder(prefix) if prefix else work.root
    board = file.board
    style = _lit(board)
    key = _film_key(board, style, backends, settings)
    record = folder / f".{file.name}.json"
    done = _finished(record, key, work.root)
    if done is not None:
        work.reused.append(f"video {file.name}")
        return replace(done, name=file.name, board=board, edited=file.edited)
    with meter.stage(f"video {work.root.name}/{file.name}") as tell:
        scene = _load(board, style, options, gallery)
        share = SHOTS_SHARE[backends.rungs[0].is_camera]
        shots, records = _make_shots(file.name, scene, backends, settings, work, meter, lambda part: tell(share * part))
        cast = Cast(style=style, photos=scene.photos, cutouts=scene.cutouts, heard=scene.heard)
        made = compose.compose(
            board,
            shots,
            cast,
            folder,
            file.name,
            settings.render,
            replace(options.compose, loudness_lufs=settings.plan.loudness_lufs),
            music=options.bed,
            label_options=options.label,
            progress=lambda part: tell(share + (1 - share) * part),
            cancelled=meter.cancelled,
        )
    made = replace(made, video=prefix + made.video, cover=prefix + made.cover)
    video = Video(name=file.name, board=board, film=made, shots=records, edited=file.edited)
    artefact.save(folder / f"{file.name}.json", json_bytes(sidecar(video)))
    artefact.save(record, artefact.dumps(video, "video", 1, key=key))
    work.made.append(f"video {file.name}")
    del shots, cast, scene
    memory.release()
    if not options.keep_shots:
        shutil.rmtree(work.root / "shots" / file.name, ignore_errors=True)
    return video


def _lit(board: Storyboard) -> Style:
    """The storyboard's style, in the storyboard's own light: variants differ in it."""
    style = style_named(board.style)
    return replace(style, light_deg=board.light_deg, light=board.light or style.light)


def _film_key(board: Storyboard, style: Style, backends: Backends, settings: Settings) -> str:
    options = settings.generate
    named = (board.music, options.voice, *(overlay.image for overlay in board.overlays))
    files = [(path, media.sha256(_there(path))) for path in named if path]
    parts = (options.takes, options.fidelity, options.compose, options.bed, options.label, options.cutout, options.picture)
    return digest(
        film.VERSION, takes.VERSION, fidelity.VERSION, board, style, [rung.name for rung in backends.rungs],
        options.camera, options.diffusers, options.kling, parts, files, settings.render, settings.plan.loudness_lufs,
    )  # fmt: skip


def _finished(record: Path, key: str, root: Path) -> Video | None:
    """A video that is on disk whole, made from this very storyboard, with its label in it."""
    if artefact.key_of(record) != key:
        return None
    try:
        done = artefact.loads(record.read_bytes(), Video, "video", 1, where=str(record))
    except LivecutError:
        return None
    path = root / done.film.video
    files = (path, root / done.film.cover, path.with_suffix(".json"))
    return done if all(file.is_file() for file in files) and media.sha256(path) == done.film.sha256 else None


def _load(board: Storyboard, style: Style, options: GenerateOptions, gallery: Gallery) -> _Scene:
    """Read the pictures of a storyboard, and hold them to the digests that it was planned with."""
    pairs = [_picture(board, number, options, gallery) for number in range(len(board.pictures))]
    heard = (Heard(path=options.voice),) if options.voice else ()
    photos, cutouts = tuple(photo for photo, _ in pairs), tuple(cutout for _, cutout in pairs)
    return _Scene(board=board, style=style, photos=photos, cutouts=cutouts, heard=heard)


def _picture(board: Storyboard, number: int, options: GenerateOptions, gallery: Gallery) -> tuple[Photo, Cutout]:
    ref = board.pictures[number]
    if media.sha256(_there(ref.path)) != ref.sha256:
        raise InputError(
            f"could not use picture {number} of {board.id}: {ref.path} is not the file it was planned with; "
            "plan anew with --replan, or correct pictures in the plan"
        )
    if ref.sha256 not in gallery:
        photo = read_picture(ref.path, options.picture)
        gallery[ref.sha256] = (photo, cut_out(photo, options.cutout))
    return gallery[ref.sha256]


def _there(path: str) -> Path:
    if not Path(path).is_file():
        raise InputError(f"could not read {path}: no such file; check the path")
    return Path(path)


# --- shots -----------------------------------------------------------------------------------------


def _make_shots(
    name: str, scene: _Scene, backends: Backends, settings: Settings, work: Workdir, meter: Meter, tell: Tell
) -> tuple[list[Made], tuple[ShotRecord, ...]]:
    board, options = scene.board, settings.generate
    closed = board.loop and len(board.shots) == 1 and backends.rungs[0].is_camera
    wanted = wanted_seconds(board, closed=closed)
    total = sum(wanted)
    shots: list[Made] = []
    records: list[ShotRecord] = []
    before = 0.0
    for shot, seconds in zip(board.shots, wanted, strict=True):
        if meter.cancelled():
            raise Cancelled(f"stopped before shot {shot.id} of {name}: what was finished is kept, run again to go on")

        def told(part: float, done: float = before, own: float = seconds) -> None:
            tell((done + own * min(part, 1.0)) / total)

        request = _request(shot, seconds, scene, closed)
        folder = work.folder(f"shots/{name}/{shot.id}") if not backends.rungs[0].is_camera else work.root / "shots"
        outcome, record = _one_shot(request, backends.rungs, folder, options, meter, told)
        shots.append(Made(footage=outcome.footage, origin=outcome.origin, closed=closed and outcome.is_camera))
        records.append(record)
        before += seconds
    return shots, tuple(records)


def _request(shot: Shot, seconds: float, scene: _Scene, closed: bool) -> ShotRequest:
    board = scene.board
    return ShotRequest(
        shot=replace(shot, seconds=seconds),
        photo=scene.photos[shot.photo],
        cutout=scene.cutouts[shot.photo],
        style=scene.style,
        width_px=board.width_px,
        height_px=board.height_px,
        fps=Fraction(board.fps),
        loop=closed,
    )


def _one_shot(
    request: ShotRequest, rungs: Sequence[Rung], folder: Path, options: GenerateOptions, meter: Meter, tell: Tell
) -> tuple[Outcome, ShotRecord]:
    outcome = takes.make_shot(
        request,
        rungs,
        folder,
        options.takes,
        measure=lambda asked, footage, camera: judge(asked, footage, camera, options.fidelity),
        lock=lambda asked, footage: lock(asked, footage, options.fidelity),
        progress=tell,
        cancelled=meter.cancelled,
    )
    record = ShotRecord(shot=request.shot, rung=outcome.rung, takes=outcome.takes, notes=outcome.notes, is_camera=outcome.is_camera)
    return outcome, record


def describe_videos(
    pictures: Sequence[str | Path] = (), *, catalog: str | Path | None = None, skus: Sequence[str] = (), settings: Settings
) -> str:
    """Say what `make_videos` would make, and with what; writes nothing."""
    options = settings.generate
    wanted = cast(pictures, catalog, skus, options)
    look = style_named(options.style)
    backends = choose_backends(options, confirmed=True)
    lines = [f"backend    {backends.name}: {backends.why}", f"style      {look.name} {look.label}"]
    for source in wanted.sources:
        subject = subject_of(source, options)
        lines.append(f"product    {source.name}: {subject.title}, {len(subject.photos)} picture(s)")
        for board in plan_boards(subject, look, settings, beats_of(options)):
            shots = ", ".join(f"{shot.move} {shot.seconds:.1f} s" for shot in board.shots)
            if backends.name == "kling":
                shots += f"; {kling.estimate(board.shots, options.kling).text}"
            lines.append(f"  video    {board.width_px}×{board.height_px}, {board.seconds:.1f} s: {shots}")
        lines += [f"  note     {warning}" for warning in subject.warnings]
        lines.append(f"  results  {Path(settings.run.out) / source.name}")
    return "\n".join(lines)
