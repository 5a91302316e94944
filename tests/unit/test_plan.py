"""From findings to plans: which clips are made, and what each one says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from clipper.errors import InputError
from clipper.plan import PlanOptions, Stream, best_takes, plan_clips, price_text
from clipper.values import AudienceLog, Evidence, Findings, HotItem, Product, Recording, Segment, Span, Teaser
from tests.conftest import sentence

CUP = Product(sku="A", title="暖川 保温杯 大容量便携防漏水杯", aliases=("保温杯",), brand="暖川", price=59, list_price=129, link=1)
HAT = Product(sku="B", title="北巷 羊毛帽 柔软亲肤不扎头", aliases=("羊毛帽",), brand="北巷", price=39.9, link=2)
LINES = (
    sentence(1, 5, "先看这个保温杯很好用"),
    sentence(6, 10, "大容量便携防漏带出门"),
    sentence(11, 15, "倒过来一滴水都不漏"),
    sentence(16, 20, "杯口打磨得很圆不烫嘴"),
    sentence(21, 25, "今天只要59块赶紧拍一号链接"),
    sentence(30, 34, "再看这个羊毛帽很柔软"),
    sentence(35, 39, "戴在头上一点都不扎"),
)
PAUSES = tuple(Span(a.end, b.start) for a, b in pairwise(LINES))


def stream(recording: Recording) -> Stream:
    evidence = Evidence(duration=60, language="zh", sentences=LINES, mentions=(), log=AudienceLog())
    return Stream(recording=recording, evidence=evidence, products=(CUP, HAT), pauses=PAUSES, valid_until="2026-11-24T23:59:59+08:00")


def segment(sku: str, start: float, end: float, confidence: float = 0.9) -> Segment:
    return Segment(sku=sku, start=start, end=end, confidence=confidence, reasons=("商品卡",))


def found(*segments: Segment, hot: tuple[HotItem, ...] = (), teasers: tuple[Teaser, ...] = ()) -> Findings:
    return Findings(segments=segments, hot_items=hot, teasers=teasers)


HOT = HotItem(sku="A", start=5.8, end=25.2, peak=22, uplift=6, uplift_low=3, uplift_high=9, confidence=0.9, basis="orders", sold=41)


def test_explanations_follow_the_catalogue_then_hot_items_then_teasers(recording: Recording) -> None:
    findings = found(segment("B", 29.8, 39.2), segment("A", 0.8, 25.2), hot=(HOT,), teasers=(Teaser(pieces=(Span(10.8, 15.2),), score=1),))
    plans = plan_clips(stream(recording), findings, PlanOptions())
    assert [(plan.id, plan.type, plan.sku) for plan in plans] == [
        ("c1", "explanation", "A"),
        ("c2", "explanation", "B"),
        ("c3", "hot_item", "A"),
        ("c4", "teaser", None),
    ]


def test_the_best_take_is_cut_and_the_others_are_told() -> None:
    takes = [segment("A", 0, 9), segment("A", 100, 150), segment("A", 200, 250, confidence=0.4)]
    ((first, others),) = best_takes((CUP,), found(*takes), PlanOptions())
    assert first == takes[1]
    assert set(others) == {takes[0], takes[2]}


def test_what_is_unsure_or_tiny_becomes_no_clip() -> None:
    assert best_takes((CUP,), found(segment("A", 0, 30, confidence=0.1), segment("A", 50, 53)), PlanOptions()) == []
    (doubtful, _), *rest = best_takes((CUP,), found(segment("unknown-1", 0, 30, confidence=0.15)), PlanOptions())
    assert (doubtful.sku, rest) == ("unknown-1", [])  # a doubtful topic is still talk of something that is sold


def test_the_perishable_end_goes_and_takes_its_stamp_with_it(recording: Recording) -> None:
    options = PlanOptions(explanation=replace(PlanOptions().explanation, min_s=15.0))
    (plan,) = plan_clips(stream(recording), found(segment("A", 0.8, 25.2)), options)
    assert plan.sources[-1].end <= 20.5
    assert not any(claim.perishable for claim in plan.claims)
    assert plan.valid_until is None


def test_a_hot_item_keeps_its_offer_and_is_stamped(recording: Recording) -> None:
    (plan,) = plan_clips(stream(recording), found(hot=(HOT,)), PlanOptions())
    prices = [claim for claim in plan.claims if claim.kind == "price"]
    assert [(claim.value, claim.catalogue) for claim in prices] == [(59, 59)]
    assert plan.valid_until == "2026-11-24T23:59:59+08:00"
    assert plan.badge == "已售41件"


@pytest.mark.parametrize("basis", ["chat", "speech"])
def test_no_badge_without_orders(recording: Recording, basis: str) -> None:
    (plan,) = plan_clips(stream(recording), found(hot=(replace(HOT, basis=basis, sold=None),)), PlanOptions())
    assert plan.badge == ""
    assert "sold" not in plan.title
    assert "卖出" not in plan.title
    assert plan.notes == (f"hot by {basis} only: no order data",)


def test_a_teaser_ends_with_the_room(recording: Recording) -> None:
    teaser = Teaser(pieces=(Span(10.8, 15.2), Span(0.8, 5.2)), score=0.8, sku="A")
    (plan,) = plan_clips(stream(recording), found(teasers=(teaser,)), PlanOptions(room="暖川家居"))
    assert plan.sources == teaser.pieces
    assert plan.end_card == "来直播间\n暖川家居"
    assert plan.duration == pytest.approx(8.8 + 2.0)


def test_only_what_is_asked_for_is_made(recording: Recording) -> None:
    plans = plan_clips(stream(recording), found(segment("A", 0.8, 25.2), hot=(HOT,)), PlanOptions(types=("hot_item",)))
    assert [plan.type for plan in plans] == ["hot_item"]


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [(59, "CNY", "¥59"), (39.9, "CNY", "¥39.9"), (100, "USD", "$100"), (None, "CNY", ""), (5, "CHF", "CHF 5")],
)
def test_prices_are_printed_as_people_write_them(price: float | None, currency: str, text: str) -> None:
    assert price_text(replace(CUP, price=price, currency=currency)) == text


@pytest.mark.parametrize("wrong", [{"types": ("clip",)}, {"width_px": 1081}, {"fps": 0}])
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        PlanOptions(**wrong)  # type: ignore[arg-type]
