"""One row of a product feed before it is judged: texts only, whatever the file's format was."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clipper.catalog.columns import BEFORE_DISCOUNT, FIELDS
from clipper.tables import normalise_header

MAX_TEXT_CHARS = 500
"""A title, alias or point longer than this is cut."""

_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]*)>")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one row says, as text; empty where it says nothing."""

    line: int
    sku: str = ""
    title: str = ""
    aliases: str = ""
    brand: str = ""
    category: str = ""
    price: str = ""
    list_price: str = ""
    currency: str = ""
    images: tuple[str, ...] = ()
    link: str = ""
    points: str = ""
    group: str = ""
    """Rows with the same group are variants of one product."""
    is_cents: bool = False
    """Prices are whole hundredths (分)."""


def entry_of(line: int, cells: Iterable[tuple[str, str]]) -> Entry:
    """Make an entry from pairs of header and cell, headers as the file writes them; of two equal headers the first counts."""
    named: dict[str, str] = {}
    is_cents = False
    for name, value in cells:
        is_cents = is_cents or "(分)" in unicodedata.normalize("NFKC", name)
        if value.strip():
            named.setdefault(normalise_header(name), value.strip())
    found = {field: next((named[name] for name in names if name in named), "") for field, names in FIELDS.items()}
    price, list_price = _prices(named, found["list_price"])
    return Entry(
        line=line,
        sku=plain_text(found["sku"]),
        title=plain_text(found["title"]),
        aliases=found["aliases"],
        brand=plain_text(found["brand"]),
        category=plain_text(found["category"]),
        price=price,
        list_price=list_price,
        currency=found["currency"],
        images=tuple(text for text in (found["image"], found["more_images"]) if text),
        link=_link(named),
        points=found["points"],
        group=plain_text(found["group"]),
        is_cents=is_cents,
    )


def plain_text(text: str) -> str:
    """Strip HTML, control characters and runs of space; cut at MAX_TEXT_CHARS."""
    bare = html.unescape(_TAG.sub(" ", text[: 64 * MAX_TEXT_CHARS]))
    bare = "".join(character if unicodedata.category(character)[0] != "C" else " " for character in _TAG.sub(" ", bare))
    return _SPACE.sub(" ", bare).strip()[:MAX_TEXT_CHARS].rstrip()


def _prices(named: Mapping[str, str], list_price: str) -> tuple[str, str]:
    present = [name for name in FIELDS["price"] if name in named]
    if not present:
        return "", list_price
    rest = next((named[name] for name in present[1:] if name in BEFORE_DISCOUNT), "")
    return named[present[0]], list_price or rest


def _link(named: Mapping[str, str]) -> str:
    """Take the first link column that holds a number: in Google's feeds `link` is an address."""
    return next((named[name] for name in FIELDS["link"] if re.fullmatch(r"\D{0,3}\d{1,3}\D{0,4}", named.get(name, ""))), "")
