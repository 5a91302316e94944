"""Product feeds of many makes to one Catalog.

    catalog.csv ─┐
    catalog.xlsx ├─ a reader per format → Entry (texts) → products.build_catalog → Catalog
    feed.json    │
    feed.xml    ─┘

The bytes decide which reader is used, not the suffix. What cannot be used is reported with line and reason; only a file
without one usable row is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from clipper.catalog import feed, json_file, spreadsheet
from clipper.catalog.entry import Entry
from clipper.catalog.prices import parse_price
from clipper.catalog.products import build_catalog
from clipper.errors import InputError
from clipper.tables import decode, looks_like_workbook, read_bytes
from clipper.values import Catalog

__all__ = ["CATALOG_NAMES", "READERS", "find_catalog", "parse_price", "read_catalog"]

READERS: dict[str, Callable[[bytes, str], Iterator[Entry]]] = {
    "table": spreadsheet.read_entries,
    "json": json_file.read_entries,
    "xml": feed.read_entries,
}

CATALOG_NAMES = tuple(f"catalog.{suffix}" for suffix in ("csv", "tsv", "xlsx", "json", "xml"))
"""What a catalogue beside a recording is called, in the order in which it is looked for."""


def find_catalog(folder: Path) -> Path | None:
    """Find the catalogue of a recording's folder by its name; None when there is none."""
    return next((folder / name for name in CATALOG_NAMES if (folder / name).is_file()), None)


def read_catalog(path: Path) -> Catalog:
    """Read a product catalogue in any of the known formats and encodings.

    Pictures are files relative to the catalogue; missing ones and addresses are reported, never fetched. Rows of one sku, and
    variants of one product, are joined. Raises InputError when the file cannot be read or holds no usable row, saying what
    was found instead.
    """
    path = Path(path)
    data = read_bytes(path, "catalogue")
    catalog = build_catalog(path, READERS[_format(data)](data, str(path)))
    if not catalog.products:
        found = (
            f"{len(catalog.rejects)} rows, none usable; the first, line {catalog.rejects[0].line}: {catalog.rejects[0].reason}"
            if catalog.rejects
            else "no rows"
        )
        raise InputError(f"could not read catalogue {path}: {found}; every row needs a title, and a sku where others have one")
    return catalog


def _format(data: bytes) -> str:
    if looks_like_workbook(data):
        return "table"
    start = decode(data[:4096]).lstrip("\ufeff \t\r\n")[:1]
    return {"{": "json", "[": "json", "<": "xml"}.get(start, "table")
