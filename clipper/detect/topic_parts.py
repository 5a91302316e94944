"""Where one topic ends and the next begins when no catalogue tells: phrases of moving on, links called, offers.

The decoding says where a topic likely begins and ends; here such stretches are parted where the host says that something else begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clipper.detect.links import links_called
from clipper.detect.reading import Read
from clipper.values import Segment

Counts = NDArray[np.int32]
Part = tuple[int, int]
"""First sentence, and the one after the last."""

TOPIC_LEAST_S = 12.0
"""Seconds that a topic lasts at least before the host moves on."""
PRICE_ONLY = 0.5
"""What an offer counts that names a price and calls no link: competitors have prices too."""


def topic_parts(stream: Read, segments: Sequence[Segment], language: str) -> list[Part]:
    """Cut stretches of product talk where a host says so, in order, none overlapping."""
    cut: list[Part] = []
    for first, last in sorted(part for segment in segments for part in pieces(stream, segment, language)):
        first = max(first, cut[-1][1]) if cut else first
        if first < last:
            cut.append((first, last))
    return cut


def cue(stream: Read, *kinds: str) -> Counts:
    """Count the cues of some kinds: (sentences,)."""
    none: Counts = np.zeros(len(stream.sentences), np.int32)
    return sum((stream.cue_counts[kind] for kind in kinds if kind in stream.cue_counts), none)


def links_inside(stream: Read, first: int, last: int, language: str) -> tuple[int, ...]:
    """List the links called from sentence `first` to `last` (exclusive), by sentences that call a single one."""
    calls = (links_called(sentence.text, language) for sentence in stream.sentences[first:last])
    return tuple(called[0] for called in calls if len(called) == 1)


def names_price(stream: Read, first: int, last: int) -> bool:
    """Tell whether a sum of money is named as a price."""
    is_told = any(n.money or n.value >= 5 for figures in stream.figures[first:last] for n in figures)
    return is_told and bool(cue(stream, "price")[first:last].any())


def offer_of(stream: Read, first: int, last: int, language: str) -> float:
    """Say how surely a stretch holds an offer: 1 when a link is called, `PRICE_ONLY` for a price alone, 0 for neither."""
    if links_inside(stream, first, last, language):
        return 1.0
    return PRICE_ONLY if names_price(stream, first, last) else 0.0


def is_marked(stream: Read, at: int) -> bool:
    """Tell whether the host says, before or in sentence `at`, that something else begins there."""
    near = slice(max(at - 1, 0), at + 1)
    return bool(cue(stream, "transition")[near].any() or cue(stream, "finish")[max(at - 1, 0) : at].any())


def marked_share(stream: Read, parts: Sequence[Part]) -> float:
    """Estimate how many of a stream's edges its host marks, in (0, 1); one in four before any is known."""
    marked = sum(is_marked(stream, at) for part in parts for at in part if at < len(stream.sentences))
    return (1 + marked) / (4 + 2 * len(parts))


def pieces(stream: Read, segment: Segment, language: str) -> list[tuple[int, int]]:
    """Split a stretch of product talk where the host moves on: without names, that is what tells one thing from the next.

    Phrases of moving on and putting away cut by themselves; two calls of different links have a cut between them somewhere.
    """
    inside = [at for at, s in enumerate(stream.sentences) if segment.start <= s.start and s.end <= segment.end + 0.001]
    inside = [*_announced(stream, inside[0]), *inside]
    moves, ends = cue(stream, "transition"), cue(stream, "finish")
    cuts = {at for at in inside[1:] if stream.closed[at] and (moves[at] or ends[at])} | _between_links(stream, inside, language)
    found: list[tuple[int, int]] = []
    first = inside[0]
    for at in sorted(cuts):
        if stream.sentences[at - 1].end - stream.sentences[first].start >= TOPIC_LEAST_S:
            found.append((first, at))
            first = at + 1 if ends[at] and at + 1 <= inside[-1] else at
    if found and stream.sentences[inside[-1]].end - stream.sentences[first].start < TOPIC_LEAST_S:
        first = found.pop()[0]
    return [*found, (first, inside[-1] + 1)]


def _announced(stream: Read, first: int) -> list[int]:
    """Give the sentence before a stretch when it announces it ("next, the scarf"): it opens the topic."""
    at = first - 1
    if at < 0 or not cue(stream, "transition")[at]:
        return []
    return [] if any(cue(stream, kind)[at] for kind in ("finish", "wait", "greeting", "recap")) else [at]


def _between_links(stream: Read, inside: list[int], language: str) -> set[int]:
    """Find the likeliest place to move on between each two calls of different links: after the offer, at a cue or a rest."""
    calls = [(at, links_called(stream.sentences[at].text, language)) for at in inside]
    single = [(at, called[0]) for at, called in calls if len(called) == 1]
    offers, moving, pointing = cue(stream, "price", "link", "urgency"), cue(stream, "transition", "finish", "wait"), cue(stream, "pointing")
    cuts = set()
    for (before, one), (after, other) in pairwise(single):
        rests = [at for at in range(before + 1, after + 1) if stream.closed[at] and not offers[at]]
        if one == other or not rests:
            continue
        worth = {
            at: 2.0 * bool(moving[at]) + bool(offers[at - 1]) + min(stream.placed[at].pause_before, 1.0) + 0.3 * bool(pointing[at])
            for at in rests
        }
        cuts.add(max(rests, key=lambda at: (worth[at], -at)))
    return cuts
