"""Decide which products are hot: selling far above what explained products usually get, per viewer, lag undone.

Orders decide where there are any. Without them chat does, through its purchase intent against an over-dispersed background;
without any log the speech alone hints, at low confidence. Only what happens around a product's own offer counts: a giveaway,
a quarrel or a celebrity moves the chat as well, and sells nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
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
    r"|how much|price|link|bought|ordered|got (?:one|two|mine|it)|take my money|checked? ?out"
    r"|in stock|restock|need this|want (?:one|this|it)|size",
    re.IGNORECASE,
)
"""What people write when they want or have bought something."""
TALK_WEIGHT = 0.15
"""What a comment without purchase intent counts: interest shows in it too, but so does everything else."""
DISPERSION = {"orders": 1.2, "chat": 3.0}
"""Variance over mean of counts: order lines cluster a little, chat a lot (5 to 17 measured raw; less when cleaned and weighed)."""
BEFORE_OFFER = 0.15
"""How strongly an explanation invites orders before its price or link is named."""
ORDINARY, HOT = (0.0, 0.35), (math.log(3.5), 0.7)
"""Middle and standard deviation of log uplifts: ordinary products lie within a third of each other, hot ones sell two to nine times."""
HOT_EACH, MOST_HOT = 1.5, 0.25
"""A stream has one or two hot items however many products it shows; of a few products one in four may be."""
_LOGS = np.linspace(-3.0, 4.0, 701)
"""Log uplifts that are weighed against each other."""
MISFIT = MappingProxyType({"orders": 0.3, "chat": 0.5})
"""What rates are wrong by, in logs, however many counts: offers are placed by a sentence or two, lags are guessed, and a comment is
not a purchase."""
FAR_ABOVE = 2.0
"""Other products above this ratio to the lower third are hot themselves and do not make the usual."""
WINDOW_S = 30.0
"""Window in which dispersion is measured."""
FADES_S = 30.0
"""Seconds in which the pull of an offer fades once the talk has gone on."""
OPENING_SHARE = 0.2
"""Share of an explanation that is opening: a price there is a promise."""
REST_REACH = 2
"""Sentences that an edge of a window moves at most to lie in a rest."""
REST_WORTH_S = 8.0
"""Seconds that an edge of a window may move from no pause to a full rest; in proportion between, for the offer itself matters more."""
FUSED = 0.5
"""Weight of a standard deviation of a weaker channel in the log odds: comments and pressure go with sales, and also without."""
SMALLEST_COUNT = {"orders": 3.0, "chat": 6.0}
"""Fewer attributed orders or comments than this prove nothing."""
OPENING_S = 60.0
"""The chat of the first minute greets."""
CHAT_LAG_S = 10.0
"""Median seconds from speech to comment."""
MOST_CONFIDENT = {"orders": 0.99, "chat": 0.6, "speech": 0.35}
"""Chat confounds interest with purchase; speech shows what the host wants, not what the viewers do."""


@dataclass(frozen=True, kw_only=True)
class HotOptions:
    """What counts as hot."""

    least_uplift: float = 2.0
    """An item is hot when its rate exceeds its baseline by this factor, 1.2 to 10."""
    sure: float = 0.7
    """Probability that it does, 0.5 to 0.999, from which an item is named where there are orders."""
    sure_chat: float = 0.85
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
            if not 0.5 <= getattr(self, name) <= 0.999:
                raise InputError(f"hot.{name} is {getattr(self, name)}: it must lie between 0.5 and 0.999")
        if not 5 <= self.min_s <= 60 or not 15 <= self.max_s <= 120 or self.min_s >= self.max_s:
            raise InputError(
                f"hot.min_s and hot.max_s are {self.min_s} and {self.max_s}: they must lie in 5-60 and 15-120 seconds, in order"
            )


@dataclass(frozen=True, slots=True)
class Rate:
    """What one explanation's offer got."""

    segment: Segment
    count: float
    """Orders (or comments) attributed to the offer."""
    exposure: float
    """Viewer-seconds that the offer could be answered in."""

    @property
    def per_viewer(self) -> float:
        """Rate per viewer-second, shrunk by half an order."""
        return (self.count + 0.5) / (self.exposure + 1e-9)


