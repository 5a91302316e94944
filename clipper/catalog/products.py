"""Entries of a feed to products: variants and repeats joined, pictures found, what cannot be used reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clipper.catalog.entry import Entry, plain_text
from clipper.catalog.prices import parse_currency, parse_price
from clipper.values import Catalog, Product, Reject

MAX_LIST = 40
"""Aliases, points or pictures kept per product."""
MAX_WARNINGS = 50

_LIST_SEPARATOR = re.compile(r"[|;；\n\r]+")
_ALIAS_SEPARATOR = re.compile(r"[|;；\n\r,，、]+")
_IMAGE_SEPARATOR = re.compile(r"[|;\n\r]+|,\s*(?=https?://)|,(?=[^,]+\.(?:png|jpe?g|webp|bmp|gif)\b)", re.IGNORECASE)


@dataclass(slots=True)
class _Draft:
    """A product while its rows are being joined."""

    entry: Entry
    skus: list[str] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    list_prices: list[float] = field(default_factory=list)
    currency: str = ""
    images: list[str] = field(default_factory=list)


def build_catalog(path: Path, entries: Iterable[Entry], rejects: Sequence[Reject] = ()) -> Catalog:
    """Judge and join entries. Pictures are looked for relative to the catalogue's folder."""
    refused, warnings = list(rejects), _Warnings()
    drafts = _join(_complete(list(entries)), refused, warnings)
    pictures = _Pictures(path.parent, warnings)
    products = tuple(_product(draft, order, pictures) for order, draft in enumerate(drafts, 1))
    return Catalog(path=str(path), products=_with_links(products, warnings), rejects=tuple(refused), warnings=warnings.told())


class _Warnings:
    """Messages, the first MAX_WARNINGS in full and the rest counted."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        self._texts.append(text)

    def told(self) -> tuple[str, ...]:
        more = len(self._texts) - MAX_WARNINGS
        return tuple(self._texts[:MAX_WARNINGS]) + ((f"and {more} more warnings of this catalogue",) if more > 0 else ())


def _complete(entries: Sequence[Entry]) -> list[Entry]:
    """Fill in what a whole file leaves out: the group's name as sku, or a number where a file has no skus at all."""
    if any(entry.sku for entry in entries) or not any(entry.title for entry in entries):
        return [replace(entry, sku=entry.sku or entry.group) for entry in entries]
    if any(entry.group for entry in entries):
        return [replace(entry, sku=entry.group) for entry in entries]
    titled = [entry for entry in entries if entry.title]
    numbers = {id(entry): f"P{number:03d}" for number, entry in enumerate(titled, 1)}
    return [replace(entry, sku=numbers.get(id(entry), "")) for entry in entries]


def _join(entries: Sequence[Entry], rejects: list[Reject], warnings: _Warnings) -> list[_Draft]:
    drafts: list[_Draft] = []
    by_sku: dict[str, _Draft] = {}
    by_group: dict[str, _Draft] = {}
    for entry in entries:
        known = by_group.get(entry.group) if entry.group else None
        same = by_sku.get(entry.sku)
        if known is None and same is None:
            reason = _unusable(entry)
            if reason:
                rejects.append(Reject(entry.line, reason))
                continue
            known = _Draft(entry)
            drafts.append(known)
        elif known is None and same is not None:
            known = same
            other = "" if entry.title in ("", same.entry.title) else f" under another title ({entry.title[:30]})"
            warnings.add(f"line {entry.line}: sku {entry.sku} again{other}; joined with line {same.entry.line}")
        assert known is not None
        _add(known, entry, warnings)
        by_sku.setdefault(entry.sku, known)
        if entry.group:
            by_group.setdefault(entry.group, known)
    return drafts


def _unusable(entry: Entry) -> str:
    if not entry.title:
        return f"no title (sku {entry.sku[:40]})" if entry.sku else "no sku and no title"
    return "" if entry.sku else f"no sku ({entry.title[:40]})"


def _add(draft: _Draft, entry: Entry, warnings: _Warnings) -> None:
    first = draft.entry
    joined = {name: getattr(first, name) or getattr(entry, name) for name in ("title", "brand", "category", "link", "points")}
    aliases = "|".join(dict.fromkeys(text for text in (first.aliases, entry.aliases) if text))
    draft.entry = replace(first, aliases=aliases, **joined)
    if entry.sku and entry.sku not in draft.skus:
        draft.skus.append(entry.sku)
    draft.images += [text for text in entry.images if text not in draft.images]
    for text, amounts, name in ((entry.price, draft.prices, "price"), (entry.list_price, draft.list_prices, "list price")):
        amount, currency = parse_price(text)
        draft.currency = draft.currency or parse_currency(entry.currency) or currency or ""
        if amount is not None:
            amounts.append(round(amount / 100, 2) if entry.is_cents else amount)
        elif text:
            warnings.add(f"line {entry.line}: {name} {text[:30]!r} is not an amount; left out")


def _product(draft: _Draft, order: int, pictures: _Pictures) -> Product:
    entry = draft.entry
    price = min(draft.prices, default=None)
    list_price = min(draft.list_prices, default=None)
    return Product(
        sku=draft.skus[0],
        title=entry.title,
        aliases=_list(entry.aliases, _ALIAS_SEPARATOR),
        brand=entry.brand,
        category=entry.category,
        price=price,
        list_price=list_price,
        currency=draft.currency or "CNY",
        images=pictures.find(draft.skus[0], draft.images),
        link=_number(entry.link),
        points=_list(entry.points, _LIST_SEPARATOR),
        variants=tuple(draft.skus[1:]),
    )


def _list(text: str, separator: re.Pattern[str]) -> tuple[str, ...]:
    parts = (plain_text(part) for part in separator.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))[:MAX_LIST]


def _number(text: str) -> int | None:
    match = re.search(r"\d+", text)
    return int(match.group()) if match else None


def _with_links(products: tuple[Product, ...], warnings: _Warnings) -> tuple[Product, ...]:
    """Number by the file's column when it names every product once, else by the order of the rows."""
    links = [product.link for product in products]
    if any(links) and (None in links or len(set(links)) < len(links)):
        warnings.add("the link column does not number every product once; the order of the rows counts")
    if None in links or len(set(links)) < len(links):
        return tuple(replace(product, link=order) for order, product in enumerate(products, 1))
    return products


class _Pictures:
    """Finds pictures on this machine; never fetches one."""

    def __init__(self, folder: Path, warnings: _Warnings) -> None:
        self._folder = folder
        self._warnings = warnings

    def find(self, sku: str, texts: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for text in texts:
            whole = self._file(text)
            names = [text] if whole else [part.strip() for part in _IMAGE_SEPARATOR.split(text) if part.strip()]
            for name in names[:MAX_LIST]:
                picture = self._file(name)
                if picture:
                    found.append(picture)
                else:
                    self._report(sku, name)
        return tuple(dict.fromkeys(found))[:MAX_LIST]

    def _file(self, name: str) -> str:
        if len(name) > 4096 or "\0" in name or "://" in name:
            return ""
        for spelling in (name, name.replace("\\", "/")):
            try:
                place = (self._folder / spelling).resolve()
                if place.is_file():
                    return str(place)
            except (OSError, ValueError, RuntimeError):
                continue
        return ""

    def _report(self, sku: str, name: str) -> None:
        if re.match(r"(https?:)?//", name):
            self._warnings.add(f"{sku}: picture {name[:120]} is an address and is not fetched; save it beside the catalogue")
        else:
            self._warnings.add(f"{sku}: picture {name[:120]} was not found in {self._folder}")
