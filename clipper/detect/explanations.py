"""Decide which product is explained when: a semi-Markov decoding over sentences, with a posterior and reasons.

Two passes: the first with rates as a usual stream has them, the second with what the first taught about this stream: how
often names are said in passing, what a link number means, how late cards come, and words that go with one product here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.candidates import candidates
from clipper.detect.emissions import Scores, score
from clipper.detect.naming import full_name, name_of
from clipper.detect.reading import Read, Table, read
from clipper.detect.reasons import explain
from clipper.detect.semi_markov import Decoding, Model, decode
from clipper.detect.transitions import beginnings_and_ends
from clipper.errors import InputError
from clipper.values import Evidence, Product, Segment, Span

ALL_CHANNELS = ("speech", "cards", "picture", "comments", "orders")


@dataclass(frozen=True, kw_only=True)
class ExplanationOptions:
    """What counts as an explanation."""

    min_s: float = 8.0
    """Shortest explanation in seconds, 0 to 120."""
    min_confidence: float = 0.3
    """Explanations less sure than this, in [0, 1], are left out."""
    longest_s: float = 600.0
    """Seconds after which an explanation is decoded in parts, 60 to 3600; parts of one product are joined again."""
    passes: int = 2
    """Decodings, 1 to 4; each learns from the one before."""
    channels: tuple[str, ...] = ALL_CHANNELS
    """Channels that may speak: speech, cards, picture, comments, orders."""
    unknown: bool = True
    """Report products that the catalogue lacks as unknown-N."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_s <= 120:
            raise InputError(f"explanations.min_s is {self.min_s}: it must lie between 0 and 120 seconds")
        if not 0 <= self.min_confidence <= 1:
            raise InputError(f"explanations.min_confidence is {self.min_confidence}: it must lie between 0 and 1")
        if not 60 <= self.longest_s <= 3600:
            raise InputError(f"explanations.longest_s is {self.longest_s}: it must lie between 60 and 3600 seconds")
        if not 1 <= self.passes <= 4:
            raise InputError(f"explanations.passes is {self.passes}: it must lie between 1 and 4")
        if unknown := set(self.channels) - set(ALL_CHANNELS):
            raise InputError(f"explanations.channels names {', '.join(sorted(unknown))}: known are {', '.join(ALL_CHANNELS)}")


@dataclass(frozen=True, slots=True)
class Explained:
    """Explanations, and what later deciders and the report want to know of how they were found."""

    segments: tuple[Segment, ...]
    products: tuple[Product, ...]
    """Products that were considered: the columns of `posterior` but the last two (unknown, background)."""
    posterior: NDArray[np.float64]
    """(sentences, products + 2)."""
    begin: NDArray[np.float64]
    """(sentences, products + 2): probability that an explanation begins at the sentence."""
    stream: Read
    scores: Scores


def find_explanations(
    evidence: Evidence, products: tuple[Product, ...], options: ExplanationOptions | None = None, *, always: frozenset[str] = frozenset()
) -> Explained:
    """Find every explanation, sorted by time, none overlapping. `always` are skus to consider even if nothing speaks for them."""
    options = options or ExplanationOptions()
    considered = candidates(evidence, products, always)
    stream = read(evidence, considered)
    share: Table | None = None
    earlier: Decoding | None = None
    for _ in range(1, options.passes):  # nothing but the decoding is kept of a pass: its tables cover every candidate
        model = _model(evidence, stream, score(evidence, stream, share, options.channels), earlier, options, always)
        earlier = decode(model, best_path=False)
        stream, earlier = _narrowed(stream, earlier, always)
        share = earlier.posterior[:, :-2] if len(stream.sentences) else None
    scores = score(evidence, stream, share, options.channels)
    decoding = decode(_model(evidence, stream, scores, earlier, options, always))
    segments = _segments(evidence, stream, scores, decoding, options)
    return Explained(segments, stream.products, decoding.posterior, decoding.begin, stream, scores)


def _narrowed(stream: Read, decoding: Decoding, always: frozenset[str]) -> tuple[Read, Decoding]:
    """Leave out the products that an earlier pass found nowhere: of hundreds in a catalogue few are shown."""
    if not len(stream.sentences):
        return stream, decoding
    likely = decoding.posterior[:, :-2].max(axis=0, initial=0.0) >= c.LIKELY_SOMEWHERE
    kept = [k for k, product in enumerate(stream.products) if likely[k] or product.sku in always]
    columns = [*kept, len(stream.products), len(stream.products) + 1]
    narrow = replace(
        stream,
        products=tuple(stream.products[k] for k in kept),
        known=tuple(stream.known[k] for k in kept),
        words=tuple(stream.words[k] for k in kept),
    )
    begin, finish = decoding.begin[:, columns], decoding.finish[:, columns]
    return narrow, Decoding(decoding.path, decoding.posterior[:, columns], begin, finish)


