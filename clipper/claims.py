"""Claims that may be wrong tomorrow, or may not be made at all: prices, stock, dates, superlatives, effects, gifts.

Spoken words are only marked, never rewritten; what the project writes itself (titles, cards) must be free of forbidden words
(`forbidden_in_title`). Chinese and English have word lists; in every other language amounts with a currency sign are found.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from clipper.claim_words import LANGUAGES, Words, words_of
from clipper.errors import InputError
from clipper.spoken_numbers import SpokenNumber, find_numbers, narrow
from clipper.values import Claim, Product, Sentence, ms

VERSION = 1

Kind = Literal["price", "stock", "time", "superlative", "efficacy", "gift"]

CONTEXT_CHARS = 24
"""Characters before a number in which its meaning is looked for."""

_CLAUSE = re.compile(r"[，。！？；、,.!?;:：…\n]+")
_CJK = re.compile(r"[\u3400-\u9fff]")
_NEVER_IN_TITLES = re.compile(
    r"治疗|治愈|根治|疗效|药到病除|[无零]副作用|永不复发|包治|保证治好|稳赚|保本|最低价|clinically proven|no side effects", re.IGNORECASE
)
"""What a generated title must not say beside superlatives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOptions:
    """Which claims are looked for."""

    kinds: tuple[Kind, ...] = get_args(Kind)
    """Kinds that are reported."""
    min_share: float = 0.1
    """A number without a unit of money counts as a price from this share of the product's price on; in (0, 1]."""
    max_share: float = 5.0
    """… and up to this multiple of its highest price; 1 or more."""

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in get_args(Kind)]
        if unknown:
            raise InputError(f"kinds = {unknown[0]}: expected some of {', '.join(get_args(Kind))}")
        if not 0 < self.min_share <= 1 <= self.max_share:
            raise InputError(f"min_share = {self.min_share}, max_share = {self.max_share}: expected 0 < min_share ≤ 1 ≤ max_share")


@dataclass(frozen=True, slots=True)
class _Found:
    """A claim by its place in a sentence's text."""

    kind: Kind
    start: int
    end: int
    perishable: bool
    value: float | None = None
    catalogue: float | None = None


def find_claims(sentences: Iterable[Sentence], product: Product | None, language: str, options: ClaimOptions) -> tuple[Claim, ...]:
    """Find the claims of sentences, in the order in which they are said.

    `product` is the thing that the sentences are about: its prices say which bare numbers are prices ("今天五十九"), and
    `catalogue` of a claim is its number for the same thing. A claim is perishable when it can be wrong tomorrow: a price that
    is not the list price, stock, dates, gifts. `language` is an ISO 639-1 code.
    """
    claims: list[Claim] = []
    for sentence in sentences:
        text = "".join(word.text for word in sentence.words)
        found = [item for item in _find(narrow(text), product, language, options) if item.kind in options.kinds]
        claims += [_claim(item, text, sentence) for item in sorted(found, key=lambda item: (item.start, item.end))]
    return tuple(claims)


def removable(sentence: Sentence, claims: Sequence[Claim]) -> bool:
    """Say whether a sentence can go without harm: it carries an offer or a call to buy, and next to nothing else.

    What is left after claims, calls, numbers and empty words are taken away is measured against the sentence; beside a claim
    a few characters are allowed, so that a colour named with the price does not keep the price in.
    """
    own = [claim for claim in claims if sentence.start <= claim.start < max(sentence.end, sentence.start + 0.001)]
    perishable = [claim.text for claim in own if claim.perishable]
    is_offer = any(claim.perishable and claim.kind in ("price", "stock", "gift") for claim in own)
    text = narrow(sentence.text)
    is_chinese = len(_CJK.findall(text)) * 3 >= len(re.sub(r"\W", "", text))
    words = _words("zh" if is_chinese else "en")
    if not (is_offer or words.call.search(text)):
        return False
    left = 0
    for clause in _CLAUSE.split(text):
        bare, is_offer = _bare(clause, perishable, words)
        size = len(re.sub(r"\W", "", bare)) if is_chinese else len(re.findall(r"\w{2,}", bare))
        left += max(0, size - (_FREE[is_chinese] if is_offer else 0))
    total = len(re.sub(r"\W", "", text)) if is_chinese else len(text.split())
    return left <= max(_SLACK[is_chinese], 0.2 * total)


