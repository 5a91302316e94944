"""From a subject and a style to a storyboard: which shots, how long, where they go, and what is written when.

Pure: equal inputs and seed give the equal plan. A cut falls on a frame, and on a beat when beats are given; a move needs what
the picture can bear (a product that was cut out for depth, a sharp region for a close look); a text stays as long as it takes
to read it.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from clipper.errors import InputError
from clipper.values import Box, ms
from generators.cutting import cut_instants, ring_instants
from generators.sharpness import sharp_regions
from generators.styles import prompt_for
from generators.texts import write_overlays
from generators.values import Move, PictureRef, Shot, Storyboard, Style, Subject, Transition

T = TypeVar("T")

VERSION = 2
"""Of what is planned; goes up when equal inputs give another plan."""

NEEDS_LAYER: frozenset[Move] = frozenset({"parallax", "rise", "reveal"})
INSTEAD: dict[Move, Move] = {"parallax": "pan", "rise": "push_in", "reveal": "pull_out", "detail": "push_in"}
"""What a move becomes where the picture does not bear it."""
OPENING: tuple[Move, ...] = ("reveal", "push_in", "parallax", "sweep", "pan", "rise", "pull_out", "still")
CLOSING: tuple[Move, ...] = ("pull_out", "parallax", "sweep", "still", "pan", "push_in", "rise")
"""Moves that show the product whole; the last shot stands behind the end card."""
CAMERA_WORDS: dict[Move, str] = {
    "push_in": "the camera pushes in slowly",
    "pull_out": "the camera pulls back slowly",
    "parallax": "the camera arcs a few degrees around the product",
    "detail": "the camera moves in close",
    "sweep": "the camera rests while light passes over the product",
    "rise": "the camera rises slowly",
    "pan": "the camera slides slowly to the side",
    "reveal": "the camera comes out of the dark and settles on the product",
    "still": "the camera is locked off",
}
"""For moves that a style has no words of its own for."""
SMALL_PX = 480
"""A picture whose shorter side is below this bears no close look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryboardOptions:
    """What kind of video is planned."""

    seconds: float = 6.0
    """Length, 3 to 30 s."""
    width_px: int = 1080
    """Width of the frame, even, 128 to 4096."""
    height_px: int = 1920
    """Height of the frame, even, 128 to 4096."""
    fps: int = 30
    """Frames a second, 12 to 60."""
    backend: Literal["auto", "camera", "diffusers", "kling"] = "auto"
    """Who is to make the shots, as asked."""
    least_shot_s: float = 0.8
    """Shortest shot, 0.5 to 5 s: an eye needs most of a second, a video model about two."""
    seed: int = 0
    """Everything random comes from it, 0 to 2147483647."""
    variant: int = 0
    """Number of the variant, 0 to 99: order of moves, regions, pictures and light differ."""
    loop: bool = False
    """Let the last frame lead into the first; there is no end card then."""
    ends_on: Literal["free", "start", "next"] = "free"
    """What a shot ends on, for models that can be told: start is the picture it began with, next the product's next one."""
    end_card: bool = True
    """Close with title, price and call."""
    layer_confidence: float = 0.7
    """Confidence from which a cut-out is moved as a layer of its own, 0 to 1."""
    call: str | None = None
    """What to do next, on the end card; None for the subject's own, else "点击购买" or "Shop now" by the title's language."""
    logo: str | None = None
    """Path of a picture that stands in the corner throughout."""
    music: str | None = None
    """Path of the music; its beats are given separately."""
    music_gain_db: float = 0.0
    """Gain of the music, -60 to 12 dB."""

    def __post_init__(self) -> None:
        bounds = {
            "seconds": (3, 30),
            "width_px": (128, 4096),
            "height_px": (128, 4096),
            "fps": (12, 60),
            "least_shot_s": (0.5, 5),
            "seed": (0, 2**31 - 1),
            "variant": (0, 99),
            "layer_confidence": (0, 1),
            "music_gain_db": (-60, 12),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}")
        if self.width_px % 2 or self.height_px % 2:
            raise InputError(f"the frame is {self.width_px}×{self.height_px} px: expected even numbers")


