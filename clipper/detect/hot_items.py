"""Decide which products are hot: selling far above what explained products usually get, per viewer, lag undone.

Orders decide where there are any. Without them chat does, through its purchase intent against an over-dispersed background;
without any log the speech alone hints, at low confidence. Only what happens around a product's own offer counts: a giveaway,
a quarrel or a celebrity moves the chat as well, and sells nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from clipper.detect import lags
from clipper.detect.hot_windows import offer_window, peak_of
from clipper.detect.lags import Floats
from clipper.detect.pressure import loudness_z, pressure
from clipper.detect.reading import Read
from clipper.detect.responses import Rate, impulse_curve, pooled, responses
from clipper.detect.uplift import Judged, judge
from clipper.errors import InputError
from clipper.values import Evidence, HotItem, Segment, Span

PRESSED, TALKED = 0.6, 0.4
"""Weights in the log odds of a robust standard deviation of how hard the host presses a product, and of the log odds that the chat
gives it when orders decide: both go with sales, and also without. Fitted on 36 simulated streams, no worse on 13 spoken ones."""
STANDING = MappingProxyType({"orders": -0.3, "chat": -0.5})
"""What the weaker signs add on average."""
TALK_USUAL = 0.2
"""Probability that the chat gives a product on average."""
SMALLEST_COUNT = {"orders": 2.5, "chat": 6.0}
"""Fewer attributed orders or comments than this prove nothing: of three orders a little is always given to no offer."""
STANDS_OUT, SPEECH_TELLS = 1.5, 0.15
"""Robust standard deviations from which the hardest pressed product is named by speech alone, and its confidence for each."""
MOST_CONFIDENT = {"orders": 0.99, "chat": 0.85, "speech": 0.45}
"""Chat confounds interest with purchase; speech shows what the host wants, not what the viewers do."""


@dataclass(frozen=True, kw_only=True)
class HotOptions:
    """What counts as hot."""

    least_uplift: float = 2.0
    """An item is hot when its rate exceeds its baseline by this factor, 1.2 to 10."""
    sure: float = 0.45
    """Probability that it does, 0.3 to 0.999, from which an item is named where there are orders; its confidence tells it."""
    sure_chat: float = 0.7
    """The same where only chat was logged."""
    min_s: float = 12.0
    """Shortest window in seconds, 5 to 60."""
    max_s: float = 45.0
    """Longest window in seconds, 15 to 120."""
    without_log: bool = True
    """Name the likeliest item from speech when nothing was logged."""

    def __post_init__(self) -> None:
        if not 1.2 <= self.least_uplift <= 10:
            raise InputError(f"hot.least_uplift is {self.least_uplift}: it must lie between 1.2 and 10")
        for name in ("sure", "sure_chat"):
            if not 0.3 <= getattr(self, name) <= 0.999:
                raise InputError(f"hot.{name} is {getattr(self, name)}: it must lie between 0.3 and 0.999")
        if not 5 <= self.min_s <= 60 or not 15 <= self.max_s <= 120 or self.min_s >= self.max_s:
            raise InputError(
                f"hot.min_s and hot.max_s are {self.min_s} and {self.max_s}: they must lie in 5-60 and 15-120 seconds, in order"
            )


def find_hot_items(evidence: Evidence, segments: Sequence[Segment], stream: Read, options: HotOptions | None = None) -> tuple[HotItem, ...]:
    """Find the hot items among explained products, the surest first; at most one window per explanation."""
    options = options or HotOptions()
    if evidence.log.orders:
        return _by_counts(evidence, segments, stream, "orders", options)
    if evidence.log.comments:
        return _by_counts(evidence, segments, stream, "chat", options)
    return _by_speech(evidence, segments, stream, options) if options.without_log else ()


def _by_counts(
    evidence: Evidence, segments: Sequence[Segment], stream: Read, basis: Literal["orders", "chat"], options: HotOptions
) -> tuple[HotItem, ...]:
    step = max(1.0, evidence.duration / 3600.0)
    viewers = lags.audience_curve(tuple((v.time, v.count) for v in evidence.log.viewers or ()), evidence.duration, step)
    rates, off_air, phi = responses(evidence, segments, stream, viewers, step, basis)
    judged = judge(rates, off_air, basis, options.least_uplift, phi)
    support = _support(evidence, segments, stream, viewers, step, basis, options)
    sure = options.sure if basis == "orders" else options.sure_chat
    found = []
    for sku, told in judged.items():
        own = pooled([rate for rate in rates if rate.segment.sku == sku])
        told = replace(told, probability=_logistic(_logit(told.probability) + support[sku]))
        if told.probability < sure or own.count < SMALLEST_COUNT[basis]:
            continue
        curve = impulse_curve(evidence, sku, viewers, step) if basis == "orders" else None
        for rate in rates:
            if rate.segment.sku == sku and rate.count >= 1.0 and rate.per_viewer >= 0.5 * own.per_viewer:
                found.append(_item(evidence, rate, told, stream, curve, step, basis, options))
    return tuple(sorted(found, key=lambda item: (-item.confidence, item.start)))


def _support(
    evidence: Evidence,
    segments: Sequence[Segment],
    stream: Read,
    viewers: Floats,
    step: float,
    basis: Literal["orders", "chat"],
    options: HotOptions,
) -> Mapping[str, float]:
    """Give what the weaker channels add to each product's log odds: how hard the host presses, and the chat where orders decide."""
    pressed = _pressed(evidence, segments, stream)
    support = {sku: STANDING[basis] + PRESSED * max(-1.5, min(2.0, score)) for sku, (score, _, _) in pressed.items()}
    if basis == "orders" and evidence.log.comments:
        rates, off_air, phi = responses(evidence, segments, stream, viewers, step, "chat")
        for sku, told in judge(rates, off_air, "chat", options.least_uplift, phi).items():
            support[sku] += TALKED * max(-2.0, min(2.0, _logit(told.probability) - _logit(TALK_USUAL)))
    return support


