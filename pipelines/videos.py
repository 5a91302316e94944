"""Product pictures in, finished videos out.

`make_videos` reads: subjects, storyboards, shots (each tried until it shows the product), composition, manifest. Everything
lies in a folder per product; what is there with the right key is used again, so a killed run goes on at its shot, and an
edited storyboard is rendered, never overwritten.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipper import artefact
from clipper.errors import Cancelled, LivecutError
from clipper.version import __version__
from generators import storyboard
from generators.styles import style_named
from generators.subjects import Source
from generators.values import Cutout, Photo, Shot, Storyboard, Style, Subject
from pipelines import config
from pipelines.backends import Backends, choose_backends
from pipelines.casting import beats_of, cast, plan_boards, said_of, subject_of
from pipelines.clips import alone, stamp, writable
from pipelines.consent import agree, unmade
from pipelines.filming import Gallery, Video, make_video
from pipelines.progress import Asked, Callback, Meter, ignore, never
from pipelines.settings import Settings
from pipelines.storyboards import BoardFile, names_of, save_boards
from pipelines.video_manifest import manifest
from pipelines.workdir import Workdir, clear_leftovers, json_bytes, sweep

log = logging.getLogger(__name__)

PLAN_VERSION = 1
"""Goes up when equal pictures and options are planned differently, beside the storyboard's own version."""


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

    `pictures` are files and folders, each of them one product; or give a `catalog` and, to choose,
    `skus`. `style` and `backend` win over the settings. One product's failure is kept in `failures` when others are made, and
    raised when there is no other. `confirmed` says that the kling backend may spend what it costs. `folder` is where a single
    product's results go, by default a folder of its name in `settings.run.out`.

    Raises InputError, ModelError, ToolError, and Cancelled; what was finished is kept and used
    by the next call.
    """
    settings = _with(settings or Settings(), style, backend)
    wanted = cast(pictures, catalog, skus, settings.generate)
    run = _Run(
        settings=settings,
        look=style_named(settings.generate.style),
        beats=beats_of(settings.generate),
        backends=choose_backends(settings.generate, confirmed=confirmed),
        meter=Meter(progress, cancelled),
        replan=replan,
        catalog=wanted.catalog,
        rejects=tuple(f"{reject.path}: {reject.reason}" for reject in wanted.rejects),
    )
    places = [(source, Path(folder) if folder else Path(settings.run.out) / source.name) for source in wanted.sources]
    try:
        if run.backends.name == "kling":
            _tell_cost(places, run)
        done, failures = _all_products(places, run)
    finally:
        run.backends.close()
    return VideoRun(products=tuple(done), failures=tuple(failures), backend=run.backends.name, why=run.backends.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What is the same for every product of a run."""

    settings: Settings
    look: Style
    beats: tuple[float, ...]
    backends: Backends
    meter: Meter
    replan: bool
    catalog: str | None
    rejects: tuple[str, ...]


def _all_products(places: Sequence[tuple[Source, Path]], run: _Run) -> tuple[list[ProductRun], list[tuple[str, LivecutError]]]:
    done: list[ProductRun] = []
    failures: list[tuple[str, LivecutError]] = []
    for source, root in places:
        try:
            with _alone_in(root) as work:
                done.append(_one_product(source, run, work))
        except Cancelled:
            raise
        except LivecutError as error:
            if len(places) == 1:
                raise
            log.warning("%s: %s", source.name, error)
            failures.append((source.name, error))
    return done, failures


def _tell_cost(places: Sequence[tuple[Source, Path]], run: _Run) -> None:
    """Plan every product, add up what the shots that are still to be made cost, and go on only when that is agreed to.

    Raises InputError with the sum when it is not, and for keys that are missing. Nothing is sent.
    """
    shots: list[Shot] = []
    for source, root in places:
        try:
            with _alone_in(root) as work:
                _, files = _planned(source, run, work, {}, keep=True)
                shots += unmade(files, run.backends, run.settings, work, "videos/")
        except Cancelled:
            raise
        except LivecutError as error:
            log.info("%s: %s", source.name, error)  # told when it is its turn
    agree(shots, run.backends, run.settings, run.meter)


def _with(settings: Settings, style: str | None, backend: str | None) -> Settings:
    chosen = {key: value for key, value in (("style", style), ("backend", backend)) if value is not None}
    return replace(settings, generate=replace(settings.generate, **chosen)) if chosen else settings  # type: ignore[arg-type]


# --- one product -----------------------------------------------------------------------------------


@contextmanager
def _alone_in(root: Path) -> Iterator[Workdir]:
    """A product's folder, which no other run may use meanwhile."""
    with writable(root), alone(root):
        clear_leftovers(root)
        yield Workdir(root)


def _one_product(source: Source, run: _Run, work: Workdir) -> ProductRun:
    gallery: Gallery = {}
    planned, files = _planned(source, run, work, gallery)
    sweep(work.folder("videos"), {file.name for file in files}, (".mp4", ".json", ".jpg"))
    videos = [make_video(file, run.backends, run.settings, work, run.meter, "videos/", gallery) for file in files]
    inputs = {
        "catalog": run.catalog,
        "pictures": planned.pictures,
        "music": run.settings.generate.music or None,
        "warnings": [*planned.warnings, *run.rejects],
    }
    data = publish(planned.product, inputs, videos, run.backends, run.settings, work, run.meter)
    paths = tuple(work.root / video.film.video for video in videos)
    return ProductRun(name=source.name, folder=work.root, manifest=data, videos=paths, made=tuple(work.made))


def _planned(source: Source, run: _Run, work: Workdir, gallery: Gallery, *, keep: bool = False) -> tuple[Planned, tuple[BoardFile, ...]]:
    """Plan a product's videos, or take up the plans that are there; `keep` leaves edited ones alone even where all are to be new."""
    settings = run.settings
    with run.meter.stage(f"look at {source.name}"):
        stamps = [stamp(Path(picture)) for picture in source.pictures]
        key = (source, stamps, run.look, settings.generate, settings.plan, run.beats, run.backends.name)
        version = PLAN_VERSION + storyboard.VERSION
        planned = work.step("storyboards", Planned, version, key, lambda: _plan(source, run, gallery))
        if keep and run.replan:
            return planned, tuple(map(BoardFile, names_of(planned.boards), planned.boards, [False] * len(planned.boards)))
        return planned, save_boards(work.folder("plans"), planned.boards, replan=run.replan)


def _plan(source: Source, run: _Run, gallery: Gallery) -> Planned:
    """Read a product's pictures, plan its videos, and leave the pictures in the gallery for the shots."""
    subject = subject_of(source, run.settings.generate)
    gallery.update({photo.sha256: (photo, cutout) for photo, cutout in zip(subject.photos, subject.cutouts, strict=True)})
    boards = plan_boards(subject, run.look, run.settings, run.backends.name, run.beats)
    unwritten = tuple(dict.fromkeys(note for board in boards for note in said_of(subject, board)))
    for note in unwritten:
        log.info("%s: %s", source.name, note)
    return Planned(
        boards=boards,
        product=_product_row(subject),
        pictures=[_picture_row(photo, cutout) for photo, cutout in zip(subject.photos, subject.cutouts, strict=True)],
        warnings=(*subject.warnings, *unwritten),
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


def publish(
    product: Mapping[str, Any],
    inputs: Mapping[str, Any],
    videos: Sequence[Video],
    backends: Backends,
    settings: Settings,
    work: Workdir,
    meter: Meter,
) -> dict[str, Any]:
    """Write a product's manifest.json and run.json; return the manifest."""
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