def plan_variants(
    subject: Subject, style: Style, options: StoryboardOptions = StoryboardOptions(), beats: Sequence[float] = (), *, count: int
) -> tuple[Storyboard, ...]:
    """Plan several videos of one subject that differ visibly, starting at `options.variant`."""
    return tuple(plan_video(subject, style, replace(options, variant=options.variant + number), beats) for number in range(count))


def plan_video(subject: Subject, style: Style, options: StoryboardOptions = StoryboardOptions(), beats: Sequence[float] = ()) -> Storyboard:
    """Plan one video: shots in the style's pace, on the beat where `beats` (seconds on the video's clock) allow it, texts in time.

    Raises InputError for a subject without pictures.
    """
    if not subject.photos:
        raise InputError(f"could not plan a video of {subject.title or subject.name}: it has no picture; add one")
    cuts, begins = _cut(style, options, beats)
    draw = _Draw(subject, style, options)
    count = len(cuts) - 1
    moves = draw.moves(count)
    shots = tuple(draw.shot(number, moves[number], cuts) for number in range(count))
    light = draw.light
    return Storyboard(
        id=_id(subject, style, options),
        sku=subject.sku,
        title=subject.title,
        style=style.source or style.name,
        backend=options.backend,
        pictures=tuple(PictureRef(path=photo.path, sha256=photo.sha256) for photo in subject.photos),
        shots=shots,
        overlays=write_overlays(
            subject,
            _seen(cuts, begins, options.fps),
            loop=options.loop,
            call=options.call,
            logo=options.logo,
            end_card=options.end_card and not options.loop,
        ),
        width_px=options.width_px,
        height_px=options.height_px,
        fps=options.fps,
        seed=options.seed,
        music=options.music,
        music_gain_db=options.music_gain_db,
        loop=options.loop,
        begins=begins,
        light_deg=draw.light_deg,
        light=light,
    )


def _cut(style: Style, options: StoryboardOptions, beats: Sequence[float]) -> tuple[tuple[float, ...], float]:
    """Cut the video; of a loop, whose first shot runs over its seam, also how much of that shot is played at its end."""
    if not options.loop:
        return cut_instants(options.seconds, pace=style.pace_s, fps=options.fps, beats=beats, least=options.least_shot_s), 0.0
    single = options.seconds < 5
    return ring_instants(options.seconds, pace=style.pace_s, fps=options.fps, beats=beats, least=options.least_shot_s, single=single)


def _seen(cuts: Sequence[float], begins: float, fps: int) -> tuple[float, ...]:
    """Return the cuts on the video's clock, its end last."""
    if begins <= 0 or len(cuts) == 2:
        return tuple(cuts)
    return (0.0, *(ms(round((cut - begins) * fps) / fps) for cut in cuts[1:]), cuts[-1])


def _id(subject: Subject, style: Style, options: StoryboardOptions) -> str:
    return f"{subject.name}-{style.name}" + (f"-{options.variant + 1}" if options.variant else "")