def _pressed(evidence: Evidence, segments: Sequence[Segment], stream: Read) -> dict[str, tuple[float, Segment, float]]:
    """Say how hard each product is pressed where it is most, in robust standard deviations over the products; where, and the moment."""
    loud = loudness_z(evidence, stream.sentences)
    hardest: dict[str, tuple[float, Segment, float]] = {}
    for segment in segments:
        score, peak = pressure(loud, segment, stream)
        if segment.sku not in hardest or score > hardest[segment.sku][0]:
            hardest[segment.sku] = (score, segment, peak)
    scores = np.array([score for score, _, _ in hardest.values()])
    middle = float(np.median(scores)) if len(scores) else 0.0
    spread = max(1.4826 * float(np.median(np.abs(scores - middle))), LEAST_SPREAD) if len(scores) else 1.0
    return {sku: ((score - middle) / spread, segment, peak) for sku, (score, segment, peak) in hardest.items()}


LEAST_SPREAD = 0.5
"""Least standard deviation of how hard products are pressed: one countdown is 1.5."""


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(bounded / (1 - bounded))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _item(
    evidence: Evidence,
    rate: Rate,
    judged: Judged,
    stream: Read,
    curve: Floats | None,
    step: float,
    basis: Literal["orders", "chat"],
    options: HotOptions,
) -> HotItem:
    peak = peak_of(rate.segment, stream, curve, step)
    span, countdown = offer_window(rate.segment, peak, stream, options)
    zh, sold = evidence.language == "zh", None
    if basis == "orders":
        sold = pieces_sold(evidence, rate.segment.sku, span)
        reasons = [f"每位观众的下单是平时的 {judged.uplift:.1f} 倍" if zh else f"orders {judged.uplift:.1f}× per viewer"]
    else:
        reasons = [f"想买的评论是平时的 {judged.uplift:.1f} 倍" if zh else f"purchase comments {judged.uplift:.1f}× usual"]
    if countdown:
        reasons.append("倒计时" if zh else "countdown")
    return HotItem(
        sku=rate.segment.sku,
        start=span.start,
        end=span.end,
        peak=round(min(max(peak, span.start), span.end), 3),
        uplift=round(judged.uplift, 2),
        uplift_low=round(judged.low, 2),
        uplift_high=round(judged.high, 2),
        confidence=round(min(judged.probability * rate.segment.confidence**0.5, MOST_CONFIDENT[basis]), 3),
        basis=basis,
        sold=sold,
        reasons=tuple(reasons),
    )


def pieces_sold(evidence: Evidence, sku: str, span: Span) -> float:
    """Count the pieces sold inside a window and within the usual lag after it; corrections count as they are logged."""
    orders = (o for o in evidence.log.orders or () if o.sku == sku)
    return float(sum(o.quantity for o in orders if span.start <= o.time + o.bucket_s / 2 < span.end + lags.LAG_MEDIAN_S))


def _by_speech(evidence: Evidence, segments: Sequence[Segment], stream: Read, options: HotOptions) -> tuple[HotItem, ...]:
    """Name the one product whose offer is pressed hardest, when it stands out."""
    pressed = _pressed(evidence, segments, stream)
    if len(pressed) < 2:
        return ()
    z, segment, peak = max(pressed.values(), key=lambda told: told[0])
    if z < STANDS_OUT:
        return ()
    span, countdown = offer_window(segment, peak, stream, options)
    zh = evidence.language == "zh"
    reasons = ["只凭主播的语言判断，没有订单数据" if zh else "judged from speech alone, no order data"]
    if countdown:
        reasons.append("倒计时" if zh else "countdown")
    item = HotItem(
        sku=segment.sku,
        start=span.start,
        end=span.end,
        peak=peak,
        uplift=1.0,
        uplift_low=0.5,
        uplift_high=5.0,
        confidence=0.0,
        basis="speech",
    )
    confidence = min(MOST_CONFIDENT["speech"], SPEECH_TELLS * z)
    return (replace(item, confidence=round(confidence, 3), reasons=tuple(reasons)),)
