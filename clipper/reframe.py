"""Which part of the picture a clip of another shape shows, and how that window moves.

The window rests as long as what matters stays well inside it, and glides when it does not; it jumps only where the camera's
view changes and between sources. Rests are found greedily: the longest stretch whose observations all allow one place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from clipper.errors import InputError
from clipper.values import Box, CropKey, Face, Picture, Recording, Span, ms

ALIKE = 0.02
"""Shapes that differ by less than this part are the same: nothing worth a movement is lost."""
REACH_S = 6.0
"""How far outside a source an observation may lie and still tell where things are."""
SEAM_S = 0.001
"""A jump is two keys this far apart, shorter than any frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReframeOptions:
    """How a window of the output's shape is laid over a source of another shape."""

    width_px: int = 1080
    """Output width; 16 to 8192."""
    height_px: int = 1920
    """Output height; 16 to 8192."""
    rest_share: float = 0.12
    """How far, as a share of the window, what matters may leave the window's middle before it moves; 0.02 to 0.4."""
    move_s: float = 1.2
    """Shortest time of a movement, in seconds; 0.2 to 10."""
    speed: float = 0.5
    """Greatest speed in windows per second; 0.05 to 5."""
    blind_share: float = 0.8
    """When a centred window keeps at least this share of the picture, it is used even if nothing was found; 0.3 to 1."""
    covered_share: float = 0.5
    """Share of the clip in which something must have been found for a window to follow it; 0 to 1."""
    max_keys: int = 60
    """Most keys of one clip's path; 8 to 500."""

    def __post_init__(self) -> None:
        for name, low, high in _BOUNDS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"reframe.{name} = {value}: expected {low:g} to {high:g}")


