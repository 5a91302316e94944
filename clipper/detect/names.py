"""Names a seller may use for a product: the catalogue's aliases, and what the title, brand and category suggest.

A title such as "暖川 316不锈钢保温杯 500ml 大容量便携防漏水杯" carries the spoken name (保温杯), attributes (不锈钢, 便携) and
numbers (316, 500). Sellers say the head noun, so the ends of a title's pieces are names and the rest are attributes. What
several products share is kept, and counts less later: the stream itself shows how telling a word is.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from clipper.detect.numerals import numbers, spelled
from clipper.values import Product

_CJK = re.compile(r"[\u3400-\u9fff]")
CLUTTER = frozenset(
    [
        "件套",
        "收纳",
        "包装",
        "礼盒装",
        "六件套",
        "三件套",
        "四件套",
        "两件套",
        "五件套",
        "包邮",
        "新款",
        "正品",
        "官方",
        "旗舰店",
        "直播",
        "专属",
        "同款",
        "爆款",
        "热卖",
        "网红",
        "家用",
        "通用",
        "适用",
        "可用",
        "夏季",
        "秋冬",
        "春秋",
        "冬季",
        "男",
        "女",
        "男女",
        "儿童",
        "大人",
        "高级",
        "高端",
        "加厚",
        "升级",
        "一个",
        "一件",
        "件套",
        "只装",
        "支装",
        "片装",
        "斤装",
        "组合",
        "套装",
        "多功能",
        "大容量",
        "便携",
        "轻便",
        "单果",
        "早晚",
        "温和",
        "清爽",
        "送礼",
        "礼物",
        "实用",
        "赠",
        "送",
        "含",
        "带",
        "不",
        "可",
        "适合",
        "使用",
        "专用",
        "大号",
        "小号",
        "特价",
        "现货",
        "当季",
        "新鲜",
        "产地",
        "直发",
        "约",
        "款",
        "色",
        "装",
        "个",
        "件",
        "只",
        "支",
        "瓶",
        "盒",
        "片",
        "斤",
        "克",
    ]
)
_EN_CLUTTER = frozenset(
    [
        "with",
        "and",
        "for",
        "the",
        "of",
        "in",
        "a",
        "an",
        "to",
        "by",
        "from",
        "new",
        "men",
        "women",
        "mens",
        "womens",
        "kids",
        "unisex",
        "adjustable",
        "lightweight",
        "premium",
        "set",
        "pack",
        "of",
        "pcs",
        "piece",
        "pieces",
        "size",
        "large",
        "small",
        "medium",
        "inch",
        "easy",
        "quick",
        "pro",
        "plus",
        "max",
        "mini",
        "ultra",
        "best",
        "gift",
        "home",
        "use",
        "high",
        "quality",
    ]
)


@dataclass(frozen=True, slots=True)
class Name:
    """One way to say a product."""

    text: str
    kind: str
    """Kind of the mention it makes: name, title, brand, learned."""
    telling: float
    """How surely it means this product, before the stream is known, in (0, 1]."""
    least: float
    """Lowest score at which it counts as heard."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of how a product is talked about."""

    product: Product
    names: tuple[Name, ...]
    attributes: tuple[str, ...]
    """Words of the title, category and points that are not names."""
    figures: tuple[float, ...]
    """Numbers of the title: sizes, weights, counts, grades."""


def is_cjk(text: str) -> bool:
    """Tell whether a text has a Chinese character."""
    return bool(_CJK.search(text))


def know(products: tuple[Product, ...]) -> tuple[Known, ...]:
    """Work out names, attributes and figures for every product, in the catalogue's order."""
    return tuple(_without_shared(_known(product), products) for product in products)


def _without_shared(known: Known, products: tuple[Product, ...]) -> Known:
    """Drop a one-character name that is part of another product's names: 面 is in 洁面, 面膜 and 面霜."""
    others = "".join("".join((p.title, *p.aliases)) for p in products if p.sku != known.product.sku)
    names = tuple(name for name in known.names if len(name.text) > 1 or name.text not in others)
    return Known(known.product, names, known.attributes, known.figures)


def _known(product: Product) -> Known:
    heads = _heads(product)
    given = tuple(alias for alias in product.aliases if alias.strip())
    names = [Name(alias, "name", 1.0, least_score(alias)) for alias in given]
    names += [Name(said, "name", 1.0, least_score(said)) for alias in given if (said := spelled(alias)) != alias and said not in given]
    taken = {name.text.lower() for name in names}
    for text, telling in heads:
        if text.lower() not in taken and text != product.brand:
            taken.add(text.lower())
            names.append(Name(text, "title", telling if not given else 0.8 * telling, least_score(text)))
    if product.brand and len(product.brand) >= 2:
        names.append(Name(product.brand, "brand", 0.7, least_score(product.brand)))
    names += [name for alias in given for name in _short(alias, taken)]
    spoken = {name.text.lower() for name in names}
    attributes = tuple(dict.fromkeys(w for w in own_words(product) if w.lower() not in spoken and w != product.brand))
    figures = tuple(dict.fromkeys(n.value for n in numbers(product.title) if n.value >= 3))
    return Known(product, tuple(names), attributes, figures)


