"""Topics of a stream without a catalogue: what it keeps talking about, and when.

A thing that is explained is named again and again for a minute or two and hardly elsewhere. Words that come in such bursts
stand for the things; words that burst together are one thing. Each becomes a stand-in product with those words as its names,
and the same decoding as with a catalogue cuts the stream (burstiness: Kleinberg 2002; here a count against its own mean).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipper.detect.links import links_called
from clipper.detect.naming import full_name, name_of, nameable
from clipper.detect.nouns import nouns
from clipper.values import Evidence, Mention, Product, Segment, Sentence

if TYPE_CHECKING:
    from clipper.detect.explanations import Explained, ExplanationOptions
    from clipper.detect.reading import Read

BURST_S = 90.0
"""Seconds of a burst: the usual length of an explanation."""
LEAST_SAID = 3
"""A thing that is sold is named at least so often."""
WITHIN = 0.6
"""Share of a word's sentences that have to lie in its bursts: product names come back, but not everywhere."""
MOST = 60
"""Things told apart at most."""
NAMES_EACH = 4
"""Words that stand for one thing at most."""
TOPIC_LEAST_S = 12.0
"""Seconds that a topic lasts at least before the host moves on."""
TOPIC_DOUBT = 0.7
"""Confidence that is left when the thing itself is not known."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A word and the stretch it is said in."""

    word: str
    centre: float
    strength: float
    places: tuple[int, ...]


def find_topics(evidence: Evidence, options: ExplanationOptions) -> Explained:
    """Cut a stream without a catalogue into topics, named from the speech: unknown-1, unknown-2, … in order of appearance."""
    from clipper.detect.explanations import find_explanations

    things = stand_ins(evidence.sentences)
    mentions = tuple(mention for thing in things for mention in _mentions(evidence.sentences, thing))
    bare = replace(evidence, mentions=tuple(sorted(mentions, key=lambda m: (m.start, m.sku))))
    speech = replace(options, unknown=False, channels=tuple(channel for channel in options.channels if channel == "speech"))
    explained = find_explanations(bare, (*things, *SLOTS), speech, always=frozenset(slot.sku for slot in SLOTS))
    return replace(explained, segments=_named(evidence, replace(explained, segments=with_unnamed(explained))))


SLOTS = tuple(Product(sku=f"slot-{number}", title="") for number in (1, 2))
"""Stand-ins for things that are sold but hardly named: two, so that one can follow the other."""


def with_unnamed(explained: Explained) -> tuple[Segment, ...]:
    """Add stretches in which something is surely sold though no one thing is: the best path may prefer the background to each."""
    sold = explained.posterior[:, -1] < 0.5 if len(explained.posterior) else np.zeros(0, bool)
    sentences = explained.stream.sentences
    free = [
        bool(is_sold) and not any(s.start < segment.end and segment.start < s.end for segment in explained.segments)
        for is_sold, s in zip(sold, sentences, strict=True)
    ]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.array(free, np.int8), [0]])))
    found = [
        Segment(sku=SLOTS[0].sku, start=sentences[first].start, end=sentences[last - 1].end, confidence=0.0, reasons=())
        for first, last in zip(edges[::2], edges[1::2], strict=True)
        if sentences[last - 1].end - sentences[first].start >= TOPIC_LEAST_S
    ]
    return tuple(sorted((*explained.segments, *found), key=lambda segment: segment.start))


def _named(evidence: Evidence, explained: Explained) -> tuple[Segment, ...]:
    """Cut, name and number the topics in order of appearance; a thing that is named clearly again keeps its number."""
    numbers: dict[str, int] = {}
    named = []
    stream = explained.stream
    for segment in explained.segments:
        for first, last in pieces(stream, segment, evidence.language):
            announced = bool(stream.cue_counts.get("transition", _none(stream))[first])
            name = name_of(stream.sentences, first, last, is_announced=announced)
            said = sum(name in nameable(s.text) for s in stream.sentences[first:last]) if name else 0
            number = numbers.setdefault(name if said >= LEAST_SAID else f"@{first}", len(numbers) + 1)
            confidence = round(TOPIC_DOUBT * float(1 - explained.posterior[first:last, -1].mean()), 3)
            start, end = stream.sentences[first].start, stream.sentences[last - 1].end
            reasons = _reasons(stream, first, last, name, said, evidence.language)
            shown = full_name(stream.sentences, first, last, name)
            topic = replace(segment, sku=f"unknown-{number}", name=shown, confidence=confidence, reasons=reasons)
            named.append(replace(topic, start=start, end=end, interruptions=()))
    return tuple(named)