@dataclass(frozen=True, slots=True)
class Judged:
    """A product's response against its baseline."""

    uplift: float
    low: float
    high: float
    probability: float
    """That the uplift exceeds the least one."""


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
    support = _support(evidence, segments, stream, viewers, step, basis, options)
    skus = tuple(dict.fromkeys(segment.sku for segment in segments))
    found = []
    for sku in skus:
        own = pooled([rate for rate in rates if rate.segment.sku == sku])
        judged = judge(own, usual(rates, sku), off_air.get(sku, 0.0), basis, options, phi, len(skus))
        judged = replace(judged, probability=_logistic(_logit(judged.probability) + support.get(sku, 0.0)))
        if judged.probability < (options.sure if basis == "orders" else options.sure_chat) or own.count < SMALLEST_COUNT[basis]:
            continue
        curve = impulse_curve(evidence, sku, viewers, step) if basis == "orders" else None
        for rate in rates:
            if rate.segment.sku == sku and rate.count >= 1.0 and rate.per_viewer >= 0.5 * own.per_viewer:
                found.append(_item(evidence, rate, judged, stream, curve, step, basis, options))
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
    """Give what the weaker channels add to each product's log odds: purchase comments (to orders), and how hard the host presses."""
    support: dict[str, float] = {}
    if basis == "orders" and evidence.log.comments:
        rates, off_air, phi = responses(evidence, segments, stream, viewers, step, "chat")
        for sku in {segment.sku for segment in segments}:
            judged = judge(
                pooled([r for r in rates if r.segment.sku == sku]), usual(rates, sku), off_air.get(sku, 0.0), "chat", options, phi
            )
            spread = math.log(judged.high / judged.low) / (2 * 1.645)
            support[sku] = FUSED * max(-2.0, min(2.0, math.log(judged.uplift) / spread))
    loud = loudness_z(evidence, stream.sentences)
    pressed = np.array([_pressure(loud, segment, stream)[0] for segment in segments])
    scale = max(1.4826 * float(np.median(np.abs(pressed - np.median(pressed)))), 0.5) if len(pressed) else 1.0
    hardest: dict[str, float] = {}
    for segment, value in zip(segments, pressed, strict=True):
        hardest[segment.sku] = max(hardest.get(segment.sku, -9.0), float(value - np.median(pressed)) / scale)
    for sku, value in hardest.items():
        support[sku] = support.get(sku, 0.0) + FUSED * max(-1.5, min(2.0, value))
    return support


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(bounded / (1 - bounded))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def responses(
    evidence: Evidence, segments: Sequence[Segment], stream: Read, viewers: Floats, step: float, basis: Literal["orders", "chat"]
) -> tuple[list[Rate], dict[str, float], float]:
    """Attribute orders (or purchase comments) to the offers that brought them: one rate per explanation, rates off the air, dispersion.

    Orders know their product, so each product's explanations share only its own; comments are shared by all explanations.
    """
    shapes = [offer_shape(segment, stream, len(viewers), step) for segment in segments]
    if basis == "chat":
        kernel = lags.kernel(step, CHAT_LAG_S, 0.5)
        counts = _intent_counts(evidence, stream, len(viewers), step)
        settled = np.where(np.arange(len(viewers)) < OPENING_S / step, 0.0, viewers)
        fit = lags.attribute(counts, settled, shapes, kernel, step)
        rates = [Rate(segment, count, exposure) for segment, count, exposure in zip(segments, fit.counts, fit.exposures, strict=True)]
        return rates, {segment.sku: fit.background for segment in segments}, dispersion_of(counts, fit.expected, step)
    by_sku = {
        sku: [at for at, segment in enumerate(segments) if segment.sku == sku] for sku in sorted({segment.sku for segment in segments})
    }
    counts_of = {sku: order_counts(evidence, sku, len(viewers), step) for sku in by_sku}
    kernel = lags.best_kernel([(counts_of[sku], [shapes[at] for at in ats]) for sku, ats in sorted(by_sku.items())], viewers, step)
    rates_at: dict[int, Rate] = {}
    off_air, expected = {}, np.zeros(len(viewers))
    for sku, ats in by_sku.items():
        fit = lags.attribute(counts_of[sku], viewers, [shapes[at] for at in ats], kernel, step)
        off_air[sku] = fit.background
        expected += fit.expected
        for at, count, exposure in zip(ats, fit.counts, fit.exposures, strict=True):
            rates_at[at] = Rate(segments[at], count, exposure)
    phi = dispersion_of(sum(counts_of.values(), np.zeros(len(viewers))), expected, step)
    return [rates_at[at] for at in range(len(segments))], off_air, phi


