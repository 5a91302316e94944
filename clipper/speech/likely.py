"""Names for a second look: which products a stretch of speech is likely about, once it has been heard without them.

A catalogue of hundreds does not fit into a prompt, and names that are not said mislead more than they help. So windows are
first decoded without names; what sounds like one of them, however it was written, tells which few to put into the prompt of a
second decoding. A second text may only spell what the first one heard: a name that nothing in the first sounded like is a leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from clipper.detect.mentions import find_mentions
from clipper.detect.sounds import Heard as Sounding
from clipper.detect.sounds import tokens
from clipper.values import Mention, Product, Sentence, Word

ENOUGH = 0.5
"""Score from which something sounds like a name."""
ALIKE = 0.6
"""The same for a name that a second decoding writes: it may repair what was heard, not invent."""


def sentence_of(pieces: Sequence[Word]) -> Sentence | None:
    """Make one sentence of a window's pieces; None when nothing was heard."""
    return Sentence(tuple(pieces)) if pieces else None


def likely_products(windows: Sequence[Sequence[Word]], products: Sequence[Product], language: str) -> tuple[Product, ...]:
    """List the products that anything in these windows sounds like, the most named first."""
    worth: dict[str, float] = {}
    for mention in _mentions(windows, products, language):
        worth[mention.sku] = worth.get(mention.sku, 0.0) + mention.score
    found = [product for product in products if worth.get(product.sku, 0.0) >= ENOUGH]
    return tuple(sorted(found, key=lambda product: -worth[product.sku]))


def is_misspelt(window: Sequence[Word], products: Sequence[Product], language: str) -> bool:
    """Tell whether a window holds something that sounds like a product's alias and is written in another way."""
    aliases = {alias.lower() for product in products for alias in product.aliases}
    found = (mention for mention in _mentions([window], products, language) if mention.kind == "name")
    return any(mention.text.lower() not in aliases for mention in found)


def leaks(before: str, after: str, names: Sequence[str]) -> bool:
    """Tell whether a second text has a name more often than anything in the first text sounded like it."""
    stream = Sounding(tokens(before))
    return any(after.lower().count(name.lower()) > max(before.lower().count(name.lower()), _sounds(stream, name)) for name in names)


def _sounds(stream: Sounding, name: str) -> int:
    return len(stream.find(tokens(name), ALIKE))


def _mentions(windows: Sequence[Sequence[Word]], products: Sequence[Product], language: str) -> list[Mention]:
    sentences = [sentence for pieces in windows if (sentence := sentence_of(pieces)) is not None]
    found = find_mentions(tuple(sentences), tuple(products), language)
    return [mention for mention in found if mention.kind in ("name", "title") and mention.score >= ENOUGH]
