"""Names for stretches of speech whose product no catalogue tells: a noun that belongs there, or nothing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from clipper.detect.names import is_cjk
from clipper.detect.nouns import is_thing, modified, nouns, things
from clipper.values import Sentence

OPENING = 2
"""Sentences in which a host says what comes now."""
OPENING_WORTH = 1.5
"""Times that being named in the opening counts for."""
LISTED_WORTH = 2.0
"""Times that being named beside a link number counts for."""
LEAST_WORTH = 2.0
"""Worth from which a noun is a name: said twice, or once beside its link's number or in the opening with a thing's ending."""
LEAST_RATIO = 2.0
"""Times that a name is denser inside its stretch than outside."""
_NUMBER = re.compile(r"(?:\d{1,3}|[一二两三四五六七八九十]{1,3})\s*号(?:链接)?|\bnumber (?:\w+)\b", re.IGNORECASE)


def name_of(sentences: Sequence[Sentence], first: int, last: int, *, is_announced: bool = False) -> str:
    """Name the stretch from sentence `first` to `last` (exclusive): the noun said most there and hardly elsewhere; empty when none is.

    `is_announced` says that it opens with moving on to something ("next, the scarf"), where one naming is enough.
    """
    scored = scored_nouns(sentences, first, last, is_announced)
    return scored[0] if scored else ""


def full_name(sentences: Sequence[Sentence], first: int, last: int, noun: str) -> str:
    """Add to an English noun the word that describes it, when the stretch says so more often than not: "rain shell" for "shell"."""
    if not noun or is_cjk(noun):
        return noun
    forms = Counter(modified(s.text, noun) for s in sentences[first:last] if re.search(rf"\b{re.escape(noun)}\b", s.text, re.IGNORECASE))
    if not forms:
        return noun
    form, count = forms.most_common(1)[0]
    return form if 2 * count > forms.total() else noun


def scored_nouns(sentences: Sequence[Sentence], first: int, last: int, is_announced: bool) -> tuple[str, ...]:
    """List the nouns that could name a stretch, the best first."""
    inside, outside = Counter[str](), Counter[str]()
    for at, sentence in enumerate(sentences):
        said = list(dict.fromkeys(nameable(sentence.text)))  # in the order of speech, which settles ties
        if first <= at < last:
            inside.update(said)
        elif not lists(sentence.text):
            outside.update(said)
    begins = [set(nameable(sentence.text)) for sentence in sentences[first : min(first + OPENING, last)]]
    opening, announced = set().union(*begins), begins[0] if is_announced else set()
    listed = {noun for sentence in sentences if lists(sentence.text) for noun in _beside_numbers(sentence.text)}
    worth: dict[str, float] = {}
    for noun, count in inside.items():
        sure = count >= 2 or noun in listed or noun in announced or (noun in opening and is_thing(noun))
        amount = count + OPENING_WORTH * (noun in opening and sure) + LISTED_WORTH * (noun in listed)
        ratio = (count / max(last - first, 1)) / ((outside[noun] + 0.25) / max(len(sentences) - (last - first), 8))
        if amount >= LEAST_WORTH and ratio >= LEAST_RATIO:
            worth[noun] = amount * math.log(ratio)
    return tuple(sorted(worth, key=lambda noun: -worth[noun]))


def nameable(text: str) -> tuple[str, ...]:
    """List what in a sentence could name a stretch: its nouns, in English also things sold that stand without an article."""
    return nouns(text) if is_cjk(text) else tuple(dict.fromkeys((*nouns(text), *things(text))))


def lists(text: str) -> bool:
    """Tell whether a sentence runs through several link numbers: it is about none of them."""
    return len(_NUMBER.findall(text)) >= 2


def _beside_numbers(text: str) -> tuple[str, ...]:
    """Give the first noun after every link number."""
    pieces = _NUMBER.split(text)[1:]
    return tuple(found[0] for piece in pieces if (found := nouns(piece)))
