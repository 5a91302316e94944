"""Catalogues as XML: Google's product feeds in RSS 2.0 and Atom, and plain lists of product elements.

The parser is defusedxml's: a document type declaration, entities or external references end the reading.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from clipper.catalog.entry import Entry, entry_of
from clipper.errors import InputError
from clipper.tables import decode

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PRODUCTS = frozenset({"item", "entry", "product", "offer", "goods"})
MAX_ELEMENTS = 5_000_000


def read_entries(data: bytes, where: str) -> Iterator[Entry]:
    """Read one entry per item, entry or product element; the line is its number.

    A feed that breaks off is read up to the break. Raises InputError for forbidden declarations and when nothing was read.
    """
    number = 0
    try:
        for count, (_, element) in enumerate(iterparse(io.BytesIO(_as_utf8(data)), events=("end",), forbid_dtd=True)):
            if count > MAX_ELEMENTS:
                raise InputError(f"could not read catalogue {where}: more than {MAX_ELEMENTS} elements; split the feed")
            if _name(element) in _PRODUCTS and len(element):
                number += 1
                yield entry_of(number, list(_cells(element)))
                element.clear()
    except DefusedXmlException as error:
        raise InputError(
            f"could not read catalogue {where}: it declares a document type or entities, which are refused; export it again"
        ) from error
    except (ParseError, ValueError) as error:
        if number == 0:
            raise InputError(f"could not read catalogue {where}: not valid XML ({error}); export it again") from error


def _as_utf8(data: bytes) -> bytes:
    """Bring any encoding to UTF-8 without a declaration, which expat could otherwise refuse (it knows no GB18030)."""
    text = decode(data).lstrip("\ufeff \r\n\t")
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    return text.encode("utf-8", errors="replace")


def _cells(element: Element) -> Iterator[tuple[str, str]]:
    yield from element.attrib.items()
    for child in element:
        text = "".join(child.itertext()).strip() or child.get("href", "")
        if text:
            yield _name(child), text


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].casefold()