_FREE = {True: 4, False: 2}
"""Characters (Chinese) or words that may stand beside an offer in its clause."""
_SLACK = {True: 3, False: 1}


def forbidden_in_title(text: str) -> tuple[str, ...]:
    """Name the absolute words in a text that a generated title must not carry, in order, each once."""
    plain = narrow(text)
    found = [match for language in LANGUAGES for match in _superlatives(plain, _words(language))]
    found += list(_NEVER_IN_TITLES.finditer(plain))
    return tuple(dict.fromkeys(match.group() for match in sorted(found, key=lambda match: match.start())))


# --- finding ------------------------------------------------------------------------------------


def _find(text: str, product: Product | None, language: str, options: ClaimOptions) -> list[_Found]:
    numbers = find_numbers(text, language)
    words = words_of(language)
    if words is None:
        return [_price(text, number, None, product, None) for number in numbers if number.is_money]
    stock = list(_stock(text, numbers, words, product, options))
    taken = [(item.start, item.end) for item in stock]
    free = [number for number in numbers if not any(start <= number.start < end for start, end in taken)]
    prices = list(_prices(text, free, words, product, options))
    rest = [
        *(_Found("price", match.start(), match.end(), True) for match in words.discount.finditer(text)),
        *(_Found("stock", match.start(), match.end(), True) for match in words.stock.finditer(text)),
        *(_Found("time", match.start(), match.end(), True) for match in words.time.finditer(text)),
        *_gifts(text, numbers, words),
        *(_Found("superlative", match.start(), match.end(), _is_about_price(match.group())) for match in _superlatives(text, words)),
        *_effects(text, words),
    ]
    return _without_overlaps([*prices, *stock, *rest])


def _words(language: str) -> Words:
    words = words_of(language)
    assert words is not None, f"no words for {language}"
    return words


def _is_about_price(text: str) -> bool:
    return bool(re.search(r"[低便宜惠]|划算|cheap|low", text, re.IGNORECASE))


def _prices(text: str, numbers: Sequence[SpokenNumber], words: Words, product: Product | None, options: ClaimOptions) -> Iterator[_Found]:
    for number in numbers:
        if _is_price(text, number, words, product, options):
            yield _price(text, number, words, product, _catalogue_price(text, number, words, product))


def _is_price(text: str, number: SpokenNumber, words: Words, product: Product | None, options: ClaimOptions) -> bool:
    if number.is_money:
        return True
    before = text[max(0, number.start - CONTEXT_CHARS) : number.start]
    if words.no_price_before.search(before):
        return False
    if _is_pounds(text, number, product):
        return True
    known = {product.price, product.list_price} - {None} if product else set()
    if words.no_price_after.match(text, number.end):
        return False
    if number.value in known and number.value >= 5:
        return True
    is_plausible = _is_plausible(number, product, options)
    if words.strong_price.search(before):
        return is_plausible or product is None or product.price is None
    is_alone = words.price_end.match(text, number.end) is not None and number.end - number.start >= 2
    return is_plausible and is_alone and not number.is_rough and words.weak_price.search(before) is not None


def _is_pounds(text: str, number: SpokenNumber, product: Product | None) -> bool:
    return product is not None and product.currency == "GBP" and re.match(r"[\s-]*(?:pounds?|quid)\b", text[number.end :]) is not None


def _is_plausible(number: SpokenNumber, product: Product | None, options: ClaimOptions) -> bool:
    prices = [price for price in (product.price, product.list_price) if price] if product else []
    return bool(prices) and options.min_share * min(prices) <= number.value <= options.max_share * max(prices)


def _catalogue_price(text: str, number: SpokenNumber, words: Words, product: Product | None) -> float | None:
    """The catalogue's number for what this price is the price of."""
    if product is None:
        return None
    if product.list_price is not None and number.value == product.list_price:
        return product.list_price
    if product.price is not None and number.value == product.price:
        return product.price
    clause = _clause_before(text, number.start)
    if words.other_price.search(clause):
        return None
    if words.list_price.search(clause):
        return product.list_price
    return product.price


def _clause_before(text: str, end: int) -> str:
    """The words of a number's own clause, and of a short one before it ("今天，一百九十九")."""
    parts = _CLAUSE.split(text[max(0, end - CONTEXT_CHARS) : end])
    own = parts[-1]
    return own if own.strip() or len(parts) < 2 else parts[-2]


