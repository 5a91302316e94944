"""What came in after an offer: orders, or purchase comments, shared out among the offers that brought them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clipper.detect import lags
from clipper.detect.chatter import cleaned
from clipper.detect.lags import Floats
from clipper.detect.reading import Read
from clipper.values import Evidence, Segment

BOUGHT = re.compile(
    r"拍了|已拍|拍下|下单|买了|买到|抢到|抢了|付了|付款|入手了|正在去?购买|刚刚?购买|^\W*冲+\W*$"
    r"|\b(?:bought|ordered|purchased|paid|got (?:one|two|three|mine|it)|take my money|check(?:ed|ing)? ?out)\b",
    re.IGNORECASE,
)
"""What people write who have bought, or the platform of them ("… 正在去购买"): sales seen through the chat."""
WANTED = re.compile(
    r"多少钱|什么价|价格|怎么拍|怎么买|链接|要了|来一|来两|想要|有货|补货|尺码|几号|包邮|加购"
    r"|how much|price|link|in stock|restock|need this|want (?:one|this|it)|size",
    re.IGNORECASE,
)
"""What people write who may buy."""
WANTED_WORTH = 0.3
"""What a question counts against a purchase: interest goes with sales, and also without them."""
BEFORE_OFFER = 0.15
"""How strongly an explanation invites orders before its price or link is named."""
FADES_S = 30.0
"""Seconds in which the pull of an offer fades once the talk has gone on."""
OFFERED_HEARD, OFFERED_UNHEARD = 0.98, 0.8
"""How likely an explanation holds an offer when a price or a link was heard in it, and when not: recognisers miss both."""
OPENING_SHARE = 0.2
"""Share of an explanation that is opening: a price there is a promise."""
WINDOW_S = 30.0
"""Window in which dispersion is measured."""
OPENING_S = 60.0
"""The chat of the first minute greets."""
CHAT_LAG_S = 10.0
"""Usual seconds from speech to comment."""
CHAT_LAGS_S = (6.0, 10.0, 15.0, 22.0)
"""Medians that a stream's own lag of comments is chosen from: thinking and typing, and 2 to 15 s of the platform."""
LIKE_WORDS = 12
"""Copies of one short text in half a minute that still count: buyers all write the same two characters."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one explanation's offer got."""

    segment: Segment
    count: float
    """Orders (or comments) attributed to the offer."""
    exposure: float
    """Viewer-seconds that the offer could be answered in."""
    offered: float = OFFERED_HEARD
    """Probability, before any response, that there was an offer at all."""

    @property
    def per_viewer(self) -> float:
        """Rate per viewer-second, shrunk by half an order."""
        return (self.count + 0.5) / (self.exposure + 1e-9)


def responses(
    evidence: Evidence, segments: Sequence[Segment], stream: Read, viewers: Floats, step: float, basis: Literal["orders", "chat"]
) -> tuple[list[Rate], dict[str, float], float]:
    """Attribute orders (or purchase comments) to the offers that brought them: one rate per explanation, rates off the air, dispersion.

    Orders know their product, so each product's explanations share only its own; comments are shared by all explanations.
    """
    shapes = [offer_shape(segment, stream, len(viewers), step) for segment in segments]
    if basis == "chat":
        counts = _purchase_counts(evidence, stream, len(viewers), step)
        settled = np.where(np.arange(len(viewers)) < OPENING_S / step, 0.0, viewers)
        fits = [lags.attribute(counts, settled, shapes, lags.kernel(step, median, 0.5), step) for median in CHAT_LAGS_S]
        fit = max(fits, key=lambda fit: fit.log_likelihood)
        rates = [Rate(s, count, seen, offered_in(s, stream)) for s, count, seen in zip(segments, fit.counts, fit.exposures, strict=True)]
        return rates, {}, dispersion_of(counts, fit.expected, step)
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
            rates_at[at] = Rate(segments[at], count, exposure, offered_in(segments[at], stream))
    phi = dispersion_of(sum(counts_of.values(), np.zeros(len(viewers))), expected, step)
    return [rates_at[at] for at in range(len(segments))], off_air, phi


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


def offered_in(segment: Segment, stream: Read) -> float:
    """Say how likely an explanation holds an offer, before any response."""
    return OFFERED_HEARD if heard_offer(segment, stream) is not None else OFFERED_UNHEARD


def offer_start(segment: Segment, stream: Read) -> float:
    """Find where an explanation turns to its offer: where it is heard, or else its middle."""
    heard = heard_offer(segment, stream)
    return (segment.start + segment.end) / 2 if heard is None else heard


def heard_offer(segment: Segment, stream: Read) -> float | None:
    """Find the first sentence, past an explanation's opening, that names the price or calls the link."""
    opening = segment.start + OPENING_SHARE * segment.span.duration
    product = next((p for p in stream.products if p.sku == segment.sku), None)
    prices = {product.price, product.list_price} - {None} if product is not None else set()
    none = np.zeros(len(stream.sentences))
    priced, linked = stream.cue_counts.get("price", none), stream.cue_counts.get("link", none)
    for at in range(int(np.searchsorted(stream.starts, opening)), int(np.searchsorted(stream.starts, segment.end))):
        figures = stream.figures[at]
        if linked[at] or any(n.value in prices for n in figures) or (priced[at] and any(n.money or n.value >= 10 for n in figures)):
            return float(stream.starts[at])
    return None


def order_counts(evidence: Evidence, sku: str, size: int, step: float) -> Floats:
    """Count the order lines of a product per step; buckets are spread over their length. Returns and corrections do not count."""
    orders = [o for o in evidence.log.orders or () if o.sku == sku and o.quantity > 0]
    times, buckets = (np.array([getattr(o, name) for o in orders], float) for name in ("time", "bucket_s"))
    lines = np.array([o.quantity if o.bucket_s > 0 else 1.0 for o in orders], float)
    return lags.spread(times, lines, buckets, evidence.duration, step)[:size]


def impulse_curve(evidence: Evidence, sku: str, viewers: Floats, step: float) -> Floats:
    """Estimate orders per viewer and second that each moment set off: (steps,)."""
    return lags.deconvolve(order_counts(evidence, sku, len(viewers), step), viewers, lags.kernel(step)) / step


def _purchase_counts(evidence: Evidence, stream: Read, size: int, step: float) -> Floats:
    """Count purchases told in clean comments, and a little the questions, per step; answers to giveaways and quarrels are taken down."""
    counts = np.zeros(size)
    for comment in cleaned(evidence.log.comments or (), copies=LIKE_WORDS):
        worth = 1.0 if BOUGHT.search(comment.text) else WANTED_WORTH if WANTED.search(comment.text) else 0.0
        counts[min(int(comment.time / step), size - 1)] += worth
    none = np.zeros(len(stream.sentences))
    counts[: int(OPENING_S / step)] = 0.0
    off_topic = sum((stream.cue_counts.get(kind, none) for kind in ("giveaway", "chitchat", "quarrel")), none)
    for at, sentence in enumerate(stream.sentences):
        if off_topic[at]:
            counts[int(sentence.start / step) : int((sentence.end + 2 * CHAT_LAG_S) / step) + 1] *= 0.3
    return counts


def pooled(rates: Sequence[Rate]) -> Rate:
    """Put the responses of several explanations together."""
    best = max(rates, key=lambda rate: rate.count)
    return Rate(best.segment, sum(rate.count for rate in rates), sum(rate.exposure for rate in rates))
