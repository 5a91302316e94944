"""Bring the log's clock onto the recording's, from the data: what the log says happened against what is heard.

Cards, orders and chat follow speech by a few seconds to a minute. For every offset in ±120 s the log's events are laid over
the mentions (and links and prices) of their products; where the evidence has one clear peak away from what the usual lags
explain, the offset is applied. Unclear means untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from clipper.detect.lags import Floats
from clipper.errors import InputError
from clipper.values import AudienceLog, Card, Comment, Mention, Order, Viewers

Event = TypeVar("Event", Comment, Order, Card, Viewers)


@dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """How a log may be moved."""

    reach_s: float = 120.0
    """Largest offset that is looked for, 0 to 600 seconds; 0 turns alignment off."""
    least_s: float = 6.0
    """Offsets smaller than this are within what lags explain and are left, 0 to 60 seconds."""
    sure: float = 0.8
    """Confidence in [0.5, 1] from which an offset is applied."""

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
    """How sure the applied offset (or its absence) is."""
    residual_s: float
    """Spread of events around their speech that is left, in seconds."""


NOTHING = Alignment(0.0, 0.5, 0.0)

CARD_LAG_S, CARD_WIDTH_S = 4.0, 8.0
"""Cards follow the first mention by 4 s on average, with a long spread."""
ORDER_LAG_S, ORDER_WIDTH_S = 25.0, 25.0
FEWEST_EVENTS = 3
NATS_PER_EVENT = 2.5
"""Evidence in one well placed card: one in twenty is false, log(.95/.05) = 2.9; orders of one burst count as one event."""


def align(log: AudienceLog, mentions: tuple[Mention, ...], duration: float, options: ClockOptions) -> Alignment:
    """Estimate the offset that brings the log onto the recording's clock."""
    if options.reach_s <= 0 or not mentions:
        return NOTHING
    speech = _speech(mentions, duration)
    events = _events(log, speech)
    if len(events) < FEWEST_EVENTS:
        return NOTHING
    offsets = np.arange(-options.reach_s, options.reach_s + 0.5, 1.0)
    score = np.zeros(len(offsets))
    for time, sku, weight, lag, width in events:
        score += weight * _fit(speech[sku], time + offsets - lag, width)
    best = int(np.argmax(score))
    prior = -0.5 * (offsets / 60.0) ** 2 * 0.5 + np.where(np.abs(offsets) < options.least_s, 1.5, 0.0)
    posterior = score * NATS_PER_EVENT + prior
    best = int(np.argmax(posterior))
    weights = np.exp(posterior - posterior[best])
    near = np.abs(offsets - offsets[best]) <= 8.0
    confidence = float(weights[near].sum() / weights.sum())
    moved = float(np.average(offsets[near], weights=weights[near]))
    residual = _residual(events, speech, moved)
    if abs(moved) < options.least_s:
        return Alignment(0.0, round(confidence, 3), round(residual, 2))
    if confidence < options.sure or score[best] - np.interp(0.0, offsets, score) < 2.0:
        return Alignment(0.0, round(1 - confidence, 3), round(residual, 2))
    return Alignment(round(moved, 2), round(confidence, 3), round(residual, 2))


def _speech(mentions: tuple[Mention, ...], duration: float) -> dict[str, Floats]:
    """Lay each product's mentions on a grid of seconds, as shares of its own: sharp where it is named most."""
    size = int(duration) + 2
    grids: dict[str, Floats] = {}
    for mention in mentions:
        if mention.kind != "brand":
            grid = grids.setdefault(mention.sku, np.zeros(size))
            grid[min(int(mention.start), size - 1)] += mention.score * mention.weight
    return grids


def _events(log: AudienceLog, speech: dict[str, Floats]) -> list[tuple[float, str, float, float, float]]:
    """List what can be compared: (time, sku, weight, usual lag, spread); a product's orders as its few busiest bursts."""
    events = [
        (card.time, card.sku, 1.0, CARD_LAG_S, CARD_WIDTH_S) for card in log.cards or () if card.action == "show" and card.sku in speech
    ]
    by_sku: dict[str, list[float]] = {}
    for order in log.orders or ():
        if order.sku in speech:
            by_sku.setdefault(order.sku, []).append(order.time + order.bucket_s / 2)
    for sku, times in by_sku.items():
        if len(times) >= 5:
            start = _onset(np.array(times))
            events.append((start, sku, 0.7, ORDER_LAG_S, ORDER_WIDTH_S))
    return events


def _onset(times: Floats) -> float:
    """Find when a product's densest minute of orders begins."""
    times = np.sort(times)
    counts = np.searchsorted(times, times + 60.0, side="right") - np.arange(len(times))
    return float(times[int(np.argmax(counts))])


def _fit(grid: Floats, at: Floats, width: float) -> Floats:
    """Score in [0, 1] how well a product's speech agrees with an event at each of some seconds."""
    seconds = np.flatnonzero(grid)
    if not len(seconds):
        return np.zeros(len(at))
    weight = grid[seconds] / grid[seconds].max()
    distance = (at[:, None] - seconds[None, :]) / width
    fit: Floats = (weight * np.exp(-0.5 * distance**2)).max(axis=1)
    return fit


def _residual(events: list[tuple[float, str, float, float, float]], speech: dict[str, Floats], offset: float) -> float:
    off = []
    for time, sku, _, lag, _ in events:
        seconds = np.flatnonzero(speech[sku] > 0.3 * speech[sku].max())
        if len(seconds):
            off.append(float(np.abs(seconds - (time + offset - lag)).min()))
    return float(np.median(off)) if off else 0.0


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
