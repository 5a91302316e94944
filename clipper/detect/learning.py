"""Words that one stream uses with one product: what a first answer taught about "the green one"."""

from __future__ import annotations

import re

import numpy as np

from clipper.detect import constants as c
from clipper.detect.nouns import fillers
from clipper.detect.reading import Read, Table


def learned(stream: Read, share: Table) -> Table:
    """Score the words that this stream itself uses with one product: what a first answer taught about "the green one".

    A word's own sentence, and its neighbours, do not count when it is scored (otherwise every sentence would prove itself).
    """
    size, products = share.shape
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(stream.sentences):
        for word in set(content_words(sentence.text)):
            places.setdefault(word, []).append(at)
    overall = share.mean(axis=0) + 0.02
    table = np.zeros((size, products))
    for ats in places.values():
        if not 2 <= len(ats) <= max(4, size // 8):
            continue
        rows = share[ats]
        apart = np.diff(ats) > 1
        rest, trials = rows.sum(axis=0) - rows, np.full((len(ats), 1), len(ats) - 1.0)
        rest[1:] -= np.where(apart[:, None], 0.0, rows[:-1])
        rest[:-1] -= np.where(apart[:, None], 0.0, rows[1:])
        trials[1:, 0] -= ~apart
        trials[:-1, 0] -= ~apart
        rest = np.maximum(rest, 0.0)
        ratio, against = (np.log((rest + doubt * overall) / (trials + doubt)) - np.log(overall) for doubt in c.LEARNED_DOUBT)
        told = np.where(ratio > 0, np.minimum(ratio, c.LEARNED_MOST), np.clip(against, -0.3, 0.0)) * 0.5
        table[ats] += np.where(trials > 0, told, 0.0)
    clipped: Table = np.clip(table, -0.5, c.LEARNED_ALL)
    return clipped


def content_words(text: str) -> tuple[str, ...]:
    """Give the words of a text that can tell topics apart: character pairs in Chinese, words of four letters and more elsewhere."""
    found = [word.lower().rstrip("s") for word in re.findall(r"[A-Za-z][A-Za-z'’]{3,}", text) if word.lower() not in fillers()]
    for run in re.findall(r"[\u3400-\u9fff]{2,}", text):
        found += [run[i : i + 2] for i in range(len(run) - 1) if run[i : i + 2] not in fillers()]
    return tuple(found)