def offer_shape(segment: Segment, stream: Read, size: int, step: float) -> Floats:
    """Give how strongly each moment invites orders: a little from an explanation's start, fully from its offer, fading after it.

    Hosts who name the price in one sentence sell for as long as those who take a minute, so the offer goes on for a while.
    """
    shape = np.zeros(size)
    begin, end = int(offer_start(segment, stream) / step), int(segment.end / step) + 1
    shape[int(segment.start / step) : end] = BEFORE_OFFER
    shape[begin:end] = 1.0
    shape[end:] = np.exp(-np.arange(max(size - end, 0)) * step / FADES_S)
    for gap in segment.interruptions:
        shape[int(gap.start / step) : int(gap.end / step)] *= 0.5
    return shape


def offer_start(segment: Segment, stream: Read) -> float:
    """Find where an explanation turns to its offer: the first sentence, past its opening, that names the price or calls the link."""
    opening = segment.start + OPENING_SHARE * segment.span.duration
    product = next((p for p in stream.products if p.sku == segment.sku), None)
    prices = {product.price, product.list_price} - {None} if product is not None else set()
    none = np.zeros(len(stream.sentences))
    priced, linked = stream.cue_counts.get("price", none), stream.cue_counts.get("link", none)
    for at in range(int(np.searchsorted(stream.starts, opening)), int(np.searchsorted(stream.starts, segment.end))):
        figures = stream.figures[at]
        if linked[at] or any(n.value in prices for n in figures) or (priced[at] and any(n.money or n.value >= 10 for n in figures)):
            return float(stream.starts[at])
    return (segment.start + segment.end) / 2


def order_counts(evidence: Evidence, sku: str, size: int, step: float) -> Floats:
    """Count the order lines of a product per step; buckets are spread over their length. Returns and corrections do not count."""
    orders = [o for o in evidence.log.orders or () if o.sku == sku and o.quantity > 0]
    times, buckets = (np.array([getattr(o, name) for o in orders], float) for name in ("time", "bucket_s"))
    lines = np.array([o.quantity if o.bucket_s > 0 else 1.0 for o in orders], float)
    return lags.spread(times, lines, buckets, evidence.duration, step)[:size]


def impulse_curve(evidence: Evidence, sku: str, viewers: Floats, step: float) -> Floats:
    """Estimate orders per viewer and second that each moment set off: (steps,)."""
    return lags.deconvolve(order_counts(evidence, sku, len(viewers), step), viewers, lags.kernel(step)) / step


def _intent_counts(evidence: Evidence, stream: Read, size: int, step: float) -> Floats:
    """Count clean comments by purchase intent, per step, with the answers to giveaways and quarrels taken down."""
    counts = np.zeros(size)
    for comment in cleaned(evidence.log.comments or ()):
        counts[min(int(comment.time / step), size - 1)] += 1.0 if INTENT.search(comment.text) else TALK_WEIGHT
    none = np.zeros(len(stream.sentences))
    counts[: int(OPENING_S / step)] = 0.0
    off_topic = stream.cue_counts.get("giveaway", none) + stream.cue_counts.get("chitchat", none)
    for at, sentence in enumerate(stream.sentences):
        if off_topic[at]:
            counts[int(sentence.start / step) : int((sentence.end + 2 * CHAT_LAG_S) / step) + 1] *= 0.3
    return counts


