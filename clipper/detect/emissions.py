"""Turn evidence into numbers: how much each sentence speaks for each product, and where explanations may begin and end.

Every channel adds its own (sentences, products) table of log-likelihood ratios against background; a missing channel adds
nothing. The tables are kept apart, so that reasons can be given and channels be left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.boundaries import DEFAULT, BoundaryOptions, Edges, edges, pauses, rested
from clipper.detect.cues import Cue, counts, find_cues
from clipper.detect.mentions import by_sentence
from clipper.detect.names import Known, is_cjk, know
from clipper.detect.numerals import Spoken, numbers
from clipper.detect.sounds import Heard, tokens
from clipper.values import Evidence, Mention, Product, Sentence

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Read:
    """One stream read against a list of products: what later passes share."""

    sentences: tuple[Sentence, ...]
    products: tuple[Product, ...]
    known: tuple[Known, ...]
    cues: tuple[Cue, ...]
    cue_counts: Mapping[str, NDArray[np.int32]]
    mentions: Mapping[int, list[Mention]]
    figures: tuple[tuple[Spoken, ...], ...]
    words: tuple[tuple[tuple[int, float], ...], ...]
    """For every product, the attribute words heard: (sentence, weight)."""
    starts: Table
    ends: Table
    placed: tuple[Edges, ...]
    """Where each sentence may be cut."""
    closed: NDArray[np.bool_]
    """(sentences + 1,): a statement ends before the sentence, so that a cut there leaves whole thoughts."""
    stopped: NDArray[np.bool_]
    """(sentences + 1,): as `closed`, or a full stop with any real pause: good enough for a moment, not for an explanation."""
    rested: Table
    """(sentences + 1,) in [0, 1]: the pause before the sentence, as a share of the stream's usual one."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Evidence in nats, one table per channel."""

    channels: Mapping[str, Table]
    """(sentences, products) by channel."""
    talk: Table
    """(sentences,): product talk against background, whatever the product."""
    naming: Table
    """(sentences, products) in [0, 1]: how clearly the product is named."""


def read(evidence: Evidence, products: tuple[Product, ...], boundaries: BoundaryOptions = DEFAULT) -> Read:
    """Look up cues, mentions, numbers, title words and pauses once."""
    sentences = evidence.sentences
    cues = find_cues(sentences, evidence.language)
    known = know(products)
    cuts = evidence.picture.cuts if evidence.picture is not None else ()
    placed = edges(sentences, pauses(evidence, boundaries), cuts, evidence.duration, boundaries)
    return Read(
        sentences,
        products,
        known,
        cues,
        counts(cues, len(sentences)),
        by_sentence(evidence.mentions, sentences),
        tuple(numbers(sentence.text) for sentence in sentences),
        _words_heard(sentences, known),
        np.array([s.start for s in sentences], float),
        np.array([s.end for s in sentences], float),
        placed,
        _closed(sentences, placed, c.STOP_PAUSE),
        _closed(sentences, placed, 0.0),
        rested(placed),
    )


def _closed(sentences: tuple[Sentence, ...], placed: tuple[Edges, ...], stop_pause: float) -> NDArray[np.bool_]:
    ends = [
        edge.in_pause[1] and edge.pause_after >= (stop_pause if _STOPS.search(sentence.text) else c.CLOSING_PAUSE)
        for sentence, edge in zip(sentences, placed, strict=True)
    ]
    return np.array([True, *ends], bool)


_STOPS = re.compile(r"[。.!?！？…][\"'”’）)]*\s*$")


def score(evidence: Evidence, stream: Read, share: Table | None, channels: tuple[str, ...]) -> Scores:
    """Score every sentence for every product. `share` is the posterior of an earlier pass, (sentences, products), or None."""
    naming = _naming(stream)
    talk = _talk(stream, naming)
    tables: dict[str, Table] = {}
    if "speech" in channels:
        tables["names"] = _names(naming, share, evidence.duration)
        tables["links"] = _links(stream, share)
        tables["words"] = _words(stream, share)
        tables["prices"] = _prices(stream)
        if share is not None:
            tables["learned"] = learned(stream, share)
    if "cards" in channels and evidence.log.cards is not None:
        tables["cards"] = _cards(evidence, stream)
    if "picture" in channels and evidence.picture is not None and evidence.picture.sightings is not None:
        tables["picture"] = _seen(evidence, stream, share)
    if "comments" in channels and evidence.log.comments is not None:
        tables["chat"] = _asked(evidence, stream)
    if "orders" in channels and evidence.log.orders is not None:
        tables["orders"] = _bought(evidence, stream)
    return Scores(tables, talk, naming)