_BOUNDS = (
    ("width_px", 16, 8192),
    ("height_px", 16, 8192),
    ("rest_share", 0.02, 0.4),
    ("move_s", 0.2, 10),
    ("speed", 0.05, 5),
    ("blind_share", 0.3, 1),
    ("covered_share", 0, 1),
    ("max_keys", 8, 500),
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where, along the axis in which the window moves, its middle should be at an instant."""

    time: float
    middle: float
    slack: float
    """How far from `middle` is still good."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A stretch in which the window stands still."""

    start: float
    end: float
    middle: float


@dataclass(frozen=True, slots=True)
class _Window:
    w: float
    h: float

    @property
    def across(self) -> bool:
        """Whether the window moves sideways."""
        return self.w < self.h

    @property
    def length(self) -> float:
        """Its size along the axis in which it moves."""
        return self.w if self.across else self.h


def frame_path(
    picture: Picture | None, recording: Recording, sources: tuple[Span, ...], sku: str | None, options: ReframeOptions
) -> tuple[Literal["crop", "blur"], tuple[CropKey, ...]]:
    """Decide how the sources are shown in the output's shape: `crop` with the window's path, or `blur`.

    The window follows the largest lasting face and the product `sku` (any product when None). No keys mean the largest
    centred window. Where too little was found, `blur` shows the whole picture over its own blurred enlargement.
    """
    own, shape = recording.width_px / recording.height_px, options.width_px / options.height_px
    if abs(own / shape - 1) <= ALIKE:
        return "crop", ()
    window = _Window(round(min(1.0, shape / own), 6), round(min(1.0, own / shape), 6))
    shots = [shot for source in sources for shot in _shots(source, picture.cuts if picture else ())]
    seen = {shot: _observe(picture, shot, sku, window) for shot in shots} if picture else {}
    total = sum(shot.duration for shot in shots)
    covered = sum(shot.duration for shot in shots if seen.get(shot))
    if not total or covered == 0 or covered < options.covered_share * total:
        return ("crop", ()) if window.w * window.h >= options.blind_share else ("blur", ())
    slack = options.rest_share
    for _ in range(20):
        keys = [key for shot in shots for key in _path(shot, seen[shot], window, slack, options)]
        if len(keys) <= options.max_keys:
            break
        slack *= 1.4
    return "crop", tuple(keys)


def _shots(source: Span, cuts: Iterable[float]) -> list[Span]:
    """Divide a source where the camera's view changes."""
    bounds = [source.start, *(cut for cut in sorted(cuts) if source.start < cut < source.end), source.end]
    return [Span(start, end) for start, end in pairwise(bounds)]


def _observe(picture: Picture, shot: Span, sku: str | None, window: _Window) -> tuple[_Seen, ...]:
    """Say for each sampled instant of a shot and near it where the window's middle should be; smoothed over three."""
    before = [cut for cut in picture.cuts if cut <= shot.start]
    after = [cut for cut in picture.cuts if cut >= shot.end]
    reach = Span(max([shot.start - REACH_S, *before]), min([shot.end + REACH_S, *after]))
    faces = _main_faces([face for face in picture.faces if reach.holds(face.time)])
    products = {
        sighting.time: sighting.box
        for sighting in picture.sightings or ()
        if reach.holds(sighting.time) and (sku is None or sighting.sku == sku)
    }
    seen = []
    for time in sorted({*faces, *products}):
        face = faces.get(time) or _nearest(faces, time)
        wanted = _wanted(face, products.get(time), window)
        if wanted is not None:
            seen.append(_Seen(time, *wanted))
    middles = [sorted(one.middle for one in seen[max(0, i - 1) : i + 2]) for i in range(len(seen))]
    return tuple(
        _Seen(one.time, near[len(near) // 2] if len(near) == 3 else one.middle, one.slack) for one, near in zip(seen, middles, strict=True)
    )


def _main_faces(faces: Sequence[Face]) -> dict[float, Box]:
    """Choose one face an instant: the largest, and rather the one that was chosen before."""
    chosen: dict[float, Box] = {}
    last: Box | None = None
    for time in sorted({face.time for face in faces}):
        here = [face for face in faces if face.time == time]
        last = max(here, key=lambda face: face.score * face.box.w * face.box.h * (1.5 if last and _near(face.box, last) else 1.0)).box
        chosen[time] = last
    return chosen


def _near(one: Box, other: Box) -> bool:
    return abs(one.x + one.w / 2 - other.x - other.w / 2) < max(one.w, other.w)


def _nearest(faces: dict[float, Box], time: float) -> Box | None:
    """The face at the instant nearest to one without any, when it is near enough."""
    close = min(faces, key=lambda other: abs(other - time), default=None)
    return faces[close] if close is not None and abs(close - time) <= REACH_S else None


def _wanted(face: Box | None, product: Box | None, window: _Window) -> tuple[float, float] | None:
    """Where the window's middle should be, and how far off it may be: both inside when they fit, else all of the face."""
    spans = [_along(box, window) for box in (face, product) if box is not None]
    if not spans:
        return None
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    if high - low <= 0.92 * window.length or len(spans) == 1:
        return _inside((low + high) / 2, window), max(0.0, (window.length - (high - low)) / 2)
    (face_low, face_high), (product_low, product_high) = spans
    pull = (product_low + product_high) / 2
    room = max(0.0, 0.46 * window.length - (face_high - face_low) / 2)
    middle = (face_low + face_high) / 2
    return _inside(min(max(pull, middle - room), middle + room), window), 0.02 * window.length


def _along(box: Box, window: _Window) -> tuple[float, float]:
    return (box.x, box.x + box.w) if window.across else (box.y, box.y + box.h)


def _inside(middle: float, window: _Window) -> float:
    return min(max(middle, window.length / 2), 1.0 - window.length / 2)


def _path(shot: Span, seen: Sequence[_Seen], window: _Window, slack: float, options: ReframeOptions) -> list[CropKey]:
    """Turn one shot's observations into keys: rests, and glides between them; the middle where nothing was seen."""
    rests = _rests(seen, slack * window.length) or [_Rest(shot.start, shot.end, 0.5)]
    points: list[tuple[float, float]] = []
    for before, after in pairwise(rests):
        start, end = _glide(before, after, window, options)
        points += [(start, before.middle), (end, after.middle)]
    points = points or [(shot.start, rests[0].middle), (shot.end, rests[-1].middle)]
    last = max(shot.start, shot.end - SEAM_S)
    inner = [(time, middle) for time, middle in points if shot.start < time < last]
    whole = [(shot.start, _value(points, shot.start)), *inner, (last, _value(points, last))]
    return [_key(time, middle, window) for time, middle in _thinned(whole)]


def _rests(seen: Sequence[_Seen], tolerance: float) -> list[_Rest]:
    """Find the longest stretches that one place of the window suits, from the first observation on."""
    rests: list[_Rest] = []
    group: list[_Seen] = []
    low, high = 0.0, 1.0
    for one in seen:
        room = min(one.slack, tolerance)
        if group and max(low, one.middle - room) > min(high, one.middle + room):
            rests.append(_rest(group, low, high))
            group, low, high = [], 0.0, 1.0
        group.append(one)
        low, high = max(low, one.middle - room), min(high, one.middle + room)
    if group:
        rests.append(_rest(group, low, high))
    return rests


def _rest(group: Sequence[_Seen], low: float, high: float) -> _Rest:
    mean = sum(one.middle for one in group) / len(group)
    return _Rest(group[0].time, group[-1].time, min(max(mean, low), high))


def _glide(before: _Rest, after: _Rest, window: _Window, options: ReframeOptions) -> tuple[float, float]:
    """When a movement between two rests begins and ends: in the gap between their observations, as slow as that allows."""
    gap = after.start - before.end
    needed = max(options.move_s, abs(after.middle - before.middle) / (options.speed * window.length))
    length = min(gap, needed) if gap < 2 * needed else needed
    middle = (before.end + after.start) / 2
    return middle - length / 2, middle + length / 2


def _value(points: Sequence[tuple[float, float]], time: float) -> float:
    """The path's value at an instant, linear between points and constant outside."""
    place = bisect_right([point[0] for point in points], time)
    if place == 0 or place == len(points):
        return points[min(place, len(points) - 1)][1] if place == 0 else points[-1][1]
    (t0, v0), (t1, v1) = points[place - 1], points[place]
    return v0 + (v1 - v0) * (time - t0) / (t1 - t0) if t1 > t0 else v1


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out points in the middle of a rest, and of those at one millisecond all but the last."""
    distinct = list({ms(time): (ms(time), round(middle, 5)) for time, middle in points}.values())
    kept = [
        point
        for index, point in enumerate(distinct)
        if index in (0, len(distinct) - 1) or not distinct[index - 1][1] == point[1] == distinct[index + 1][1]
    ]
    return kept


def _key(time: float, middle: float, window: _Window) -> CropKey:
    start = round(min(max(middle - window.length / 2, 0.0), 1.0 - window.length), 5)
    return CropKey(time, start if window.across else 0.0, 0.0 if window.across else start, window.w, window.h)
