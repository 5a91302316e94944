"""Numbers as hosts say them and recognizers write them: 九十九块九, 一百39, 99块9, 四十几, 七八十, one-oh-nine, $59.

Chinese is read by a scanner of our own: libraries convert well-formed numerals, but speech is full of rough ones (四十几,
一百来), of prices whose last digit has no unit (九十九块九, 一百三) and of numerals that run into the next word (六十九一瓶).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "幺": 1}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_ARABIC = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ROUGH_AFTER = re.compile(r"[多来余几]|.{0,2}(?:左右|上下|出头)")
_ROUGH_BEFORE = re.compile(r"(?:大概|大约|将近|差不多|接近|约|近)$")

COUNTERS = "瓶箱个件套盒包条双只卷口片支斤罐份单台袋组把样款盏对床颗粒串提桶板枚根棵层杯张人位本块"
"""Characters that count things; after a price without unit they show that no decimal is meant (三十九块一箱)."""

_YUAN = re.compile(r"\s*(?:块钱|元钱|块|元|圆|人民币|rmb|cny)", re.IGNORECASE)
_JIAO = re.compile(r"\s*(?:毛钱|毛|角)")
_FEN_TAIL = re.compile(r"([零一二两三四五六七八九\d])(?:分钱?)?")
_FEN = re.compile(r"\s*分钱")
_TAIL = re.compile(r"([零一二两三四五六七八九]|\d{1,2})(?:(毛|角)(?:([一二两三四五六七八九\d])分?)?)?")
_AFTER_PIECE = re.compile(r"[钱都一就多不包出还拿给带啊吧呢呀了到起、，。！？,.!?\s零两三四五六七八九\d]|左右|上下|以内|之内|的$|$")

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = (
    {word: value for value, word in enumerate((*_ONES, *_TEENS))} | {word: 10 * value for value, word in enumerate(_TENS, 2)} | {"oh": 0}
)
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000}
_WORD = re.compile(r"[A-Za-z]+|\d[\d,]*(?:\.\d+)?")
_JOIN = re.compile(r"[\s\-‐–]+")
_MONEY_BEFORE = re.compile(r"(?:us|ca|au|hk|nt|s)?[$€£¥₩₹]\s?$", re.IGNORECASE)
_MONEY_AFTER = re.compile(r"[\s\-]*(?:dollars?|bucks?|euros?|quid|usd|eur|gbp|[€£])(?![a-z])", re.IGNORECASE)
_CENTS_AFTER = re.compile(r"[\s\-]*(?:cents?|pence)(?![a-z])", re.IGNORECASE)
_ROUGH_ENGLISH = re.compile(r"(?:about|around|almost|nearly|roughly|over|under|like|some|maybe)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SpokenNumber:
    """A number in a text."""

    start: int
    """Index of its first character, a currency sign included."""
    end: int
    """Index after its last character, a unit of money included."""
    value: float
    """In yuan, dollars, … for money. Of a rough number (七八十, 四十几) the lower end."""
    is_money: bool = False
    """A unit or sign of money is said with it."""
    is_rough: bool = False


def find_numbers(text: str, language: str, *, percentages: bool = False) -> tuple[SpokenNumber, ...]:
    """Find the numbers of a text in order, percentages only when asked for. `language` is an ISO 639-1 code.

    Chinese numerals are read for zh, number words for en, digits in every language.
    """
    plain = narrow(text)
    if language == "zh":
        return tuple(_chinese(plain, percentages))
    return tuple(_english(plain, with_words=language == "en", percentages=percentages))


def narrow(text: str) -> str:
    """Turn full-width digits, letters and signs into plain ones, keeping every character's place."""
    if text.isascii():
        return text
    folded = (unicodedata.normalize("NFKC", character) if "\uff01" <= character <= "\uffe6" else character for character in text)
    return "".join(
        character if character in "，。！？；：" else (plain if len(plain) == 1 else character)
        for character, plain in zip(text, folded, strict=True)
    )


# --- Chinese ------------------------------------------------------------------------------------


