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

WORSE = 3.0
"""How many em of unevenness a bad break is worth."""

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
    "块钱|分钱|毛钱|公斤|毫升|厘米|毫米|平米|平方|小时|分钟|秒钟|个月|星期|寸|块|元|毛|件|个|只|瓶|盒|包|袋|卷|片|支|枝|条|双|套|斤|克|两|升|米|度|号|"
    "年|月|天|周|秒|点|次|人|倍|折|层|款|色|码|档|箱|罐|杯|把|张|台|根|颗|粒|桶|组|份|单|位|代|级|步|种|家|口|遍|下|圈|围"
)
_NUMERAL = "一二两俩三四五六七八九十百千万亿零〇半几"
_NUMBER = (
    rf"[¥$€£￥]?\d(?:[\d.,:/×*+\-~]*\d)?(?:\s?(?:%|％|℃|°[CF]?|(?:[A-Za-zµμ]{{1,5}}(?:/[A-Za-z]+)?(?![A-Za-z]))))?(?:[多来几]?(?:{_UNIT}))?"
    rf"|[{_NUMERAL}]+(?:点[{_NUMERAL}]+)?[多来几]?(?:{_UNIT})"
)
_WORD = rf"[^\W{_HAN}\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff_]+(?:['’.&+/\-][^\W{_HAN}\u3040-\u30ff_]+)*"
_ATOM = rf"(?P<number>{_NUMBER})|(?P<word>{_WORD})|(?P<han>[{_HAN}]+)|(?P<kana>[\u30a0-\u30ff]+)|(?P<space>\s+)|(?P<other>.)"


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
    for match in _atoms(tuple(names)).finditer(text):
        for piece in _cut_han(match.group()) if match.lastgroup == "han" else [match.group()]:
            if piece in OPENING:
                opening += piece
            elif pieces and not opening and (piece.isspace() or piece in CLOSING):
                pieces[-1] += piece
            else:
                pieces.append(opening + piece)
                opening = ""
    return [*pieces, opening] if opening else pieces


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


def wrap(pieces: Sequence[str], limit: float, width: Width = ems) -> list[str]:
    """Set tokens in the fewest display lines that fit `limit`, as even as the words allow.

    A token wider than the limit is broken between its characters: it would stand outside the picture.
    """
    parts = [part for piece in pieces for part in ([piece] if width(piece.strip()) <= limit else list(piece))]
    if not parts:
        return []
    for count in range(1, len(parts) + 1):
        found = _even(parts, count, limit, width)
        if found:
            return found
    return ["".join(parts).strip()]


def _even(parts: Sequence[str], count: int, limit: float, width: Width) -> list[str]:
    """Partition into exactly `count` fitting lines with the least unevenness; empty when it does not fit."""
    if count == 1:
        line = "".join(parts).strip()
        return [line] if width(line) <= limit else []
    mean = width("".join(parts).strip()) / count
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for _ in range(count):
        row: dict[int, tuple[float, int]] = {}
        for begin, (cost, _origin) in best[-1].items():
            for end in range(begin + 1, len(parts) + 1):
                size = width("".join(parts[begin:end]).strip())
                if size > limit:
                    break
                edge = WORSE * break_cost(parts[end - 1], parts[end]) if end < len(parts) else 0.0
                total = cost + abs(size - mean) + edge
                if end not in row or total < row[end][0]:
                    row[end] = (total, begin)
        best.append(row)
    if len(parts) not in best[count]:
        return []
    cuts = [len(parts)]
    for row in reversed(best[1:]):
        cuts.append(row[cuts[-1]][1])
    cuts.reverse()
    return ["".join(parts[a:b]).strip() for a, b in pairwise(cuts)]


@lru_cache(maxsize=64)
def _atoms(names: tuple[str, ...]) -> re.Pattern[str]:
    known = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=lambda name: (-len(name), name))
    pattern = "|".join(re.escape(name) for name in known)
    return re.compile(f"(?P<name>{pattern})|{_ATOM}" if pattern else _ATOM, re.IGNORECASE | re.DOTALL)


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
