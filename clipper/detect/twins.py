"""Products that are hard to tell apart: nearly the same name, of the same kind.

A host who explains one of two such products names the other one too ("only one word differs", "the older one is that"), far
oftener than anything else. So hearing the one speaks a little for its twin, and only what distinguishes them decides.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clipper.detect.names import Known, own_words
from clipper.detect.sounds import Token, cost, tokens

LEAST_ALIKE = 0.5
"""Share of a name's sounds that have to agree, place by place: one syllable of two (寿眉 and 贡眉), one word of two."""
LEAST_SHARED = 0.25
"""Share of describing words in common from which two products are of one kind, where their categories do not say so."""


@lru_cache(maxsize=16)
def twins(known: tuple[Known, ...]) -> NDArray[np.bool_]:
    """Tell which products are twins: (products, products), symmetric, nothing its own twin."""
    table = np.zeros((len(known), len(known)), bool)
    names = [_spoken(entry) for entry in known]
    by_sound: dict[tuple[str, str], set[int]] = {}
    for k, spoken in enumerate(names):
        for token in {(t.kind, t.sound) for name in spoken for t in name}:
            by_sound.setdefault(token, set()).add(k)
    pairs = {(a, b) for ks in by_sound.values() for a in ks for b in ks if a < b}
    for a, b in pairs:
        heads = _same_kind(known[a], known[b])
        if heads is not None and any(_alike(x, y, heads) for x in names[a] for y in names[b]):
            table[a, b] = table[b, a] = True
    return table


def _spoken(entry: Known) -> tuple[tuple[Token, ...], ...]:
    """Give the sounds of a product's own names, those of several sounds."""
    spoken = (tokens(name.text) for name in entry.names if name.kind == "name")
    return tuple(dict.fromkeys(name for name in spoken if len(name) >= 2))


def _alike(left: tuple[Token, ...], right: tuple[Token, ...], by_head: bool) -> bool:
    """Tell whether two names agree in at least half of their sounds, place by place, and are not the same.

    `by_head` asks for the same last sound too, which is that of the thing itself, unless a number or letter ends both.
    """
    if len(left) != len(right):
        return False
    apart = [cost(a, b) for a, b in zip(left, right, strict=True)]
    numbered = all(token.kind == "number" or (token.kind == "latin" and len(token.text) == 1) for token in (left[-1], right[-1]))
    if by_head and apart[-1] > 0 and not numbered:
        return False
    return 0 < sum(apart) <= (1 - LEAST_ALIKE) * len(left)


def _same_kind(left: Known, right: Known) -> bool | None:
    """Tell how to compare the names of two products: None for not at all, else whether the thing itself has to be the same."""
    if left.product.category and right.product.category:
        return None if left.product.category != right.product.category else False
    mine, others = set(own_words(left.product)), set(own_words(right.product))
    return True if len(mine & others) >= LEAST_SHARED * max(1, min(len(mine), len(others))) else None
