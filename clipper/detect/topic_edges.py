"""Score where a topic may begin and end when no catalogue tells: by what a host does there, whatever words are used for it.

A pitch runs from telling to offering, so that an offer behind and none ahead is where it ends; hosts rest longer there, put something
away, turn to the chat, call another link. And a topic has words of its own, which stop where it stops: words that are said again within a
minute tie their places together, and few ties cross an edge (lexical chains: Galley and McKeown 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.learning import content_words
from clipper.detect.links import links_called
from clipper.detect.reading import Read, Table
from clipper.detect.spoken import price_falls

TALK = {
    "falls": 2.0,
    "link": 1.5,
    "money": 1.2,
    "benefit": 1.2,
    "price": 1.0,
    "pointing": 0.9,
    "compare": 0.8,
    "demo": 0.7,
    "proof": 0.7,
    "call": 0.5,
    "urgency": 0.4,
    "number": 0.3,
    "hook": 0.2,
    "question": -0.4,
    "sold_out": -0.4,
    "chitchat": -1.0,
    "preview": -1.2,
    "service": -1.2,
    "wait": -1.2,
    "quarrel": -1.2,
    "finish": -1.3,
    "recap": -1.4,
    "greeting": -1.6,
    "giveaway": -1.9,
    "closing": -1.9,
}
"""What each sign says for product talk where no name can, in nats: rounded to what simulated hours and recordings agree on.
More than with a catalogue, where the names say it too; and moving on says nothing here, for it may lead to anything."""
ENTER = {
    "moves": 2.0,
    "put": 0.8,
    "offers": -0.6,
    "offered": 0.8,
    "offering": -1.2,
    "aside_before": 1.0,
    "other_link": 0.5,
    "same_link": -0.9,
    "same_price": -0.5,
    "ties": -1.5,
    "bias": -1.3,
}
"""What each sign says for a topic beginning at a sentence, in nats."""
LEAVE = {
    "moves": 0.7,
    "put": 1.0,
    "offers": -0.4,
    "offered": 2.0,
    "offering": -1.2,
    "aside": 1.2,
    "other_link": 0.5,
    "same_link": -0.9,
    "same_price": -0.5,
    "ties": -1.3,
    "bias": -1.7,
}
"""The same for one ending before it. Both are two logistic regressions, on ten simulated hours and on recordings and scripts, rounded to
what they agree on. How much a long rest says is the host's own affair, and learned (`rest_worth`)."""
REST_WORTH, REST_SURE = 1.0, 6.0
"""What a nat of rest is worth before the host is known, and how many edges that is worth."""
REST_WORTH_MOST = 2.0
"""Most that it may be worth."""
REST_VARIES = 0.4
"""Variance of the rests, in nats, at least."""
TIE_S = 60.0
"""Seconds after which a word that is said again ties nothing: it was only said again."""
TIES_MOST_S = 240.0
"""Words that go on longer belong to the whole stream."""
NEAR = 8
"""Sentences to each side that the ties across a place are compared with."""
TIES_SPREAD = 0.3
"""Least spread of the ties, so that streams without repeated words say nothing."""
LINKS_WITHIN_S = 200.0
"""Seconds within which two calls of links are taken as neighbours."""
PRICES_WITHIN_S, PRICE_LEAST = 150.0, 10.0
"""Seconds within which a number that is said again is the same price, and the least such number: small ones count anything."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TopicEdges:
    """(sentences,) each, in nats: a topic begins at the sentence; one ends before it."""

    enter: Table
    leave: Table


def topic_edges(stream: Read, language: str) -> TopicEdges:
    """Score every sentence as the beginning of a topic and as the first after one, whatever the rests are."""
    size = len(stream.sentences)
    if not size:
        return TopicEdges(np.zeros(0), np.zeros(0))
    signs = _signs(stream, language)
    enter, leave = (sum((weight * signs[sign] for sign, weight in table.items()), np.zeros(size)) for table in (ENTER, LEAVE))
    return TopicEdges(enter, leave)


def rest_worth(rest: Table, edge: Table) -> float:
    """Learn how much longer a host rests at edges than elsewhere: nats per nat of rest, in [0, `REST_WORTH_MOST`].

    `edge` is the probability of one before each sentence, found without the rests; some hosts finish, drink and pick things up
    between topics, and some run on.
    """
    if len(rest) < 2:
        return REST_WORTH
    at_edges = float(edge @ rest) / max(float(edge.sum()), 1e-9)
    slope = (at_edges - float(rest.mean())) / max(float(rest.var()), REST_VARIES)
    known = float(edge.sum())
    return float(np.clip((known * slope + REST_SURE * REST_WORTH) / (known + REST_SURE), 0.0, REST_WORTH_MOST))


def topic_talk(stream: Read) -> Table:
    """Score product talk against background from what every sentence does: (sentences,), in nats."""
    score = np.zeros(len(stream.sentences))
    counted = dict(stream.cue_counts)
    counted["money"] = np.array([sum(number.money for number in figures) for figures in stream.figures], np.int32)
    counted["falls"] = np.array([price_falls(figures) for figures in stream.figures], np.int32)
    counted["number"] = np.array([min(1, len(figures)) for figures in stream.figures], np.int32)
    for kind, worth in TALK.items():
        if kind in counted:
            score += worth * np.minimum(counted[kind], 2) ** 0.7
    low, high = c.CUES_MOST[1], c.CUES_MOST[0]
    return np.clip(score, low, high)


def _signs(stream: Read, language: str) -> dict[str, Table]:
    """List what may be seen of an edge before each sentence, as figures of about 1."""
    calls = [links_called(sentence.text, language) for sentence in stream.sentences]
    single = np.array([called[0] if len(called) == 1 else 0 for called in calls])
    offers = _said(stream, "price", "link", "urgency") | (single > 0)
    offers |= np.array([any(number.money for number in figures) or price_falls(figures) for figures in stream.figures], bool)
    moves, put, aside = _said(stream, "transition"), _said(stream, "finish"), _said(stream, *ASIDES)
    other, same = _links(stream, single)
    told = offers.astype(float)
    return {
        "moves": np.maximum(moves, 0.6 * _back(moves, 1)),
        "put": _back(put, 1),
        "offers": told,
        "offered": np.minimum(1.0, 0.5 * (_back(told, 1) + _back(told, 2) + _back(told, 3))),
        "offering": np.minimum(1.0, 0.5 * (told + _back(told, -1) + _back(told, -2))),
        "aside": aside.astype(float),
        "aside_before": _back(aside, 1),
        "other_link": other.astype(float),
        "same_link": same.astype(float),
        "same_price": _same_price(stream),
        "ties": _ties(stream),
        "bias": np.ones(len(told)),
    }


ASIDES = (
    "wait",
    "chitchat",
    "quarrel",
    "greeting",
    "giveaway",
    "question",
    "service",
    "sold_out",
    "recap",
    "closing",
    "preview",
)


def _said(stream: Read, *kinds: str) -> Flags:
    said = np.zeros(len(stream.sentences), bool)
    for kind in kinds:
        if kind in stream.cue_counts:
            said |= stream.cue_counts[kind] > 0
    return said


def _back(row: NDArray[np.generic], by: int) -> Table:
    """Give each place what stood `by` places before it, or behind it for a negative number; 0 beyond the ends."""
    moved = np.zeros(len(row))
    if by >= 0:
        moved[by:] = row[: len(row) - by]
    else:
        moved[:by] = row[-by:]
    return moved


def _links(stream: Read, single: NDArray[np.int64]) -> tuple[Flags, Flags]:
    """Tell between which sentences the calls on both sides, if near, are of different links, and of the same one."""
    at = np.flatnonzero(single)
    size = len(single)
    if len(at) < 2:
        return np.zeros(size, bool), np.zeros(size, bool)
    places = np.arange(size)
    before = np.searchsorted(at, places) - 1
    after = before + 1
    both = (before >= 0) & (after < len(at))
    one, two = at[np.maximum(before, 0)], at[np.minimum(after, len(at) - 1)]
    near = both & (stream.starts - stream.starts[one] < LINKS_WITHIN_S) & (stream.starts[two] - stream.starts < LINKS_WITHIN_S)
    return near & (single[one] != single[two]), near & (single[one] == single[two])


def _same_price(stream: Read) -> Table:
    """Tell across which places a number without a unit is said again: (sentences,) of 0 or 1."""
    steps = np.zeros(len(stream.sentences) + 1)
    last: dict[float, int] = {}
    for at, figures in enumerate(stream.figures):
        for value in {number.value for number in figures if number.value >= PRICE_LEAST and not number.unit}:
            before = last.get(value)
            if before is not None and stream.starts[at] - stream.ends[before] <= PRICES_WITHIN_S:
                steps[before + 1] += 1
                steps[at + 1] -= 1
            last[value] = at
    return np.minimum(1.0, np.cumsum(steps[:-1]))


def _ties(stream: Read) -> Table:
    """Count the words that are said on both sides of each place, against the places around it: (sentences,), within [-2, 2]."""
    size = len(stream.sentences)
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(stream.sentences):
        for word in set(content_words(sentence.text)):
            places.setdefault(word, []).append(at)
    steps = np.zeros(size + 1)
    for found in places.values():
        for run in _runs(found, stream):
            if len(run) >= 2 and stream.starts[run[-1]] - stream.starts[run[0]] <= TIES_MOST_S:
                worth = len(run) / len(found) * min(1.0, 0.25 * len(run))
                steps[run[0] + 1] += worth
                steps[run[-1] + 1] -= worth
    across = np.cumsum(steps[:size])
    padded = np.pad(across, NEAR, mode="edge")
    around = np.convolve(padded, np.ones(2 * NEAR + 1) / (2 * NEAR + 1), "valid")
    return np.clip((across - around) / (float(across.std()) + TIES_SPREAD), -2.0, 2.0)


def _runs(places: Sequence[int], stream: Read) -> list[list[int]]:
    """Part the places of a word where it was not said for `TIE_S`."""
    runs = [[places[0]]]
    for at in places[1:]:
        if stream.starts[at] - stream.ends[runs[-1][-1]] > TIE_S:
            runs.append([])
        runs[-1].append(at)
    return runs
