"""Read a stream once: what every pass of the decoding looks up again (cues, mentions, numbers, title words, pauses)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.boundaries import DEFAULT, BoundaryOptions, Edges, closed, edges, pauses, rested, stopped
from clipper.detect.cues import Cue, counts, find_cues
from clipper.detect.links import lists_links
from clipper.detect.mentions import by_sentence
from clipper.detect.names import Known, is_cjk, know
from clipper.detect.numerals import Spoken, numbers
from clipper.detect.sounds import Heard, stream_of, tokens
from clipper.values import Evidence, Mention, Product, Sentence

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Read:
    """One stream read against a list of products: what later passes share."""

    sentences: tuple[Sentence, ...]
    products: tuple[Product, ...]
    known: tuple[Known, ...]
    cues: tuple[Cue, ...]
    cue_counts: Mapping[str, NDArray[np.int32]]
    mentions: Mapping[int, list[Mention]]
    figures: tuple[tuple[Spoken, ...], ...]
    words: tuple[tuple[tuple[int, float], ...], ...]
    """For every product, the attribute words heard: (sentence, weight)."""
    starts: Table
    ends: Table
    placed: tuple[Edges, ...]
    """Where each sentence may be cut."""
    closed: NDArray[np.bool_]
    """(sentences + 1,): a statement ends before the sentence, so that a cut there leaves whole thoughts."""
    stopped: NDArray[np.bool_]
    """(sentences + 1,): as `closed`, or a full stop with any real pause: good enough for a moment, not for an explanation."""
    rested: Table
    """(sentences + 1,) in [0, 1]: the probability that an utterance ends before the sentence."""
    until: NDArray[np.intp]
    """(sentences,): how many sentences had begun by `KNOWN_AFTER_S` after each: what may be learned for it."""
    listed: NDArray[np.bool_]
    """(sentences,): it runs through the list of links and is about none of them."""


def read(evidence: Evidence, products: tuple[Product, ...], boundaries: BoundaryOptions = DEFAULT) -> Read:
    """Look up cues, mentions, numbers, title words and pauses once."""
    sentences = evidence.sentences
    cues = find_cues(sentences, evidence.language)
    known = know(products)
    cuts = evidence.picture.cuts if evidence.picture is not None else ()
    starts = np.array([s.start for s in sentences], float)
    placed = edges(sentences, pauses(evidence, boundaries), cuts, evidence.duration, boundaries)
    return Read(
        sentences,
        products,
        known,
        cues,
        counts(cues, len(sentences)),
        by_sentence(evidence.mentions, sentences),
        tuple(numbers(sentence.text) for sentence in sentences),
        _words_heard(sentences, known),
        starts,
        np.array([s.end for s in sentences], float),
        placed,
        closed(sentences, placed),
        stopped(sentences, placed),
        rested(placed),
        np.searchsorted(starts, starts + c.KNOWN_AFTER_S, side="right"),
        np.array([lists_links(s.text, evidence.language) for s in sentences], bool),
    )


def _words_heard(sentences: tuple[Sentence, ...], known: tuple[Known, ...]) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Find attribute words by sound: per product (sentence, nats), nats from how rarely the word is said overall."""
    owners, stream = stream_of(sentence.text for sentence in sentences)
    heard = Heard(stream)
    where: dict[str, frozenset[int]] = {}
    for word in {word for entry in known for word in entry.attributes}:
        sounding = tokens(word)
        least = 0.93 if len(sounding) <= 2 and is_cjk(word) else 0.84
        where[word] = frozenset(owners[first] for first, _, _ in heard.align(sounding, least))
    size = len(sentences)
    fair = fair_share(len(known), sentences[-1].end if sentences else 0.0)
    found = []
    for entry in known:
        hits: list[tuple[int, float]] = []
        for word in entry.attributes:
            places = where[word]
            excess = max(0.0, len(places) - 1.4 * c.WORD_INSIDE * 3 * fair * size)
            rate = (c.NAME_SURE * c.WORD_OUTSIDE + excess) / (c.NAME_SURE + size)
            weight = float(np.clip(np.log(c.WORD_INSIDE / rate), 0.0, c.WORD_MOST))
            hits += [(place, weight) for place in places if weight > 0]
        found.append(tuple(hits))
    return tuple(found)


def fair_share(products: int, seconds: float) -> float:
    """Share of a stream of `seconds` that a product's own explanations are expected to hold, before anything is known."""
    return max(c.SHARE_LEAST, 1.0 / (products + 1), min(0.8, c.EXPLAINED_S / max(seconds, 1.0)))


def blank(stream: Read) -> Table:
    """Give a table of nothing said: (sentences, products) of zeros."""
    return np.zeros((len(stream.sentences), len(stream.products)))


def running(table: Table, stream: Read) -> Table:
    """Sum a table of sentences up to what was known of each (`Read.until`): same shape."""
    sums: Table = np.cumsum(table, axis=0)[stream.until - 1]
    return sums