def _active(stream: Read, scores: Scores, options: ExplanationOptions, always: frozenset[str]) -> NDArray[np.bool_]:
    """Tell where each product may be explained: within half of `longest_s` from something that speaks for it alone."""
    active = np.ones((len(stream.sentences), len(stream.products) + 2), bool)
    active[:, -2] = options.unknown and bool(stream.products)
    signs = scores.naming > 0
    for name, table in scores.channels.items():
        if name not in ("words", "learned", "chat", "orders"):
            signs |= table > 0
    for k, product in enumerate(stream.products):
        if product.sku in always:
            continue
        at = np.flatnonzero(signs[:, k])
        edges = np.zeros(len(stream.sentences) + 1, np.int32)
        np.add.at(edges, np.searchsorted(stream.ends, stream.starts[at] - options.longest_s / 2), 1)
        np.add.at(edges, np.searchsorted(stream.starts, stream.ends[at] + options.longest_s / 2, side="right"), -1)
        active[:, k] = np.cumsum(edges[:-1]) > 0
    return active


def _model(
    evidence: Evidence, stream: Read, scores: Scores, earlier: Decoding | None, options: ExplanationOptions, always: frozenset[str]
) -> Model:
    size, products = len(stream.sentences), len(stream.products)
    emission = np.zeros((size, products + 2))
    spoken = sum((t for name, t in scores.channels.items() if name in ("names", "links", "words", "prices")), np.zeros((size, products)))
    silent = np.where((scores.talk == 0)[:, None] & (spoken <= 0), c.NOTHING_SAID, 0.0)
    emission[:, :products] = sum(scores.channels.values(), np.zeros((size, products))) + scores.talk[:, None] + silent
    named = scores.naming.max(axis=1, initial=0.0)
    emission[:, products] = scores.talk + c.UNKNOWN_DRIFT - 1.5 * named
    enter, leave = beginnings_and_ends(evidence, stream, scores, earlier, options.channels)
    chances = np.full(products + 1, -np.log(max(products, 1)))
    chances[-1] = np.log(c.UNKNOWN_ENTRY)
    mixtures = (c.PRODUCT_SECONDS,) * (products + 1) + (c.BACKGROUND_SECONDS,)
    onward = float(np.log((1 - c.TO_BACKGROUND) / max(products, 1)))
    return Model(
        stream.starts,
        stream.ends,
        emission,
        enter,
        leave,
        mixtures,
        float(np.log(c.TO_BACKGROUND)),
        onward,
        chances,
        float(np.log(c.REPEAT)),
        options.longest_s,
        _active(stream, scores, options, always),
    )


# --- from the decoding to segments ----------------------------------------------------------------------


def _segments(evidence: Evidence, stream: Read, scores: Scores, decoding: Decoding, options: ExplanationOptions) -> tuple[Segment, ...]:
    background = len(stream.products) + 1
    runs = [run for run in decoding.path if run[2] != background]
    found, unknown = [], 0
    for pieces in _bridged(runs, stream, scores.talk):
        first, last, state = pieces[0][0], pieces[-1][1], pieces[0][2]
        start, end = float(stream.starts[first]), float(stream.ends[last - 1])
        confidence = sure(decoding, first, last, state, stream)
        if end - start < options.min_s or confidence < options.min_confidence:
            continue
        gaps = tuple(Span(float(stream.starts[a[1]]), float(stream.ends[b[0] - 1])) for a, b in pairwise(pieces) if b[0] > a[1])
        if state < len(stream.products):
            sku, name = stream.products[state].sku, ""
        else:
            unknown += 1
            sku, name = f"unknown-{unknown}", full_name(stream.sentences, first, last, name_of(stream.sentences, first, last))
        reasons = explain(evidence, stream, scores, first, last, state)
        found.append(
            Segment(sku=sku, start=start, end=end, confidence=round(confidence, 3), reasons=reasons, name=name, interruptions=gaps)
        )
    return tuple(found)


def _bridged(runs: list[tuple[int, int, int]], stream: Read, talk: Table) -> list[list[tuple[int, int, int]]]:
    """Join runs of one product across digressions that are too short to end an explanation, or that nothing marks as one."""
    joined: list[list[tuple[int, int, int]]] = []
    for run in runs:
        if joined and joined[-1][0][2] == run[2]:
            last = joined[-1][-1]
            gap, units = float(stream.starts[run[0]] - stream.ends[last[1] - 1]), run[0] - last[1]
            unmarked = units > 0 and gap <= c.UNMARKED_SECONDS and float(talk[last[1] : run[0]].mean()) > c.MARKED
            if gap <= c.BRIDGE_SECONDS or unmarked or (units <= c.BRIDGE_UNITS and gap <= 2 * c.BRIDGE_SECONDS):
                joined[-1].append(run)
                continue
        joined.append([run])
    return joined


def sure(decoding: Decoding, first: int, last: int, state: int, stream: Read) -> float:
    """Confidence of a segment: the posterior averaged over its seconds, times how settled its two edges are."""
    seconds = stream.ends[first:last] - stream.starts[first:last]
    inside = float(np.average(decoding.posterior[first:last, state], weights=np.maximum(seconds, 0.1)))
    edges = [_settled(decoding.begin[:, state], first, 2), _settled(decoding.finish[:, state], last, 2)]
    return float(np.clip(inside * (0.8 + 0.1 * sum(edges)), 0.0, 1.0))


def _settled(probability: Table, at: int, reach: int) -> float:
    return float(min(1.0, probability[max(0, at - reach) : at + reach + 1].sum()))
