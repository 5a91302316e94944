"""One storyboard filmed: every shot tried until it shows the product, the shots composed, labelled and written down.

What is there with the right key is used again: a killed run goes on at its shot, a finished video is not touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from clipper import artefact, media
from clipper.errors import Cancelled, InputError, LivecutError
from generators import compose, fidelity, takes
from generators.animators import kling
from generators.compose import Cast, Film, Heard, Made, film, wanted_seconds
from generators.cutout import cut_out
from generators.diffusion.kept import VERSION as MODEL_SHOTS
from generators.images import read_picture
from generators.styles import style_named
from generators.takes import Outcome, Rung
from generators.values import Cutout, Photo, Shot, ShotRequest, Storyboard, Style, Take
from pipelines import memory
from pipelines.backends import Backends
from pipelines.gate import judge, lock
from pipelines.generate_options import GenerateOptions
from pipelines.progress import Meter
from pipelines.settings import Settings
from pipelines.storyboards import BoardFile
from pipelines.video_manifest import sidecar
from pipelines.workdir import Workdir, digest, json_bytes

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
class _Scene:
    """A storyboard with everything that it names loaded."""

    board: Storyboard
    style: Style
    photos: tuple[Photo, ...]
    cutouts: tuple[Cutout, ...]
    heard: tuple[Heard, ...]


def make_video(
    file: BoardFile, backends: Backends, settings: Settings, work: Workdir, meter: Meter, prefix: str, gallery: Gallery
) -> Video:
    """Make one video in the folder `prefix` of a run, or take up the one that is there.

    Raises InputError, ModelError, ToolError, and Cancelled; finished shots of a model are kept for the next call.
    """
    options = settings.generate
    folder = work.folder(prefix) if prefix else work.root
    board = file.board
    style = _lit(board)
    record, key = folder / f".{file.name}.json", _film_key(board, style, backends, settings)
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


def is_finished(file: BoardFile, backends: Backends, settings: Settings, work: Workdir, prefix: str) -> bool:
    """Say whether a video is there that `make_video` would take up."""
    key = _film_key(file.board, _lit(file.board), backends, settings)
    return _finished(work.root / prefix / f".{file.name}.json", key, work.root) is not None


def orders(board: Storyboard) -> tuple[Shot, ...]:
    """The shots of a storyboard as a model is asked for them: as long as what is shown of them, transitions included."""
    return tuple(replace(shot, seconds=seconds) for shot, seconds in zip(board.shots, wanted_seconds(board), strict=True))


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
        film.VERSION, takes.VERSION, fidelity.VERSION, MODEL_SHOTS, kling.VERSION, board, style, [rung.name for rung in backends.rungs],
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
    requests = [_request(shot, seconds, scene, closed) for shot, seconds in zip(board.shots, wanted, strict=True)]
    backends.tell_outline(requests, lambda text: meter.say("model", text))
    total = sum(wanted)
    shots: list[Made] = []
    records: list[ShotRecord] = []
    before = 0.0
    for request in requests:
        shot, seconds = request.shot, request.shot.seconds
        if meter.cancelled():
            raise Cancelled(f"stopped before shot {shot.id} of {name}: what was finished is kept, run again to go on")

        def told(part: float, done: float = before, own: float = seconds) -> None:
            tell((done + own * min(part, 1.0)) / total)

        folder = work.folder(f"shots/{name}/{shot.id}") if not backends.rungs[0].is_camera else work.root / "shots"
        outcome, record = _one_shot(request, backends.rungs, folder, options, meter, told)
        shots.append(Made(footage=outcome.footage, origin=outcome.origin, closed=closed and outcome.is_camera))
        records.append(record)
        before += seconds
    memory.release()  # reading text takes 0.25 GB for a moment, which composition would find missing
    return shots, tuple(records)


def _request(shot: Shot, seconds: float, scene: _Scene, closed: bool) -> ShotRequest:
    board = scene.board
    return ShotRequest(
        shot=replace(shot, seconds=seconds),
        photo=scene.photos[shot.photo],
        cutout=scene.cutouts[shot.photo],
        last=None if shot.last is None else scene.photos[shot.last],
        last_cutout=None if shot.last is None else scene.cutouts[shot.last],
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