def _reasons(stream: Read, first: int, last: int, name: str, said: int, language: str) -> tuple[str, ...]:
    """Say why a stretch is a topic: its name, its offer, and that the host moved on to it."""
    zh = language == "zh"

    def has(kind: str, begin: int, end: int) -> bool:
        return bool(stream.cue_counts.get(kind, _none(stream))[max(begin, 0) : end].any())

    reasons = [f"{name} ×{said}"] if name else []
    if has("price", first, last) and any(n.money or n.value >= 5 for figures in stream.figures[first:last] for n in figures):
        reasons.append("价格" if zh else "price")
    calls = [called for s in stream.sentences[first:last] if len(called := links_called(s.text, language)) == 1]
    if calls:
        reasons.append(f"{calls[-1][0]}号链接" if zh else f"link {calls[-1][0]}")
    if has("transition", first - 1, first + 1) or has("finish", first - 1, first):
        reasons.append("转场" if zh else "transition")
    if not reasons:
        reasons.append("在讲商品" if zh else "product talk")
    return tuple(reasons)


def _none(stream: Read) -> NDArray[np.int32]:
    return np.zeros(len(stream.sentences), np.int32)


def pieces(stream: Read, segment: Segment, language: str) -> list[tuple[int, int]]:
    """Split a stretch of product talk where the host moves on: without names, that is what tells one thing from the next.

    Phrases of moving on and putting away cut by themselves; two calls of different links have a cut between them somewhere.
    """
    inside = [at for at, s in enumerate(stream.sentences) if segment.start <= s.start and s.end <= segment.end + 0.001]
    inside = [*_announced(stream, inside[0]), *inside]
    moves, ends = stream.cue_counts.get("transition", _none(stream)), stream.cue_counts.get("finish", _none(stream))
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
    at, none = first - 1, _none(stream)
    if at < 0 or not stream.cue_counts.get("transition", none)[at]:
        return []
    return [] if any(stream.cue_counts.get(kind, none)[at] for kind in ("finish", "wait", "greeting", "recap")) else [at]


def _between_links(stream: Read, inside: list[int], language: str) -> set[int]:
    """Find the likeliest place to move on between each two calls of different links: after the offer, at a cue or a rest."""
    calls = [(at, links_called(stream.sentences[at].text, language)) for at in inside]
    single = [(at, called[0]) for at, called in calls if len(called) == 1]
    none = _none(stream)
    offers = sum((stream.cue_counts.get(kind, none) for kind in ("price", "link", "urgency")), none)
    moving = sum((stream.cue_counts.get(kind, none) for kind in ("transition", "finish", "wait")), none)
    pointing = stream.cue_counts.get("pointing", none)
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


def stand_ins(sentences: tuple[Sentence, ...]) -> tuple[Product, ...]:
    """Make a stand-in product for every thing the stream keeps naming in bursts."""
    groups = _grouped(_bursts(sentences))
    return tuple(
        Product(sku=f"topic-{number}", title=group[0].word, aliases=tuple(burst.word for burst in group[:NAMES_EACH]))
        for number, group in enumerate(groups[:MOST], 1)
    )


def _bursts(sentences: tuple[Sentence, ...]) -> list[Burst]:
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(sentences):
        for word in set(nouns(sentence.text)):
            places.setdefault(word, []).append(at)
    found = []
    for word, ats in places.items():
        if len(ats) < LEAST_SAID:
            continue
        times = np.array([(sentences[at].start + sentences[at].end) / 2 for at in ats])
        inside = np.abs(times[:, None] - times[None, :]) <= BURST_S / 2
        best = int(np.argmax(inside.sum(axis=1)))
        count = int(inside[best].sum())
        if count >= LEAST_SAID and count >= WITHIN * len(ats) ** 0.85:
            found.append(Burst(word, float(times[inside[best]].mean()), count + 0.3 * len(word), tuple(ats)))
    return sorted(found, key=lambda burst: (-burst.strength, burst.word))


def _grouped(bursts: list[Burst]) -> list[list[Burst]]:
    """Put bursts together that share their stretch; the strongest word names the group."""
    groups: list[list[Burst]] = []
    for burst in bursts:
        near = next((group for group in groups if abs(group[0].centre - burst.centre) <= BURST_S / 2), None)
        if near is None:
            groups.append([burst])
        else:
            near.append(burst)
    return groups


def _mentions(sentences: tuple[Sentence, ...], thing: Product) -> list[Mention]:
    from clipper.detect.mentions import times

    found = []
    for sentence in sentences:
        text = sentence.text.lower()
        for rank, word in enumerate(thing.aliases):
            at = text.find(word)
            if at >= 0:
                start, end = times(sentence, at, at + len(word))
                found.append(Mention(start, end, thing.sku, 1.0 if rank == 0 else 0.7, word, "learned"))
    return found
