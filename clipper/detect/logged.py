"""Turn product cards, sightings, chat and orders into numbers: tables (sentences, products) in nats against background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.chatter import TOKEN
from clipper.detect.reading import Read, Table, blank, running
from clipper.detect.responses import BOUGHT, WANTED
from clipper.values import Evidence


def carded(evidence: Evidence, stream: Read) -> Table:
    """Score product cards over the stretch that each stands for."""
    table = blank(stream)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    for card in evidence.log.cards or ():
        if card.action != "show" or card.sku not in column:
            continue
        first, last = card.time - c.CARD_BEFORE, card.time + c.CARD_AFTER
        overlap = np.clip(np.minimum(stream.ends, last) - np.maximum(stream.starts, first), 0.0, None)
        if overlap.sum() > 0:
            table[:, column[card.sku]] += c.CARD_SAID * overlap / max(float(overlap.sum()), 4.0)
    return table


def seen(evidence: Evidence, stream: Read, share: Table | None) -> Table:
    """Score sightings, and their absence, as thinned Bernoulli looks.

    How often products are seen while they are explained, and each one while it is not, is learned from an earlier pass; a
    product that always stands in the picture, or that was never recognised, says nothing.
    """
    looks = _looks(evidence, stream)
    table = blank(stream)
    if looks is None or not len(stream.sentences):
        return table
    first, last = (stream.starts // c.LOOK_APART).astype(int), (stream.ends // c.LOOK_APART).astype(int) + 1
    summed = np.vstack([np.zeros((1, looks.shape[1])), np.cumsum(looks, axis=0)])
    last = np.minimum(last, len(looks))
    seen = (summed[last] - summed[first]) / (last - first)[:, None]
    (inside, worth_in), (outside, worth_out) = c.SEEN_INSIDE, c.SEEN_OUTSIDE
    known = last[stream.until - 1]
    ever: NDArray[np.bool_] = summed[known] > 0
    if share is None:
        fair = 1.5 / (len(stream.products) + 1)
        p_in = np.full((len(seen), 1), inside)
        p_out = np.maximum(outside, (summed[known] / known[:, None] - fair) / max(1 - fair, 0.1))
    else:
        on = share * ever
        p_in = worth_in * inside + running((seen * on).sum(axis=1, keepdims=True), stream)
        p_in /= worth_in + running(on.sum(axis=1, keepdims=True), stream)
        p_out = (worth_out * outside + running(seen * (1 - share), stream)) / (worth_out + running(1 - share, stream))
    p_in = np.clip(np.maximum(p_in, p_out), 0.02, 0.95)
    p_out = np.clip(p_out, 0.01, 0.95)
    count = np.maximum(1.0, (stream.ends - stream.starts) / c.LOOK_APART)[:, None] * c.LOOK_WORTH
    table = count * (seen * np.log(p_in / p_out) + (1 - seen) * np.log((1 - p_in) / (1 - p_out)))
    return np.clip(np.where(ever, table, 0.0), -c.SEEN_MOST / 2, c.SEEN_MOST)


def _looks(evidence: Evidence, stream: Read) -> Table | None:
    """Lay sightings on a grid of looks: best score per look and product, None when nothing was ever seen."""
    column = {product.sku: k for k, product in enumerate(stream.products)}
    assert evidence.picture is not None
    end = max(evidence.duration, float(stream.ends[-1]) if len(stream.ends) else 0.0)
    looks = np.zeros((int(end // c.LOOK_APART) + 1, len(stream.products)))
    for sighting in evidence.picture.sightings or ():
        slot = int(sighting.time // c.LOOK_APART)
        if sighting.sku in column and 0 <= slot < len(looks):
            looks[slot, column[sighting.sku]] = max(looks[slot, column[sighting.sku]], sighting.score)
    return looks if looks.any() else None


def asked(evidence: Evidence, stream: Read) -> Table:
    """Score chat messages that name a product by one of its names, at the sentences they may react to."""
    table = blank(stream)
    index: dict[str, list[tuple[str, int]]] = {}
    for k, entry in enumerate(stream.known):
        for name in entry.names:
            if name.kind == "name" and len(name.text) >= 2:
                index.setdefault(name.text[:2].lower(), []).append((name.text.lower(), k))
    early, late = c.CHAT_LAG
    for comment in evidence.log.comments or ():
        text = comment.text.lower()
        skus = {k for at in range(len(text) - 1) for name, k in index.get(text[at : at + 2], ()) if text.startswith(name, at)}
        if len(skus) == 1:
            first, last = (
                np.searchsorted(stream.ends, comment.time - late, side="right"),
                np.searchsorted(stream.starts, comment.time - early),
            )
            table[first:last, skus.pop()] += c.ASKED * 4.0 / (late - early)
    return np.minimum(table, c.ASKED_MOST)


def strayed(evidence: Evidence, stream: Read) -> Table:
    """Score how far the chat has left the goods, (sentences,), at most 0.

    A burst of comments that neither ask nor buy answers a quarrel, a joke or a guest, and what it answers is no explanation. What
    hosts ask everybody to type says nothing either way.
    """
    times = np.array(
        [
            comment.time
            for comment in evidence.log.comments or ()
            if not BOUGHT.search(comment.text) and not WANTED.search(comment.text) and not TOKEN.match(comment.text)
        ]
    )
    if len(times) < c.STRAYED_FEWEST:
        return np.zeros(len(stream.sentences))
    early, late = c.STRAYED_LAG
    count = np.searchsorted(times, stream.ends + late) - np.searchsorted(times, stream.starts + early)
    length = stream.ends - stream.starts + late - early
    usual = max(float(np.median(count / length)), 1 / late)
    above = np.log((count + 1) / (usual * length + 1) / c.STRAYED_FROM)
    return np.clip(-c.STRAYED_WORTH * above, -c.STRAYED_MOST, 0.0)


def bought(evidence: Evidence, stream: Read) -> Table:
    """Score orders: which product's orders a sentence set off, against how it sells overall.

    Each order is spread back over the seconds that may have caused it (`ORDER_CAUSE`). What is bought is what was offered, not
    yet what is being shown: orders of the last offer come in while the next product is introduced, so they say little, and never
    that a product is off.
    """
    table = blank(stream)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    orders = [(o.time + o.bucket_s / 2, column[o.sku]) for o in evidence.log.orders or () if o.sku in column and o.quantity > 0]
    if not orders or len(stream.products) < 2:
        return table
    times, columns = np.array([t for t, _ in orders]), np.array([k for _, k in orders])
    order = np.argsort(times)
    times, columns = times[order], columns[order]
    middle = (stream.starts + stream.ends) / 2
    for k in np.unique(columns):
        own = times[columns == k]
        for (early, late), share in zip(c.ORDER_CAUSE, c.ORDER_CAUSE_SHARES, strict=True):
            caused = np.searchsorted(own, middle + late) - np.searchsorted(own, middle + early)
            table[:, k] += share * caused * 60.0 / (late - early)
    expected = np.bincount(columns, minlength=len(stream.products)) * 60.0 / max(evidence.duration, 60.0)
    gain: Table = np.clip(0.5 * np.log((table + 1.0) / (expected + 1.0)), 0.0, c.BOUGHT_MOST)
    return gain
