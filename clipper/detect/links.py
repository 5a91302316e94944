"""Links called by their number: 二号链接, "number two in the list", however the recogniser wrote them.

Recognisers lose 链接 (练结, 连接), write 号 as 好 or 后, and run a price and a link together: "今晚79，4号链接" becomes "794号链接".
So the word is heard by sound, numerals are read by sound where a link word follows, and a number that is no link is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from clipper.detect.sounds import Token, cost, tokens

_LINK_WORDS = ("链接", "连接")
"""Sounded when they are first needed: importing the dictionaries takes half a second, which every worker would pay."""
_LINK_COST = 0.9
"""Most that two syllables may differ from 链接."""
_MARK = "号"
_MARK_SOUNDS = frozenset(["hao", "hou"])
_NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
_NUMERAL_SOUNDS = {"yi": 1, "er": 2, "liang": 2, "san": 3, "si": 4, "wu": 5, "liu": 6, "qi": 7, "ba": 8, "jiu": 9, "shi": 10}
_NO_NUMERALS = frozenset("是以已衣医师时世旗启")
"""They sound like numerals before 号 and are words of their own: 是号, 师号, 旗号."""
LONGEST_NUMBER = 99
"""Shops seldom show more links; a longer number has a price glued to its front."""
SURE, BARE, GUESSED = 0.9, 0.5, 0.2
"""How sure a call is with a link word behind it, as a number with 号 alone, and as a guess: a numeral before a word that sounds
like 号, or the sound of one before 号 (误号, 丝号)."""
LISTED = 3
"""Different links in one sentence from which it runs through the list and is about none of them."""
ENGLISH_NUMBERS = {
    w: n for n, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"])
}
_EN_LINK = re.compile(rf"\b(?:number|link|item|product|no\.?|#)\s*(\d{{1,3}}|{'|'.join(ENGLISH_NUMBERS)})\b", re.IGNORECASE)
_EN_ANY = "|".join(ENGLISH_NUMBERS)
_EN_PLACED = re.compile(rf"\b(?!(?:{_EN_ANY})\b)[a-z]+,? (?:is |on |in |at )?(\d{{1,2}}|{_EN_ANY})(?=,|\.|$)", re.IGNORECASE)
"""A thing and a number that ends its phrase: "blue serum two, scrub four"."""
_EN_NUMBERED = re.compile(rf"(?:^|[,;:.]\s|\band\s)(?:so,? )?(\d{{1,2}}|{_EN_ANY})(?= (?:is |are |the )*[a-z]{{3,}})", re.IGNORECASE)
"""A number that begins its phrase, and a thing: "two is the pots, three kneeler"."""


@dataclass(frozen=True, slots=True)
class Call:
    """One link called by its number."""

    number: int
    start: int
    """Index of its first character in the text."""
    end: int
    """Index after its last character, without the link word."""
    sure: float
    """In (0, 1]."""


def calls(text: str, language: str) -> tuple[Call, ...]:
    """Find the links that a text calls, in order. Languages other than Mandarin are read as English."""
    return tuple(_mandarin(text)) if language == "zh" else tuple(_english(text))


def links_called(text: str, language: str) -> tuple[int, ...]:
    """List the numbers of the links that a text surely calls; in Mandarin 号 alone counts, since recognisers lose 链接."""
    return tuple(call.number for call in calls(text, language) if call.sure >= BARE)


def lists_links(text: str, language: str) -> bool:
    """Tell whether a sentence runs through the list of links: "一号洁面，二号面膜，四号面霜"."""
    numbers = {call.number for call in calls(text, language)}
    return len(numbers) >= LISTED or (language != "zh" and _counts_up([link_number(n) for n in _EN_NUMBERED.findall(text)]))


def _counts_up(numbers: list[int]) -> bool:
    """Tell whether numbers run on by one, as those of a list do and quantities hardly ever."""
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    return len(steps) >= LISTED - 1 and all(step == 1 for step in steps)


def resolve(number: int, known: Container[int]) -> int | None:
    """Find the link that a number means: itself, or its last one or two digits when something is glued to its front."""
    for candidate in (number, number % 100, number % 10):
        if candidate in known and (candidate == number or number > LONGEST_NUMBER or candidate == number % 10):
            return candidate
    return None


def link_number(text: str) -> int:
    """Read the number of a link: digits, Chinese numerals up to 99, English words up to twelve; 0 when it is none."""
    if text.isdigit():
        return int(text)
    if text.lower() in ENGLISH_NUMBERS:
        return ENGLISH_NUMBERS[text.lower()]
    if "十" in text:
        tens, _, ones = text.partition("十")
        return 10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(ones, 0)
    return _NUMERALS.get(text, 0)


def _mandarin(text: str) -> list[Call]:
    sounding = tokens(text)
    found: list[Call] = []
    for at, token in enumerate(sounding):
        if at == 0 or not (token.text == _MARK or token.sound in _MARK_SOUNDS):
            continue
        first = _numeral_before(sounding, at)
        is_link = _is_link_word(sounding[at + 1 : at + 3])
        if first < at:
            number = link_number("".join(t.text for t in sounding[first:at]))
            sure = SURE if is_link else BARE if token.text == _MARK else GUESSED
        elif sounding[at - 1].sound in _NUMERAL_SOUNDS and (is_link or _is_guess(sounding, at)):
            first, number, sure = at - 1, _NUMERAL_SOUNDS[sounding[at - 1].sound], BARE if is_link else GUESSED
        else:
            continue
        if number:
            found.append(Call(number, sounding[first].start, token.end, sure))
    return found


def sounds_like(character: str) -> int:
    """Give the figure whose name a character sounds like (旧 9, 物 5), 0 when there is none."""
    sounding = tokens(character)
    return _NUMERAL_SOUNDS.get(sounding[0].sound, 0) if len(sounding) == 1 else 0


def _is_guess(sounding: tuple[Token, ...], at: int) -> bool:
    """Tell whether 号 itself stands behind what sounds like a numeral and is no word that ends in 号."""
    before = sounding[at - 1]
    return sounding[at].text == _MARK and before.text not in _NO_NUMERALS and before.end == sounding[at].start


def _numeral_before(sounding: tuple[Token, ...], at: int) -> int:
    """Give the first token of the numeral that ends before a token; the token itself when there is none."""
    if sounding[at - 1].kind == "number":
        return at - 1 if sounding[at - 1].text.isdigit() else at
    first = at
    if not any(token.text == "十" for token in sounding[max(0, at - 3) : at]):
        return at - 1 if sounding[at - 1].text in _NUMERALS else at  # 19块九六号: the nine belongs to the price
    while first > 0 and at - first < 3 and sounding[first - 1].text in _NUMERALS and sounding[first - 1].end == sounding[first].start:
        first -= 1
    return first


def _is_link_word(following: tuple[Token, ...]) -> bool:
    return len(following) == 2 and any(
        sum(cost(a, b) for a, b in zip(tokens(word), following, strict=True)) <= _LINK_COST for word in _LINK_WORDS
    )


def _english(text: str) -> list[Call]:
    found = [Call(link_number(m.group(1)), m.start(), m.end(), SURE) for m in _EN_LINK.finditer(text)]
    placed = [Call(link_number(m.group(1)), m.start(1), m.end(1), GUESSED) for m in _EN_PLACED.finditer(text)]
    if len(placed) >= LISTED - 1 or (placed and found):
        found += [call for call in placed if all(call.end != other.end for other in found)]
    return sorted(found, key=lambda call: call.start)