def _chinese(text: str, percentages: bool) -> Iterator[SpokenNumber]:
    position = 0
    while position < len(text):
        found = _numeral(text, position)
        if found is None:
            position += 1
            continue
        position = max(found.end, position + 1)
        if text.endswith("几", 0, found.start) and text[found.start] in "十百千万":
            continue  # 几十 says no number
        if text.startswith("分之", found.end) or (_is_percentage(text, found) and not percentages):
            continue
        found = _money(text, found)
        position = max(found.end, position)
        yield found


def _is_percentage(text: str, found: SpokenNumber) -> bool:
    return text.endswith("分之", 0, found.start) or text.startswith("%", found.end)


@dataclass(slots=True)
class _Scan:
    """Where the reading of one numeral stands."""

    total: float = 0.0
    section: float = 0.0
    current: float | None = None
    digits: int = 0
    """Chinese digits that `current` was made of; 0 for Arabic figures of two or more digits."""
    unit: int = 0
    """The last unit read: 0, 10, 100, 1000, 10000, …"""
    has_gap: bool = False
    """零 stands before `current`, so its place is literal."""
    is_rough: bool = False

    def value(self) -> float | None:
        """The number read so far."""
        if self.current is None and self.unit == 0:
            return None
        last = self.current or 0.0
        if self.digits == 1 and self.unit >= 100 and not self.has_gap:
            last *= self.unit / 10  # 一百三 is 130, 三万五 is 35000
        return self.total + self.section + last


def _numeral(text: str, start: int) -> SpokenNumber | None:
    scan, position = _Scan(), start
    while position < len(text):
        step = _step(text, position, scan)
        if step == 0:
            break
        position += step
    value = scan.value()
    if value is None:
        return None
    position, value = _decimals(text, position, value)
    rough = _ROUGH_AFTER.match(text, position) if position < len(text) else None
    if rough and len(rough.group()) == 1:
        position += 1
    is_rough = scan.is_rough or rough is not None or _ROUGH_BEFORE.search(text, 0, start) is not None
    return SpokenNumber(start, position, value, is_rough=is_rough)


def _step(text: str, position: int, scan: _Scan) -> int:
    """Read one token into the scan; returns its length, 0 when the numeral ends before it."""
    character = text[position]
    if character in "零〇" and (scan.current is not None or scan.unit):
        return _zero(scan)
    if character in _DIGITS:
        return _digit(text, position, scan)
    if character.isdigit():
        match = _ARABIC.match(text, position)
        if match is None or scan.current is not None:
            return 0
        scan.current = float(match.group().replace(",", ""))
        scan.digits = 1 if len(match.group()) == 1 else 0
        return len(match.group())
    if character in _UNITS:
        return _small_unit(scan, _UNITS[character])
    if character in _LARGE:
        return _large_unit(scan, _LARGE[character])
    return 0


def _zero(scan: _Scan) -> int:
    if scan.unit:
        if scan.current is not None:
            return 0
        scan.has_gap = True
        return 1
    scan.current = (scan.current or 0.0) * 10
    scan.digits += 1
    return 1


def _digit(text: str, position: int, scan: _Scan) -> int:
    digit = _DIGITS[text[position]]
    following = text[position + 1 : position + 2]
    if scan.current is None:
        is_counted = bool(following) and following in COUNTERS and following != "块"
        if scan.unit >= 100 and not scan.has_gap and is_counted and text[position] in "一两":
            return 0  # 一百一瓶 is 100 for one bottle
        if scan.unit == 10 and text[position] == "两":
            return 0
        scan.current, scan.digits = float(digit), 1
        return 1
    if scan.digits == 0:
        return 0
    is_next = digit == scan.current + 1 or (scan.current, digit) == (3, 5)
    if scan.digits == 1 and is_next and (following in _UNITS or following in _LARGE) and following:
        scan.is_rough = True  # 七八十, 两三百, 一百二三十
        return 1
    if scan.unit:
        if scan.unit == 10 and scan.digits == 1 and is_next and not (following and following in _DIGITS) and text[position] != "两":
            scan.is_rough = True  # 十五六块
            return 1
        return 0  # 六十九 | 一瓶
    if scan.digits == 1 and is_next and following and following in COUNTERS:
        scan.is_rough = True  # 七八个
        return 1
    scan.current, scan.digits = scan.current * 10 + digit, scan.digits + 1  # 三一六, 二零二六
    return 1


