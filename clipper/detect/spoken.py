"""Turn speech into numbers: names, links, words of titles, prices, and how much a sentence sounds like selling at all.

Every table is (sentences, products) in nats against background.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.mentions import things_named
from clipper.detect.numerals import Spoken
from clipper.detect.reading import Read, Table, blank, fair_share
from clipper.detect.twins import twins
from clipper.values import Product

_SHORT_YEAR = re.compile(r"年(?![了来前后多以之])")


def naming(stream: Read) -> Table:
    """Score how clearly each sentence names each product, in [0, 1]; brands and link numbers do not name."""
    table = blank(stream)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    for place, mentions in stream.mentions.items():
        for mention in mentions:
            if mention.kind in ("link", "brand") or mention.sku not in column:
                continue
            k, worth = column[mention.sku], mention.score * mention.weight
            high, low = max(table[place, k], worth), min(table[place, k], worth)
            table[place, k] = min(1.0, high + 0.25 * low)
    return table


def names(naming: Table, share: Table | None, seconds: float) -> Table:
    """Score names by how often each is said outside its product's explanations (`share`, of an earlier pass)."""
    rate = outside_rate(naming, share, c.NAME_INSIDE, c.NAME_OUTSIDE, seconds)
    weight = np.clip(np.log(c.NAME_INSIDE / rate), 0.0, c.NAME_MOST)
    rivals = naming.max(axis=1, initial=0.0, keepdims=True)
    return np.where(naming > 0, naming * weight, c.NAME_ABSENT * np.where(rivals > 0.5, 1.5, 1.0))


def with_twins(names: Table, stream: Read, marks: Table) -> Table:
    """Let a name that is heard once speak a little for the twins of its product, which are compared with it in their explanations.

    What is named again within `TWIN_ALONE` sentences is being explained, and says nothing for its twins; nor does a name beside
    something that is its product's and not the twin's. `marks` (sentences, products) is what words, figures, prices and links say.
    """
    pairs = np.argwhere(twins(stream.known))
    if not len(pairs):
        return names
    said = names > 0
    around = sum((_moved(said, by) for by in range(-c.TWIN_ALONE, c.TWIN_ALONE + 1) if by), np.zeros(said.shape, int))
    alone = np.where(said & (around == 0), names, 0.0)
    told = names.copy()
    for a, b in pairs:
        is_other = (alone[:, a] > 0) & (marks[:, a] - marks[:, b] < c.TWIN_MARKED)
        told[:, b] = np.where(is_other, np.maximum(told[:, b], c.TWIN_SHARE * alone[:, a]), told[:, b])
    return told


def _moved(said: NDArray[np.bool_], by: int) -> NDArray[np.int64]:
    """Move rows by some places, later ones for a positive number; what comes in is 0."""
    moved = np.zeros(said.shape, np.int64)
    if by > 0:
        moved[by:] = said[:-by]
    else:
        moved[:by] = said[-by:]
    return moved


def outside_rate(said: Table, share: Table | None, inside: float, outside: float, seconds: float = math.inf) -> Table:
    """Estimate how often each product's names are said when it is not explained: (products,), shrunk to `outside`.

    Without an earlier pass the product's own explanation is expected to hold a fair share of the stream; what goes beyond
    that is said elsewhere, which gives generic words their low weight.
    """
    size, products = said.shape
    if share is None:
        fair = fair_share(products, seconds)
        count, trials = np.maximum(0.0, said.sum(axis=0) - 1.4 * inside * fair * size), np.full(products, float(size))
    else:
        count, trials = (said * (1 - share)).sum(axis=0), (1 - share).sum(axis=0)
    rate: Table = (c.NAME_SURE * outside + count) / (c.NAME_SURE + trials)
    return rate


def links(stream: Read, share: Table | None) -> Table:
    """Score links called by number. Which product a number means is learned: a shop's order is not always the catalogue's."""
    table = blank(stream)
    size = len(stream.products)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    calls = [(at, column[m.sku], m) for at, ms in stream.mentions.items() for m in ms if m.kind == "link" and m.sku in column]
    belief = np.eye(size) * (2.0 if all(p.link is None for p in stream.products) else 3.0) + 0.15 / max(size, 1)
    if share is not None:
        for at, k, mention in calls:
            near = share[max(0, at - 1) : at + 2].mean(axis=0)
            belief[k] += 1.5 * mention.weight * np.where(near > 0.3, near, 0.0)
    belief /= belief.sum(axis=1, keepdims=True)
    for at, k, mention in calls:
        ratio = np.log(0.02 + belief[k]) - np.log(0.02 + 1.0 / max(size, 2))
        table[at] = np.maximum(table[at], np.clip(ratio, 0.0, 1.4) / 1.4 * c.LINK_SAID * mention.score * mention.weight)
    for at, mentions in stream.mentions.items():
        for mention in mentions:
            if mention.kind == "brand" and mention.sku in column:
                k = column[mention.sku]
                table[at, k] = max(table[at, k], c.BRAND_SAID * mention.score * mention.weight)
    return table


