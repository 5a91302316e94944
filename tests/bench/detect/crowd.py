"""The simulated audience: viewers, chat, orders, cards, and what the camera sees.

Viewers follow a log Ornstein-Uhlenbeck process (sd .3 to .6, relaxation 20 min) with two to five pushes of traffic. Chat is a
marked Hawkes process (branching .65 to .85, decay 2 to 4.5 s, as fitted to real streams), 20 to 250 messages a minute, behind
the speech by Gamma(4, 2.5 s) and a platform latency of 2 to 15 s; a quarter of it are copies; two to five bots, four to ten
prompted bursts of 40 to 160, raids. Orders: viewers x (base + offers convolved with a lognormal lag of 35 s and 15 % late ones),
spikes at the link, sold out, 5 to 10 % cancelled, 15 % on the product before, logged singly or per 30 or 60 s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipper.values import Box, Card, Comment, Order, Picture, Product, Sighting, Viewers
from tests.bench.detect.evaluate import Labelled
from tests.bench.detect.host import Offer, Show
from tests.bench.detect.vocabulary import CHAT, PEOPLE, PLACES, words_of

Floats = NDArray[np.float64]
VIEWER_STEP_S = 10.0
COPIED = 0.22
"""Share of messages that copy a recent one word for word."""
EXCITED = {"giveaway": 1.5, "quarrel": 3.0, "celebrity": 4.0}
"""How far these lift the chat."""


@dataclass(frozen=True, kw_only=True)
class CrowdOptions:
    """What the logs are like, and what is wrong with them."""

    cards_missing: float = 0.25
    cards_false: float = 0.05
    card_delay_s: float = 4.0
    card_spread_s: float = 12.0
    popularity: float = 0.2
    """Standard deviation of the log of ordinary products' order rates."""


def viewers(rng: np.random.Generator, duration: float) -> tuple[Viewers, ...]:
    """Draw the audience, every ten seconds."""
    size = int(duration / VIEWER_STEP_S) + 2
    sd, pull = rng.uniform(0.3, 0.6), VIEWER_STEP_S / 1200
    level = np.zeros(size)
    for at in range(1, size):
        level[at] = level[at - 1] * (1 - pull) + sd * np.sqrt(2 * pull) * rng.normal()
    for _ in range(rng.integers(2, 6)):
        begin = rng.integers(0, size)
        level[begin:] += np.log(rng.uniform(1.5, 3.5)) * np.exp(-np.arange(size - begin) * VIEWER_STEP_S / 600)
    base = np.exp(rng.uniform(np.log(150), np.log(6000)))
    counts = np.clip(base * np.exp(level), 60, 20_000)
    return tuple(Viewers(round(at * VIEWER_STEP_S, 1), float(round(n))) for at, n in enumerate(counts))


def per_second(counts: tuple[Viewers, ...], duration: float) -> Floats:
    """Interpolate viewers per second."""
    curve: Floats = np.interp(np.arange(int(duration) + 2), [v.time for v in counts], [v.count for v in counts])
    return curve


# --- orders --------------------------------------------------------------------------------------------