# --- speech ------------------------------------------------------------------------------------------


def _blank(stream: Read) -> Table:
    return np.zeros((len(stream.sentences), len(stream.products)))


def _naming(stream: Read) -> Table:
    table = _blank(stream)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    for place, mentions in stream.mentions.items():
        for mention in mentions:
            if mention.kind in ("link", "brand") or mention.sku not in column:
                continue
            k, worth = column[mention.sku], mention.score * mention.weight
            high, low = max(table[place, k], worth), min(table[place, k], worth)
            table[place, k] = min(1.0, high + 0.25 * low)
    return table


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


def fair_share(products: int, seconds: float) -> float:
    """Share of a stream of `seconds` that a product's own explanations are expected to hold, before anything is known."""
    return max(c.SHARE_LEAST, 1.0 / (products + 1), min(0.8, c.EXPLAINED_S / max(seconds, 1.0)))


def _names(naming: Table, share: Table | None, seconds: float) -> Table:
    rate = outside_rate(naming, share, c.NAME_INSIDE, c.NAME_OUTSIDE, seconds)
    weight = np.clip(np.log(c.NAME_INSIDE / rate), 0.0, c.NAME_MOST)
    rivals = naming.max(axis=1, initial=0.0, keepdims=True)
    return np.where(naming > 0, naming * weight, c.NAME_ABSENT * np.where(rivals > 0.5, 1.5, 1.0))


def _links(stream: Read, share: Table | None) -> Table:
    """Score links called by number. Which product a number means is learned: a shop's order is not always the catalogue's."""
    table = _blank(stream)
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


