"""Notes of a plan in the report's language: plans keep them in English, whoever reads the report reads its language."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BASES = {"chat": "弹幕", "speech": "语音"}
_ZH = (
    (re.compile(r"interruption left out: (\d+) s"), "离题部分已剪去 {} 秒"),
    (re.compile(r"perishable offer left out: (\d+) s"), "有时效的优惠已剪去 {} 秒"),
    (re.compile(r"condensed: (\d+) s left out"), "讲解过长，已精简 {} 秒"),
    (re.compile(r"short explanation, taken whole"), "讲解较短，整段保留"),
    (re.compile(r"also explained at (\S+)"), "另有讲解：{}"),
    (re.compile(r"hot by (chat|speech) only: no order data"), "没有订单数据，仅凭{}判断为热卖"),
)


def note_text(note: str, say: Mapping[str, str]) -> str:
    """Write a plan's note in the report's language; a note of another kind stays as it is."""
    if not say["html_lang"].startswith("zh"):
        return note
    for pattern, text in _ZH:
        found = pattern.fullmatch(note)
        if found:
            return text.format(*(_BASES.get(part, part) for part in found.groups()))
    return note
