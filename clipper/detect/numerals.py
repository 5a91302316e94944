"""Numbers of speech as the deciders want them: read in whatever script the text has, with the unit that follows.

The reading itself is `clipper.spoken_numbers`; what is added is the unit, so that a size is told from a price and both can be
compared with the catalogue's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from clipper.detect.links import ENGLISH_NUMBERS, LONGEST_NUMBER, sounds_like
from clipper.spoken_numbers import SpokenNumber, find_numbers

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_NUMERAL = re.compile(r"[\d零〇一二两三四五六七八九幺十百千万亿]")
_MISHEARD_YUAN = re.compile(r"(?<=[\d一二两三四五六七八九十百])[快筷](?=[\d零一二两三四五六七八九，。！？、,.!?\s]|$)")
"""块 written as the common word of its sound, between a number and what ends a price."""
_PRICE_END = re.compile(r"(?<=[\d一二两三四五六七八九十百]块)[\u3400-\u9fff](?=[，。！？、,.!?\s]|$)")
"""What stands behind 块 where a phrase ends: a figure, or a word that nothing but a particle could be."""
_PARTICLES = frozenset("钱吧吗嘛呢啊呀哦哈了的呗哟哇起多整左右上下")
_FIGURES = re.compile(r"(?<![\d.])\d{1,3}(?![\d.])")
_SPOKEN_CHINESE = "零一二三四五六七八九"
_UNIT = re.compile(
    r"^\s*-?\s*(毫升|升|公斤|千克|克|斤|公分|厘米|毫米|米|寸|瓦|毫安|ml|milliliters?|liters?|litres?|l|kg|kilos?|g|grams?|cm|mm|millimeters?|oz|ounces?"
    r"|inch(?:es)?|w|mah|d|lbs?|k)(?![a-z])",
    re.IGNORECASE,
)
_SAME = {
    "毫升": "ml", "milliliter": "ml", "升": "l", "liter": "l", "litre": "l", "公斤": "kg", "千克": "kg", "kilo": "kg",
    "克": "g", "gram": "g", "公分": "cm", "厘米": "cm", "毫米": "mm", "millimeter": "mm", "米": "m", "寸": "inch",
    "inche": "inch", "瓦": "w", "毫安": "mah", "ounce": "oz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spoken:
    """A number in a text."""

    value: float
    start: int
    """Index of its first character."""
    end: int
    money: bool
    """A currency word or sign stands beside it."""
    unit: str
    """Canonical unit (ml, cm, g, …) or empty."""


def numbers(text: str) -> tuple[Spoken, ...]:
    """Find the numbers of a text, in order, none overlapping: digits, Chinese numerals, English number words, percentages too."""
    language = "zh" if _CHINESE.search(text) else "en"
    if language == "zh" and not _NUMERAL.search(text):
        return ()
    meant = _as_meant(text) if language == "zh" else text
    return tuple(_dressed(text, _without_link(text, number)) for number in find_numbers(meant, language, percentages=True))


def _as_meant(text: str) -> str:
    """Write a price as it was meant, keeping every character's place: 19快九 as 19块九, "25块旧，" as "25块九，"."""
    return _PRICE_END.sub(_figure_meant, _MISHEARD_YUAN.sub("块", text))


def _figure_meant(match: re.Match[str]) -> str:
    character = match.group()
    value = 0 if character in _PARTICLES or character in _SPOKEN_CHINESE else sounds_like(character)
    return _SPOKEN_CHINESE[value] if 0 < value < len(_SPOKEN_CHINESE) else character


def _without_link(text: str, number: SpokenNumber) -> SpokenNumber:
    """Take a link's number off the price it was written together with: 79 and 4 in "今晚794号链接"."""
    if number.value <= LONGEST_NUMBER or number.value != int(number.value) or text[number.end : number.end + 1] != "号":
        return number
    return replace(number, value=float(number.value // 10), end=number.end - 1) if text[number.end - 1].isdigit() else number


def _dressed(text: str, number: SpokenNumber) -> Spoken:
    """Add the unit behind a number: 500 ml, 三斤."""
    unit = None if number.is_money else _UNIT.match(text[number.end :])
    name = unit.group(1).lower() if unit else ""
    name = _SAME.get(name.rstrip("s"), _SAME.get(name, name))
    return Spoken(round(number.value, 4), number.start, number.end, number.is_money, name)


def spelled(text: str) -> str:
    """Write the short numbers of a name as they are said, since recognisers do: 手环8 as 手环八, "pad 2" as "pad two"."""
    spell = _in_chinese if _CHINESE.search(text) else _in_english
    return _FIGURES.sub(lambda match: spell(match.group()), text)


def _in_chinese(figures: str) -> str:
    if len(figures) != 2 or figures[0] == "0":
        return "".join(_SPOKEN_CHINESE[int(figure)] for figure in figures)  # models and grades go figure by figure: 三一六
    tens, ones = int(figures[0]), int(figures[1])
    return (_SPOKEN_CHINESE[tens] if tens > 1 else "") + "十" + (_SPOKEN_CHINESE[ones] if ones else "")


def _in_english(figures: str) -> str:
    return next((word for word, value in ENGLISH_NUMBERS.items() if value == int(figures)), figures)
