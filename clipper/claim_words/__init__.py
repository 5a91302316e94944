"""The words that claims are found by: one TOML file per language, read once.

Superlatives follow art. 9(3) of China's Advertising Law (国家级, 最高级, 最佳 and the like) with the exemptions of the 2023
guideline on absolute terms: advice (最好先…), sizes (最大号), order (第一步), the speaker's own taste. A flat list of words would
refuse half of what hosts say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("zh", "en")

_NUMERAL = {
    "zh": r"[\d零一二两三四五六七八九十百千万几多来]",
    "en": r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety"
    r"|a few|a couple(?: of)?)",
}
_COUNTER = r"(?:瓶|箱|套|单|件|盒|份|只|卷|口|条|双|支|台|包|袋|罐|组|把|个|对|床|提|桶|枚|块|本|副|顶|片|颗)"
_LETTER = r"[^\W\d_]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What claims look like in one language; the files say what each pattern is for."""

    language: str
    strong_price: re.Pattern[str]
    """Ends where a number begins, like every pattern that looks before one."""
    weak_price: re.Pattern[str]
    price_end: re.Pattern[str]
    """Begins where a number ends, like every pattern that looks after one."""
    list_price: re.Pattern[str]
    other_price: re.Pattern[str]
    no_price_after: re.Pattern[str]
    no_price_before: re.Pattern[str]
    discount: re.Pattern[str]
    stock_before: re.Pattern[str]
    stock_after: re.Pattern[str]
    stock_few: re.Pattern[str]
    stock: re.Pattern[str]
    time: re.Pattern[str]
    superlative: re.Pattern[str]
    exempt: re.Pattern[str]
    efficacy: re.Pattern[str]
    negation: re.Pattern[str]
    gift: re.Pattern[str]
    call: re.Pattern[str]
    filler: re.Pattern[str]


@lru_cache(maxsize=len(LANGUAGES))
def words_of(language: str) -> Words | None:
    """Load the words of a language (ISO 639-1); None for one without a file."""
    if language not in LANGUAGES:
        return None
    content = tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
    return Words(language=language, **{name: _pattern(name, content, language) for name in content if not name.endswith("_glue")})


_BEFORE = {"strong_price": "price_glue", "weak_price": "price_glue", "stock_before": "stock_glue", "no_price_before": "", "negation": ""}
_INSIDE = frozenset({"list_price", "other_price", "exempt", "stock_few"})
_AFTER = frozenset({"price_end", "no_price_after", "stock_after"})


def _pattern(name: str, content: dict[str, Sequence[str] | str], language: str) -> re.Pattern[str]:
    alternatives = "(?:" + "|".join(content[name]) + ")"
    edge = r"\b" if language == "en" else ""
    if name in _BEFORE:
        glue = content[_BEFORE[name]] if _BEFORE[name] else r"\s*"
        text = f"{edge}{alternatives}{glue}$"
    elif name in _AFTER:
        text = alternatives if name == "price_end" else rf"[\s\-]*{alternatives}"
    elif name in _INSIDE:
        text = alternatives
    else:
        text = f"{edge}{alternatives}{edge}"
    return re.compile(text.replace("<n>", _NUMERAL[language]).replace("<c>", _COUNTER).replace("<w>", _LETTER), re.IGNORECASE)