def _small_unit(scan: _Scan, unit: int) -> int:
    if (scan.unit and scan.unit < 10_000 and unit >= scan.unit) or (scan.current is None and unit != 10):
        return 0
    scan.section += (1.0 if scan.current is None else scan.current) * unit
    scan.current, scan.digits, scan.unit, scan.has_gap = None, 0, unit, False
    return 1


def _large_unit(scan: _Scan, unit: int) -> int:
    part = scan.section + (scan.current or 0.0)
    if part == 0 or scan.total:
        return 0
    scan.total, scan.section = part * unit, 0.0
    scan.current, scan.digits, scan.unit, scan.has_gap = None, 0, unit, False
    return 1


def _decimals(text: str, position: int, value: float) -> tuple[int, float]:
    """Read 点九; but 八点三十 is a time of day, and 十点 too."""
    match = re.compile(r"点([零〇一二三四五六七八九\d]{1,3})(?![十点分\d零一二三四五六七八九])").match(text, position)
    if match is None:
        return position, value
    figures = "".join(str(_DIGITS.get(character, character)) for character in match.group(1))
    return match.end(), float(f"{int(value)}.{figures}") if value == int(value) else value


def _money(text: str, found: SpokenNumber) -> SpokenNumber:
    """Extend a number over the money that is said with it."""
    start = found.start - 1 if found.start and text[found.start - 1] in "¥￥" else found.start
    found = replace(found, start=start, is_money=start < found.start)
    yuan = _YUAN.match(text, found.end)
    if yuan:
        return _with_tail(text, found, yuan)
    jiao = _JIAO.match(text, found.end)
    if jiao and found.value < 10 and "毛" in jiao.group():
        tail = _FEN_TAIL.match(text, jiao.end()) if not jiao.group().endswith("钱") else None
        tail = tail if tail and _ends_price(text, tail) else None
        value = found.value / 10 + (_figure(tail.group(1)) / 100 if tail else 0)
        return replace(found, end=tail.end() if tail else jiao.end(), value=round(value, 2), is_money=True)
    fen_match = _FEN.match(text, found.end)
    if fen_match:
        return replace(found, end=fen_match.end(), value=round(found.value / 100, 2), is_money=True)
    return found


def _with_tail(text: str, found: SpokenNumber, yuan: re.Match[str]) -> SpokenNumber:
    """Read what follows 块 or 元: 九十九块九, 99块9毛9. `两块砖` is a count and no money."""
    end = yuan.end()
    if yuan.group().strip() == "块" and found.value < 10 and not found.is_money and not _AFTER_PIECE.match(text, end):
        return found
    tail = _TAIL.match(text, end) if not yuan.group().endswith("钱") else None
    if tail is None or not (tail.group(2) or _ends_price(text, tail)):
        return replace(found, end=end, is_money=True)
    figures = tail.group(1)
    part = _figure(figures) / (100 if len(figures) == 2 else 10) + (_figure(tail.group(3)) / 100 if tail.group(3) else 0)
    return replace(found, end=tail.end(), value=round(found.value + part, 2), is_money=True)


def _ends_price(text: str, tail: re.Match[str]) -> bool:
    """Say whether a figure after 块 is its decimal: not in 三十九块一箱, but in 三十九块九包邮."""
    rest = text[tail.end() :]
    if rest.startswith("包邮"):
        return True
    return not (rest[:1] and (rest[0] in COUNTERS or rest[0] in _UNITS or rest[0] in "分点号年月天秒"))


def _figure(text: str) -> float:
    return float(_DIGITS[text]) if text in _DIGITS else float(text)


# --- English and digits -------------------------------------------------------------------------


@dataclass(slots=True)
class _Words:
    """Number words that stand together."""

    start: int
    end: int
    groups: list[float]
    """Parts that do not combine by grammar: one-oh-nine is [1, 0, 9], fifty-nine ninety-nine is [59, 99]."""
    is_figure: bool = False