def orders(
    rng: np.random.Generator, show: Show, shown: tuple[Product, ...], audience: Floats, options: CrowdOptions
) -> tuple[tuple[Order, ...], dict[str, float]]:
    """Draw the order log, and give each product's true rate per viewer over what the others usually get."""
    per_minute = np.exp(rng.uniform(np.log(1.0), np.log(60.0)))
    popular = {p.sku: float(rng.lognormal(0, options.popularity)) for p in shown}
    exposure = [audience[int(o.start) : int(o.end) + 1].sum() for o in show.offers]
    weight = sum(e * o.pull * popular[o.sku] for e, o in zip(exposure, show.offers, strict=True))
    scale = per_minute * show.duration / 60 / max(weight, 1e-9)
    bucket = float(rng.choice((0, 0, 0, 1, 30, 60)))
    median, cancel = 35.0 * rng.lognormal(0, 0.25), rng.uniform(0.05, 0.10)
    drawn: list[tuple[float, str]] = []
    for before, (offer, viewed) in zip([None, *show.offers], zip(show.offers, exposure, strict=True), strict=False):
        count = int(rng.poisson(scale * viewed * offer.pull * popular[offer.sku]))
        times = _order_times(rng, offer, count, median)
        previous = before.sku if before is not None else offer.sku
        drawn += [(time, previous if rng.random() < 0.15 else offer.sku) for time in times]
    for product in shown:
        count = rng.poisson(0.05 * per_minute * show.duration / 60 / len(shown))
        drawn += [(float(t), product.sku) for t in rng.uniform(0, show.duration, count)]
    refunds = [(time + float(rng.uniform(60, 900)), sku) for time, sku in drawn if rng.random() < cancel]
    found = [Order(_bucketed(t, bucket), sku, 1.0, None, bucket) for t, sku in drawn if 0 <= t < show.duration]
    found += [Order(_bucketed(t, bucket), sku, -1.0, None, bucket) for t, sku in refunds if t < show.duration]
    return tuple(sorted(_summed(found) if bucket else found)), _true_uplifts(show.offers, exposure, popular)


def _order_times(rng: np.random.Generator, offer: Offer, count: int, median: float) -> Floats:
    said = rng.uniform(offer.start, offer.end, count)
    spike = rng.random(count) < 0.2
    said[spike] = offer.link_at
    lag = rng.lognormal(np.log(median), 0.6, count)
    late = rng.random(count) < 0.15
    lag[late] = rng.lognormal(np.log(240), 0.6, int(late.sum()))
    lag[spike] *= 0.4
    times: Floats = said + lag
    return times[times < offer.end + 5] if offer.sold_out else times


