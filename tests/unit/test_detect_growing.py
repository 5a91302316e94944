"""Deciding a stream that is still on, against the answer for the whole of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clipper import detect
from clipper.detect.explanations import find_explanations
from clipper.errors import InputError
from clipper.values import Catalog, Evidence, Product, Segment, Transcript
from tests.bench.detect.simulate import SimulationOptions, simulate

STEP_S = 90.0


def stream(seed: int) -> tuple[Evidence, tuple[Product, ...]]:
    made = simulate(SimulationOptions(seed=seed, hours=0.4, products=8, distractors=10, regime="fast"))
    transcript = Transcript(
        language="zh", sentences=made.sentences, heard=(), duration=made.duration, engine="simulated", model="simulated"
    )
    return detect.gather(transcript, Catalog(path=None, products=made.products), made.log, made.picture, None), made.products


def label(segments: Sequence[Segment], time: float) -> str | None:
    """Give the product of a second, as the benchmark counts it: a digression belongs to its explanation."""
    return next((s.sku for s in segments if s.start <= time < s.end), None)


def test_a_lag_of_three_minutes_decides_as_the_whole_stream_does() -> None:
    agree = total = 0
    for seed in (21, 22):
        evidence, products = stream(seed)
        assert evidence.duration >= 20 * 60
        whole = find_explanations(evidence, products).segments
        until = 180.0 + STEP_S
        while until < evidence.duration:
            settled = detect.settled_explanations(evidence, products, until)
            seconds = [until - 180.0 - STEP_S + n for n in range(int(STEP_S))]
            agree += sum(label(settled, t) == label(whole, t) for t in seconds)
            total += len(seconds)
            until += STEP_S
    assert total >= 30 * 60
    assert agree / total >= 0.98


def test_what_comes_later_is_not_known() -> None:
    evidence, _ = stream(21)
    part = detect.known_until(evidence, 300.0)
    assert part.duration == 300.0
    assert part.sentences[-1].end <= 300.0 < evidence.sentences[-1].end
    assert part.mentions[-1].end <= 300.0
    assert part.log.cards is not None
    assert all(card.time <= 300.0 for card in part.log.cards)
    assert detect.known_until(evidence, evidence.duration + 1).sentences == evidence.sentences


def test_nothing_is_settled_at_the_start() -> None:
    evidence, products = stream(21)
    assert detect.settled_explanations(evidence, products, 120.0) == ()
    with pytest.raises(InputError, match="lag_s is -1"):
        detect.settled_explanations(evidence, products, 120.0, lag_s=-1)
