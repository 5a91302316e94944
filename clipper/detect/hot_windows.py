"""The stretch of a hot item: whole sentences around its peak, from what sets up the offer to where the response ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipper.detect import lags
from clipper.detect.cues import counts_down
from clipper.detect.lags import Floats
from clipper.detect.reading import Read
from clipper.detect.responses import offer_shape
from clipper.values import Segment, Span

if TYPE_CHECKING:
    from clipper.detect.hot_items import HotOptions

REST_REACH = 2
"""Sentences that an edge of a window moves at most to lie in a rest."""
REST_WORTH_S = 8.0
"""Seconds that an edge of a window may move from no pause to a full rest; in proportion between, for the offer itself matters more."""


def offer_window(segment: Segment, peak: float, stream: Read, options: HotOptions) -> tuple[Span, bool]:
    """Take whole sentences around a peak: from the one that sets up the offer (price, link) to where the response ends.

    Also tells whether the window counts down.
    """
    inside = sentences_inside(segment, stream)
    if not inside:
        return Span(segment.start, min(segment.end, segment.start + options.max_s)), False
    none = np.zeros(len(stream.sentences))
    offers = stream.cue_counts.get("price", none) + stream.cue_counts.get("link", none)
    urges = stream.cue_counts.get("urgency", none)
    centre = max((at for at in inside if stream.sentences[at].start <= peak), default=inside[0])
    early = [at for at in inside if at <= centre and offers[at] and peak - stream.sentences[at].start <= 0.75 * options.max_s]
    first = min(early) if early else centre
    last = max(first, centre)
    for at in inside:
        if (
            at > last
            and stream.sentences[at].end - stream.sentences[first].start <= options.max_s
            and (urges[at] or offers[at] or _length(stream, first, last) < options.min_s)
        ):
            last = at
    first, last = _rested(stream, *_whole(stream, first, last, inside, options), inside, options)
    counts = any(counts_down(stream.sentences[at].text) for at in range(first, last + 1))
    return Span(stream.sentences[first].start, stream.sentences[last].end), counts


def sentences_inside(segment: Segment, stream: Read) -> list[int]:
    """List the sentences of an explanation."""
    first = int(np.searchsorted(stream.starts, segment.start - 0.3))
    last = int(np.searchsorted(stream.ends, segment.end + 0.3, side="right"))
    return list(range(first, last))


def _whole(stream: Read, first: int, last: int, inside: list[int], options: HotOptions) -> tuple[int, int]:
    """Grow a window to whole statements and to its least length; shrink it when it is too long."""
    while last + 1 in inside and (_length(stream, first, last) < options.min_s or not stream.closed[last + 1]):
        last += 1
    while first - 1 in inside and (_length(stream, first, last) < options.min_s or not stream.closed[first]):
        first -= 1
    starts = [at for at in range(first, last + 1) if stream.closed[at] and options.min_s <= _length(stream, at, last) <= options.max_s]
    if _length(stream, first, last) > options.max_s and starts:
        first = starts[0]
    while last > first and _length(stream, first, last) > options.max_s:
        last -= 1
    return first, last


def _rested(stream: Read, first: int, last: int, inside: list[int], options: HotOptions) -> tuple[int, int]:
    """Move the edges of a window by a sentence or two to where the host rests, within its lengths, if that is near."""

    def moved(a: int, b: int) -> float:
        sentences = stream.sentences
        return abs(sentences[a].start - sentences[first].start) + abs(sentences[b].end - sentences[last].end)

    ways = [
        (moved(a, b) - REST_WORTH_S * float(stream.rested[a] + stream.rested[b + 1]), a, b)
        for a in range(max(first - REST_REACH, inside[0]), first + REST_REACH + 1)
        for b in range(max(last - REST_REACH, a), min(last + REST_REACH, inside[-1]) + 1)
        if options.min_s <= _length(stream, a, b) <= options.max_s
    ]
    _, first, last = min(ways, default=(0.0, first, last))
    return first, last


def _length(stream: Read, first: int, last: int) -> float:
    return stream.sentences[last].end - stream.sentences[first].start


def peak_of(segment: Segment, stream: Read, curve: Floats | None, step: float) -> float:
    """Find the moment of an offer that set off most: from orders, lag undone; without them, from where the offer begins."""
    shape = offer_shape(segment, stream, int(segment.end / step) + 2, step)
    if curve is None:
        return float(np.argmax(shape) * step)
    first, last = int(segment.start / step), int(segment.end / step) + 1
    size = max(1, round(lags.SMOOTH_S / step))
    smooth = np.convolve(curve, np.ones(size) / size, "same")[first:last] * shape[first:last]
    return float((first + int(np.argmax(smooth)) + 0.5) * step) if len(smooth) else segment.start
