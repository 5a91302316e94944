"""Which pauses end an utterance, learned from pauses alone: hosts made up with breaths and rests of their own."""

from __future__ import annotations

import numpy as np
import pytest

from clipper.detect import constants as c
from clipper.detect.utterances import Habits, Lognormal, utterance_ends
from clipper.values import Sentence, Span
from tests.conftest import sentence


def host(
    seed: int, breath_s: float, rest_s: float, spread: float, *, utterances: int = 60, mark: str = "。", most: int = 3
) -> tuple[tuple[Sentence, ...], list[float], list[bool]]:
    """Make up a host: sentences, the pauses between them, and which of those end an utterance."""
    random = np.random.default_rng(seed)
    clock, sentences, pauses, ends = 0.0, [], [], []
    for _ in range(utterances):
        length, parts = random.lognormal(np.log(4.5), 0.25), int(random.integers(1, most + 1))
        shares = random.dirichlet([4.0] * parts)
        for part, share in enumerate(shares):
            last = part == parts - 1
            sentences.append(sentence(clock, clock + length * share, "好的" + mark))
            pauses.append(float(random.lognormal(np.log(rest_s if last else breath_s), spread)))
            ends.append(last)
            clock += length * share + pauses[-1]
    return tuple(sentences), pauses[:-1], ends[:-1]


@pytest.mark.parametrize(("breath_s", "rest_s"), [(0.12, 0.25), (0.3, 0.6), (0.6, 1.3)])
@pytest.mark.parametrize("seed", [1, 2])
def test_rests_are_told_from_breaths_whatever_the_pace(breath_s: float, rest_s: float, seed: int) -> None:
    sentences, pauses, truth = host(seed, breath_s, rest_s, 0.2)
    ends, true = utterance_ends(sentences, pauses)[1:-1], np.array(truth)
    assert float(np.mean((ends > 0.5) == true)) > 0.93
    assert float(np.mean(true[ends >= c.END_SURE])) > 0.98


def test_where_breaths_and_rests_overlap_little_is_sure_and_that_is_right() -> None:
    sure: list[bool] = []
    for seed in range(4):
        sentences, pauses, truth = host(seed, 0.36, 0.5, 0.2)
        ends = utterance_ends(sentences, pauses)[1:-1]
        sure += np.array(truth)[ends >= c.END_SURE].tolist()
    assert len(sure) > 40
    assert np.mean(sure) > 0.93


def test_a_host_without_breaths_ends_an_utterance_at_every_pause() -> None:
    sentences, pauses, _ = host(3, 0.1, 0.5, 0.25, most=1)
    assert float(np.mean(utterance_ends(sentences, pauses) > 0.5)) > 0.95


def test_without_punctuation_pauses_decide() -> None:
    marked, bare = host(5, 0.3, 0.6, 0.2), host(5, 0.3, 0.6, 0.2, mark="")
    assert utterance_ends(*marked[:2]) == pytest.approx(utterance_ends(*bare[:2]))


def test_speech_that_runs_on_has_no_end() -> None:
    sentences, pauses, _ = host(6, 0.3, 0.6, 0.2)
    pauses[10] = 0.0
    assert utterance_ends(sentences, pauses)[11] < 0.3
    assert utterance_ends(sentences, [0.0] * len(pauses))[1:-1].max() == 0.0


def test_a_recogniser_that_runs_sentences_together_changes_little() -> None:
    sentences, pauses, truth = host(7, 0.3, 0.6, 0.2)
    together, between, inner = [], [], []
    for at in range(0, len(sentences) - 1, 2):
        one, other = sentences[at], sentences[at + 1]
        together.append(Sentence((*one.words, *other.words)))
        inner.append([Span(one.end, other.start)])
        between.append(pauses[at + 1] if at + 1 < len(pauses) else 0.0)
    ends = utterance_ends(together, between[: len(together) - 1], inner)[1:-1]
    assert np.mean((ends > 0.5) == np.array(truth)[1 : 2 * len(ends) : 2]) > 0.9


def test_few_sentences() -> None:
    assert utterance_ends((), ()).tolist() == [1.0]
    assert utterance_ends((sentence(0, 2, "好"),), ()).tolist() == [1.0, 1.0]


def test_a_longer_pause_never_speaks_less_for_an_end() -> None:
    pauses = np.geomspace(0.05, 60.0, 50)
    for breaths, rests in ((Lognormal(-1.4, 0.9), Lognormal(-0.5, 0.2)), (Lognormal(-1.0, 0.15), Lognormal(-0.7, 0.5))):
        odds = Habits(Lognormal(1.4, 0.3), rests, breaths).rest_odds(pauses)
        assert np.all(np.diff(odds) >= 0)
    assert Habits(Lognormal(1.4, 0.3), Lognormal(-0.5, 0.3), Lognormal(-1.0, 0.3)).rest_odds(np.zeros(1)) == c.END_UNPAUSED
