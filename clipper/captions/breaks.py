"""Where a display line may break, and where it breaks best.

Chinese writes no spaces and libass does not wrap it, so words come from jieba, read with a private dictionary. A number keeps
its unit, a product keeps its name, a Latin word stays whole, and closing punctuation never begins a line.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

Width = Callable[[str], float]

# Advance widths of U+0020–U+007E in Noto Sans SC, in thousandths of an em.
_ASCII = (
    "224 323 474 555 555 921 680 278 338 338 467 555 278 347 278 392 555 555 555 555 555 555 555 555 555 555 278 278 555 555 "
    "555 474 946 608 657 638 688 589 552 689 728 293 535 646 543 812 723 742 633 742 635 596 599 721 575 878 573 531 603 338 "
    "392 338 555 559 606 563 618 510 620 554 325 564 607 275 275 552 284 926 610 606 620 620 388 468 377 607 521 802 498 521 "
    "475 338 270 338 555 "
)
_ADVANCE = {chr(32 + number): int(width) / 1000 for number, width in enumerate(_ASCII.split())}

UNEVEN = 4.0
"""An empty line costs as much as this many plain breaks between words."""

CLOSING = "，。、；：？！…）】》」』”’,.;:?!)]}%～~·"
OPENING = "（【《「『“‘([{"
_PARTICLES = "的了吗呢吧啊呀嘛哦哈啦着过得地们"
_LEANING = frozenset("我你他她它咱您把被在和跟与对给从向往到是不没很太更最这那就还也都") | {
    "a",
    "an",
    "the",
    "of",
    "to",
    "in",
    "on",
    "at",
    "for",
    "with",
    "and",
    "or",
}

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNIT = (
    "块钱|分钱|毛钱|公分|公斤|毫升|厘米|毫米|平米|平方|小时|分钟|秒钟|个月|星期|寸|块|元|毛|件|个|只|瓶|盒|包|袋|卷|片|支|枝|条|双|套|斤|克|两|升|米|度|号|"
    "年|月|天|周|秒|点|次|人|倍|折|层|款|色|码|档|箱|罐|杯|把|张|台|根|颗|粒|桶|组|份|单|位|代|级|步|种|家|口|遍|下|圈|围"
)
_NUMERAL = "一二两俩三四五六七八九十百千万亿零〇半几"
_NUMBER = (
    rf"[¥$€£￥]?\d(?:[\d.,:/×*+\-~]*\d)?(?:\s?(?:%|％|℃|°[CF]?|(?:[A-Za-zµμ]{{1,5}}(?:/[A-Za-z]+)?(?![A-Za-z]))))?(?:[多来几]?(?:{_UNIT}))?"
    rf"|[{_NUMERAL}]+(?:点[{_NUMERAL}]+)?[多来几]?(?:{_UNIT})"
    rf"|[{_NUMERAL}]{{2,}}"
)
_WORD = rf"[^\W{_HAN}\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff_]+(?:['’.&+/\-][^\W{_HAN}\u3040-\u30ff_]+)*"
_PART = rf"(?P<word>{_WORD})|(?P<han>[{_HAN}]+)|(?P<kana>[\u30a0-\u30ff]+)|(?P<space>\s+)|(?P<other>.)"
_PARTS = re.compile(_PART, re.DOTALL)
_WHOLE = re.compile(rf"{_NUMBER}|{_WORD}")
"""What no line break may tear, besides product names."""


@lru_cache(maxsize=4096)
def em_of(char: str) -> float:
    """Estimate a character's advance in em: exact for ASCII in Noto Sans SC, on the wide side for everything else."""
    if char in _ADVANCE:
        return _ADVANCE[char]
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cc", "Cf", "Mn"):
        return 0.0
    wide = unicodedata.east_asian_width(char)
    if wide in "WF" or (wide == "A" and not unicodedata.category(char).startswith("L")):
        return 1.0
    return 0.65


def ems(text: str) -> float:
    """Estimate a text's width in em."""
    return sum(em_of(char) for char in text)


