"""Clocks: a log that is off is brought back where that can be known, and left alone where it cannot."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from clipper import detect
from clipper.detect.clocks import ClockOptions, Heard, align, shifted
from clipper.detect.gathering import heard
from clipper.values import AudienceLog, Card, Catalog, Comment, Order, Sentence, Transcript, Viewers, Word
from tests.bench.detect.scripts import FARM, JEWEL, Script
from tests.unit.test_detect_find import evidence_of

OFFSETS = (-118.0, -25.0, 0.0, 4.0, 15.0, 60.0)
EACH_S = 4.0


def show(explanations: int, seed: int) -> tuple[Heard, list[tuple[float, float, str]], float]:
    """Make what speech says of a stream, and its truth: (start, end, sku)."""
    rng = random.Random(seed)
    skus = tuple(f"P{n}" for n in range(max(3, explanations // 2)))
    clock, truth = 10.0, []
    for _ in range(explanations):
        length = rng.uniform(30, 150)
        truth.append((clock, clock + length, rng.choice([s for s in skus if not truth or s != truth[-1][2]])))
        clock += length + rng.uniform(2, 30)
    size = int(clock / EACH_S)
    share, begin, offers = np.full((size, len(skus)), 0.01), np.zeros((size, len(skus))), np.zeros(size)
    for start, end, sku in truth:
        k, first, last = skus.index(sku), round(start / EACH_S), round(end / EACH_S)
        share[first:last, k] = 0.95
        begin[min(first, size - 1), k] = 0.9
        offers[min((first + last) // 2, size - 1)] = 1
    sentences = tuple(Sentence((Word(n * EACH_S, (n + 1) * EACH_S - 0.4, "词"),)) for n in range(size))
    names = tuple((f"product {sku.lower()}",) for sku in skus)
    return Heard(skus, names, sentences, share, begin, offers), truth, clock


def logged(truth: list[tuple[float, float, str]], channels: tuple[str, ...], rng: random.Random, density: float) -> AudienceLog:
    """Log a stream: cards by N(4, 5) s, orders and comments behind the speech, some of everything stray."""
    end = truth[-1][1]
    cards = [Card(start + rng.gauss(3.5, 5), sku) for start, _, sku in truth if rng.random() < 0.75]
    cards += [Card(rng.uniform(0, end), truth[0][2]) for _ in range(len(truth) // 12)]
    orders = [
        Order(rng.uniform((start + stop) / 2, stop) + rng.lognormvariate(3.2, 0.6), sku, 1.0)
        for start, stop, sku in truth
        for _ in range(round(10 * density))
    ]
    comments = [
        Comment(rng.uniform(start, stop) + rng.gammavariate(4, 2.5) + 5, f"u{n}", f"product {sku.lower()}?")
        for start, stop, sku in truth
        for n in range(round(4 * density))
    ]
    rows = {"cards": tuple(sorted(cards)), "orders": tuple(sorted(orders)), "comments": tuple(sorted(comments))}
    return AudienceLog(**{name: rows[name] for name in channels})  # type: ignore[arg-type]


def grid(channels: tuple[str, ...]) -> Iterator[tuple[float, float, float]]:
    """Yield true offset, error after alignment and confidence, over offsets and densities."""
    for explanations, density in ((4, 0.5), (12, 1.0), (24, 2.0)):
        for number, offset in enumerate(OFFSETS):
            seed = 100 * explanations + number
            speech, truth, duration = show(explanations, seed)
            log = logged(truth, channels, random.Random(seed), density)
            found = align(shifted(log, -offset), speech, duration, ClockOptions())
            yield offset, found.offset_s - offset, found.confidence


@pytest.mark.parametrize("channels", [("cards",), ("orders",), ("comments",), ("cards", "orders", "comments")], ids="-".join)
def test_an_offset_is_right_where_it_says_so_and_never_worse_than_none(channels: tuple[str, ...]) -> None:
    rows = list(grid(channels))
    assert all(abs(error) <= abs(offset) for offset, error, _ in rows if offset)
    assert all(abs(error) <= 2.5 for offset, error, _ in rows if offset == 0.0 and error)
    sure = [(error, confidence) for _, error, confidence in rows if confidence >= 0.5]
    assert all(abs(error) <= 5 for error, _ in sure)  # no nearer than the channels' own lags are known
    assert sum(abs(error) <= 2 for error, _ in sure) >= sum(confidence - 0.2 for _, confidence in sure)


def test_with_enough_cards_every_offset_is_found() -> None:
    speech, truth, duration = show(30, 5)
    log = logged(truth, ("cards", "orders"), random.Random(5), 1.0)
    for offset in OFFSETS:
        found = align(shifted(log, -offset), speech, duration, ClockOptions())
        assert found.offset_s == pytest.approx(offset, abs=4.0)
        assert found.residual_s < 5


def test_a_log_of_another_stream_is_left_alone() -> None:
    speech, _, duration = show(24, 6)
    rng = random.Random(6)
    cards = tuple(sorted(Card(rng.uniform(0, duration), rng.choice(speech.skus)) for _ in range(20)))
    found = align(AudienceLog(cards=cards), speech, duration, ClockOptions())
    assert found.offset_s == 0.0


def test_without_anything_to_compare_the_confidence_is_low() -> None:
    speech, truth, duration = show(4, 7)
    for log in (
        AudienceLog(),
        AudienceLog(cards=(Card(truth[0][0] + 30, truth[0][2]),)),
        AudienceLog(comments=(Comment(3.0, "u", "hello"),)),
    ):
        found = align(log, speech, duration, ClockOptions())
        assert (found.offset_s, found.confidence) == (0.0, 0.2)
    assert align(AudienceLog(cards=(Card(1.0, "P0"),) * 9), speech, duration, ClockOptions(reach_s=0)).offset_s == 0.0


def test_moving_a_log_keeps_what_is_on_the_recording() -> None:
    log = AudienceLog(cards=(Card(5.0, "A"), Card(50.0, "A")), viewers=(Viewers(5.0, 10.0),))
    moved = shifted(log, -20.0)
    assert [card.time for card in moved.cards or ()] == [30.0]
    assert [count.time for count in moved.viewers or ()] == [-15.0]
    assert shifted(log, 0.0) is log


BOTH = Script("both", "zh", FARM.products + JEWEL.products, FARM.lines + JEWEL.lines)


@pytest.mark.parametrize("offset", [-45.0, 60.0])
def test_gathering_moves_a_log_that_is_off_and_says_so(offset: float) -> None:
    plain = evidence_of(BOTH)
    transcript = Transcript(language="zh", sentences=plain.sentences, heard=(), duration=plain.duration, engine="", model="")
    cards = tuple(Card(start + 4, sku) for sku, start, _ in BOTH.truth)
    log = replace(AudienceLog(), cards=tuple(replace(card, time=card.time - offset) for card in cards))
    evidence = detect.gather(transcript, Catalog(path=None, products=BOTH.products), log, None, None)
    assert evidence.clock_offset_s == pytest.approx(offset, abs=3)
    assert any("clock" in warning for warning in evidence.warnings)
    assert [round(card.time - offset) for card in log.cards or ()] != [round(card.time) for card in evidence.log.cards or ()]


def test_what_is_heard_follows_the_speech() -> None:
    speech = heard(evidence_of(BOTH), BOTH.products)
    assert set(speech.skus) == {product.sku for product in BOTH.products}
    for sku, start, end in BOTH.truth:
        inside = [at for at, s in enumerate(speech.sentences) if start <= s.start and s.end <= end]
        assert speech.share[inside, speech.skus.index(sku)].mean() > 0.6