def _english(text: str, *, with_words: bool, percentages: bool) -> Iterator[SpokenNumber]:
    runs = list(_runs(text, with_words))
    skip_to = 0
    for run in runs:
        if run.start < skip_to:
            continue
        found = _priced(text, run)
        if not percentages and re.match(r"\s?(?:%|percent|per cent)", text[found.end : found.end + 12]):
            continue
        skip_to = found.end
        yield found


def _runs(text: str, with_words: bool) -> Iterator[_Words]:
    run: _Words | None = None
    tokens = list(_WORD.finditer(text))
    for index, token in enumerate(tokens):
        word = token.group().casefold()
        following = tokens[index + 1].group().casefold() if index + 1 < len(tokens) else ""
        is_joined = run is not None and _JOIN.fullmatch(text, run.end, token.start()) is not None
        if word[0].isdigit():
            if run is not None:
                yield run
            run = _Words(token.start(), token.end(), [float(word.replace(",", "").rstrip(".") or 0)], is_figure=True)
        elif not with_words:
            continue
        elif word in _SMALL and (word != "oh" or (is_joined and run is not None)):
            if run is None or not is_joined or run.is_figure:
                if run is not None:
                    yield run
                run = _Words(token.start(), token.end(), [float(_SMALL[word])])
            else:
                _add_word(run, float(_SMALL[word]), token.end())
        elif word in _SCALES and run is not None and is_joined:
            _scale(run, _SCALES[word], token.end())
        elif word == "a" and following in ("hundred", "thousand", "grand"):
            if run is not None:
                yield run
            run = _Words(token.start(), token.end(), [1.0])
        elif not (word == "and" and run is not None and is_joined and run.groups[-1] >= 100 and following in _SMALL):
            if run is not None:
                yield run
            run = None
        elif run is not None:
            run.end = token.end()
    if run is not None:
        yield run


def _scale(run: _Words, scale: int, end: int) -> None:
    """Multiply by hundred or thousand: all of the last group, or in 'one thousand two hundred' what is below the thousand."""
    last = run.groups[-1]
    below = last % 1000 if scale == 100 else last
    run.groups[-1] = last - below + max(below, 1.0) * scale
    run.end = end


def _add_word(run: _Words, value: float, end: int) -> None:
    last = run.groups[-1]
    fits_tens = 20 <= last < 100 and last % 10 == 0 and 0 < value < 10
    fits_hundreds = last >= 100 and value < 100 and last % 100 == 0
    fits_mixed = last > 100 and last % 100 >= 20 and last % 10 == 0 and 0 < value < 10
    if (fits_tens or fits_hundreds or fits_mixed) and value != 0:
        run.groups[-1] = last + value
    else:
        run.groups.append(value)
    run.end = end


def _priced(text: str, run: _Words) -> SpokenNumber:
    before = _MONEY_BEFORE.search(text, 0, run.start)
    after = _MONEY_AFTER.match(text, run.end)
    cents = _CENTS_AFTER.match(text, run.end)
    start = before.start() if before else run.start
    value, end = _joined(run.groups), run.end
    if cents:
        return SpokenNumber(start, cents.end(), round(value / 100, 2), is_money=True)
    if after:
        end = after.end()
        more = re.compile(r"\s+and\s+(\d{1,2})\s+cents?").match(text, end)
        if more:
            value, end = value + int(more.group(1)) / 100, more.end()
    is_rough = _ROUGH_ENGLISH.search(text, 0, start) is not None
    return SpokenNumber(start, end, value, is_money=bool(before or after), is_rough=is_rough)


def _joined(groups: list[float]) -> float:
    """Combine what stands side by side: 1-0-9 is 109, 1-20 is 120, 59-99 is 59.99."""
    value = groups[0]
    rest = groups[1:]
    if not rest:
        return value
    if all(group < 10 for group in groups):
        return float("".join(str(int(group)) for group in groups[:12]))
    if value < 10 and len(rest) == 1:
        return value * 100 + rest[0]
    if value >= 10 and rest[0] == 0 and len(rest) == 2:
        return value + rest[1] / 100
    return value + rest[0] / 100 if value >= 10 and 10 <= rest[0] < 100 else value
