"""Choose the products that are worth a decoding: a catalogue may list hundreds that are never shown."""

from __future__ import annotations

from collections.abc import Sequence

from clipper.detect import constants as c
from clipper.detect.names import own_words
from clipper.detect.numerals import numbers
from clipper.values import Evidence, Mention, Product


def candidates(evidence: Evidence, products: tuple[Product, ...], always: frozenset[str] = frozenset()) -> tuple[Product, ...]:
    """Keep the products that anything at all speaks for: a catalogue may list hundreds that are never shown."""
    spoken = _named_enough(evidence, products)
    spoken |= always
    spoken |= {card.sku for card in evidence.log.cards or ()}
    if evidence.picture is not None:
        spoken |= {sighting.sku for sighting in evidence.picture.sightings or () if sighting.score >= 0.5}
    return tuple(product for product in products if product.sku in spoken)


def _named_enough(evidence: Evidence, products: tuple[Product, ...]) -> set[str]:
    """List the products that are named clearly, or often enough, within `NAMED_WITHIN_S`.

    A link number proves nothing by itself, since any shop has a number one, and neither does a brand: they count for a product
    whose own words or price are said near.
    """
    recent: dict[str, list[tuple[float, float]]] = {}
    enough: set[str] = set()
    called: dict[str, list[Mention]] = {}
    for mention in evidence.mentions:
        if mention.sku in enough:
            continue
        if mention.kind in ("link", "brand"):
            called.setdefault(mention.sku, []).append(mention)
            continue
        window = [(t, worth) for t, worth in recent.get(mention.sku, ()) if t > mention.start - c.NAMED_WITHIN_S]
        window.append((mention.start, mention.score * mention.weight))
        recent[mention.sku] = window
        if sum(worth for _, worth in window) >= c.NAMED_ENOUGH:
            enough.add(mention.sku)
    return enough | {p.sku for p in products if p.sku not in enough and _described(evidence, p, called.get(p.sku, ()))}


def _described(evidence: Evidence, product: Product, calls: Sequence[Mention]) -> bool:
    """Tell whether a product's own words (title, selling points, price) are said near its brand or one of the calls of its link."""
    for call in calls:
        near = [s.text for s in evidence.sentences if abs(s.start - call.start) <= c.NAMED_WITHIN_S]
        text = "".join(near).lower()
        words = sum(word in text for word in own_words(product)) + (call.kind == "brand")
        if words >= c.OWN_WORDS or (words and _priced(near, product)):
            return True
    return False


def _priced(texts: Sequence[str], product: Product) -> bool:
    """Tell whether what a product costs is said, as money."""
    return any(number.money and number.value == product.price for text in texts for number in numbers(text))
