"""What a clip is called: a product's short name, and a title within the platform's limit.

A catalogue title is written for search ("品牌 品名 规格 卖点 卖点"); a clip's title is read in one second. Only words of the
catalogue and facts from the logs are used, and words that advertising law forbids are left out.
"""

from __future__ import annotations

import re

from clipper.claims import forbidden_in_title
from clipper.values import ClipType, HotItem, Product

_SPEC = re.compile(r"^[\d.,×xX*+/\-~%]*\d[\w.×xX*+/\-~%℃]*$")
_LATIN_CUT = re.compile(r"\s+(?:with|for|and)\s+|[,;|(–—]")


def short_name(product: Product, limit: int = 18) -> str:
    """Name a product in a few characters: brand and the part of the title that says what it is."""
    title = " ".join(product.title.split())
    if not _is_cjk(title):
        return _clip(_LATIN_CUT.split(title)[0].strip(), max(limit, 40))
    parts = [part for part in title.split(" ") if part != product.brand]
    core = next((part for part in parts if any(alias and alias in part for alias in product.aliases)), None)
    core = core or next((part for part in parts if not _SPEC.match(part)), title)
    name = core if core.startswith(product.brand) else product.brand + core
    return _clip(name, limit) if len(name) <= limit else _clip(core, limit)


def selling_point(product: Product) -> str:
    """Pick the catalogue's first selling point that may stand in a title; empty when there is none."""
    cjk = _is_cjk(product.title)
    if product.points:
        parts = list(product.points)
    elif cjk:
        parts = product.title.split()
    else:
        parts = [part.strip() for part in product.title.split(",")[1:]]
    name = short_name(product)
    for part in parts:
        if part == product.brand or part in name or name in part or _SPEC.match(part) or forbidden_in_title(part):
            continue
        if (4 <= len(part) <= 14) if cjk else (6 <= len(part) <= 40):
            return part
    return ""


def clip_title(
    kind: ClipType, product: Product | None, language: str, *, limit: int, hot: HotItem | None = None, room: str = "", name: str = ""
) -> str:
    """Title a clip within `limit` characters.

    `name` stands in for a product without a catalogue entry. "Sold" is only said of a hot item whose basis is orders.
    """
    zh = language != "en"
    subject = short_name(product) if product else name
    if kind == "teaser":
        return _first_fitting(_teaser_titles(subject, room, zh), limit)
    if kind == "hot_item":
        return _first_fitting(_hot_titles(subject, hot, zh), limit)
    point = selling_point(product) if product else ""
    return _first_fitting([f"{subject}｜{point}" if zh else f"{subject} | {point}", subject] if point else [subject], limit)


def _hot_titles(subject: str, hot: HotItem | None, zh: bool) -> list[str]:
    if hot is not None and hot.basis == "orders" and hot.sold:
        sold = f"{hot.sold:.0f}"
        return [f"{subject}｜这一段卖出{sold}件" if zh else f"{subject} | {sold} sold in this moment", subject]
    return [f"{subject}｜直播间热卖片段" if zh else f"{subject} | live room highlight", subject]


def _teaser_titles(subject: str, room: str, zh: bool) -> list[str]:
    if zh:
        titles = [f"{room}｜来直播间看{subject}"] if room and subject else []
        return [*titles, f"来直播间看{subject}" if subject else "来直播间看看"]
    titles = [f"{room} | see {subject} live"] if room and subject else []
    return [*titles, f"See {subject} in the live room" if subject else "Come to the live room"]


def _first_fitting(titles: list[str], limit: int) -> str:
    fitting = [title for title in titles if len(title) <= limit and not forbidden_in_title(title)]
    return fitting[0] if fitting else _clip(titles[-1], limit)


def _clip(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    if not _is_cjk(text):
        kept = text[: limit + 1].rsplit(" ", 1)[0]
        return kept if 0 < len(kept) <= limit else text[:limit]
    return text[:limit]


def _is_cjk(text: str) -> bool:
    return any("\u3400" <= char <= "\u9fff" for char in text)