def _bucketed(time: float, bucket: float) -> float:
    return round(time, 3) if not bucket else float(time // bucket * bucket)


def _summed(rows: list[Order]) -> list[Order]:
    """Add up what falls into one bucket; corrections stay apart."""
    sums: dict[tuple[float, str, bool], float] = {}
    for row in rows:
        key = (row.time, row.sku, row.quantity > 0)
        sums[key] = sums.get(key, 0.0) + row.quantity
    bucket = rows[0].bucket_s if rows else 0.0
    return [Order(time, sku, quantity, None, bucket) for (time, sku, _), quantity in sums.items()]


def _true_uplifts(offers: list[Offer], exposure: list[float], popular: dict[str, float]) -> dict[str, float]:
    """Divide every product's orders per viewer by what the other offered products usually get, outside hot moments."""
    got: dict[str, list[float]] = {}
    for offer, viewed in zip(offers, exposure, strict=True):
        sums = got.setdefault(offer.sku, [0.0, 0.0, 0.0, 0.0])
        sums[0] += float(viewed) * offer.pull * popular[offer.sku]
        sums[1] += float(viewed)
        if offer.pull == 1.0:
            sums[2] += float(viewed) * popular[offer.sku]
            sums[3] += float(viewed)
    found = {}
    for sku, (sold, seen, _, _) in got.items():
        others = [sums for other, sums in got.items() if other != sku]
        usual = sum(s[2] for s in others) / max(sum(s[3] for s in others), 1e-9)
        if usual > 0 and seen > 0:
            found[sku] = round(sold / seen / usual, 3)
    return found


# --- chat ----------------------------------------------------------------------------------------------


def comments(
    rng: np.random.Generator, words: random.Random, show: Show, shown: tuple[Product, ...], audience: Floats
) -> tuple[Comment, ...]:
    """Draw the chat: a Hawkes process whose newcomers react to the show, with copies, bots, prompted bursts and raids."""
    branching, decay = rng.uniform(0.65, 0.85), rng.uniform(2.0, 4.5)
    per_minute = np.exp(rng.uniform(np.log(20.0), np.log(250.0)))
    size = int(show.duration) + 1
    selling = np.zeros(size)
    for offer in show.offers:
        selling[int(offer.start) : int(offer.end) + 1] = 0.8 * offer.pull
    lift = np.ones(size)
    for event in show.events:
        lift[int(event.start) : int(event.end) + 1] *= EXCITED[event.kind]
    rate = audience[:size] / audience[:size].mean() * (1 + selling) * lift
    rate *= per_minute / 60 * (1 - branching) / rate.mean()
    born = np.repeat(np.arange(size, dtype=float), rng.poisson(rate))
    latency = rng.uniform(2, 15)
    cause = born + rng.random(len(born))
    times = cause + latency + rng.gamma(4, 2.5, len(born))
    all_times, all_causes, parents = [times], [cause], [np.full(len(times), -1)]
    generation, offset = times, 0
    while len(generation):
        children = rng.poisson(branching, len(generation))
        parent = np.repeat(np.arange(len(generation)), children)
        born_at = generation[parent] + rng.exponential(decay, len(parent))
        all_times.append(born_at)
        all_causes.append(all_causes[-1][parent])
        parents.append(parent + offset)
        offset += len(generation)
        generation = born_at
    found = _texts(rng, words, show, shown, np.concatenate(all_times), np.concatenate(all_causes), np.concatenate(parents))
    found += _bots(rng, words, show.duration) + _prompted(rng, words, show)
    return tuple(sorted(c for c in found if 0 <= c.time < show.duration))


def _texts(
    rng: np.random.Generator,
    words: random.Random,
    show: Show,
    shown: tuple[Product, ...],
    times: Floats,
    causes: Floats,
    parents: NDArray[np.int64],
) -> list[Comment]:
    """Write every message: about what it reacts to, or a copy of the one that set it off."""
    by_sku = {product.sku: product for product in shown}
    offers = sorted(show.offers, key=lambda o: o.start)
    starts = [o.start for o in offers]
    segments = sorted(show.truth)
    begins = [s.start for s in segments]
    users = (rng.pareto(1.2, len(times)) * 40).astype(int) % 4000  # few write much, most write once
    copied = rng.random(len(times)) < COPIED
    texts: list[str] = []
    at_offer = np.searchsorted(starts, causes, side="right") - 1
    at_segment = np.searchsorted(begins, causes, side="right") - 1
    for number in range(len(times)):
        if parents[number] >= 0 and copied[number]:
            texts.append(texts[parents[number]])
            continue
        offer = offers[at_offer[number]] if at_offer[number] >= 0 else None
        segment = segments[at_segment[number]] if at_segment[number] >= 0 else None
        in_offer = offer is not None and causes[number] < offer.end
        product = by_sku.get(segment.sku) if segment is not None and causes[number] < segment.end else None
        texts.append(_message(words, product, in_offer, offer.pull if offer is not None and in_offer else 1.0))
    return [Comment(round(float(t), 3), f"u{u}", text) for t, u, text in zip(times, users, texts, strict=True)]


def _message(words: random.Random, product: Product | None, in_offer: bool, pull: float) -> str:
    weights = {"off": 5.0, "praise": 4.0, "ask": 1.0, "bought": 0.2, "name": 0.3}
    if product is not None:
        weights |= {"ask": 3.0, "praise": 4.0, "off": 3.0}
    if in_offer:
        weights |= {"ask": 3.0 + pull, "bought": 2.0 * pull, "off": 2.0}
    kind = words.choices(list(weights), list(weights.values()))[0]
    text = words.choice(CHAT[kind])
    short, own, _ = words_of(product) if product is not None else ("这个", ("质量",), "")
    text = text.format(n=short, w=words.choice(own), p=words.choice(PEOPLE), m=words.choice(PLACES))
    tail = words.random()
    return text + (
        words.choice("啊呀吗哦呢！？~") if tail < 0.35 else words.choice(("主播", "姐", "老板", "哈哈", "求", "快点")) if tail < 0.6 else ""
    )


def _bots(rng: np.random.Generator, words: random.Random, duration: float) -> list[Comment]:
    found = []
    for bot in range(int(rng.integers(2, 6))):
        text, every = words.choice(("点关注领优惠券", "新人进主页领红包", "客服在线加V", "全场包邮七天退换")), rng.uniform(5, 10)
        begin = rng.uniform(0, 0.7 * duration)
        found += [Comment(round(float(t), 3), f"bot{bot}", text) for t in np.arange(begin, begin + 0.25 * duration, every)]
    return found


def _prompted(rng: np.random.Generator, words: random.Random, show: Show) -> list[Comment]:
    found = []
    prompts = [e for e in show.events if e.kind == "giveaway"]
    for event in words.sample(prompts, min(len(prompts), int(rng.integers(4, 11)))):
        token = words.choice(("1", "666", "我要福袋", "好运来", "扣1"))
        times = event.start + rng.gamma(2, 6, int(rng.integers(40, 161)))
        found += [Comment(round(float(t), 3), f"p{int(rng.integers(0, 3000))}", token) for t in times]
    for _ in range(int(rng.integers(0, 3))):
        text, begin = words.choice(("退钱退钱", "假货别买", "去隔壁直播间看看")), rng.uniform(0, show.duration)
        found += [
            Comment(round(float(begin + t), 3), f"r{n % 9}", text) for n, t in enumerate(rng.uniform(0, 60, int(rng.integers(30, 80))))
        ]
    return found


# --- cards and picture ----------------------------------------------------------------------------------


def cards(rng: random.Random, truth: list[Labelled], shown: tuple[Product, ...], options: CrowdOptions) -> tuple[Card, ...]:
    """Pin cards: late or early, missing, false."""
    found = []
    for segment in truth:
        if rng.random() >= options.cards_missing:
            found.append(Card(round(max(0.0, segment.start + rng.gauss(options.card_delay_s, options.card_spread_s)), 3), segment.sku))
        if rng.random() < options.cards_false:
            found.append(Card(round(rng.uniform(segment.start, segment.end), 3), rng.choice(shown).sku))
    return tuple(sorted(found))


def picture(rng: random.Random, show: Show, shown: tuple[Product, ...]) -> Picture:
    """See products while they are explained, some also on the table, some never; cut cameras now and then."""
    quality = {p.sku: 0.0 if rng.random() < 0.15 else rng.uniform(0.15, 0.8) for p in shown}
    box, seen = Box(0.4, 0.6, 0.2, 0.2), []
    for segment in show.truth:
        time, until = segment.start + rng.uniform(-6, 10), segment.end + rng.uniform(-8, 8)
        while time < until:
            if rng.random() < quality[segment.sku]:
                seen.append(Sighting(round(max(time, 0.0), 3), segment.sku, box, round(rng.uniform(0.5, 0.95), 3)))
            time += rng.uniform(1.5, 3.0)
    table = rng.sample(shown, min(2, len(shown)))
    for _ in range(int(show.duration / 12)):
        product = rng.choice(table) if rng.random() < 0.7 else rng.choice(shown)
        seen.append(Sighting(round(rng.uniform(0, show.duration), 3), product.sku, box, round(rng.uniform(0.5, 0.8), 3)))
    cuts = [rng.uniform(0, show.duration) for _ in range(int(show.duration / 60 * rng.uniform(2, 6)))]
    cuts += [s.start + rng.uniform(-0.5, 0.5) for s in show.truth if rng.random() < 0.3]
    return Picture(
        looks=(), cuts=tuple(sorted(round(max(c, 0.0), 3) for c in cuts)), faces=(), sightings=tuple(sorted(seen, key=lambda s: s.time))
    )
