"""Topics of a stream without a catalogue: what it sells, and from when to when, whatever it is called.

No name tells things apart here, so what the host does has to (`topic_edges`): a semi-Markov model sets two nameless topics against the
background, two so that one can follow the other, and how much a long rest says of an edge is learned from the host.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from clipper.detect import constants as c
from clipper.detect.boundaries import rest_odds
from clipper.detect.calibration import topic_confidence
from clipper.detect.emissions import Scores
from clipper.detect.naming import full_name, name_of, nameable
from clipper.detect.reading import Read, Table, read
from clipper.detect.semi_markov import NEVER, Model, decode
from clipper.detect.topic_edges import TopicEdges, rest_worth, topic_edges, topic_talk
from clipper.detect.topic_parts import (
    cue,
    is_marked,
    links_inside,
    marked_share,
    names_price,
    offer_of,
    topic_parts,
)
from clipper.values import Evidence, Product, Segment

if TYPE_CHECKING:
    from clipper.detect.explanations import Explained, ExplanationOptions

LEAST_SAID = 3
"""A thing that is sold is named at least so often."""
REST_ROUNDS = 2
"""Decodings that teach how long a host rests between topics; the first goes without the rests."""


def find_topics(evidence: Evidence, options: ExplanationOptions) -> Explained:
    """Cut a stream without a catalogue into topics, named from the speech: unknown-1, unknown-2, … in order of appearance."""
    from clipper.detect.explanations import Explained

    stream = read(replace(evidence, mentions=()), SLOTS)
    naming = np.zeros((len(stream.sentences), len(SLOTS)))
    scores = Scores({}, topic_talk(stream), naming)
    edges, rest = topic_edges(stream, evidence.language), rest_odds(stream.placed)
    worth = 0.0
    for _ in range(REST_ROUNDS):
        known = decode(_model(stream, scores.talk, edges, worth * rest, options), best_path=False)
        worth = rest_worth(rest, np.minimum(1.0, known.begin[:, :2].sum(axis=1)))
    decoding = decode(_model(stream, scores.talk, edges, worth * rest, options))
    columns = [0, 1, 2, 2]
    posterior = decoding.posterior[:, columns] * np.array([1.0, 1.0, 0.0, 1.0])
    segments = tuple(
        Segment(sku=SLOTS[state].sku, start=float(stream.starts[first]), end=float(stream.ends[last - 1]), confidence=0.0, reasons=())
        for first, last, state in decoding.path
        if state < len(SLOTS)
    )
    explained = Explained(segments, SLOTS, posterior, decoding.begin[:, columns], stream, scores)
    return replace(explained, segments=_named(evidence, explained))


SLOTS = tuple(Product(sku=f"slot-{number}", title="") for number in (1, 2))
"""Stand-ins for things that are sold: two, so that one can follow the other."""


def _model(stream: Read, talk: Table, edges: TopicEdges, rest: Table, options: ExplanationOptions) -> Model:
    """Set two topics against the background: what a sentence says for product talk, and what for an edge."""
    size = len(stream.sentences)
    emission, enter, leave = np.zeros((size, 3)), np.zeros((size, 3)), np.zeros((size + 1, 3))
    emission[:, :2] = (talk + np.where(talk == 0, c.NOTHING_SAID, 0.0))[:, None]
    enter[:, :2] = (edges.enter + rest + np.where(stream.closed[:size], 0.0, c.UNCLOSED))[:, None]
    leave[:size, :2] = (edges.leave + rest)[:, None]
    return Model(
        stream.starts,
        stream.ends,
        emission,
        enter,
        leave,
        (c.PRODUCT_SECONDS, c.PRODUCT_SECONDS, c.BACKGROUND_SECONDS),
        float(np.log(c.TO_BACKGROUND)),
        float(np.log(1 - c.TO_BACKGROUND)),
        np.full(2, -np.log(2)),
        NEVER,
        options.longest_s,
    )


def _named(evidence: Evidence, explained: Explained) -> tuple[Segment, ...]:
    """Cut, name and number the topics in order of appearance; a thing that is named clearly again keeps its number."""
    numbers: dict[str, int] = {}
    named = []
    stream, language = explained.stream, evidence.language
    parts = topic_parts(stream, explained.segments, language)
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
