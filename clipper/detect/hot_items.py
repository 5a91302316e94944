"""Decide which products are hot: selling far above what explained products usually get, per viewer, lag undone.

Orders decide where there are any. Without them chat does, through its purchase intent against an over-dispersed background;
without any log the speech alone hints, at low confidence. Only what happens around a product's own offer counts: a giveaway,
a quarrel or a celebrity moves the chat as well, and sells nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from clipper.detect import lags
from clipper.detect.chatter import cleaned
from clipper.detect.emissions import Read
from clipper.detect.lags import Floats
from clipper.errors import InputError
from clipper.values import Evidence, HotItem, Segment, Sentence, Span

INTENT = re.compile(
    r"多少钱|什么价|价格|怎么拍|怎么买|链接|拍了|已拍|下单|买了|抢到|没抢到|要了|来一|来两|想要|冲|有货|补货|尺码|几号|包邮|加购|付了"
    r"|how much|price|link|bought|ordered|got (?:one|two|mine|it)|take my money|checked? ?out|in stock|restock|need this|want (?:one|this|it)|size",
    re.IGNORECASE,
)
"""What people write when they want or have bought something."""
TALK_WEIGHT = 0.15
"""What a comment without purchase intent counts: interest shows in it too, but so does everything else."""
DISPERSION = {"orders": 1.6, "chat": 6.0}
"""Variance over mean of counts in half a minute: orders cluster a little (pieces, couples), chat a lot (5 to 17 measured raw, less when cleaned)."""
USUAL_SPREAD = 0.3
"""Standard deviation of the log rate between ordinary products: some sell 1.35 times better than others without being hot."""
SMALLEST_COUNT = {"orders": 6.0, "chat": 6.0}
"""Fewer attributed orders or comments than this prove nothing."""
CHAT_LAG_S = 10.0
MOST_CONFIDENT = {"orders": 0.99, "chat": 0.6, "speech": 0.35}
"""Chat confounds interest with purchase; speech shows what the host wants, not what the viewers do."""


@dataclass(frozen=True, kw_only=True)
class HotOptions:
    """What counts as hot."""

    least_uplift: float = 2.0
    """An item is hot when its rate exceeds its baseline by this factor, 1.2 to 10."""
    sure: float = 0.9
    """Probability that it does, 0.5 to 0.999, where there are orders; chat needs 0.8 of it."""
    min_s: float = 12.0
    """Shortest window in seconds, 5 to 60."""
    max_s: float = 45.0
    """Longest window in seconds, 15 to 120."""
    without_log: bool = True
    """Name the likeliest item from speech when nothing was logged."""

    def __post_init__(self) -> None:
        if not 1.2 <= self.least_uplift <= 10:
            raise InputError(f"hot.least_uplift is {self.least_uplift}: it must lie between 1.2 and 10")
        if not 0.5 <= self.sure <= 0.999:
            raise InputError(f"hot.sure is {self.sure}: it must lie between 0.5 and 0.999")
        if not 5 <= self.min_s <= 60 or not 15 <= self.max_s <= 120 or self.min_s >= self.max_s:
            raise InputError(
                f"hot.min_s and hot.max_s are {self.min_s} and {self.max_s}: they must lie in 5-60 and 15-120 seconds, in order"
            )


@dataclass(frozen=True, slots=True)
class Rate:
    """What one explanation's best stretch got."""

    segment: Segment
    count: float
    """Orders (or comments) attributed to the stretch."""
    exposure: float
    """Viewer-seconds of the stretch."""
    peak: float
    """Second of the strongest response, on the speech's side of the lag."""

    @property
    def per_viewer(self) -> float:
        """Rate per viewer-second."""
        return self.count / self.exposure if self.exposure > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One product's best explanation against its baseline."""

    rate: Rate
    uplift: float
    low: float
    high: float
    probability: float


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
    viewers = lags.audience_curve(_viewers(evidence), evidence.duration, step)
    rates, off_air = (
        _order_rates(evidence, segments, stream, viewers, step)
        if basis == "orders"
        else _chat_rates(evidence, segments, stream, viewers, step)
    )
    typical = _typical(rates)
    found = []
    for number, rate in enumerate(rates):
        judged = judge(rate, typical(number), off_air.get(rate.segment.sku, 0.0), basis, options)
        if judged.probability >= (options.sure if basis == "orders" else 0.8 * options.sure) and rate.count >= SMALLEST_COUNT[basis]:
            found.append(_item(evidence, judged, stream, basis, options))
    return tuple(sorted(found, key=lambda item: (-item.confidence, item.start)))