def _price(text: str, number: SpokenNumber, words: Words | None, product: Product | None, catalogue: float | None) -> _Found:
    if words is None and product is not None:
        catalogue = next((price for price in (product.price, product.list_price) if price == number.value), product.price)
    is_list = product is not None and product.list_price is not None and number.value == product.list_price
    return _Found("price", number.start, number.end, not is_list, number.value, catalogue)


def _stock(text: str, numbers: Sequence[SpokenNumber], words: Words, product: Product | None, options: ClaimOptions) -> Iterator[_Found]:
    for number in numbers:
        if number.is_money:
            continue
        before = text[max(0, number.start - CONTEXT_CHARS) : number.start]
        after = words.stock_after.match(text, number.end)
        opener = words.stock_before.search(before)
        is_english = words.language == "en"
        if after and (opener or (is_english and "left" in after.group())) and number.value >= _least(before, words):
            start = number.start - (len(before) - opener.start()) if opener and not is_english else number.start
            yield _Found("stock", start, number.end + len(after.group().rstrip("，。！？,、 ")), True, number.value)
        elif is_english and re.search(r"\b(?:already )?down to\s*$", before) and not _is_plausible_price(number, product):
            yield _Found("stock", number.start, number.end, True, number.value)


def _least(before: str, words: Words) -> int:
    """The least number of pieces that is news about stock: 就一个 and 有三个 are not, 还剩三瓶 is."""
    return 2 if words.stock_few.search(before[-6:]) else 10


def _is_plausible_price(number: SpokenNumber, product: Product | None) -> bool:
    return product is not None and number.value in (product.price, product.list_price)


def _superlatives(text: str, words: Words) -> Iterator[re.Match[str]]:
    exempt = [match.span() for match in words.exempt.finditer(text)]
    for match in words.superlative.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in exempt):
            yield match


def _effects(text: str, words: Words) -> Iterator[_Found]:
    for match in words.efficacy.finditer(text):
        clause = _CLAUSE.split(text[: match.start()])[-1]
        if not words.negation.search(clause):
            yield _Found("efficacy", match.start(), match.end(), False)


def _gifts(text: str, numbers: Sequence[SpokenNumber], words: Words) -> Iterator[_Found]:
    for match in words.gift.finditer(text):
        inside = (number for number in numbers if match.start() <= number.start < match.end() and not number.is_money)
        value = next((number.value for number in inside if text[number.start - 1 : number.start] != "第"), None)
        yield _Found("gift", match.start(), match.end(), True, value)


def _without_overlaps(found: Sequence[_Found]) -> list[_Found]:
    """Drop a claim that lies inside another of the same kind."""
    return [
        item
        for index, item in enumerate(found)
        if not any(
            other.kind == item.kind
            and other.start <= item.start
            and item.end <= other.end
            and (other.end - other.start > item.end - item.start or place < index)
            for place, other in enumerate(found)
            if place != index
        )
    ]


def _claim(found: _Found, text: str, sentence: Sentence) -> Claim:
    """Give a claim its times: from the word that holds its first character to the word that holds its last."""
    ends: list[int] = []
    for word in sentence.words:
        ends.append((ends[-1] if ends else 0) + len(word.text))
    first = sentence.words[min(bisect.bisect_right(ends, found.start), len(ends) - 1)]
    last = sentence.words[min(bisect.bisect_right(ends, max(found.end - 1, found.start)), len(ends) - 1)]
    return Claim(
        kind=found.kind,
        text=text[found.start : found.end].strip(),
        start=ms(first.start),
        end=ms(last.end),
        perishable=found.perishable,
        value=found.value,
        catalogue=found.catalogue,
    )


# --- what a sentence is worth without its claims ------------------------------------------------


def _bare(clause: str, perishable: Sequence[str], words: Words) -> tuple[str, bool]:
    """Take claims, calls, numbers and empty words out of a clause; says also whether it made an offer."""
    bare = clause
    for text in perishable:
        bare = bare.replace(text, " ")
    is_offer = bare != clause
    for pattern in (words.stock, words.discount, words.call, words.time):
        cut = pattern.sub(" ", bare)
        is_offer = is_offer or cut != bare
        bare = cut
    for number in reversed(find_numbers(bare, words.language)):
        bare = bare[: number.start] + " " + bare[number.end :]
    return words.filler.sub(" ", bare), is_offer