def _words_heard(sentences: tuple[Sentence, ...], known: tuple[Known, ...]) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Find attribute words by sound: per product (sentence, nats), nats from how rarely the word is said overall."""
    owners, stream = [], []
    for place, sentence in enumerate(sentences):
        for token in tokens(sentence.text):
            owners.append(place)
            stream.append(token)
    heard = Heard(tuple(stream))
    where: dict[str, frozenset[int]] = {}
    for word in {word for entry in known for word in entry.attributes}:
        sounding = tokens(word)
        least = 0.93 if len(sounding) <= 2 and is_cjk(word) else 0.84
        where[word] = frozenset(owners[first] for first, _, _ in heard.align(sounding, least))
    size = len(sentences)
    fair = fair_share(len(known), sentences[-1].end if sentences else 0.0)
    found = []
    for entry in known:
        hits: list[tuple[int, float]] = []
        for word in entry.attributes:
            places = where[word]
            excess = max(0.0, len(places) - 1.4 * c.WORD_INSIDE * 3 * fair * size)
            rate = (c.NAME_SURE * c.WORD_OUTSIDE + excess) / (c.NAME_SURE + size)
            weight = float(np.clip(np.log(c.WORD_INSIDE / rate), 0.0, c.WORD_MOST))
            hits += [(place, weight) for place in places if weight > 0]
        found.append(tuple(hits))
    return tuple(found)


def _words(stream: Read, share: Table | None) -> Table:
    table = _blank(stream)
    for k, hits in enumerate(stream.words):
        for place, weight in hits:
            table[place, k] += weight
    said = _by_value(stream)
    for k, entry in enumerate(stream.known):
        for value in set(entry.figures) - {entry.product.price, entry.product.list_price}:
            for place, number in said.get(round(value, 2), ()):
                if not number.money:
                    table[place, k] += c.FIGURE_SAID * (0.25 if number.value < c.SMALL_FIGURE and not number.unit else 1.0)
    return np.minimum(table, c.WORDS_MOST)


def _prices(stream: Read) -> Table:
    table = _blank(stream)
    none = np.zeros(len(stream.sentences), np.int32)
    offers = (stream.cue_counts.get("price", none) > 0) | (stream.cue_counts.get("link", none) > 0)
    said = _by_value(stream)
    for k, product in enumerate(stream.products):
        for price, worth in ((product.price, c.PRICE_SAID), (product.list_price, c.LIST_PRICE_SAID)):
            if not price:
                continue
            for place, number in said.get(round(price, 2), ()):
                if not number.unit:
                    small = 0.25 if price < c.SMALL_FIGURE and not number.money else 1.0
                    small *= 1.0 if number.money or offers[place] else c.PRICE_ALONE
                    table[place, k] = max(table[place, k], worth * small)
    return table


def _by_value(stream: Read) -> Mapping[float, list[tuple[int, Spoken]]]:
    """Look numbers up by their value: (sentence, number)."""
    said: dict[float, list[tuple[int, Spoken]]] = {}
    for place, spoken in enumerate(stream.figures):
        for number in spoken:
            said.setdefault(round(number.value, 2), []).append((place, number))
    return said


def learned(stream: Read, share: Table) -> Table:
    """Score the words that this stream itself uses with one product: what a first answer taught about "the green one".

    A word's own sentence, and its neighbours, do not count when it is scored (otherwise every sentence would prove itself).
    """
    size, products = share.shape
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(stream.sentences):
        for word in set(content_words(sentence.text)):
            places.setdefault(word, []).append(at)
    overall = share.mean(axis=0) + 0.02
    table = np.zeros((size, products))
    for ats in places.values():
        if not 2 <= len(ats) <= max(4, size // 8):
            continue
        rows = share[ats]
        apart = np.diff(ats) > 1
        rest, trials = rows.sum(axis=0) - rows, np.full((len(ats), 1), len(ats) - 1.0)
        rest[1:] -= np.where(apart[:, None], 0.0, rows[:-1])
        rest[:-1] -= np.where(apart[:, None], 0.0, rows[1:])
        trials[1:, 0] -= ~apart
        trials[:-1, 0] -= ~apart
        rest = np.maximum(rest, 0.0)
        ratio, against = (np.log((rest + doubt * overall) / (trials + doubt)) - np.log(overall) for doubt in c.LEARNED_DOUBT)
        told = np.where(ratio > 0, np.minimum(ratio, c.LEARNED_MOST), np.clip(against, -0.3, 0.0)) * 0.5
        table[ats] += np.where(trials > 0, told, 0.0)
    clipped: Table = np.clip(table, -0.5, c.LEARNED_ALL)
    return clipped


_STOP = frozenset(
    [
        "the",
        "and",
        "for",
        "you",
        "that",
        "this",
        "with",
        "are",
        "not",
        "have",
        "has",
        "had",
        "but",
        "was",
        "were",
        "they",
        "them",
        "their",
        "there",
        "here",
        "what",
        "when",
        "where",
        "who",
        "how",
        "why",
        "all",
        "can",
        "could",
        "would",
        "should",
        "will",
        "just",
        "like",
        "get",
        "got",
        "going",
        "gonna",
        "into",
        "out",
        "over",
        "about",
        "than",
        "then",
        "some",
        "any",
        "one",
        "two",
        "your",
        "our",
        "his",
        "her",
        "its",
        "it's",
        "i'm",
        "i've",
        "don't",
        "doesn't",
        "didn't",
        "that's",
        "there's",
        "we're",
        "you're",
        "because",
        "been",
        "being",
        "really",
        "very",
        "much",
        "more",
        "most",
        "also",
        "too",
        "off",
        "from",
        "these",
        "those",
        "okay",
        "yeah",
        "well",
        "know",
        "think",
        "look",
        "looks",
        "see",
        "come",
        "back",
        "put",
        "let",
        "make",
        "only",
        "even",
        "still",
        "right",
        "so",
        "if",
        "it",
        "is",
        "我们",
        "你们",
        "他们",
        "这个",
        "那个",
        "什么",
        "就是",
        "一个",
        "没有",
        "可以",
        "不是",
        "还有",
        "大家",
        "今天",
        "现在",
        "自己",
        "真的",
        "这样",
        "那样",
        "这么",
        "那么",
        "怎么",
        "因为",
        "所以",
        "但是",
        "如果",
        "然后",
        "已经",
        "觉得",
        "知道",
        "里面",
        "上面",
        "下面",
        "时候",
        "东西",
        "一下",
        "有点",
    ]
)


def content_words(text: str) -> tuple[str, ...]:
    """Give the words of a text that can tell topics apart: character pairs in Chinese, words of four letters and more elsewhere."""
    found = [word.lower().rstrip("s") for word in re.findall(r"[A-Za-z][A-Za-z'’]{3,}", text) if word.lower() not in _STOP]
    for run in re.findall(r"[\u3400-\u9fff]{2,}", text):
        found += [run[i : i + 2] for i in range(len(run) - 1) if run[i : i + 2] not in _STOP]
    return tuple(found)


def _talk(stream: Read, naming: Table) -> Table:
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
    for place, mentions in stream.mentions.items():
        if len({m.sku for m in mentions if m.kind == "name"}) >= 3:
            talk[place] += c.LISTED
    high, low = c.CUES_MOST
    return np.clip(talk, low, high)


# --- the other channels --------------------------------------------------------------------------------


def _cards(evidence: Evidence, stream: Read) -> Table:
    table = _blank(stream)
    column = {product.sku: k for k, product in enumerate(stream.products)}
    for card in evidence.log.cards or ():
        if card.action != "show" or card.sku not in column:
            continue
        first, last = card.time - c.CARD_BEFORE, card.time + c.CARD_AFTER
        overlap = np.clip(np.minimum(stream.ends, last) - np.maximum(stream.starts, first), 0.0, None)
        if overlap.sum() > 0:
            table[:, column[card.sku]] += c.CARD_SAID * overlap / max(float(overlap.sum()), 4.0)
    return table


def _seen(evidence: Evidence, stream: Read, share: Table | None) -> Table:
    """Score sightings, and their absence, as thinned Bernoulli looks.

    How often products are seen while they are explained, and each one while it is not, is learned from an earlier pass; a
    product that always stands in the picture, or that was never recognised, says nothing.
    """
    looks = _looks(evidence, stream)
    table = _blank(stream)
    if looks is None or not len(stream.sentences):
        return table
    first, last = (stream.starts // c.LOOK_APART).astype(int), (stream.ends // c.LOOK_APART).astype(int) + 1
    summed = np.vstack([np.zeros((1, looks.shape[1])), np.cumsum(looks, axis=0)])
    last = np.minimum(last, len(looks))
    seen = (summed[last] - summed[first]) / (last - first)[:, None]
    (inside, worth_in), (outside, worth_out) = c.SEEN_INSIDE, c.SEEN_OUTSIDE
    ever: NDArray[np.bool_] = looks.max(axis=0) > 0
    if share is None:
        fair = 1.5 / (len(stream.products) + 1)
        p_in = np.full(len(ever), inside)
        p_out = np.maximum(outside, (looks.mean(axis=0) - fair) / max(1 - fair, 0.1))
    else:
        p_in = np.full(len(ever), (worth_in * inside + (seen * share)[:, ever].sum()) / (worth_in + share[:, ever].sum()))
        p_out = (worth_out * outside + (seen * (1 - share)).sum(axis=0)) / (worth_out + (1 - share).sum(axis=0))
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


def _asked(evidence: Evidence, stream: Read) -> Table:
    """Score chat messages that name a product by one of its names, at the sentences they may react to."""
    table = _blank(stream)
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


def _bought(evidence: Evidence, stream: Read) -> Table:
    """Score orders: which product's orders a sentence set off, against how it sells overall.

    Each order is spread back over the seconds that may have caused it (`ORDER_CAUSE`). What is bought is what was offered, not
    yet what is being shown: orders of the last offer come in while the next product is introduced, so they say little, and never
    that a product is off.
    """
    table = _blank(stream)
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