def _viewers(evidence: Evidence) -> tuple[tuple[float, float], ...] | None:
    return tuple((v.time, v.count) for v in evidence.log.viewers) if evidence.log.viewers else None


def _order_rates(
    evidence: Evidence, segments: Sequence[Segment], stream: Read, viewers: Floats, step: float
) -> tuple[list[Rate], dict[str, float]]:
    lag = lags.kernel(step)
    rates: list[Rate] = []
    off_air: dict[str, float] = {}
    impulses = {sku: impulse_curve(evidence, sku, viewers, step, lag) for sku in {segment.sku for segment in segments}}
    for segment in segments:
        rates.append(_best_stretch(segment, impulses[segment.sku], viewers, step))
    for sku, curve in impulses.items():
        away = np.ones(len(curve), bool)
        for segment in segments:
            if segment.sku == sku:
                away[int(segment.start / step) : int((segment.end + 30) / step) + 1] = False
        off_air[sku] = float((curve * viewers)[away].sum() / max(viewers[away].sum(), 1e-9)) if away.any() else 0.0
    return rates, off_air


def impulse_curve(evidence: Evidence, sku: str, viewers: Floats, step: float, lag: Floats | None = None) -> Floats:
    """Estimate orders per viewer and second that each moment set off: (steps,)."""
    orders = [o for o in evidence.log.orders or () if o.sku == sku and o.quantity > 0]
    times, quantities, buckets = (np.array([getattr(o, name) for o in orders], float) for name in ("time", "quantity", "bucket_s"))
    counts = lags.spread(times, quantities, buckets, evidence.duration, step)[: len(viewers)]
    return lags.deconvolve(counts, viewers, lags.kernel(step) if lag is None else lag) / step


def _chat_rates(
    evidence: Evidence, segments: Sequence[Segment], stream: Read, viewers: Floats, step: float
) -> tuple[list[Rate], dict[str, float]]:
    times, weights = intent(evidence)
    counts = np.zeros(len(viewers))
    np.add.at(counts, np.clip(((times - CHAT_LAG_S) / step).astype(int), 0, len(counts) - 1), weights)
    masked = counts.copy()
    for place, sentence in enumerate(stream.sentences):
        if any(stream.cue_counts.get(kind, np.zeros(len(stream.sentences)))[place] for kind in ("giveaway", "chitchat")):
            masked[int(sentence.start / step) : int((sentence.end + 15) / step) + 1] *= 0.3
    curve = masked / viewers / step
    quiet = float(np.median(curve[curve > 0])) if (curve > 0).any() else 0.0
    return [_best_stretch(segment, curve, viewers, step) for segment in segments], {s.sku: 0.5 * quiet for s in segments}


def intent(evidence: Evidence) -> tuple[Floats, Floats]:
    """Give times of the clean comments, and how much each speaks of buying."""
    comments = cleaned(evidence.log.comments or ())
    times = np.array([comment.time for comment in comments], float)
    weights = np.array([1.0 if INTENT.search(comment.text) else TALK_WEIGHT for comment in comments], float)
    return times, weights


def _best_stretch(segment: Segment, curve: Floats, viewers: Floats, step: float) -> Rate:
    """Take the half minute of an explanation that got the most per viewer."""
    first, last = int(segment.start / step), min(int((segment.end + 10) / step) + 1, len(curve))
    for gap in segment.interruptions:
        curve = curve.copy()
        curve[int(gap.start / step) : int(gap.end / step)] = 0.0
    width = max(1, round(min(30.0, max(segment.span.duration, 10.0)) / step))
    inside = (curve * viewers * step)[first:last]
    if not len(inside):
        return Rate(segment, 0.0, 1.0, segment.start)
    sums = np.convolve(inside, np.ones(min(width, len(inside))), "valid")
    begin = first + int(np.argmax(sums))
    end = begin + min(width, len(inside))
    smooth = np.convolve(curve[begin:end], np.ones(max(1, round(lags.SMOOTH_S / step))), "same")
    peak = (begin + int(np.argmax(smooth)) + 0.5) * step
    return Rate(segment, float(sums.max()), float(viewers[begin:end].sum() * step), min(peak, segment.end))


