"""Topics of a stream without a catalogue: what it keeps talking about, and when.

A thing that is explained is named again and again for a minute or two and hardly elsewhere. Words that come in such bursts
stand for the things; words that burst together are one thing. Each becomes a stand-in product with those words as its names,
and the same decoding as with a catalogue cuts the stream (burstiness: Kleinberg 2002; here a count against its own mean).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clipper.detect.calibration import topic_confidence
from clipper.detect.naming import full_name, name_of, nameable
from clipper.detect.nouns import nouns
from clipper.detect.topic_parts import (
    TOPIC_LEAST_S,
    cue,
    is_marked,
    links_inside,
    marked_share,
    names_price,
    offer_of,
    topic_parts,
)
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
    stream, language = explained.stream, evidence.language
    parts = topic_parts(stream, explained.segments, explained.scores.talk, language)
    marked = marked_share(stream, parts)
    for first, last in parts:
        announced = bool(cue(stream, "transition")[first])
        name = name_of(stream.sentences, first, last, is_announced=announced)
        said = sum(name in nameable(s.text) for s in stream.sentences[first:last]) if name else 0
        number = numbers.setdefault(name if said >= LEAST_SAID else f"@{first}", len(numbers) + 1)
        start, end = stream.sentences[first].start, stream.sentences[last - 1].end
        offer = offer_of(stream, first, last, language)
        topic = Segment(
            sku=f"unknown-{number}",
            start=start,
            end=end,
            confidence=round(topic_confidence(end - start, offer, is_marked(stream, first), marked), 3),
            reasons=_reasons(stream, first, last, name, said, language),
            name=full_name(stream.sentences, first, last, name),
        )
        named.append(topic)
    return tuple(named)


def _reasons(stream: Read, first: int, last: int, name: str, said: int, language: str) -> tuple[str, ...]:
    """Say why a stretch is a topic: its name, its offer, and that the host moved on to it."""
    zh = language == "zh"

    reasons = [f"{name} ×{said}"] if name else []
    if names_price(stream, first, last):
        reasons.append("价格" if zh else "price")
    if calls := links_inside(stream, first, last, language):
        reasons.append(f"{calls[-1]}号链接" if zh else f"link {calls[-1]}")
    if is_marked(stream, first):
        reasons.append("转场" if zh else "transition")
    if not reasons:
        reasons.append("在讲商品" if zh else "product talk")
    return tuple(reasons)


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
