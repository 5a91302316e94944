"""Bring the log's clock onto the recording's, from the data: what the log says happened against what was heard.

A first decoding of the speech alone says, second by second, which product is explained and where explanations begin. Cards
follow the beginnings by a few seconds, comments that name a product follow its explanation, and so do its orders. Each channel
gives a likelihood of every offset in ±120 s, as a share of its own product's events in time, with some of them stray and with
its usual lag unknown between bounds; their sum is a posterior. The offset that is nearest to all of it is applied when moving
is very likely better than staying. Unclear means untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clipper.detect.lags import Floats, kernel
from clipper.errors import InputError
from clipper.values import AudienceLog, Card, Comment, Order, Sentence, Viewers

Event = TypeVar("Event", Comment, Order, Card, Viewers)


@dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """How a log may be moved."""

    reach_s: float = 120.0
    """Largest offset that is looked for, 0 to 600 seconds; 0 turns alignment off."""
    least_s: float = 2.5
    """Offsets smaller than this are within what lags explain and are left, 0 to 60 seconds."""
    sure: float = 0.9
    """Probability in [0.5, 1], that the log is nearer after moving it than before, from which it is moved."""

    def __post_init__(self) -> None:
        if not 0 <= self.reach_s <= 600:
            raise InputError(f"clocks.reach_s is {self.reach_s}: it must lie between 0 and 600 seconds")
        if not 0 <= self.least_s <= 60:
            raise InputError(f"clocks.least_s is {self.least_s}: it must lie between 0 and 60 seconds")
        if not 0.5 <= self.sure <= 1:
            raise InputError(f"clocks.sure is {self.sure}: it must lie between 0.5 and 1")


@dataclass(frozen=True, slots=True)
class Alignment:
    """An estimated offset between two clocks."""

    offset_s: float
    """Seconds to add to the log's times; 0 when nothing was applied."""
    confidence: float
    """Probability that the log now lies within `RIGHT_S` of the recording."""
    residual_s: float
    """Standard deviation of what is left, in seconds."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the speech alone says of the products, on the recording's clock."""

    skus: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    """Lower-case names of each product, as people write them in the chat."""
    sentences: tuple[Sentence, ...]
    share: Floats
    """(sentences, products): probability that the product is explained."""
    begin: Floats
    """(sentences, products): probability that its explanation begins there."""
    offers: Floats
    """(sentences,): 1 where a price is named or a link is called, else 0."""


UNKNOWN = Alignment(0.0, 0.2, 0.0)
"""Nothing to compare: the prior, and nobody can tell better."""
RIGHT_S = 2.0
"""A log this near is right: cards and comments come seconds late anyway."""
FEWEST_EVENTS = 3
STRAY = {"cards": 0.25, "comments": 0.5, "orders": 0.4}
"""Share of events that follow nothing that was heard: false cards, questions out of turn, late and repeated orders."""
WORTH = {"cards": 0.5, "comments": 0.25, "orders": 0.3}
"""Share of an independent event that one counts: a host's habit makes cards alike, comments come in bursts
(variance four times the mean), and orders of one offer share a lag that nobody knows."""
MOST_EVENTS = {"cards": 400.0, "comments": 60.0, "orders": 100.0}
"""More events than this do not make the lag better known."""
CARD_DELAYS_S = ((-2.0, 0.05), (1.0, 0.2), (3.0, 0.4), (5.0, 0.25), (8.0, 0.1))
"""Mean delays of cards behind the beginning of an explanation that streams have, with their prior: published ones are 4 s. An offset
is known no better than this."""
CARD_SPREADS_S = (3.0, 9.0)
CHAT_DELAYS_S = ((6.0, 0.15), (10.0, 0.3), (15.0, 0.3), (22.0, 0.25))
"""Medians of the delay of comments: Gamma(4, 2.5 s) and a platform latency of 2 to 15 s."""
ORDER_DELAYS_S = ((10.0, 0.15), (16.0, 0.2), (24.0, 0.25), (36.0, 0.25), (54.0, 0.15))
SAME, NEAR, NEAR_S = 0.06, 0.5, 12.0
"""Prior: few logs share the recording's clock to the second, half begin some seconds off (two programs, two start
buttons), and the rest may lie anywhere in reach. Without evidence the confidence of leaving a log alone is so below a half."""