def tokens(text: str, names: Sequence[str] = ()) -> list[str]:
    """Split a text into pieces that stay whole; joined they are the text, and a line may break between any two.

    `names` are product names that must not be torn apart. Spaces and closing punctuation belong to the piece before them.
    """
    pieces: list[str] = []
    opening = ""
    for start, end in pairwise(sorted(_bounds(text, tuple(names)))):
        piece = text[start:end]
        if piece in OPENING:
            opening += piece
        elif pieces and not opening and (piece.isspace() or all(char in CLOSING for char in piece)):
            pieces[-1] += piece
        else:
            pieces.append(opening + piece)
            opening = ""
    return [*pieces, opening] if opening else pieces


def _bounds(text: str, names: tuple[str, ...]) -> set[int]:
    """Positions at which a piece may end: jieba's, and the edges of names, but none inside a name, a number or a word."""
    bounds = {0, len(text)}
    for match in _PARTS.finditer(text):
        at = match.start()
        for piece in _cut_han(match.group()) if match.lastgroup == "han" else [match.group()]:
            at += len(piece)
            bounds |= {match.start(), at}
    found = _names(names)
    named = [match.span() for match in found.finditer(text)] if found else []
    bounds |= {edge for span in named for edge in span}
    whole = [match.span() for match in _WHOLE.finditer(text)] + named
    return bounds - {inside for start, end in whole for inside in range(start + 1, end)}


def break_cost(before: str, after: str) -> float:
    """Say how badly a line breaks between two tokens, in em: 0 after punctuation, 1 between words, more where they cling."""
    last = before.rstrip()
    if last[-1:] in CLOSING:
        return 0.0
    cost = 1.0
    if after[:1] in _PARTICLES:
        cost += 2.0
    if last.lower() in _LEANING:
        cost += 1.0
    return cost


def wrap(pieces: Sequence[str], limit: float, width: Width = ems, dropped: str = " ") -> list[str]:
    """Set tokens in the fewest display lines that fit `limit`, as even as the words allow.

    `dropped` are characters that fall away at a line's end and take no room there. A token wider than the limit is broken
    between its characters: it would stand outside the picture.
    """
    parts = [part for piece in pieces for part in ([piece] if width(piece.strip()) <= limit else list(piece))]
    if not "".join(parts).strip():
        return []
    cuts = _cuts(parts, limit, width, dropped)
    return ["".join(parts[start:end]).strip() for start, end in pairwise(cuts)]


def _cuts(parts: Sequence[str], limit: float, width: Width, dropped: str) -> list[int]:
    """Choose where lines begin: a dynamic programme over the number of lines, the first number that fits wins."""
    sums = [0.0]
    for part in parts:
        sums.append(sums[-1] + width(part))
    heads = [width(part) - width(part.lstrip()) for part in parts]
    tails = [width(part) - width(part.rstrip(dropped)) for part in parts]
    best: dict[int, float] = {0: 0.0}
    origins: list[dict[int, int]] = []
    while best and len(parts) not in best:
        row: dict[int, float] = {}
        origin: dict[int, int] = {}
        for begin, cost in best.items():
            for end in range(begin + 1, len(parts) + 1):
                size = sums[end] - sums[begin] - heads[begin] - tails[end - 1]
                if size > limit and end > begin + 1:
                    break
                edge = break_cost(parts[end - 1], parts[end]) if end < len(parts) else 0.0
                total = cost + UNEVEN * (1 - size / limit) ** 2 + edge
                if total < row.get(end, float("inf")):
                    row[end], origin[end] = total, begin
        best = row
        origins.append(origin)
    cuts = [len(parts)]
    for origin in reversed(origins):
        cuts.append(origin[cuts[-1]])
    return cuts[::-1]


@lru_cache(maxsize=64)
def _names(names: tuple[str, ...]) -> re.Pattern[str] | None:
    known = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=lambda name: (-len(name), name))
    return re.compile("|".join(re.escape(name) for name in known), re.IGNORECASE) if known else None


def _cut_han(text: str) -> list[str]:
    return [text] if len(text) == 1 else list(_jieba().cut(text))


_LOADING = threading.Lock()


def _jieba() -> Any:
    with _LOADING:
        return _tokenizer()


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    """Load jieba's dictionary (about a second) into a tokenizer of our own: no shared cache file, no log lines, no global state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42.1 has invalid escapes in its sources
        import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
