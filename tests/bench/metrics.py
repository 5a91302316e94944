"""How recognition is scored: character error rate after script, numbers and punctuation are made alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}
LARGE = {"万": 10_000, "亿": 100_000_000}

_CHINESE = "零〇一二三四五六七八九十百千万亿两"
_NUMBER = re.compile(rf"百分之(?=[{_CHINESE}0-9])|[{_CHINESE}]+(?:点[{_CHINESE}]+)?|(?<=[0-9])[,](?=[0-9]{{3}})")


def normalised(text: str) -> str:
    """Simplified characters, NFKC, lower case, numbers in digits, no punctuation and no spaces."""
    text = _simplified(unicodedata.normalize("NFKC", text)).lower()
    text = _NUMBER.sub(_as_digits, text)
    return "".join(char for char in text if unicodedata.category(char)[0] in "LN")


def cer(said: str, heard: str) -> float:
    """Character error rate: edits over the length of what was said, in [0, ∞)."""
    reference = normalised(said)
    if not reference:
        raise ValueError("nothing was said: an error rate needs a reference")
    return Levenshtein.distance(reference, normalised(heard)) / len(reference)


def boundary_errors(truth: Sequence[tuple[float, float]], found: Sequence[tuple[float, float]]) -> list[float]:
    """Signed seconds from each true start and end to the nearest found one of the same kind."""
    errors: list[float] = []
    for side in (0, 1):
        edges = [span[side] for span in found]
        errors += [min((edge - span[side] for edge in edges), key=abs) for span in truth] if edges else []
    return errors


def _simplified(text: str) -> str:
    import opencc

    converted: str = opencc.OpenCC("t2s").convert(text)
    return converted


def _as_digits(match: re.Match[str]) -> str:
    text = match.group()
    if text[0] in "百," and not any(char in DIGITS for char in text) and text != "百":
        return ""
    whole, _, fraction = text.partition("点")
    return str(_whole(whole)) + "".join(str(DIGITS.get(char, "")) for char in fraction)


def _whole(text: str) -> str:
    if not any(char in UNITS or char in LARGE for char in text):
        return "".join(str(DIGITS[char]) for char in text)
    total = part = digit = 0
    last = 1
    for char in text:
        if char in DIGITS:
            digit = DIGITS[char]
            last = 1 if char in "零〇" else last
        elif char in UNITS:
            part += (digit or (1 if part == 0 else 0)) * UNITS[char]
            digit, last = 0, UNITS[char]
        else:
            total = (total + part + digit or 1) * LARGE[char]
            part, digit, last = 0, 0, LARGE[char]
    colloquial = last // 10 if digit and last >= 100 else 1
    return str(total + part + digit * colloquial)