def words(stream: Read) -> Table:
    """Score attribute words and figures of titles; who runs through the list of links is about none of them."""
    table = blank(stream)
    for k, hits in enumerate(stream.words):
        for place, weight in hits:
            table[place, k] += weight
    said = _by_value(stream)
    for k, entry in enumerate(stream.known):
        for value in set(entry.figures) - {entry.product.price, entry.product.list_price}:
            for place, number in said.get(round(value, 2), ()):
                if not number.money:
                    table[place, k] += c.FIGURE_SAID * (0.25 if number.value < c.SMALL_FIGURE and not number.unit else 1.0)
            for place in _short_years(value, said, stream):
                table[place, k] += c.FIGURE_SAID * c.YEAR_SHARE
    table[stream.listed] = 0.0
    return np.minimum(table, c.WORDS_MOST)


def _short_years(value: float, said: Mapping[float, list[tuple[int, Spoken]]], stream: Read) -> list[int]:
    """Find where a year of the title is said with its last two digits: 22年的 for 2022; 20年了 is a time."""
    if value not in c.YEARS:
        return []
    return [place for place, number in said.get(value % 100, ()) if _SHORT_YEAR.match(stream.sentences[place].text, number.end)]


def prices(stream: Read) -> Table:
    """Score the prices of the catalogue, as spoken: every product that a number fits gets its share, exact ones more than near ones."""
    table = blank(stream)
    none = np.zeros(len(stream.sentences), np.int32)
    offers = (stream.cue_counts.get("price", none) > 0) | (stream.cue_counts.get("link", none) > 0)
    fitting = _fitting(stream.products)
    for value, places in _by_value(stream).items():
        for k, worth in fitting.get(value, {}).items():
            for place, number in places:
                if not number.unit:
                    small = 0.25 if value < c.SMALL_FIGURE and not number.money else 1.0
                    small *= 1.0 if number.money or offers[place] else c.PRICE_ALONE
                    table[place, k] = max(table[place, k], worth * small)
    return table


def _fitting(products: Sequence[Product]) -> Mapping[float, Mapping[int, float]]:
    """Give what each number says for which products, in nats: their prices, and at less those without the decimals or rounded up."""
    fitting: dict[float, dict[int, float]] = {}
    for k, product in enumerate(products):
        for price, worth in ((product.price, c.PRICE_SAID), (product.list_price, c.LIST_PRICE_SAID)):
            if price:
                near = {float(math.floor(price)), float(math.ceil(price))} - {price} if price >= c.SMALL_FIGURE else set[float]()
                for value, share in ((round(price, 2), 1.0), *((value, c.PRICE_NEAR) for value in near)):
                    fits = fitting.setdefault(value, {})
                    fits[k] = max(fits.get(k, 0.0), worth * share)
    return fitting


def _by_value(stream: Read) -> Mapping[float, list[tuple[int, Spoken]]]:
    """Look numbers up by their value: (sentence, number)."""
    said: dict[float, list[tuple[int, Spoken]]] = {}
    for place, spoken in enumerate(stream.figures):
        for number in spoken:
            said.setdefault(round(number.value, 2), []).append((place, number))
    return said


def price_falls(figures: Sequence[Spoken]) -> bool:
    """Tell whether a sentence quotes one number and then a lower one ("329, 到我这儿189"): a price, or pieces left, in any words."""
    values = [number.value for number in figures if not number.unit]
    return any(a >= c.FALLS_FROM and c.FALLS_BY * a <= b < a for a, b in pairwise(values))


def talk(stream: Read, naming: Table) -> Table:
    """Score product talk against background from cue phrases and figures."""
    size = len(stream.sentences)
    talk = np.zeros(size)
    none = np.zeros(size, np.int32)
    answers = (stream.cue_counts.get("question", none) + stream.cue_counts.get("service", none)) > 0
    for kind, count in stream.cue_counts.items():
        worth = c.CUE.get(kind, 0.0) * np.minimum(count, 2) ** 0.7
        talk += np.where(answers, c.ANSWER_SHARE * worth, worth) if worth.sum() > 0 else worth
    named = naming.max(axis=1, initial=0.0)
    opening = stream.cue_counts.get("transition", np.zeros(size, np.int32)) > 0
    talk -= np.where(opening, c.CUE["transition"] * np.minimum(1.0, 1.5 * named), 0.0)  # "first, the kettle" opens; "put it aside" does not
    talk += c.FIGURES_TOLD * np.array([min(2, sum(bool(n.unit or n.money) for n in spoken)) for spoken in stream.figures], float)
    listed = stream.listed.copy()
    for place, mentions in stream.mentions.items():
        listed[place] |= things_named([m for m in mentions if m.kind == "name"]) >= 3
    talk += c.LISTED * listed
    high, low = c.CUES_MOST
    return np.clip(talk, low, high)
