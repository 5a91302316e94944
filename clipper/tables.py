"""Text files and spreadsheets of unknown make: which encoding, which delimiter, which row is the header.

Exports come as UTF-8 with and without a mark, as GB18030 from Chinese Windows, as UTF-16 from old shop tools; a suffix says
little, so everything is read off the bytes.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipper.errors import InputError

MAX_TABLE_BYTES = 128 * 2**20
"""Largest table or document that is read into memory."""
MAX_UNPACKED_BYTES = 512 * 2**20
"""Largest sum of unpacked sizes inside a workbook."""
MAX_ROWS = 1_000_000
MAX_CELL_CHARS = 16 * 2**20
HEADER_SEARCH_ROWS = 12
"""Exports put titles and dates above the header; it is looked for in this many rows."""

_DELIMITERS = "\t,;"
_PARENTHESIS = re.compile(r"\(.*?\)|\[.*?\]|【.*?】")
_HEADER_NOISE = re.compile(r"[\s_\-:*#/.'\"]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of cells; every cell is text without surrounding space."""

    line: int
    """1-based line of the file (row of the sheet)."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A header and the rows under it."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def looks_like_workbook(head: bytes) -> bool:
    """Say whether the first bytes are those of an XLSX (zip) or XLS (OLE) file."""
    return head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))


def read_bytes(path: Path, what: str, limit: int = MAX_TABLE_BYTES) -> bytes:
    """Read a whole file, or raise InputError: missing, a folder, unreadable, empty or larger than `limit`."""
    try:
        if path.is_dir():
            raise InputError(f"could not read {what} {path}: it is a folder; name a file")
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                f"could not read {what} {path}: {size / 2**20:.0f} MB, at most {limit / 2**20:.0f} MB are read; split the file"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"could not read {what} {path}: {reason}; check the path and its permissions") from error
    if not data.strip():
        raise InputError(f"could not read {what} {path}: the file is empty; export it again")
    return data


def encoding_of(data: bytes, *, is_whole: bool = True) -> str:
    """Name the encoding of text: utf-8-sig, utf-16…, utf-8, gb18030, or the best guess of charset-normalizer.

    UTF-8 with a few broken characters stays UTF-8: losing one line is better than reading all of them wrongly.
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return name
    sample = data[:4096]
    if len(sample) >= 4 and sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    if _decodes(data, "utf-8", is_whole) or _is_nearly_utf8(data):
        return "utf-8"
    return "gb18030" if _is_chinese(data, is_whole) else _guess(data)


def decode(data: bytes) -> str:
    """Decode text of unknown encoding; broken characters become U+FFFD, NUL characters go."""
    return data.decode(encoding_of(data), errors="replace").replace("\0", "")


def read_sheets(data: bytes, where: str, is_known: Callable[[str], bool]) -> tuple[Sheet, ...]:
    """Read the sheets of a workbook, or the one table of a CSV or TSV file.

    `is_known` says whether a normalised header cell is a column the caller can use; the row with most of them is the header.
    Raises InputError when a workbook cannot be opened or a table has no row.
    """
    if looks_like_workbook(data):
        tables: list[tuple[str, Iterable[Sequence[str]]]] = _workbook(data, where)
        return tuple(_sheet(name, [Row(number, tuple(cells)) for number, cells in enumerate(rows, 1)], is_known) for name, rows in tables)
    return (_sheet("", _text_rows(decode(data)), is_known),)


def normalise_header(text: str) -> str:
    """Make header cells comparable: 'Variant Price' → variantprice, '价格（元）' → 价格."""
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("\ufeff").casefold()
    bare = _HEADER_NOISE.sub("", _PARENTHESIS.sub("", plain))
    return bare or _HEADER_NOISE.sub("", plain)


def column_of(header: Sequence[str], names: Iterable[str]) -> int | None:
    """Find the first column of a header that carries one of the names, the first name winning."""
    cells = [normalise_header(cell) for cell in header]
    return next((cells.index(name) for name in names if name in cells), None)


def _decodes(data: bytes, encoding: str, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _is_nearly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    good = sum(character > "\x7f" for character in text) - broken
    return broken * 5 <= good


def _is_chinese(data: bytes, is_whole: bool) -> bool:
    """Western bytes often pass as GB18030, but then as characters outside the everyday set GB 2312."""
    sample = data[: 256 * 2**10]
    if not _decodes(sample, "gb18030", is_whole and len(sample) == len(data)):
        return False
    characters = [character for character in sample.decode("gb18030", errors="ignore") if character > "\x7f"]
    everyday = sum(_decodes_back(character) for character in characters)
    return everyday >= 0.8 * len(characters)


def _decodes_back(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[: 64 * 2**10]).best()
    return best.encoding if best is not None else "cp1252"


def _text_rows(text: str) -> list[Row]:
    csv.field_size_limit(MAX_CELL_CHARS)  # process-wide; the default of 128 KiB is less than one HTML description
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows: list[Row] = []
    start = 1
    while len(rows) < MAX_ROWS:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            cells = []
        rows.append(Row(start, tuple(cell.strip() for cell in cells)))
        start = reader.line_num + 1
    return rows


def _delimiter(text: str) -> str:
    """Choose what splits the first lines most evenly: the delimiter that most of them hold, outside quotes."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in text[:65536].splitlines()[:HEADER_SEARCH_ROWS] if line.strip()]
    return max(_DELIMITERS, key=lambda mark: (sum(mark in line for line in lines), lines[0].count(mark) if lines else 0))


def _workbook(data: bytes, where: str) -> list[tuple[str, Iterable[Sequence[str]]]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    _refuse_bomb(data, where)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        tables = []
        for name in book.sheet_names:
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MAX_ROWS)
            tables.append((name, [[_cell(value) for value in row] for row in cells]))
    except PasswordError as error:
        raise InputError(f"could not read {where}: the workbook is protected by a password; save it without one") from error
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(f"could not read {where}: not a readable workbook ({error}); save it as .xlsx or .csv again") from error
    return [(name, rows) for name, rows in tables]


def _refuse_bomb(data: bytes, where: str) -> None:
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(item.file_size for item in packed.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise InputError(f"could not read {where}: not a readable workbook ({error}); save it as .xlsx or .csv again") from error
    if size > MAX_UNPACKED_BYTES:
        raise InputError(f"could not read {where}: unpacks to {size / 2**20:.0f} MB, at most {MAX_UNPACKED_BYTES / 2**20:.0f} MB are read")


def _cell(value: object) -> str:
    """Write a cell as text; whole floats lose their '.0', so that an id typed as a number stays an id."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value.total_seconds())
    return str(value).replace("\0", "").strip()


def _sheet(name: str, rows: Sequence[Row], is_known: Callable[[str], bool]) -> Sheet:
    filled = [row for row in rows if any(row.cells)]
    if not filled:
        return Sheet(name=name, header=(), rows=())
    head = filled[:HEADER_SEARCH_ROWS]
    best = max(head, key=lambda row: sum(is_known(normalise_header(cell)) for cell in row.cells))
    return Sheet(name=name, header=best.cells, rows=tuple(filled[filled.index(best) + 1 :]))
