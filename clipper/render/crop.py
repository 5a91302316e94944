"""The crop window as expressions of time that ffmpeg evaluates for every frame.

Keys are joined by monotone cubic pieces (Fritsch and Carlson 1980): the path passes through every key, rests where two keys
agree, and never overshoots, whether the keys are few holds and moves or a dense track.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from clipper.values import CropKey, Span


@dataclass(frozen=True, slots=True)
class Window:
    """A crop window as expressions of `t`, the seconds since the piece began; fractions of the source picture."""

    x: str
    y: str
    w: str
    h: str
    zooms: bool
    """Whether the size changes inside the piece."""


def largest(width_px: int, height_px: int, shape: float) -> tuple[float, float]:
    """Size of the largest window of a shape (width / height) inside a picture, as fractions."""
    own = width_px / height_px
    return (shape / own, 1.0) if own > shape else (1.0, own / shape)


def window(keys: Sequence[CropKey], source: Span, first: float, *, width_px: int, height_px: int, shape: float) -> Window:
    """Write the crop path of one source; without keys the largest centred window of the output's shape.

    `first` is the recording's time of the piece's first frame. A window is made to have the output's shape, and kept inside
    the picture.
    """
    own = _relevant(keys, source)
    if not own:
        w, h = largest(width_px, height_px, shape)
        return Window(_number((1 - w) / 2), _number((1 - h) / 2), _number(w), _number(h), False)
    fitted = [_fitted(key, width_px, height_px, shape) for key in own]
    times = [key.time - first for key in fitted]
    tracks = {name: _track(times, [getattr(key, name) for key in fitted]) for name in ("x", "y", "w", "h")}
    zooms = any(abs(key.w - fitted[0].w) > 0.002 for key in fitted)
    if not zooms:
        tracks["w"], tracks["h"] = _number(fitted[0].w), _number(fitted[0].h)
    return Window(**tracks, zooms=zooms)


def at(keys: Sequence[CropKey], time: float, *, width_px: int, height_px: int, shape: float) -> tuple[float, float, float, float]:
    """The window at one instant, linear between keys: x, y, w, h as fractions."""
    if not keys:
        w, h = largest(width_px, height_px, shape)
        return (1 - w) / 2, (1 - h) / 2, w, h
    ordered = [_fitted(key, width_px, height_px, shape) for key in sorted(keys, key=lambda key: key.time)]
    before = [key for key in ordered if key.time <= time] or ordered[:1]
    after = [key for key in ordered if key.time > time] or ordered[-1:]
    a, b = before[-1], after[0]
    share = (time - a.time) / (b.time - a.time) if b.time > a.time else 0.0
    share = min(max(share, 0.0), 1.0)
    return (a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share, a.w + (b.w - a.w) * share, a.h + (b.h - a.h) * share)


def _relevant(keys: Sequence[CropKey], source: Span) -> list[CropKey]:
    """Keys inside a source with one neighbour on each side; of several at one instant the last."""
    ordered = list({key.time: key for key in sorted(keys, key=lambda key: key.time)}.values())
    inside = [number for number, key in enumerate(ordered) if source.start <= key.time <= source.end]
    if inside:
        return ordered[max(0, inside[0] - 1) : inside[-1] + 2]
    before = [key for key in ordered if key.time < source.start][-1:]
    after = [key for key in ordered if key.time > source.end][:1]
    return before + after


def _fitted(key: CropKey, width_px: int, height_px: int, shape: float) -> CropKey:
    """Give a key the output's shape around its own centre, inside the picture."""
    limit_w, limit_h = largest(width_px, height_px, shape)
    w = min(max(key.w, 0.05), limit_w)
    h = w * width_px / shape / height_px
    if h > limit_h:
        w, h = limit_w, limit_h
    x = min(max(key.x + (key.w - w) / 2, 0.0), 1.0 - w)
    y = min(max(key.y + (key.h - h) / 2, 0.0), 1.0 - h)
    return CropKey(key.time, x, y, w, h)


def _track(times: Sequence[float], values: Sequence[float]) -> str:
    """One coordinate as nested conditions, balanced so that hundreds of keys stay shallow."""
    if len(set(values)) == 1:
        return _number(values[0])
    slopes = _slopes(times, values)
    pieces = [
        _cubic(t0, t1, v0, v1, m0, m1)
        for (t0, t1), (v0, v1), (m0, m1) in zip(pairwise(times), pairwise(values), pairwise(slopes), strict=True)
    ]
    return _tree([_number(values[0]), *pieces, _number(values[-1])], list(times))


def _tree(pieces: Sequence[str], bounds: Sequence[float]) -> str:
    if len(pieces) == 1:
        return pieces[0]
    middle = len(bounds) // 2
    below = _tree(pieces[: middle + 1], bounds[:middle])
    above = _tree(pieces[middle + 1 :], bounds[middle + 1 :])
    return f"if(lt(t,{_number(bounds[middle])}),{below},{above})"


def _slopes(times: Sequence[float], values: Sequence[float]) -> list[float]:
    steps = [(v1 - v0) / (t1 - t0) for (t0, t1), (v0, v1) in zip(pairwise(times), pairwise(values), strict=True)]
    inner = [0.0 if a * b <= 0 else 2 * a * b / (a + b) for a, b in pairwise(steps)]
    return [0.0, *inner, 0.0]


def _cubic(t0: float, t1: float, v0: float, v1: float, m0: float, m1: float) -> str:
    """Hermite piece between two keys, in Horner's form of u = t - t0."""
    if v0 == v1 and m0 == m1 == 0:
        return _number(v0)
    span = t1 - t0
    rise = (v1 - v0) / span
    c2, c3 = (3 * rise - 2 * m0 - m1) / span, (m0 + m1 - 2 * rise) / span**2
    u = f"(t-{_number(t0)})" if t0 >= 0 else f"(t+{_number(-t0)})"
    return f"({_number(v0)}+{u}*({_number(m0)}+{u}*({_number(c2)}+{u}*({_number(c3)}))))"


def _number(value: float) -> str:
    """Print a number without an exponent: the graph's parser reads plain decimals only."""
    return f"{value:.7f}".rstrip("0").rstrip(".") or "0"
