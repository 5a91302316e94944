"""Numbers as they are spoken: 一百二十九, 39块9, eighty-nine, "one-oh-nine", 百分之三十.

Pure text work: gives every number's value and place, and the unit that follows it, so that prices and specifications can be
compared with the catalogue's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10000, "萬": 10000, "亿": 10**8}
_ZH = re.compile(r"[零〇一二两兩三四五六七八九十百千万萬亿]+(?:点[零一二三四五六七八九]+)?")
_ARABIC = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_SMALL = {
    **{
        w: n
        for n, w in enumerate(
            [
                "zero",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
                "thirteen",
                "fourteen",
            ]
        )
    },
    **{w: n + 15 for n, w in enumerate(["fifteen", "sixteen", "seventeen", "eighteen", "nineteen"])},
}
_TENS = {w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}
_EN_WORD = "|".join([*_SMALL, *_TENS, "hundred", "thousand"])
_EN = re.compile(rf"\b(?:a\s+hundred|a\s+thousand|{_EN_WORD})(?:[\s-]+(?:and[\s-]+)?(?:oh|{_EN_WORD}))*\b", re.IGNORECASE)
_MONEY = re.compile(r"^\s*(?:块钱|块|元|圆|塊|rmb|dollars?|bucks?|euros?|pounds?|usd|cny)", re.IGNORECASE)
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
    """Find the numbers of a text, in order, none overlapping: digits, Chinese numerals, English number words."""
    found: list[Spoken] = []
    for pattern, value_of in ((_ARABIC, _arabic), (_ZH, _chinese), (_EN, _english)):
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            value = value_of(match.group())
            if value is not None:
                found.append(_dressed(text, match.start(), match.end(), value))
    return tuple(sorted(found, key=lambda number: number.start))


def _dressed(text: str, start: int, end: int, value: float) -> Spoken:
    """Add what stands around the digits: 39块9 is 39.9, $24 is money, 500 ml has a unit."""
    tail = text[end:]
    cents = re.match(r"\s*[块塊]\s*([0-9一二三四五六七八九])(?![0-9十百千个件折])", tail)
    if cents:
        digit = cents.group(1)
        value += (int(digit) if digit.isdigit() else _DIGITS[digit]) / 10
        return Spoken(round(value, 2), start, end + cents.end(), True, "")
    money = bool(_MONEY.match(tail)) or (text[:start].rstrip()[-1:] in "$¥￥€£" and start > 0)
    unit = _UNIT.match(tail)
    name = unit.group(1).lower() if unit and not money else ""
    name = _SAME.get(name.rstrip("s"), _SAME.get(name, name))
    return Spoken(round(value, 4), start, end, money, name)


def _arabic(text: str) -> float | None:
    return float(text.replace(",", ""))


def _chinese(text: str) -> float | None:
    whole, _, fraction = text.partition("点")
    if all(c in _DIGITS for c in whole) and len(whole) > 1:
        value = float("".join(str(_DIGITS[c]) for c in whole))
    else:
        value = float(_positional(whole))
    if fraction:
        value += float("0." + "".join(str(_DIGITS[c]) for c in fraction))
    return value


def _positional(text: str) -> int:
    total = section = digit = last = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
            last = 1 if c in "零〇" else last
        elif _POWERS[c] >= 10000:
            total, section, digit, last = (total + section + digit) * _POWERS[c], 0, 0, _POWERS[c]
        else:
            section, last = section + (digit or 1) * _POWERS[c], _POWERS[c]
            digit = 0
    # 一百五 is 150, 一百零五 is 105
    return total + section + (digit * last // 10 if digit and last >= 100 else digit)


def _english(text: str) -> float | None:
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word not in ("and", "a")]
    if "hundred" not in words and "thousand" not in words:
        return _pairs(words)
    total = current = 0
    for word in words:
        if word == "hundred":
            current = (current or 1) * 100
        elif word == "thousand":
            total, current = total + (current or 1) * 1000, 0
        else:
            current += _SMALL.get(word, _TENS.get(word, 0))
    return float(total + current)


def _pairs(words: list[str]) -> float | None:
    """Read "eighty nine" as 89, "one twenty" as 120, "one oh nine" as 109."""
    groups: list[int] = []
    open_tens = False
    for word in words:
        if word == "oh":
            groups.append(0)
            open_tens = False
        elif word in _TENS:
            groups.append(_TENS[word])
            open_tens = True
        elif open_tens and 0 < _SMALL[word] < 10:
            groups[-1] += _SMALL[word]
            open_tens = False
        else:
            groups.append(_SMALL[word])
            open_tens = False
    text = "".join(str(group) for group in groups)
    return float(text) if len(text) <= 6 else None
