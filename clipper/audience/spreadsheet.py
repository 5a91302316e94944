"""Tables of orders, product cards, explanations, viewers or comments: CSV, TSV and workbooks with a sheet for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipper.audience.column_map import ColumnMap, Layout, Unit, layout_of, read_column_map
from clipper.audience.reading import (
    MAX_QUANTITY,
    MIN_EPOCH_S,
    Channel,
    Clock,
    Collector,
    Head,
    LogOptions,
    Reading,
    clean_sku,
    clock_seconds,
    epoch_seconds,
    number,
)
from clipper.errors import InputError
from clipper.tables import Row, Sheet, looks_like_workbook, normalise_header, read_bytes, read_sheets
from clipper.values import Card, Order, Viewers

_CHANNELS: dict[str, tuple[Channel, ...]] = {
    "explanations": ("cards",),
    "cards": ("cards",),
    "comments": ("comments",),
    "viewers": ("viewers",),
    "orders": ("orders",),
}
_MINUTES = frozenset({"minute", "minutes", "分钟"})
_MILLISECONDS = frozenset({"ms", "毫秒", "offsetms"})
_OFFSETS = frozenset({"t", "seconds", "offset", "offsets", "相对时间", "直播进度", "秒", "elapsed", "videotime"})
_HIDES = ("hide", "close", "end", "结束", "下架", "隐藏", "取消")
_NO_SALE = ("取消", "关闭", "未付款", "待付款", "待支付", "未支付", "cancel", "unpaid", "closed", "pending payment")


def claims(head: Head) -> bool:
    """Recognise a workbook, or a table whose header is of a known kind."""
    if looks_like_workbook(head.data):
        return True
    if head.text[:1] in ("<", "{", "[", ""):
        return False
    own = ColumnMap()
    return any(layout_of(sheet.header, own) for sheet in read_sheets(head.data, head.name, own.is_known))


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read every sheet of a known kind; a mapping file may stand beside it (`orders.toml` or `columns.toml`).

    Raises InputError when no sheet is of a known kind, naming the headers that were seen.
    """
    mapping = mapping_of(path, options)
    own = read_column_map(mapping) if mapping else ColumnMap()
    sheets = read_sheets(read_bytes(path, "log"), str(path), own.is_known)
    collector = Collector(path, options, hide)
    channels: set[Channel] = set()
    for sheet in sheets:
        layout = layout_of(sheet.header, own)
        if layout:
            channels |= {*_CHANNELS[layout.kind]}
            _read_sheet(collector, sheet, layout, own.unit)
    if not channels:
        seen = "; ".join(", ".join(cell[:24] for cell in sheet.header if cell)[:200] for sheet in sheets if sheet.header) or "no row"
        raise InputError(
            f"could not read log {path}: no table of orders, cards, viewers or comments; "
            f"the headers are: {seen}; map them in {path.stem}.toml"
        )
    return collector.reading(frozenset(channels))


def mapping_of(path: Path, options: LogOptions) -> Path | None:
    """Find the column mapping of a table: the option, `orders.toml` beside `orders.csv`, or `columns.toml` of its folder."""
    if options.mapping is not None:
        return options.mapping
    return next((place for place in (path.with_suffix(".toml"), path.with_name("columns.toml")) if place.is_file()), None)


def _read_sheet(collector: Collector, sheet: Sheet, layout: Layout, unit: Unit) -> None:
    add = {"explanations": _explanation, "cards": _card, "comments": _comment, "viewers": _viewers, "orders": _order}[layout.kind]
    for row in sheet.rows:
        cells = _Cells(row, sheet.header, layout, unit, collector.options)
        reason = add(collector, cells)
        if reason:
            collector.reject(row.line, f"{sheet.name}: {reason}" if sheet.name else reason)


class _Cells:
    """A row by the names of its fields."""

    def __init__(self, row: Row, header: tuple[str, ...], layout: Layout, unit: Unit, options: LogOptions) -> None:
        self._row, self._header, self._places, self._unit, self._options = row, header, layout.places, unit, options

    def __getitem__(self, name: str) -> str:
        place = self._places.get(name, -1)
        return self._row.cells[place] if 0 <= place < len(self._row.cells) else ""

    def number(self, name: str) -> float | None:
        """A finite number, or None."""
        return number(self[name]) if self[name] else None

    def time(self, name: str) -> tuple[Clock, float | None]:
        """The time in a column, and the clock that it is on."""
        column = normalise_header(self._header[self._places[name]])
        return _time(self[name], column, self._unit, self._options)


def _time(text: str, column: str, unit: Unit, options: LogOptions) -> tuple[Clock, float | None]:
    amount = number(text)
    if amount is not None and abs(amount) < MIN_EPOCH_S:
        factor = 60.0 if unit == "minutes" or (unit == "auto" and column in _MINUTES) else 1.0
        return "recording", amount * (0.001 if unit == "ms" or (unit == "auto" and column in _MILLISECONDS) else factor)
    instant = epoch_seconds(text, options.zone)
    if instant is not None:
        return "wall", instant
    seconds = clock_seconds(text)
    if seconds is None or unit == "offset" or (unit == "auto" and column in _OFFSETS):
        return "recording", seconds
    parts = text.replace("：", ":").count(":")
    return ("day", seconds) if parts == 2 else ("day_minutes", seconds * 60)


def _explanation(collector: Collector, cells: _Cells) -> str:
    sku = clean_sku(cells["sku"])
    (clock, start), (_, end) = cells.time("start"), cells.time("end")
    if not sku or start is None:
        return "explanation without a product or start"
    collector.add(clock, Card(start, sku, "show"))
    if end is not None and end > start:
        collector.add(clock, Card(end, sku, "hide"))
        quantity = cells.number("quantity")
        if quantity is not None and 0 < quantity <= MAX_QUANTITY:
            collector.add(clock, Order(start, sku, quantity, cells.number("amount"), min(end - start, 86_400.0)))
    return ""


def _card(collector: Collector, cells: _Cells) -> str:
    sku = clean_sku(cells["sku"])
    clock, time = cells.time("time")
    if not sku or time is None:
        return "card without a product or time"
    is_hidden = any(word in cells["action"].casefold() for word in _HIDES)
    collector.add(clock, Card(time, sku, "hide" if is_hidden else "show"))
    return ""


def _comment(collector: Collector, cells: _Cells) -> str:
    clock, time = cells.time("time")
    if time is None:
        return "comment without a usable time"
    collector.comment(clock, time, cells["user"], cells["text"])
    return ""


def _viewers(collector: Collector, cells: _Cells) -> str:
    clock, time = cells.time("time")
    count = cells.number("count")
    if time is None or count is None or count < 0:
        return "viewers without a usable time or count"
    collector.add(clock, Viewers(time, count))
    return ""


def _order(collector: Collector, cells: _Cells) -> str:
    status = cells["status"].casefold()
    if any(word in status for word in _NO_SALE):
        collector.skip(status)
        return ""
    sku = clean_sku(cells["sku"])
    clock, time = cells.time("time")
    quantity = cells.number("quantity") if cells["quantity"] else 1.0
    if not sku or time is None:
        return "order without a product or time"
    if quantity is None or not 0 <= quantity <= MAX_QUANTITY:
        return f"order with quantity {cells['quantity'][:40]!r}"
    if quantity > 0:
        collector.add(clock, Order(time, sku, quantity, cells.number("amount"), min(max(cells.number("bucket_s") or 0.0, 0.0), 86_400.0)))
    return ""
