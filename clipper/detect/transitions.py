"""Score where explanations may begin and end: rests, phrases of moving on, names in the opening, cards, offers, camera cuts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.boundaries import rest_odds
from clipper.detect.emissions import Scores
from clipper.detect.reading import Read, Table
from clipper.detect.semi_markov import Decoding
from clipper.values import Evidence


def beginnings_and_ends(
    evidence: Evidence, stream: Read, scores: Scores, earlier: Decoding | None, channels: Sequence[str]
) -> tuple[Table, Table]:
    """Score where explanations begin and end, (units, states) and (units + 1, states)."""
    size, products = len(stream.sentences), len(stream.products)
    enter, leave = np.zeros((size, products + 2)), np.zeros((size + 1, products + 2))
    if not size:
        return enter, leave
    has = {kind: count > 0 for kind, count in stream.cue_counts.items()}
    none = np.zeros(size, bool)
    opens, resumes = has.get("transition", none), has.get("resume", none)
    offers = has.get("price", none) | has.get("link", none) | has.get("urgency", none)
    moves = (
        opens
        | has.get("finish", none)
        | has.get("greeting", none)
        | has.get("giveaway", none)
        | has.get("closing", none)
        | has.get("chitchat", none)
        | has.get("quarrel", none)
        | has.get("wait", none)
    )
    rest = rest_odds(stream.placed) + np.where(stream.closed[:size], 0.0, c.UNCLOSED)
    cuts = _cut_near(evidence, stream) if "picture" in channels else none
    edge = rest + np.where(cuts, c.CUT_NEAR, 0.0)
    before = np.concatenate([[False], opens[:-1]])
    enter[:, :-1] += (edge + np.where(opens | before, c.OPENS, 0.0) + np.where(resumes, c.RESUMES, 0.0))[:, None]
    soon = _named_soon(scores.naming)
    enter[:, :products] += soon * c.FIRST_NAMED + (1 - soon) * c.FIRST_UNNAMED
    enter[:, :products] += c.PRESENTS * scores.naming * has.get("pointing", none)[:, None]
    if "cards" in channels and evidence.log.cards is not None:
        enter[:, :products] += _card_starts(evidence, stream, earlier)
    leave[1:, :-1] += np.where(stream.closed[1:], 0.0, c.UNCLOSED)[:, None]
    offered = np.repeat(offers[:, None], products + 1, axis=1)
    for channel in ("links", "prices"):
        if channel in scores.channels:
            offered[:, :products] |= scores.channels[channel] >= c.OFFER_TOLD
    leave[1:, :-1] += np.where(offered, c.LAST_OFFERS, c.LAST_OTHER)
    leave[:size, :-1] += np.where(moves, c.ENDS_ON_CUE, 0.0)[:, None]
    answers = ~moves & (has.get("question", none) | has.get("service", none))
    leave[1:size, :-1] += c.ENDS_ON_ANSWER * (answers[1:, None] & offered[:-1])
    leave[1:size, :products] += c.ENDS_ON_OTHER * (answers[1:, None] & offered[:-1, :products] & _others_named(scores.naming)[1:])
    leave[:size, :products] += c.INSIDE_NAMED * np.maximum(scores.naming - 0.5, 0.0) * 2 * ~(moves | resumes)[:, None]
    enter[:, -1] += edge
    return enter, leave


def _others_named(naming: Table) -> NDArray[np.bool_]:
    """Tell which sentences name another product than each, and not that one: (units, products)."""
    others: NDArray[np.bool_] = (naming <= 0) & (naming.sum(axis=1, keepdims=True) > naming)
    return others


def _named_soon(naming: Table) -> Table:
    soon = np.zeros_like(naming)
    for ahead, worth in enumerate(c.NAMED_SOON):
        soon[: len(naming) - ahead] = np.maximum(soon[: len(naming) - ahead], worth * naming[ahead:])
    return soon


def _cut_near(evidence: Evidence, stream: Read) -> NDArray[np.bool_]:
    cuts = np.array(evidence.picture.cuts if evidence.picture is not None else (), float)
    if not len(cuts):
        return np.zeros(len(stream.starts), bool)
    place = np.searchsorted(cuts, stream.starts)
    gaps = np.minimum(
        np.abs(cuts[np.minimum(place, len(cuts) - 1)] - stream.starts), np.abs(cuts[np.maximum(place - 1, 0)] - stream.starts)
    )
    near: NDArray[np.bool_] = gaps <= 1.0
    return near


def _card_starts(evidence: Evidence, stream: Read, earlier: Decoding | None) -> Table:
    """Score beginnings by the cards that follow: log of (missing + (1 - missing) x density of the delay / rate of cards)."""
    column = {product.sku: k for k, product in enumerate(stream.products)}
    cards = [(card.time, column[card.sku]) for card in evidence.log.cards or () if card.action == "show" and card.sku in column]
    table = np.zeros((len(stream.starts), len(stream.products)))
    if not cards:
        return table
    delay, spread = card_delay(cards, stream, earlier)
    rate = max(len(cards), 1) / max(evidence.duration, 60.0) / max(len(stream.products), 1)
    density = np.zeros_like(table)
    for time, k in cards:
        late = time - stream.starts
        density[:, k] = np.maximum(density[:, k], np.exp(-0.5 * ((late - delay) / spread) ** 2) / (spread * 2.5066))
    table = np.log(c.CARD_MISSING + (1 - c.CARD_MISSING) * density / max(rate, 1e-4))
    return np.clip(table, -1.4, 2.5)


def card_delay(cards: list[tuple[float, int]], stream: Read, earlier: Decoding | None) -> tuple[float, float]:
    """Estimate how late this stream's cards come, from the beginnings of an earlier pass: mean and deviation in seconds.

    The prior (`CARD_DELAY`, `CARD_SPREAD`) is worth three cards.
    """
    if earlier is None:
        return c.CARD_DELAY, c.CARD_SPREAD
    seen = []
    for time, k in cards:
        near = np.abs(stream.starts - time + c.CARD_DELAY) <= 3 * c.CARD_SPREAD
        weight = np.where(near, earlier.begin[:, k], 0.0)
        if weight.sum() > 0.5:
            seen.append(float(np.average(time - stream.starts, weights=weight)))
    if not seen:
        return c.CARD_DELAY, c.CARD_SPREAD
    mean = (3 * c.CARD_DELAY + sum(seen)) / (3 + len(seen))
    variance = (3 * c.CARD_SPREAD**2 + sum((value - mean) ** 2 for value in seen)) / (3 + len(seen))
    return mean, max(1.5, float(np.sqrt(variance)))