def align(log: AudienceLog, heard: Heard, duration: float, options: ClockOptions) -> Alignment:
    """Estimate the offset that brings the log onto the recording's clock."""
    offsets = np.arange(-np.floor(options.reach_s), options.reach_s + 0.5)
    if options.reach_s <= 0 or not heard.skus or not heard.sentences:
        return UNKNOWN
    channels = _events(log, heard)
    if sum(len(times) for times, _, _ in channels) < FEWEST_EVENTS:
        return UNKNOWN
    size = int(duration) + 2
    likelihood = sum((_likelihood(channel, heard, size, offsets) for channel in channels), np.zeros(len(offsets)))
    posterior = _posterior(likelihood, offsets)
    best = _centre(posterior, offsets)
    before, after = np.abs(offsets), np.abs(offsets - best)
    moves = abs(best) >= options.least_s and float(posterior[after < before].sum()) >= options.sure
    off = after if moves else before
    residual = float(np.sqrt((posterior * np.minimum(off, 30.0) ** 2).sum()))
    return Alignment(round(best, 2) if moves else 0.0, round(float(posterior[off <= RIGHT_S].sum()), 3), round(residual, 2))


Channel = tuple[Floats, NDArray[np.int64], str]
"""Times, product columns and name of a channel's events."""


def _events(log: AudienceLog, heard: Heard) -> list[Channel]:
    """List what can be compared: cards, orders, and comments that name one product."""
    column = {sku: k for k, sku in enumerate(heard.skus)}
    rows: dict[str, list[tuple[float, int]]] = {
        "cards": [(c.time, column[c.sku]) for c in log.cards or () if c.action == "show" and c.sku in column],
        "orders": [(o.time + o.bucket_s / 2, column[o.sku]) for o in log.orders or () if o.quantity > 0 and o.sku in column],
        "comments": _named(log, heard),
    }
    return [(np.array([t for t, _ in found]), np.array([k for _, k in found]), name) for name, found in rows.items() if found]


def _named(log: AudienceLog, heard: Heard) -> list[tuple[float, int]]:
    names = [(name, k) for k, row in enumerate(heard.names) for name in row if len(name) >= 2]
    found = []
    for comment in log.comments or ():
        text = comment.text.lower()
        named = {k for name, k in names if name in text}
        if len(named) == 1:
            found.append((comment.time, named.pop()))
    return found


def _likelihood(channel: Channel, heard: Heard, size: int, offsets: Floats) -> Floats:
    """Log-likelihood of every offset from one channel, its lag unknown between bounds."""
    times, columns, name = channel
    counts = _laid(times, columns, size, int(offsets[-1]), len(heard.skus))
    worth = WORTH[name] * min(1.0, MOST_EVENTS[name] / len(times))
    ways, priors = [], []
    for responds, prior in _responses(name):
        density = _density(name, heard, size, responds)
        stray = STRAY[name]
        ratio = np.log(stray + (1 - stray) * density * size)
        ways.append(_correlated(counts, ratio, len(offsets)) * worth)
        priors.append(np.log(prior))
    stacked: Floats = np.logaddexp.reduce(np.array(ways) + np.array(priors)[:, None], axis=0)
    return stacked


def _responses(name: str) -> list[tuple[Floats, float]]:
    """List the ways a channel may follow speech: (kernel per second, first entry `BACK_S` seconds early; prior)."""
    if name == "cards":
        return [(_bell(delay, spread), prior / len(CARD_SPREADS_S)) for delay, prior in CARD_DELAYS_S for spread in CARD_SPREADS_S]
    make: Callable[[float], Floats] = (
        (lambda delay: kernel(1.0, delay, 0.5)[:120]) if name == "comments" else (lambda delay: kernel(1.0, delay))
    )
    return [
        (np.concatenate([np.zeros(BACK_S), make(delay)]), prior)
        for delay, prior in (CHAT_DELAYS_S if name == "comments" else ORDER_DELAYS_S)
    ]


OFFER_S, BEFORE_OFFER = 45.0, 0.2
"""Seconds that an offer goes on after a price or link, and the share of orders from other talk of the product."""
BACK_S = 40
"""Cards may come before an explanation by so many seconds."""


def _bell(delay: float, spread: float) -> Floats:
    at = np.arange(-BACK_S, 61)
    bell = np.exp(-0.5 * ((at - delay) / spread) ** 2)
    whole: Floats = bell / bell.sum()
    return whole


