"""Catalogues as CSV, TSV or workbook: ours, Google Merchant's, both of Shopify's header sets, Chinese shop exports."""

from __future__ import annotations

from collections.abc import Iterator

from clipper.catalog.columns import FIELDS, is_known
from clipper.catalog.entry import Entry, entry_of
from clipper.errors import InputError
from clipper.tables import Sheet, column_of, read_sheets


def read_entries(data: bytes, where: str) -> Iterator[Entry]:
    """Read the rows of the sheet that is most like a catalogue.

    Raises InputError when no sheet has a title column, naming the headers that were seen.
    """
    sheets = [sheet for sheet in read_sheets(data, where, is_known) if sheet.header]
    usable = [sheet for sheet in sheets if column_of(sheet.header, FIELDS["title"]) is not None]
    if not usable:
        seen = "; ".join(", ".join(cell[:24] for cell in sheet.header if cell)[:200] for sheet in sheets[:3]) or "no row"
        raise InputError(
            f"could not read catalogue {where}: no title column; the headers are: {seen}; name the columns sku, title, price, image"
        )
    return _entries(max(usable, key=_fitness))


def _fitness(sheet: Sheet) -> tuple[int, int]:
    """How many fields a sheet has, then how many rows."""
    return sum(column_of(sheet.header, names) is not None for names in FIELDS.values()), len(sheet.rows)


def _entries(sheet: Sheet) -> Iterator[Entry]:
    for row in sheet.rows:
        yield entry_of(row.line, zip(sheet.header, row.cells, strict=False))
