"""Where a host rests decides where an edge may lie: relative to the host's own habit, not to a number of seconds."""

from __future__ import annotations

import numpy as np
import pytest

from clipper.detect.boundaries import Edges, closed, edges, rest_odds, rested, settle, stopped
from clipper.detect.cues import counts_down
from clipper.detect.teasers import opening
from clipper.values import Sentence, Span
from tests.bench.detect.scripts import spoken


def laid(pauses: list[float], texts: list[str] | None = None) -> tuple[tuple[Sentence, ...], tuple[Edges, ...]]:
    """Lay sentences of two seconds apart by the given pauses, with the sound's silences exactly there."""
    clock, sentences, silent = 1.0, [], [Span(0.0, 1.0)]
    for number, pause in enumerate([*pauses, 2.0]):
        (plain,) = spoken([texts[number] if texts else "这个很好。"])
        step = 2.0 / len(plain.words)
        words = tuple(
            type(word)(round(clock + n * step, 3), round(clock + (n + 1) * step, 3), word.text) for n, word in enumerate(plain.words)
        )
        sentences.append(Sentence(words))
        silent.append(Span(clock + 2.0, clock + 2.0 + pause))
        clock += 2.0 + pause
    found = tuple(sentences)
    return found, edges(found, tuple(silent), (), clock)


def breathing(rest: float, breath: float, count: int = 24) -> list[float]:
    """Pauses of a host who says two short sentences in one breath, then rests."""
    return [breath if number % 2 == 0 else rest for number in range(count)]


@pytest.mark.parametrize("rest", [0.2, 0.5, 1.0])
def test_statements_end_at_the_rests_of_a_fast_host_too(rest: float) -> None:
    sentences, placed = laid(breathing(rest, 0.55 * rest))
    ends = [True, *(number % 2 == 1 for number in range(24)), True]
    assert closed(sentences, placed).tolist() == ends
    assert (rested(placed) > 0.5).tolist() == ends


def test_a_comma_needs_a_longer_rest_than_a_full_stop() -> None:
    texts = ["好。", "好。", "好。", "好，", "好。", "好。", "好。"]
    sentences, placed = laid([0.5, 0.5, 0.4, 0.4, 0.5, 0.5], texts)
    assert closed(sentences, placed).tolist() == [True, True, True, True, False, True, True, True]


def test_a_full_stop_at_a_breath_ends_a_moment_but_no_statement() -> None:
    texts = ["好。" if number % 4 else "好，" for number in range(25)]
    sentences, placed = laid(breathing(0.5, 0.28), texts)
    assert rested(placed)[3] < 0.5
    assert stopped(sentences, placed)[3]
    assert not stopped(sentences, placed)[1]


def test_a_longer_pause_speaks_for_a_new_topic_whatever_the_host() -> None:
    for usual in (0.2, 0.8):
        _, placed = laid([usual, usual, 2 * usual, usual, usual / 2, usual])
        odds = rest_odds(placed)
        assert odds[1] == pytest.approx(0.0)
        assert odds[3] > 0.8
        assert odds[5] < -0.8
    assert rest_odds(()).tolist() == []


def test_an_edge_inside_an_utterance_moves_to_its_end() -> None:
    _, placed = laid(breathing(0.7, 0.3))
    assert settle(5, 8, placed, (0, 24)) == (4, 9)


def test_an_edge_where_an_utterance_ends_stays() -> None:
    _, placed = laid(breathing(0.7, 0.3))
    assert settle(4, 9, placed, (0, 24)) == (4, 9)


def test_an_edge_stays_in_its_room_and_near() -> None:
    _, placed = laid(breathing(0.7, 0.3))
    assert settle(5, 8, placed, (5, 8)) == (5, 8)
    assert settle(5, 8, placed, (0, 24), outward_s=0.5, inward_s=0.5) == (5, 8)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("三，二，一，开了", True),
        ("321上链接", True),
        ("五四三二一", True),
        ("543213号链接", True),
        ("in three, two, one, go", True),
        ("还能再匀154口", False),
        ("原价1321块", False),
        ("一二三四五，一共五层", False),
    ],
)
def test_a_countdown_counts_down(text: str, counts: bool) -> None:
    assert counts_down(text) is counts


def test_what_hooks_comes_at_once() -> None:
    from clipper.detect.reading import read
    from clipper.values import AudienceLog, Evidence

    sentences = spoken(["我的天这个太厉害了", "我们今天早上从仓库里面搬过来的时候大家都说我的天"])
    evidence = Evidence(duration=20.0, language="zh", sentences=sentences, mentions=(), log=AudienceLog(), picture=None, loudness=None)
    stream = read(evidence, ())
    assert opening(stream, 0) > 1.0
    assert opening(stream, 1) == 0.0
    assert np.all((stream.rested >= 0.0) & (stream.rested <= 1.0))