def _density(name: str, heard: Heard, size: int, responds: Floats) -> Floats:
    """Give where a product's events are expected, (products, seconds), each row a probability."""
    source = _starts(heard, size) if name == "cards" else _on_air(heard, size) * (_inviting(heard, size) if name == "orders" else 1.0)
    length = _power(size + len(responds))
    spectrum = np.fft.rfft(source, length, axis=1) * np.fft.rfft(responds, length)
    spread = np.maximum(np.fft.irfft(spectrum, length, axis=1)[:, BACK_S : BACK_S + size], 0.0)
    total: Floats = spread / np.maximum(spread.sum(axis=1, keepdims=True), 1e-9)
    return total


def _starts(heard: Heard, size: int) -> Floats:
    grid = np.zeros((len(heard.skus), size))
    at = np.array([min(round(s.start), size - 1) for s in heard.sentences])
    np.add.at(grid.T, at, heard.begin)
    return grid


def _on_air(heard: Heard, size: int) -> Floats:
    grid = np.zeros((len(heard.skus), size))
    for at, sentence in enumerate(heard.sentences):
        grid[:, int(sentence.start) : int(sentence.end) + 1] = heard.share[at][:, None]
    return grid


def _inviting(heard: Heard, size: int) -> Floats:
    """Give how strongly each second invites orders: fully from a price or link on, for `OFFER_S`; a little otherwise."""
    level = np.full(size, BEFORE_OFFER)
    for sentence, offers in zip(heard.sentences, heard.offers, strict=True):
        if offers:
            level[int(sentence.start) : int(sentence.end + OFFER_S)] = 1.0
    return level


def _laid(times: Floats, columns: NDArray[np.int64], size: int, reach: int, products: int) -> Floats:
    """Count events per second from `reach` before the recording to `reach` after it: (products, seconds)."""
    grid = np.zeros((products, size + 2 * reach))
    place = np.round(times).astype(int) + reach
    inside = (place >= 0) & (place < grid.shape[1])
    np.add.at(grid, (columns[inside], place[inside]), 1.0)
    return grid


def _correlated(counts: Floats, ratio: Floats, offsets: int) -> Floats:
    """Add up, for every offset, the log ratios at where the events would lie; outside the recording they are strays of even odds."""
    length = _power(counts.shape[1] + ratio.shape[1])
    product = np.fft.rfft(ratio, length, axis=1) * np.conj(np.fft.rfft(counts, length, axis=1))
    whole = np.fft.irfft(product.sum(axis=0), length)
    reach = (offsets - 1) // 2
    # an event counted at column c lies at second c - reach + offset
    summed: Floats = whole[(np.arange(-reach, reach + 1) - reach) % length]
    return summed


def _power(size: int) -> int:
    """Give the power of two that holds so many: other lengths take transforms several times longer."""
    return 1 << (size - 1).bit_length()


def _posterior(likelihood: Floats, offsets: Floats) -> Floats:
    prior = np.full(len(offsets), (1 - SAME - NEAR) / len(offsets))
    still, near = np.exp(-0.5 * offsets**2), np.exp(-np.abs(offsets) / NEAR_S)
    prior += SAME * still / still.sum() + NEAR * near / near.sum()
    logs = likelihood + np.log(prior)
    weights = np.exp(logs - logs.max())
    posterior: Floats = weights / weights.sum()
    return posterior


def _centre(posterior: Floats, offsets: Floats) -> float:
    """Give the middle of the heaviest stretch of the posterior."""
    mass = np.convolve(posterior, np.ones(15), "same")
    near = np.abs(offsets - offsets[int(np.argmax(mass))]) <= 10
    return float(np.average(offsets[near], weights=posterior[near] + 1e-12))


def shifted(log: AudienceLog, offset: float) -> AudienceLog:
    """Move every event of a log by some seconds; what falls before the recording is dropped."""
    if offset == 0.0:
        return log

    return replace(
        log,
        comments=_moved(log.comments, offset),
        orders=_moved(log.orders, offset),
        cards=_moved(log.cards, offset),
        viewers=_moved(log.viewers, offset),
    )


def _moved(events: tuple[Event, ...] | None, offset: float) -> tuple[Event, ...] | None:
    """Move events; counts of viewers before the start are kept, as they say how many there were at it."""
    if events is None:
        return None
    moved = (replace(event, time=round(event.time + offset, 3)) for event in events)
    return tuple(event for event in moved if event.time >= 0 or isinstance(event, Viewers))
