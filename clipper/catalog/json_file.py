"""Catalogues as JSON: a list or {"products": […]} of ours, Kuaishou's open API items, schema.org, Shopify's products.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from clipper.catalog.entry import Entry, entry_of
from clipper.errors import InputError
from clipper.tables import decode, normalise_header

_LISTS = ("products", "items", "itemlistelement", "itemlist", "data", "list", "goods", "offers", "graph", "result", "entries")
_INNER = ("item", "product")
MAX_NESTING = 6
"""Objects inside objects that are looked through for the list of products."""


def read_entries(data: bytes, where: str) -> Iterator[Entry]:
    """Read one entry per product object, or per variant of one; the line is the product's number in the list.

    Raises InputError when the text is no JSON or holds no list of products.
    """
    products = _products(_parse(decode(data), where), MAX_NESTING)
    if not products:
        raise InputError(
            f'could not read catalogue {where}: no list of products in it; write [{{"sku": …, "title": …}}] or {{"products": […]}}'
        )
    return (entry for number, product in enumerate(products, 1) for entry in _entries(number, product))


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InputError(f"could not read catalogue {where}: the JSON is nested too deeply") from error
    except ValueError as error:
        lines = _lines(text)
        if lines:
            return lines
        raise InputError(f"could not read catalogue {where}: not valid JSON ({error}); export it again") from error


def _lines(text: str) -> list[Any]:
    """Read JSON Lines: one object a line, broken ones left out."""
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _products(value: Any, depth: int) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [_unwrapped(item) for item in value if isinstance(item, dict)]
    if not isinstance(value, dict) or depth == 0:
        return []
    named = {normalise_header(str(name)).lstrip("@"): inner for name, inner in value.items()}
    if "title" in named or ("name" in named and not isinstance(named.get("products"), list)):
        return [value]
    inner = [named[name] for name in _LISTS if isinstance(named.get(name), list | dict)]
    return next((found for found in (_products(item, depth - 1) for item in inner) if found), [])


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """Take the product out of schema.org's ListItem and the like."""
    return next((item[name] for name in _INNER if isinstance(item.get(name), dict)), item)


def _entries(number: int, product: dict[str, Any]) -> Iterator[Entry]:
    own = dict(_cells(product))
    variants = [item for name in ("skuList", "skus", "variants", "skuInfos") for item in _objects(product.get(name))]
    offers = next(iter(_objects(product.get("offers"))), None)
    if offers:
        own |= {name: text for name, text in _cells(offers) if name in ("price", "lowPrice", "priceCurrency")}
        own.setdefault("price", own.get("lowPrice", ""))
    if not variants:
        yield entry_of(number, own.items())
        return
    group = own.get("sku") or own.get("id") or own.get("itemId") or own.get("kwaiItemId") or own.get("handle") or f"#{number}"
    yield from _of_variants(number, own | {"handle": group}, variants, has_id="kwaiItemId" in own or "itemId" in own)


def _of_variants(number: int, own: dict[str, str], variants: list[dict[str, Any]], *, has_id: bool) -> Iterator[Entry]:
    """The product first, when orders name it by an id of its own; then its variants."""
    if has_id:
        yield entry_of(number, [(name, text) for name, text in own.items() if name not in ("skuList",)])
    for variant in variants:
        cells = dict(_cells(variant))
        is_cents = any(name.startswith("sku") and name.endswith("Price") for name in cells)
        sku = cells.get("sku") or cells.get("skuId") or cells.get("id") or ""
        prices = {name: text for name, text in cells.items() if "price" in name.casefold()}
        rest = {name: text for name, text in own.items() if name not in ("sku", "id", "itemId", "kwaiItemId", "relItemId")}
        yield entry_of(number, {**rest, **prices, "sku": sku, **({"(分)": ""} if is_cents else {})}.items())


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _cells(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        text = _text(value)
        if text:
            yield str(name), text


def _text(value: Any) -> str:
    """Flatten a value: lists joined by |, objects by their name, address or value."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return "|".join(text for text in (_text(item) for item in value[:100] if not isinstance(item, list)) if text)
    if isinstance(value, dict):
        return next(
            (str(value[name]) for name in ("name", "src", "url", "contentUrl", "@value", "value") if isinstance(value.get(name), str)), ""
        )
    return str(value)