def pooled(rates: Sequence[Rate]) -> Rate:
    """Put the responses of several explanations together."""
    best = max(rates, key=lambda rate: rate.count)
    return Rate(best.segment, sum(rate.count for rate in rates), sum(rate.exposure for rate in rates))


def usual(rates: Sequence[Rate], sku: str) -> tuple[float, float] | None:
    """Pool what the other products usually get: (count, exposure); a lone product has None.

    Products far above the lower third (`FAR_ABOVE`) are left out, so that a second hot item does not hide the first; the third is
    of the exposure, so that products that were only answered about in passing do not make it.
    """
    others = _others(rates, sku)
    if not others:
        return None
    order = sorted(others, key=lambda rate: rate.per_viewer)
    reached = np.cumsum([rate.exposure for rate in order])
    lower = order[int(np.searchsorted(reached, reached[-1] / 3))].per_viewer
    kept = [rate for rate in order if rate.per_viewer <= FAR_ABOVE * lower]
    return sum(rate.count for rate in kept), sum(rate.exposure for rate in kept)


def _others(rates: Sequence[Rate], sku: str) -> list[Rate]:
    return [pooled([rate for rate in rates if rate.segment.sku == other]) for other in sorted({r.segment.sku for r in rates} - {sku})]


def judge(
    rate: Rate,
    typical: tuple[float, float] | None,
    off_air: float,
    basis: Literal["orders", "chat"],
    options: HotOptions,
    dispersion: float = 1.0,
    products: int = 1,
) -> Judged:
    """Estimate an uplift over the baseline, with a 90 % interval and P(uplift > least).

    The baseline is what other explained products usually get, or the product's own rate off the air where that is higher. The
    log of the measured ratio is normal about the true one: counts give its variance (times their dispersion), and `MISFIT` what
    offers and lags are wrong by. Before any count most of the `products` are ordinary and one or two are hot (`ORDINARY`, `HOT`),
    so that the luckiest of many is not believed at once, and a handful of orders proves little.
    """
    phi = max(DISPERSION[basis], dispersion)
    count, exposure = typical if typical is not None else (off_air * rate.exposure, rate.exposure)
    base = max((count + 0.5) / (exposure + 1e-9), off_air)
    variance = phi * (1 / (rate.count + 0.5) + 1 / (count + 0.5)) + MISFIT[basis] ** 2
    share = min(MOST_HOT, HOT_EACH / max(products, 1))
    prior = (1 - share) * _bell(_LOGS, *ORDINARY) + share * _bell(_LOGS, *HOT)
    weights = prior * _bell(_LOGS, math.log(rate.per_viewer / base), math.sqrt(variance))
    cumulated = np.cumsum(weights) / weights.sum()
    low, middle, high = (math.exp(_LOGS[int(np.searchsorted(cumulated, part))]) for part in (0.05, 0.5, 0.95))
    probability = 1 - float(np.interp(math.log(options.least_uplift), _LOGS, cumulated))
    return Judged(middle, low, high, probability)


def _bell(at: Floats, middle: float, spread: float) -> Floats:
    bell: Floats = np.exp(-0.5 * ((at - middle) / spread) ** 2) / spread + 1e-12
    return bell


def dispersion_of(counts: Floats, expected: Floats, step: float) -> float:
    """Estimate variance over mean of what a fit leaves, in windows of `WINDOW_S`, by the median so that bursts do not make it."""
    size = max(1, round(WINDOW_S / step))
    whole = len(counts) // size * size
    seen, fitted = (values[:whole].reshape(-1, size).sum(axis=1) for values in (counts, expected))
    told = fitted >= 1.0
    if told.sum() < 8:
        return 1.0
    z = (seen[told] - fitted[told]) / np.sqrt(fitted[told])
    return max(1.0, (1.4826 * float(np.median(np.abs(z - np.median(z))))) ** 2)


# --- the window ------------------------------------------------------------------------------------------


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
    peak = _peak(rate.segment, stream, curve, step)
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