def _typical(rates: list[Rate]):  # type: ignore[no-untyped-def]
    """Make a function that pools what the other products usually get while they are explained: (count, exposure)."""
    best: dict[str, Rate] = {}
    for rate in rates:
        if rate.segment.sku not in best or rate.per_viewer > best[rate.segment.sku].per_viewer:
            best[rate.segment.sku] = rate

    def typical(number: int) -> tuple[float, float] | None:
        own = rates[number].segment.sku
        others = sorted((rate for sku, rate in best.items() if sku != own), key=lambda rate: rate.per_viewer)
        if not others:
            same = sorted((rate for at, rate in enumerate(rates) if at != number), key=lambda rate: rate.per_viewer)
            others = same
        if not others:
            return None
        middle = others[: max(1, (len(others) * 2 + 2) // 3)]  # the lower two thirds: a second hot item must not hide the first
        return sum(rate.count for rate in middle), sum(rate.exposure for rate in middle)

    return typical


def judge(rate: Rate, typical: tuple[float, float] | None, off_air: float, basis: Literal["orders", "chat"], options: HotOptions) -> Judged:
    """Estimate an explanation's uplift over its baseline, with a 90 % interval and P(uplift > least).

    The baseline is what other explained products usually get, or the product's own rate off the air where that is higher. Log
    rates of Gamma posteriors are compared as normals, with the spread between ordinary products added.
    """
    dispersion = DISPERSION[basis]
    if typical is None:
        count, exposure = off_air * rate.exposure, rate.exposure
        off_air = 0.0
    else:
        count, exposure = typical
    own = (rate.count + 0.5) / (rate.exposure + 1e-9)
    base = (count + 0.5) / (exposure + 1e-9)
    variance = dispersion / (rate.count + 0.5) + USUAL_SPREAD**2
    variance += dispersion / (count + 0.5) if base >= off_air else 0.0
    base = max(base, off_air)
    middle, spread = math.log(own / base), math.sqrt(variance)
    probability = 0.5 * math.erfc((math.log(options.least_uplift) - middle) / (spread * math.sqrt(2)))
    return Judged(rate, math.exp(middle), math.exp(middle - 1.645 * spread), math.exp(middle + 1.645 * spread), probability)


# --- the window ------------------------------------------------------------------------------------------


def _item(evidence: Evidence, judged: Judged, stream: Read, basis: Literal["orders", "chat"], options: HotOptions) -> HotItem:
    rate = judged.rate
    span, countdown = offer_window(rate.segment, rate.peak, stream, options)
    sold = None
    zh = evidence.language == "zh"
    if basis == "orders":
        sold = float(
            sum(
                o.quantity
                for o in evidence.log.orders or ()
                if o.sku == rate.segment.sku and span.start <= o.time + o.bucket_s / 2 < span.end + lags.LAG_MEDIAN_S
            )
        )
        reasons = [f"每位观众的下单是平时的 {judged.uplift:.1f} 倍" if zh else f"orders {judged.uplift:.1f}× per viewer"]
    else:
        reasons = [f"想买的评论是平时的 {judged.uplift:.1f} 倍" if zh else f"purchase comments {judged.uplift:.1f}× usual"]
    if countdown:
        reasons.append("倒计时" if zh else "countdown")
    confidence = min(judged.probability * rate.segment.confidence**0.5, MOST_CONFIDENT[basis])
    return HotItem(
        sku=rate.segment.sku,
        start=span.start,
        end=span.end,
        peak=round(min(max(rate.peak, span.start), span.end), 3),
        uplift=round(judged.uplift, 2),
        uplift_low=round(judged.low, 2),
        uplift_high=round(judged.high, 2),
        confidence=round(confidence, 3),
        basis=basis,
        sold=sold,
        reasons=tuple(reasons),
    )


def offer_window(segment: Segment, peak: float, stream: Read, options: HotOptions) -> tuple[Span, bool]:
    """Take whole sentences around a peak: from the one that sets up the offer (price, link) to where the response ends.

    Also tells whether the window counts down.
    """
    inside = [at for at, s in enumerate(stream.sentences) if segment.start - 0.3 <= s.start and s.end <= segment.end + 0.3]
    if not inside:
        return Span(segment.start, min(segment.end, segment.start + options.max_s)), False
    none = np.zeros(len(stream.sentences))
    offers = stream.cue_counts.get("price", none) + stream.cue_counts.get("link", none)
    urges = stream.cue_counts.get("urgency", none)
    centre = max((at for at in inside if stream.sentences[at].start <= peak), default=inside[0])
    early = [at for at in inside if at <= centre and offers[at] and peak - stream.sentences[at].start <= 0.75 * options.max_s]
    first = min(early) if early else centre
    last = max(first, centre)
    for at in inside:
        if (
            at > last
            and stream.sentences[at].end - stream.sentences[first].start <= options.max_s
            and (urges[at] or offers[at] or _length(stream, first, last) < options.min_s)
        ):
            last = at
    while last + 1 in inside and _length(stream, first, last) < options.min_s:
        last += 1
    while first - 1 in inside and _length(stream, first, last) < options.min_s:
        first -= 1
    while first < centre and _length(stream, first, last) > options.max_s:
        first += 1
    counts = any(_counts_down(stream.sentences[at]) for at in range(first, last + 1))
    return Span(stream.sentences[first].start, stream.sentences[last].end), counts


def _length(stream: Read, first: int, last: int) -> float:
    return stream.sentences[last].end - stream.sentences[first].start


def _counts_down(sentence: Sentence) -> bool:
    return bool(
        re.search(r"三[、,，]?\s*二[、,，]?\s*一|3\D{0,2}2\D{0,2}1|three,? two,? one|倒计时|倒数|countdown", sentence.text, re.IGNORECASE)
    )


# --- without any log ----------------------------------------------------------------------------------------


def _by_speech(evidence: Evidence, segments: Sequence[Segment], stream: Read, options: HotOptions) -> tuple[HotItem, ...]:
    """Name the one explanation whose offer is pressed hardest, when it stands out."""
    if len(segments) < 2:
        return ()
    pressed = [_pressure(evidence, segment, stream) for segment in segments]
    scores = np.array([score for score, _ in pressed])
    spread = max(1.4826 * float(np.median(np.abs(scores - np.median(scores)))), 0.15 * float(np.abs(scores).max() + 1e-9), 0.3)
    best = int(np.argmax(scores))
    z = float((scores[best] - np.median(scores)) / spread)
    if z < 1.5:
        return ()
    segment, peak = segments[best], pressed[best][1]
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
    confidence = min(MOST_CONFIDENT["speech"], 0.12 * z)
    return (replace(item, confidence=round(confidence, 3), reasons=tuple(reasons)),)


def _pressure(evidence: Evidence, segment: Segment, stream: Read) -> tuple[float, float]:
    """Score how hard an offer is pressed: urgency, countdown, energy of the voice over the host's median; and where most."""
    none = np.zeros(len(stream.sentences))
    urges, links = stream.cue_counts.get("urgency", none), stream.cue_counts.get("link", none)
    loud = loudness_z(evidence, stream.sentences)
    inside = [at for at, s in enumerate(stream.sentences) if segment.start - 0.3 <= s.start and s.end <= segment.end + 0.3]
    if not inside:
        return 0.0, segment.start
    value = [
        min(urges[at], 3) + 0.3 * min(links[at], 1) + 1.5 * _counts_down(stream.sentences[at]) + 0.3 * max(loud[at], 0) for at in inside
    ]
    return float(np.sum(value)), round(float(stream.sentences[inside[int(np.argmax(value))]].start), 3)


def loudness_z(evidence: Evidence, sentences: Sequence[Sentence]) -> Floats:
    """Give how loud each sentence is against the stream's own sentences, in robust standard deviations; zeros without a track."""
    track = evidence.loudness
    if track is None or not track.values or not sentences:
        return np.zeros(len(sentences))
    levels = np.asarray(track.values)
    heard = [levels[int(s.start / track.step) : max(int(s.start / track.step) + 1, int(s.end / track.step))] for s in sentences]
    typical = np.array([float(np.percentile(part, 80)) if len(part) else -60.0 for part in heard])
    middle = np.median(typical)
    scale: Floats = (typical - middle) / max(1.4826 * float(np.median(np.abs(typical - middle))), 0.5)
    return np.clip(scale, -4, 4)