def least_score(text: str) -> float:
    """Lowest score at which a name counts as heard: the shorter, the closer it has to be."""
    size = len(text) if is_cjk(text) else 2 + len(text) // 4
    return {1: 1.0 - 0.051, 2: 0.88, 3: 0.78}.get(size, 0.74)


def _short(alias: str, taken: set[str]) -> list[Name]:
    """Shorten an alias as sellers do: 不粘炒锅 to 炒锅, "trail runners" to "runners". One character is no name: 胎 is in 把它拿."""
    if is_cjk(alias):
        head = cut(alias)[-1] if len(alias) > 2 else ""
        if not 2 <= len(head) < len(alias) or head in taken or head in CLUTTER:
            return []
        taken.add(head)
        return [Name(head, "title", 0.5, least_score(head))]
    words = alias.split()
    if len(words) < 2 or words[-1].lower() in taken or words[-1].lower() in _EN_CLUTTER:
        return []
    taken.add(words[-1].lower())
    return [Name(words[-1], "title", 0.5, least_score(words[-1]))]


def title_words(title: str) -> tuple[str, ...]:
    """Split a title into the words that say something: no numbers, units or shop talk."""
    found: list[str] = []
    for piece in re.split(r"[\s,/|·×x*+\-—()（）\[\]【】]+", title):
        if is_cjk(piece):
            found += [w for w in cut(re.sub(r"[0-9A-Za-z.%]+", " ", piece)) if len(w) >= 2 and w not in CLUTTER]
        elif len(piece) >= 3 and piece.isalpha() and piece.lower() not in _EN_CLUTTER:
            found.append(piece.lower())
    return tuple(dict.fromkeys(found))


def own_words(product: Product) -> tuple[str, ...]:
    """List the words that describe a product, of its title, selling points and category."""
    return tuple(dict.fromkeys((*title_words(product.title), *_point_words(product))))


def _point_words(product: Product) -> tuple[str, ...]:
    text = " ".join((*product.points, product.category.replace("/", " ").replace(">", " ")))
    return title_words(text)


@lru_cache(maxsize=65536)
def _cut(text: str) -> tuple[str, ...]:
    import logging
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba's own source has unescaped patterns that newer Pythons warn of
        import jieba

    jieba.setLogLevel(logging.WARNING)
    return tuple(w for w in jieba.lcut(text, HMM=False) if w.strip())


def cut(text: str) -> tuple[str, ...]:
    """Cut Chinese text into dictionary words."""
    return _cut(text)


def _heads(product: Product) -> list[tuple[str, float]]:
    return _chinese_heads(product) if is_cjk(product.title) else _latin_heads(product)


def _chinese_heads(product: Product) -> list[tuple[str, float]]:
    """Find head nouns: ends of the title's pieces, best where several pieces end in the same character or the category agrees."""
    pieces = [re.sub(r"[0-9A-Za-z.%×*]+\S?$", "", p) for p in re.split(r"[\s,，/|]+", product.title) if is_cjk(p) and p != product.brand]
    ends = Counter(p[-1] for p in pieces if len(p) >= 2)
    category = set(product.category)
    found: dict[str, float] = {}
    for place, piece in enumerate(pieces):
        words = [w for w in cut(piece) if is_cjk(w)]
        if not words or words[-1] in CLUTTER:
            continue
        last = words[-1] if len(words[-1]) >= 2 else "".join(words[-2:])
        sure = ends[last[-1]] >= 2 or last[-1] in category
        telling = 0.85 if sure else 0.7 if place == 0 else 0.3
        if len(last) >= 2 and (sure or place <= 1):
            found[last] = max(found.get(last, 0.0), telling)
    return sorted(found.items(), key=lambda item: -item[1])[:4]


def _latin_heads(product: Product) -> list[tuple[str, float]]:
    """Find the head noun: the end of the title before its first comma or preposition, with and without the word before it."""
    head = re.split(r",|;|\(|\bwith\b|\bfor\b|\s[-–|]\s", product.title, maxsplit=1)[0]
    words = [w for w in re.findall(r"[A-Za-z][A-Za-z'’-]*", head) if w.lower() not in _EN_CLUTTER or w.lower() in ("pack", "set")]
    words = [w for w in words if w != product.brand]
    if not words:
        return []
    found = [(words[-1], 0.7)]
    if len(words) >= 2:
        found.insert(0, (" ".join(words[-2:]), 0.95))
    category = product.category.replace("/", " ").replace(">", " ").split()
    found += [(w, 0.4) for w in category[-1:] if w.isalpha() and len(w) > 3]
    if len(words) >= 3:
        found.append((" ".join(words[:2]), 0.9))
    found += [(w, 0.6) for w in words[:-1] if w[0].isupper() and len(w) >= 5][:2]
    return found
