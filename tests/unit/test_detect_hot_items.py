"""What makes an item hot, sentence by sentence: the baseline, the interval, batches and refunds, dispersion."""

from __future__ import annotations

import numpy as np
import pytest

from clipper.detect.hot_items import HotOptions
from clipper.detect.lags import attribute, kernel
from clipper.detect.responses import Rate, dispersion_of, order_counts, pooled
from clipper.detect.uplift import DISPERSION, judge, usual
from clipper.values import AudienceLog, Evidence, Order, Segment

OPTIONS = HotOptions()


def rate(sku: str, count: float, exposure: float = 1000.0) -> Rate:
    return Rate(Segment(sku=sku, start=0.0, end=60.0, confidence=0.9), count, exposure)


def evidence(*orders: Order) -> Evidence:
    return Evidence(duration=600.0, language="zh", sentences=(), mentions=(), log=AudienceLog(orders=orders))


def test_the_baseline_is_what_others_usually_get() -> None:
    rates = [rate("A", 80), rate("B", 10), rate("C", 12), rate("D", 8), rate("E", 90)]
    count, exposure = usual(rates, "A") or (0.0, 0.0)
    assert count / exposure == pytest.approx(0.01, rel=0.01)  # E, hot itself, does not hide A
    assert usual([rate("A", 5)], "A") is None


def test_products_answered_about_in_passing_do_not_make_the_baseline() -> None:
    asides = [rate(f"X{n}", 0, 20) for n in range(6)]
    count, exposure = usual([rate("A", 30), rate("B", 20), rate("C", 22), *asides], "A") or (0.0, 0.0)
    assert count / exposure > 0.015


def test_explanations_of_one_product_are_pooled() -> None:
    both = pooled([rate("A", 4, 100), rate("A", 8, 300)])
    assert (both.count, both.exposure) == (12, 400)


def test_a_handful_of_orders_proves_little_and_says_so() -> None:
    few = judge(rate("A", 3), (2.0, 2000.0), 0.0, "orders", OPTIONS.least_uplift, 1.0, 5)
    many = judge(rate("A", 90), (60.0, 2000.0), 0.0, "orders", OPTIONS.least_uplift, 1.0, 5)
    assert few.probability < many.probability
    assert many.probability > 0.7
    assert few.high / few.low > 1.5 * many.high / many.low
    for judged in (few, many):
        assert judged.low <= judged.uplift <= judged.high


def test_the_luckiest_of_many_is_believed_less() -> None:
    of_five, of_sixty = (judge(rate("A", 12), (60.0, 12000.0), 0.0, "orders", OPTIONS.least_uplift, 1.0, n) for n in (5, 60))
    assert of_sixty.probability < of_five.probability


def test_what_sells_as_much_off_the_air_is_not_hot() -> None:
    on_air = judge(rate("A", 60), (20.0, 2000.0), 0.0, "orders", OPTIONS.least_uplift, 1.0, 5)
    always = judge(rate("A", 60), (20.0, 2000.0), 0.05, "orders", OPTIONS.least_uplift, 1.0, 5)
    assert on_air.probability > 0.9
    assert always.probability < 0.2


def test_bursts_widen_the_interval() -> None:
    calm, bursty = (judge(rate("A", 40), (60.0, 6000.0), 0.0, "chat", OPTIONS.least_uplift, phi, 8) for phi in (1.0, 15.0))
    assert bursty.probability < calm.probability
    assert bursty.high / bursty.low > calm.high / calm.low


def test_dispersion_is_measured_and_single_bursts_do_not_make_it() -> None:
    rng = np.random.default_rng(1)
    expected = np.full(3600, 0.5)
    plain = rng.poisson(0.5, 3600).astype(float)
    burst = plain.copy()
    burst[1000:1030] += 20
    clumped = np.repeat(rng.negative_binomial(1.0, 1 / 16, 120) / 30.0, 30)
    assert dispersion_of(plain, expected, 1.0) < 2
    assert dispersion_of(burst, expected, 1.0) < 2
    assert dispersion_of(clumped, expected, 1.0) > 5
    assert dispersion_of(plain[:60], expected[:60], 1.0) == 1.0
    assert DISPERSION["chat"] > DISPERSION["orders"]


def test_batches_are_spread_and_refunds_do_not_sell() -> None:
    minute = order_counts(evidence(Order(60.0, "A", 30.0, None, 60.0), Order(200.0, "A", -5.0, None, 60.0)), "A", 600, 1.0)
    assert minute.sum() == pytest.approx(30)
    assert minute[60:120] == pytest.approx(np.full(60, 0.5))
    single = order_counts(evidence(Order(60.0, "A", 3.0), Order(61.0, "B", 1.0)), "A", 600, 1.0)
    assert single.sum() == 1  # one line, however many pieces


def test_late_orders_belong_to_their_offer_and_not_to_the_next() -> None:
    lag, viewers = kernel(1.0), np.ones(900)
    first, second = np.zeros(900), np.zeros(900)
    first[50:80], second[200:230] = 1.0, 1.0
    counts = np.convolve(first, lag)[:900]
    found = attribute(counts, viewers, [first, second], lag, 1.0)
    assert found.counts[0] > 0.9 * counts.sum()
    assert found.counts[1] < 0.05 * counts.sum()


def test_twice_the_audience_is_not_twice_as_hot() -> None:
    lag, shape = kernel(1.0), np.zeros(600)
    shape[100:140] = 1.0
    rates = []
    for viewers in (np.full(600, 100.0), np.full(600, 200.0)):
        counts = 0.01 * viewers * np.convolve(shape, lag)[:600]
        found = attribute(counts, viewers, [shape], lag, 1.0)
        rates.append(found.counts[0] / found.exposures[0])
    assert rates[0] == pytest.approx(rates[1], rel=0.01)
