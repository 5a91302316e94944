"""Words that one stream uses with one product: what a first answer taught about "the green one"."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.nouns import fillers
from clipper.detect.reading import Read, Table, running


def learned(stream: Read, share: Table) -> Table:
    """Score the words that this stream itself uses with one product: what a first answer taught about "the green one".

    A word's own sentence, and its neighbours, do not count when it is scored (otherwise every sentence would prove itself).
    """
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(stream.sentences):
        for word in set(content_words(sentence.text)):
            places.setdefault(word, []).append(at)
    overall = running(share, stream) / stream.until[:, None] + 0.02
    table = np.zeros_like(share)
    for ats in (np.array(found) for found in places.values() if len(found) >= 2):
        heard = np.asarray(np.searchsorted(ats, stream.until[ats]), np.intp)
        told = (heard >= 2) & (heard <= np.maximum(4, stream.until[ats] // 8))
        if told.any():
            table[ats] += np.where(told[:, None], _taught(share[ats], ats, heard, overall[ats]), 0.0)
    clipped: Table = np.clip(table, -0.5, c.LEARNED_ALL)
    return clipped


def _taught(rows: Table, ats: NDArray[np.intp], heard: NDArray[np.intp], overall: Table) -> Table:
    """Score one word at each of its sentences `ats` by the products of the others among the first `heard` ones: (places, products)."""
    rest = np.vstack([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])[heard] - rows
    trials = heard[:, None] - 1.0
    near = np.diff(ats) == 1
    rest[1:] -= np.where(near[:, None], rows[:-1], 0.0)
    rest[:-1] -= np.where(near[:, None], rows[1:], 0.0)
    trials[1:, 0] -= near
    trials[:-1, 0] -= near
    rest = np.maximum(rest, 0.0)
    ratio, against = (np.log((rest + doubt * overall) / (trials + doubt)) - np.log(overall) for doubt in c.LEARNED_DOUBT)
    told = np.where(ratio > 0, np.minimum(ratio, c.LEARNED_MOST), np.clip(against, -0.3, 0.0)) * 0.5
    return np.where(trials > 0, told, 0.0)


def content_words(text: str) -> tuple[str, ...]:
    """Give the words of a text that can tell topics apart: character pairs in Chinese, words of four letters and more elsewhere."""
    empty = fillers()
    found = [word.lower().rstrip("s") for word in re.findall(r"[A-Za-z][A-Za-z'’]{3,}", text) if word.lower() not in empty]
    for run in re.findall(r"[\u3400-\u9fff]{2,}", text):
        pairs = map(str.__add__, run, run[1:])
        found += [pair for pair in pairs if pair not in empty]
    return tuple(found)
