"""Who plays: from pictures, folders and catalogues to the products of a run, and from a product to its storyboards."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clipper.catalog import read_catalog
from clipper.errors import InputError
from generators.images import Refused
from generators.music import find_beats, load_sound
from generators.storyboard import StoryboardOptions, plan_variants
from generators.subjects import Source, SubjectOptions, read_subject, sources_of_catalog, sources_of_pictures
from generators.texts import unsaid
from generators.values import PictureRef, Storyboard, Style, Subject
from pipelines import places
from pipelines.generate_options import GenerateOptions
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """The products of a run, before their pictures are read."""

    sources: tuple[Source, ...]
    catalog: str | None = None
    rejects: tuple[Refused, ...] = ()


def cast(pictures: Sequence[str | Path], catalog: str | Path | None, skus: Sequence[str], options: GenerateOptions) -> Casting:
    """Say of which products videos are wanted: a folder or a lone file is one product, so is every row of a catalogue.

    Raises InputError for paths and skus that do not exist, for URLs, and when nothing is named.
    """
    for given in (*pictures, *([catalog] if catalog else [])):
        if places.is_url(given):
            raise InputError(
                f"could not make videos of {places.written(given)}: pictures and catalogues of videos lie on a disk; "
                "copy them to a folder first"
            )
    wish = SubjectOptions(
        title=options.title or None, price=options.price or None, call=options.call or None, max_pictures=options.max_pictures
    )
    if catalog is None:
        if not pictures:
            raise InputError("could not make videos: no picture was named; give pictures, folders of pictures, or a catalogue (--catalog)")
        found = sources_of_pictures(pictures, wish)
        return Casting(sources=found.sources, rejects=found.rejects)
    if pictures:
        raise InputError(f"could not use {pictures[0]} beside a catalogue: name skus of it, or give pictures without it")
    known = read_catalog(Path(catalog))
    found = sources_of_catalog(known, skus, wish)
    return Casting(sources=found.sources, catalog=known.path, rejects=found.rejects)


def subject_of(source: Source, options: GenerateOptions) -> Subject:
    """Read one product's pictures and cut the product out of them. Raises InputError when none can be used."""
    return read_subject(source, options.picture, options.cutout)


def plan_boards(subject: Subject, look: Style, settings: Settings, used: str, beats: Sequence[float] = ()) -> tuple[Storyboard, ...]:
    """Plan a product's videos: one storyboard a variant; `used` is the backend that makes the shots, whichever was asked for."""
    options = settings.generate
    width, height = options.frame(settings.plan.width_px, settings.plan.height_px)
    wanted = StoryboardOptions(
        seconds=options.seconds,
        width_px=width,
        height_px=height,
        fps=settings.plan.fps,
        backend=options.backend,
        least_shot_s=0.8 if used == "camera" else 2.0,
        seed=options.seed,
        loop=options.loop,
        ends_on=options.ends_on,
        end_card=options.end_card,
        layer_confidence=options.camera.layer_confidence,
        call=options.call or None,
        logo=str(Path(options.logo).absolute()) if options.logo else None,
        music=str(Path(options.music).absolute()) if options.music else None,
        music_gain_db=options.music_gain_db,
    )
    boards = plan_variants(subject, look, wanted, beats, count=options.variants)
    return tuple(replace(board, title=_short(board.title, settings.plan.title_max), pictures=_findable(board)) for board in boards)


def said_of(subject: Subject, board: Storyboard) -> tuple[str, ...]:
    """Say what of a product's title a video does not write: nothing of a name is lost in silence."""
    lost = unsaid(subject.title, board.overlays)
    return (f"of the title, {lost!r} is not written in the video: it is too long to be read; --title gives another",) if lost else ()


def _findable(board: Storyboard) -> tuple[PictureRef, ...]:
    """Pictures by their absolute paths: a plan is rendered from any folder."""
    return tuple(replace(ref, path=str(Path(ref.path).absolute())) for ref in board.pictures)


def _short(title: str, limit: int) -> str:
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"


def beats_of(options: GenerateOptions) -> tuple[float, ...]:
    """Find the beats of a run's music; none without music. Raises InputError for a file that is no sound."""
    if not options.music:
        return ()
    with tempfile.TemporaryDirectory(prefix="livecut-") as work:
        return find_beats(load_sound(Path(options.music), Path(work)))