class _Draw:
    """The choices of one variant: each list is turned by the variant, so that neighbours never choose alike."""

    def __init__(self, subject: Subject, style: Style, options: StoryboardOptions) -> None:
        self.subject, self.style, self.options = subject, style, options
        self.random = random.Random(f"{options.seed}/{options.variant}/{subject.name}/{style.name}")
        first = options.seed + options.variant
        self.turn = first
        lights = (style.light, *style.lights)
        self.light = lights[first % len(lights)] if options.variant or options.seed else style.light
        flip = -1 if options.variant % 2 else 1
        self.light_deg = round(max(-90.0, min(90.0, flip * style.light_deg + self.random.uniform(-12, 12))), 1)
        self.photos = _turned(tuple(range(len(subject.photos))), options.variant)
        self.regions = tuple(
            _turned(sharp_regions(photo, cutout, 4), options.variant) for photo, cutout in zip(subject.photos, subject.cutouts, strict=True)
        )
        self._looked: dict[int, int] = {}

    def moves(self, count: int) -> tuple[Move, ...]:
        """Choose a move for every shot: an opening, the style's moves in turn, a closing; never the same twice running."""
        offered = _turned(self.style.moves, self.turn)
        chosen: list[Move] = []
        for number in range(count):
            allowed = offered[number % len(offered) :] + offered[: number % len(offered)]
            if number == 0:
                allowed = _first_of(allowed, OPENING)
            elif number == count - 1:
                allowed = _first_of(allowed, CLOSING)
            ready = [self._borne(move, self._photo(number, count)) for move in allowed]
            last = chosen[-1] if chosen else None
            chosen.append(next((move for move in ready if move != last), "pull_out" if last == "push_in" else "push_in"))
        return tuple(chosen)

    def shot(self, number: int, move: Move, cuts: Sequence[float]) -> Shot:
        """Describe one shot."""
        photo = self._photo(number, len(cuts) - 1)
        seconds = ms(cuts[number + 1] - cuts[number])
        transition, lasts = self._transition(number, cuts)
        words = (
            dict(zip(self.style.moves, range(len(self.style.moves)), strict=True))
            if len(set(self.style.moves)) == len(self.style.moves)
            else {}
        )
        index = words.get(move, self.style.moves.index(move) if move in self.style.moves else -1)
        camera = self.style.camera[index] if index >= 0 else CAMERA_WORDS[move]
        return Shot(
            id=f"s{number + 1}",
            photo=photo,
            last=self._last(photo),
            seconds=seconds,
            move=move,
            focus=self._focus(move, photo),
            prompt=prompt_for(self.style, self.subject, max(0, index), light=self.light, camera=camera),
            negative=self.style.negative,
            seed=zlib.crc32(f"{self.options.seed}/{self.options.variant}/{number}".encode()) & 0x7FFFFFFF,
            transition=transition,
            transition_s=lasts,
        )

    def _photo(self, number: int, count: int) -> int:
        """Take the pictures in turn; the last shot shows the first one again."""
        if number == count - 1 and count > 1:
            return self.photos[0]
        return self.photos[number % len(self.photos)]

    def _last(self, photo: int) -> int | None:
        """The picture that a shot ends on; the product's next one comes after its last, too."""
        places = {"free": None, "start": photo, "next": self.photos[(self.photos.index(photo) + 1) % len(self.photos)]}
        return places[self.options.ends_on]

    def _borne(self, move: Move, photo: int) -> Move:
        """Replace a move that the picture does not bear."""
        cutout = self.subject.cutouts[photo]
        if move in NEEDS_LAYER and not cutout.is_layer(self.options.layer_confidence):
            move = INSTEAD[move]
        seen = self.subject.photos[photo]
        if move == "detail" and (not self.regions[photo] or min(seen.width_px, seen.height_px) < SMALL_PX):
            move = INSTEAD[move]
        return move

    def _focus(self, move: Move, photo: int) -> Box | None:
        """Give every close look, and the sideways one, a region of its own, in turn."""
        if move != "detail":
            return None
        regions = self.regions[photo]
        number = self._looked.get(photo, 0)
        self._looked[photo] = number + 1
        return regions[number % len(regions)]

    def _transition(self, number: int, cuts: Sequence[float]) -> tuple[Transition, float]:
        """Take the style's transitions in turn; the first shot has one only where the video loops."""
        count = len(cuts) - 1
        if number == 0 and not (self.options.loop and count > 1):
            return "cut", 0.0
        offered = _turned(self.style.transitions, self.options.variant)
        chosen: Transition = offered[(number - 1) % len(offered)]
        if chosen == "cut":
            return "cut", 0.0
        before = cuts[number] - cuts[number - 1] if number else cuts[-1] - cuts[-2]
        wanted = 0.14 if chosen == "flash" else self.style.transition_s
        lasts = ms(min(wanted, 0.35 * before, 0.35 * (cuts[number + 1] - cuts[number])))
        return chosen, lasts


def _turned(items: tuple[T, ...], by: int) -> tuple[T, ...]:
    if not items:
        return items
    by %= len(items)
    return items[by:] + items[:by]


def _first_of(moves: tuple[Move, ...], fitting: tuple[Move, ...]) -> tuple[Move, ...]:
    """Put the moves that fit a place before those that are merely known to fit it."""
    own = tuple(move for move in moves if move in fitting)
    return own + tuple(move for move in fitting if move not in own)
