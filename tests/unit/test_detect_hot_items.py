"""What makes an item hot, sentence by sentence: the baseline, the interval, batches and refunds, dispersion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.detect.hot_items import HotOptions
from clipper.detect.lags import attribute, kernel
from clipper.detect.responses import BOUGHT, Rate, dispersion_of, order_counts, pooled
from clipper.detect.uplift import DISPERSION, Basis, Judged, judge
from clipper.values import AudienceLog, Evidence, Order, Segment

OPTIONS = HotOptions()


def rate(sku: str, count: float, exposure: float = 1000.0, offered: float = 0.98) -> Rate:
    return Rate(Segment(sku=sku, start=0.0, end=60.0, confidence=0.9), count, exposure, offered)


def judged(*rates: Rate, off_air: float = 0.0, basis: Basis = "orders", dispersion: float = 1.0) -> Judged:
    """Judge product A among others."""
    return judge(rates, {"A": off_air}, basis, OPTIONS.least_uplift, dispersion)["A"]


ORDINARY = tuple(rate(sku, count) for sku, count in zip("BCDF", (10, 12, 8, 11), strict=True))


def evidence(*orders: Order) -> Evidence:
    return Evidence(duration=600.0, language="zh", sentences=(), mentions=(), log=AudienceLog(orders=orders))


def test_the_baseline_is_what_others_usually_get() -> None:
    hot = judged(rate("A", 80), *ORDINARY, rate("E", 90))  # E, hot itself, does not hide A
    assert hot.probability > 0.95
    assert hot.low < 8 < hot.high
    assert judged(rate("A", 10), *ORDINARY, rate("E", 90)).probability < 0.05
    assert judge((), {}, "orders", 2.0) == {}


def test_products_answered_about_in_passing_do_not_make_the_baseline() -> None:
    asides = [rate(f"X{n}", 0, 600, 0.8) for n in range(4)]
    assert judged(rate("A", 11), *ORDINARY, *asides).probability < 0.15


def test_an_answer_in_passing_does_not_hide_what_sells() -> None:
    assert judged(rate("A", 60), rate("A", 0, 1500, 0.8), *ORDINARY).uplift > 3.5


def test_one_hot_explanation_of_several_does_not_make_its_product_usual() -> None:
    other = (rate("G", 10), rate("G", 70), rate("G", 9))
    assert judged(rate("A", 45), *ORDINARY, *other).probability > 0.9


def test_explanations_of_one_product_are_pooled() -> None:
    both = pooled([rate("A", 4, 100), rate("A", 8, 300)])
    assert (both.count, both.exposure) == (12, 400)


def test_a_handful_of_orders_proves_little_and_says_so() -> None:
    few = judged(rate("A", 3), rate("B", 1), rate("C", 0), rate("D", 1))
    many = judged(rate("A", 90), rate("B", 30), rate("C", 27), rate("D", 33))
    assert few.probability < many.probability
    assert many.probability > 0.7
    assert few.high / few.low > 1.5 * many.high / many.low
    for told in (few, many):
        assert told.low <= told.uplift <= told.high


def test_what_sells_as_much_off_the_air_is_not_hot() -> None:
    assert judged(rate("A", 60), *ORDINARY).probability > 0.9
    assert judged(rate("A", 60), *ORDINARY, off_air=0.05).probability < 0.2


def test_bursts_widen_the_interval() -> None:
    calm, bursty = (judged(rate("A", 400), *(rate(sku, 100) for sku in "BCDF"), basis="chat", dispersion=phi) for phi in (1.0, 15.0))
    assert bursty.probability < calm.probability
    assert bursty.high / bursty.low > calm.high / calm.low


def test_comments_that_double_may_stand_for_more_than_twice_the_sales() -> None:
    orders, chat = (judged(rate("A", 220, 10000), *(rate(s, 100, 10000) for s in "BCDF"), basis=basis) for basis in ("orders", "chat"))
    assert orders.high < 4 < chat.high


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.floats(0, 500), st.floats(1, 1e6)), min_size=1, max_size=8))
def test_every_product_gets_an_ordered_interval(rows: list[tuple[str, float, float]]) -> None:
    for told in judge([rate(*row) for row in rows], {}, "orders", 2.0).values():
        assert 0 < told.low <= told.uplift <= told.high
        assert -1e-9 <= told.probability <= 1


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


@pytest.mark.parametrize("text", ["已拍", "拍了两份", "小鱼 正在去购买", "阿花刚刚购买了", "冲冲冲", "just ordered", "got two"])
def test_purchases_are_seen_in_the_chat(text: str) -> None:
    assert BOUGHT.search(text)


@pytest.mark.parametrize("text", ["多少钱", "怎么拍", "冲泡要多少水", "how much", "forgot it"])
def test_questions_are_not_purchases(text: str) -> None:
    assert not BOUGHT.search(text)