def _peak(segment: Segment, stream: Read, curve: Floats | None, step: float) -> float:
    """Find the moment of an offer that set off most: from orders, lag undone; without them, from where the offer begins."""
    shape = offer_shape(segment, stream, int(segment.end / step) + 2, step)
    if curve is None:
        return float(np.argmax(shape) * step)
    first, last = int(segment.start / step), int(segment.end / step) + 1
    size = max(1, round(lags.SMOOTH_S / step))
    smooth = np.convolve(curve, np.ones(size) / size, "same")[first:last] * shape[first:last]
    return float((first + int(np.argmax(smooth)) + 0.5) * step) if len(smooth) else segment.start


def offer_window(segment: Segment, peak: float, stream: Read, options: HotOptions) -> tuple[Span, bool]:
    """Take whole sentences around a peak: from the one that sets up the offer (price, link) to where the response ends.

    Also tells whether the window counts down.
    """
    inside = _inside(segment, stream)
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
    first, last = _rested(stream, *_whole(stream, first, last, inside, options), inside, options)
    counts = any(_counts_down(stream.sentences[at]) for at in range(first, last + 1))
    return Span(stream.sentences[first].start, stream.sentences[last].end), counts


def _inside(segment: Segment, stream: Read) -> list[int]:
    """List the sentences of an explanation."""
    first = int(np.searchsorted(stream.starts, segment.start - 0.3))
    last = int(np.searchsorted(stream.ends, segment.end + 0.3, side="right"))
    return list(range(first, last))


def _whole(stream: Read, first: int, last: int, inside: list[int], options: HotOptions) -> tuple[int, int]:
    """Grow a window to whole statements and to its least length; shrink it when it is too long."""
    while last + 1 in inside and (_length(stream, first, last) < options.min_s or not stream.closed[last + 1]):
        last += 1
    while first - 1 in inside and (_length(stream, first, last) < options.min_s or not stream.closed[first]):
        first -= 1
    starts = [at for at in range(first, last + 1) if stream.closed[at] and options.min_s <= _length(stream, at, last) <= options.max_s]
    if _length(stream, first, last) > options.max_s and starts:
        first = starts[0]
    while last > first and _length(stream, first, last) > options.max_s:
        last -= 1
    return first, last


def _rested(stream: Read, first: int, last: int, inside: list[int], options: HotOptions) -> tuple[int, int]:
    """Move the edges of a window by a sentence or two to where the host rests, within its lengths, if that is near."""

    def moved(a: int, b: int) -> float:
        sentences = stream.sentences
        return abs(sentences[a].start - sentences[first].start) + abs(sentences[b].end - sentences[last].end)

    ways = [
        (moved(a, b) - REST_WORTH_S * float(stream.rested[a] + stream.rested[b + 1]), a, b)
        for a in range(max(first - REST_REACH, inside[0]), first + REST_REACH + 1)
        for b in range(max(last - REST_REACH, a), min(last + REST_REACH, inside[-1]) + 1)
        if options.min_s <= _length(stream, a, b) <= options.max_s
    ]
    _, first, last = min(ways, default=(0.0, first, last))
    return first, last


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
    loud = loudness_z(evidence, stream.sentences)
    pressed = [_pressure(loud, segment, stream) for segment in segments]
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


def _pressure(loud: Floats, segment: Segment, stream: Read) -> tuple[float, float]:
    """Score how hard an offer is pressed: urgency, countdown, energy of the voice (`loudness_z`); and where most."""
    none = np.zeros(len(stream.sentences))
    urges, links = stream.cue_counts.get("urgency", none), stream.cue_counts.get("link", none)
    inside = _inside(segment, stream)
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
    typical = np.array([np.partition(part, (len(part) - 1) * 4 // 5)[(len(part) - 1) * 4 // 5] if len(part) else -60.0 for part in heard])
    middle = np.median(typical)
    scale: Floats = (typical - middle) / max(1.4826 * float(np.median(np.abs(typical - middle))), 0.5)
    return np.clip(scale, -4, 4)
