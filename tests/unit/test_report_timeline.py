"""Where things stand on the report's timeline, and how its numbers are written."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.values import Card, Order, Span, Track
from pipelines.review.timeline import card_spans, curve_kind, curve_lanes, downsample, hues, order_marks, percent, place
from pipelines.review.wording import LANGUAGES, clock, money, number, words


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(2, 600))
def test_thinning_keeps_the_extremes_the_order_and_the_limit(values: list[float], limit: int) -> None:
    points = downsample(Track(0.5, tuple(values)), limit)
    assert 1 <= len(points) <= limit
    assert max(value for _, value in points) == max(values) and min(value for _, value in points) == min(values)
    assert [time for time, _ in points] == sorted({time for time, _ in points})
    assert all(values[round(time / 0.5)] == value for time, value in points)


def test_thinning_leaves_out_what_is_not_finite() -> None:
    assert downsample(Track(1.0, (1.0, math.nan, math.inf, 2.0)), 10) == ((0.0, 1.0), (3.0, 2.0))
    assert downsample(Track(1.0, (math.nan,) * 50), 10) == ()
    assert downsample(Track(1.0, ()), 10) == ()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 30)), max_size=30))
def test_blocks_of_one_row_never_overlap(pairs: list[tuple[float, float]]) -> None:
    spans = [Span(start, start + length) for start, length in pairs]
    placed = place(spans, 130.0)
    assert len(placed) == len(spans)
    for one, (span, at) in enumerate(zip(spans, placed, strict=True)):
        assert at.left >= 0 and at.left + at.width <= 100.001
        for other in range(one):
            if placed[other].row == at.row:
                assert spans[other].shared(span) <= 1e-6


def test_positions_are_shares_of_the_length() -> None:
    assert [percent(t, 200.0) for t in (-5.0, 0.0, 50.0, 400.0)] == [0.0, 0.0, 25.0, 100.0]
    assert percent(5.0, 0.0) == 0.0
    first, second = place((Span(10.0, 20.0), Span(15.0, 30.0)), 100.0)
    assert (first.left, first.width, first.row, second.row) == (10.0, 10.0, 0, 1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("orders_per_viewer", "orders"),
        ("chat", "chat"),
        ("comments per minute", "chat"),
        ("loudness", "loudness"),
        ("posterior A001", "posterior"),
        ("sure of the product", "posterior"),
        ("viewers", "viewers"),
        ("clapping", "clapping"),
    ],
)
def test_signals_are_known_by_their_names(name: str, kind: str) -> None:
    assert curve_kind(name) == kind


def test_curves_of_one_kind_share_a_lane_and_take_their_products_colour() -> None:
    curves = [("posterior A1", Track(1.0, (0.0, 1.0))), ("posterior A10", Track(1.0, (1.0, 0.5))), ("chat", Track(1.0, (2.0, 7.25)))]
    lanes = curve_lanes(curves, ("A1", "A10"), 2.0, 600)
    assert [(lane.kind, [line.sku for line in lane.lines]) for lane in lanes] == [("posterior", ["A1", "A10"]), ("chat", [None])]
    assert lanes[1].top == "7.25"
    assert lanes[0].lines[0].path == "M0.0 100L0.0 100.0L500.0 6.0V100"


def test_a_curve_stays_inside_its_box() -> None:
    loud = curve_lanes([("loudness", Track(0.1, (-200.0, -3.0, -60.0, -20.0)))], (), 0.4, 600)[0].lines[0]
    heights = [float(y) for y in re.findall(r"L[\d.]+ ([\d.]+)", loud.path)]
    assert min(heights) == 6.0 and max(heights) == 100.0
    flat = curve_lanes([("chat", Track(1.0, (0.0, 0.0)))], (), 2.0, 600)[0].lines[0]
    assert "nan" not in flat.path


def test_many_posteriors_share_the_points_of_a_lane() -> None:
    curves = [(f"posterior P{n}", Track(0.5, (0.0, 1.0) * 5000)) for n in range(100)]
    lane = curve_lanes(curves, [f"P{n}" for n in range(100)], 5000.0, 600)[0]
    assert sum(len(line.points) for line in lane.lines) <= 100 * 60


def test_orders_become_strokes_as_high_as_they_sold() -> None:
    marks = order_marks(
        (Order(10.0, "A", 1.0), Order(10.05, "A", 3.0), Order(50.0, "A", 1.0), Order(90.0, "B", 4.0), Order(-5.0, "B", 9.0)), 100.0, 100
    )
    assert {mark.sku: mark.path for mark in marks} == {"A": "M105.0 100V0M505.0 100V38", "B": "M905.0 100V0"}
    assert order_marks((), 100.0, 100) == ()


def test_a_card_shows_until_it_is_hidden_or_another_comes() -> None:
    cards = (Card(5.0, "A"), Card(20.0, "B"), Card(25.0, "A", "hide"), Card(30.0, "B", "hide"), Card(40.0, "A"))
    assert card_spans(cards, 60.0) == (("A", Span(5.0, 20.0)), ("B", Span(20.0, 30.0)), ("A", Span(40.0, 60.0)))


def test_products_have_different_hues() -> None:
    given_hues = hues(f"P{n}" for n in range(12))
    assert len(set(given_hues.values())) == 12
    assert hues(["A", "A", "B"]) == {"A": given_hues["P0"], "B": given_hues["P1"]}
    assert all(0 <= hue < 360 for hue in hues(f"P{n}" for n in range(200)).values())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.9994, "0:59"), (59.9996, "1:00"), (61.5, "1:01"), (3600, "1:00:00"), (36_061, "10:01:01"), (-3, "0:00")],
)
def test_times_are_written_as_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7.9, "7.9"), (7.0, "7"), (0.00123, "0.00123"), (1234.5, "1234"), (100, "100"), (-14.83, "-14.8"), (math.inf, "–")],
)
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


def test_money_has_its_sign() -> None:
    assert [money(129.0), money(29.9), money(1299.5, "USD"), money(5.0, "THB"), money(None)] == ["¥129", "¥29.90", "$1,299.50", "5 THB", ""]


def test_both_languages_have_the_same_words() -> None:
    assert set(LANGUAGES["zh"]) == set(LANGUAGES["en"])
    for name, text in LANGUAGES["zh"].items():
        assert text and text.count("{}") == LANGUAGES["en"][name].count("{}"), name
        assert not hasattr(dict, name), f"{name} would be hidden behind dict.{name} in the template"
    assert words("zh-TW") is LANGUAGES["zh"] and words("de") is LANGUAGES["en"]
