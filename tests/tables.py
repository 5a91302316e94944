"""Builders of workbooks for tests: the smallest XLSX that a reader accepts, with no library to write it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""
_RELS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"""
_REL = '<Relationship Id="rId{0}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{1}" Target="{2}"/>'
_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_OFFICE}/spreadsheetml/2006/main" xmlns:r="{_OFFICE}/officeDocument/2006/relationships"'


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Build an XLSX file: numbers as numbers, everything else as text."""
    names = list(sheets)
    tabs = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    files = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS.format(_REL.format(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f"<workbook {_MAIN}><sheets>{tabs}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _RELS.format(
            "".join(_REL.format(n, "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(names) + 1))
        ),
    }
    for number, name in enumerate(names, 1):
        rows = "".join(f'<row r="{r}">{_row(r, row)}</row>' for r, row in enumerate(sheets[name], 1))
        files[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {_MAIN}><sheetData>{rows}</sheetData></worksheet>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + content)
    return packed.getvalue()


def _row(number: int, cells: Sequence[object]) -> str:
    return "".join(_cell(f"{chr(64 + column)}{number}", value) for column, value in enumerate(cells, 1) if value not in ("", None))


def _cell(place: str, value: object) -> str:
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'
