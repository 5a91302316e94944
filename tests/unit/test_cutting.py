"""Clips begin and end where utterances do, whatever was chosen before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper.cutting import at_utterance_ends
from clipper.detect import constants as c
from clipper.detect.boundaries import Edges, edges
from clipper.values import Sentence, Span
from tests.unit.test_detect_utterances import host


def placed(seed: int, breath_s: float = 0.3, rest_s: float = 0.6) -> tuple[tuple[Sentence, ...], tuple[Edges, ...], list[bool]]:
    """A made-up host with its edges, and whether an utterance ends after each sentence."""
    sentences, pauses, ends = host(seed, breath_s, rest_s, 0.15)
    silent = tuple(Span(one.end, one.end + pause) for one, pause in zip(sentences, pauses, strict=False))
    return sentences, edges(sentences, silent, (), sentences[-1].end + 1.0), [*ends, True]


def test_edges_inside_utterances_move_to_their_ends() -> None:
    inside: list[bool] = []
    before: list[bool] = []
    for seed in range(3):
        sentences, where, ends = placed(seed)
        for first in range(4, len(sentences) - 12, 3):
            (piece,) = at_utterance_ends([Span(where[first].start, where[first + 5].end)], sentences, where, 8.0)
            begin = next(n for n, edge in enumerate(where) if edge.start == piece.start)
            finish = next(n for n, edge in enumerate(where) if edge.end == piece.end)
            inside += [not ends[begin - 1], not ends[finish]]
            before += [not ends[first - 1], not ends[first + 5]]
    assert np.mean(before) > 0.3
    assert np.mean(inside) < 0.01


def test_a_sure_edge_stays_to_the_millisecond() -> None:
    sentences, where, _ = placed(1)
    sure = [n for n, edge in enumerate(where) if edge.ended[0] >= c.END_SURE]
    piece = Span(where[sure[3]].start + 0.013, where[sure[8] - 1].end - 0.017)
    assert at_utterance_ends([piece], sentences, where, 8.0) == (piece,)


def test_a_piece_without_speech_stays() -> None:
    sentences, where, _ = placed(1)
    silence = Span(sentences[-1].end + 0.2, sentences[-1].end + 0.7)
    assert at_utterance_ends([silence], sentences, where, 8.0) == (silence,)
    assert at_utterance_ends([Span(0.0, 3.0)], (), (), 8.0) == (Span(0.0, 3.0),)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 3), st.lists(st.tuples(st.integers(0, 90), st.integers(0, 4)), min_size=1, max_size=5), st.sampled_from((0.0, 4.0, 8.0))
)
def test_pieces_stay_apart_and_grow_no_more_than_allowed(seed: int, wanted: list[tuple[int, int]], grow_s: float) -> None:
    sentences, where, _ = placed(seed)
    chosen: list[tuple[int, int]] = []
    for first, more in wanted:
        last = min(first + more, len(sentences) - 1)
        if first < len(sentences) and all(last < a or b < first for a, b in chosen):
            chosen.append((first, last))
    pieces = [Span(where[first].start, where[last].end) for first, last in chosen]
    moved = at_utterance_ends(pieces, sentences, where, grow_s)
    said = [[n for n, one in enumerate(sentences) if piece.holds((one.start + one.end) / 2)] for piece in sorted(moved)]
    assert all(one[-1] < other[0] for one, other in pairwise(said))
    assert sorted(range(len(moved)), key=lambda n: moved[n]) == sorted(range(len(pieces)), key=lambda n: pieces[n])
    assert sum(piece.duration for piece in moved) <= sum(piece.duration for piece in pieces) + grow_s + 0.01
