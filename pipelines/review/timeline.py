"""Where things stand on the report's timeline: curves as SVG paths, marks and blocks as percentages of its width.

Everything here is geometry and pure. Horizontal positions are percentages of the recording's length, so that the page can
zoom by changing one width; curves are drawn in a box of 1000 × 100 that is stretched over it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clipper.values import Card, Order, Span, Track
from pipelines.review.wording import number

WIDTH, HEIGHT = 1000.0, 100.0
"""Size of the box that curves are drawn in."""
HEADROOM = 0.94
"""Share of the height that the highest point reaches, so that its stroke is not cut."""
LANE_POINTS = 4800
"""Most points that the curves of one lane have together: a catalogue of a hundred products has a hundred posteriors."""
QUIET_DB = -60.0
"""Loudness below this is drawn as this: digital silence would flatten everything else."""

_HUES = (28, 255, 150, 315, 85, 200, 0, 120, 285, 175, 55, 228)
_KINDS = (
    ("posterior", "posterior"),
    ("sure of the product", "posterior"),
    ("loud", "loudness"),
    ("chat", "chat"),
    ("comment", "chat"),
    ("order", "orders"),
    ("viewer", "viewers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve of a lane."""

    name: str
    sku: str | None
    path: str
    """SVG path data: up from the floor at the first point, along the curve, and down to the floor, so that it can be filled."""
    points: tuple[tuple[float, float], ...]
    """Time in seconds and value, as drawn."""

    def rounded(self) -> list[list[float]]:
        """The points with the digits that a reader can use."""
        return [[round(time, 1), float(f"{value:.3g}")] for time, value in self.points]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLane:
    """Curves of one kind over one another."""

    kind: str
    """orders, chat, loudness, posterior, viewers, or the signal's own name when it is none of these."""
    top: str
    """The value that the highest point stands for."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A span laid on the timeline."""

    left: float
    """Percent of the timeline's width."""
    width: float
    row: int
    """0 is the upper row; spans that overlap stand in different rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Orders of one product as strokes, one SVG path."""

    sku: str
    path: str


def hues(skus: Iterable[str]) -> Mapping[str, int]:
    """Give every product a hue in degrees (OKLCH), in catalogue order: far apart for the first twelve, then by the golden angle."""
    distinct = dict.fromkeys(skus)
    return {sku: _HUES[n] if n < len(_HUES) else round(n * 137.508) % 360 for n, sku in enumerate(distinct)}


def percent(seconds: float, duration: float) -> float:
    """Turn an instant into a percentage of the timeline, kept within it."""
    return round(100 * min(max(seconds / duration, 0.0), 1.0), 4) if duration > 0 else 0.0


def place(spans: Sequence[Span], duration: float) -> tuple[Placed, ...]:
    """Lay spans on the timeline, each in the first row that is free; the result keeps the order of the input."""
    ends: list[float] = []
    placed: dict[int, Placed] = {}
    for index in sorted(range(len(spans)), key=lambda n: (spans[n].start, -spans[n].end)):
        span = spans[index]
        row = next((n for n, end in enumerate(ends) if end <= span.start + 1e-6), len(ends))
        ends[row : row + 1] = [span.end]
        left = percent(span.start, duration)
        placed[index] = Placed(left=left, width=round(percent(span.end, duration) - left, 4), row=row)
    return tuple(placed[index] for index in range(len(spans)))


def downsample(track: Track, limit: int) -> tuple[tuple[float, float], ...]:
    """Thin a track to at most `limit` points (time, value), keeping the lowest and highest value of every stretch.

    Peaks survive, which a mean would level; values that are not finite are left out.
    """
    values = track.values
    if len(values) <= limit:
        return tuple((n * track.step, value) for n, value in enumerate(values) if math.isfinite(value))
    stretches = max(1, limit // 2)
    points: list[tuple[float, float]] = []
    for stretch in range(stretches):
        first, last = stretch * len(values) // stretches, (stretch + 1) * len(values) // stretches
        known = [n for n in range(first, last) if math.isfinite(values[n])]
        if known:
            low, high = min(known, key=values.__getitem__), max(known, key=values.__getitem__)
            points += [(n * track.step, values[n]) for n in sorted({low, high})]
    return tuple(points)


def curve_lanes(curves: Sequence[tuple[str, Track]], skus: Iterable[str], duration: float, limit: int) -> tuple[CurveLane, ...]:
    """Draw named signals, those of one kind in one lane; a name that holds a sku takes that product's colour."""
    known = sorted(skus, key=len, reverse=True)
    kinds = Counter(curve_kind(name) for name, _ in curves)
    lanes: dict[str, list[tuple[str, str | None, tuple[tuple[float, float], ...]]]] = defaultdict(list)
    for name, track in curves:
        kind = curve_kind(name)
        points = downsample(track, min(limit, max(60, LANE_POINTS // kinds[kind])))
        if kind == "loudness":
            points = tuple((time, max(value, QUIET_DB)) for time, value in points)
        if points:
            lanes[kind].append((name, _sku_in(name, known), points))
    return tuple(_lane(kind, lines, duration) for kind, lines in lanes.items())


def curve_kind(name: str) -> str:
    """Tell what a named signal is: "orders_per_viewer" is orders, "posterior A001" is posterior; other names stand for themselves."""
    plain = name.lower().replace("_", " ")
    return next((kind for part, kind in _KINDS if part in plain), name)


def order_marks(orders: Sequence[Order], duration: float, limit: int) -> tuple[Mark, ...]:
    """Draw orders as strokes whose height grows with the square root of the pieces sold, at most `limit` positions."""
    pieces: dict[tuple[str, int], float] = defaultdict(float)
    for order in orders:
        if 0 <= order.time <= duration and duration > 0:
            pieces[order.sku, int(order.time / duration * limit)] += max(0.0, order.quantity)
    most = max(pieces.values(), default=0.0)
    strokes: dict[str, list[str]] = defaultdict(list)
    for (sku, slot), count in sorted(pieces.items()):
        if count > 0:
            height = HEIGHT * (0.25 + 0.75 * math.sqrt(count / most))
            strokes[sku].append(f"M{(slot + 0.5) / limit * WIDTH:.1f} {HEIGHT:.0f}V{HEIGHT - height:.0f}")
    return tuple(Mark(sku=sku, path="".join(parts)) for sku, parts in strokes.items())


def card_spans(cards: Sequence[Card], duration: float) -> tuple[tuple[str, Span], ...]:
    """Turn card events into stretches: from each showing to the product's hiding, the next card, or the end."""
    spans: list[tuple[str, Span]] = []
    shown: tuple[str, float] | None = None
    for card in cards:
        if shown and (card.action == "show" or card.sku == shown[0]):
            spans.append((shown[0], Span(shown[1], card.time)))
            shown = None
        if card.action == "show":
            shown = (card.sku, card.time)
    if shown:
        spans.append((shown[0], Span(shown[1], max(duration, shown[1]))))
    return tuple((sku, span) for sku, span in spans if span.end > 0 and span.start < duration)


def _sku_in(name: str, skus: Sequence[str]) -> str | None:
    """Find the sku that stands in a signal's name as a word of its own."""
    return next((sku for sku in skus if re.search(rf"(?<![0-9A-Za-z]){re.escape(sku)}(?![0-9A-Za-z])", name)), None)


def _lane(kind: str, lines: list[tuple[str, str | None, tuple[tuple[float, float], ...]]], duration: float) -> CurveLane:
    values = [value for _, _, points in lines for _, value in points]
    low, high = min(0.0, *values), max(values)
    if kind == "posterior":
        high = max(high, 1.0)
    if kind == "loudness":
        low, high = max(QUIET_DB, min(values)), max(values)
    scale = (high - low) or 1.0
    drawn = tuple(_line(name, sku, points, duration, low, scale) for name, sku, points in lines)
    return CurveLane(kind=kind, top=number(max(values)), lines=drawn)


def _line(name: str, sku: str | None, points: tuple[tuple[float, float], ...], duration: float, low: float, scale: float) -> Line:
    drawn = [(percent(time, duration) * WIDTH / 100, HEIGHT * (1 - HEADROOM * (value - low) / scale)) for time, value in points]
    edges = f"M{drawn[0][0]:.1f} {HEIGHT:.0f}", f"V{HEIGHT:.0f}"
    path = edges[0] + "".join(f"L{x:.1f} {y:.1f}" for x, y in drawn) + edges[1]
    return Line(name=name, sku=sku, path=path, points=points)
