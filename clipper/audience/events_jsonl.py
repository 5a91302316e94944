"""livecut's own event log: one JSON object a line.

    {"t": 12.5, "type": "comment", "user": "小李", "text": "多少钱"}
    {"ts": "2026-11-23T20:00:12+08:00", "type": "order", "sku": "A001", "quantity": 1, "amount": 129}
    {"t": 10, "type": "viewers", "count": 821}
    {"t": 31, "type": "product_card", "sku": "A001", "action": "show"}
    {"type": "recording", "started_at": "2026-11-23T20:00:00+08:00", "channels": ["comments", "orders"]}

`t` is seconds since the first frame, `ts` an instant. The optional `recording` line names the start, and the channels that
were recorded even when nothing happened in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clipper.audience.json_stream import records
from clipper.audience.reading import (
    MAX_QUANTITY,
    Channel,
    Clock,
    Collector,
    Head,
    LogOptions,
    Reading,
    clean_sku,
    epoch_seconds,
    number,
)
from clipper.values import Card, Order, Viewers

_KINDS: dict[str, str] = {
    **dict.fromkeys(("comment", "chat", "danmaku", "message"), "comment"),
    **dict.fromkeys(("order", "purchase", "sale"), "order"),
    **dict.fromkeys(("viewers", "online", "viewer_count"), "viewers"),
    **dict.fromkeys(("product_card", "card", "card_open", "card_close", "card_show", "card_hide"), "card"),
    **dict.fromkeys(("recording", "start"), "recording"),
}
_HIDES = frozenset({"hide", "close", "end", "card_close", "card_hide", "remove", "off"})
_CHANNELS: tuple[Channel, ...] = ("comments", "orders", "cards", "viewers")


def claims(head: Head) -> bool:
    """Recognise a line that has a type of ours and a time."""
    kind = _KINDS.get(_kind_name(head.first))
    return kind == "recording" or (kind is not None and ("t" in head.first or "ts" in head.first))


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read the log; lines that are no JSON, have no time or no value are rejected, unknown types counted."""
    collector = Collector(path, options, hide)
    recorded: set[Channel] = set()
    started_at: float | None = None
    for line_number, event in records(path, collector):
        kind = _KINDS.get(_kind_name(event))
        if kind == "recording":
            started_at = epoch_seconds(event.get("started_at", event.get("ts")), options.zone) or started_at
            named = event.get("channels")
            recorded |= {channel for channel in _CHANNELS if isinstance(named, list) and channel in named}
        elif kind is None:
            collector.skip(_kind_name(event))
        else:
            reason = _add(collector, kind, event)
            if reason:
                collector.reject(line_number, reason)
    return collector.reading(frozenset(recorded), started_at)


def _kind_name(event: Mapping[str, Any]) -> str:
    return str(event.get("type", event.get("kind", event.get("event", "")))).casefold()


def _add(collector: Collector, kind: str, event: Mapping[str, Any]) -> str:
    """Keep one event; returns why it cannot be used, or ''."""
    clock, time = _time(event, collector.options)
    if time is None:
        return "no usable time: write t in seconds, or ts as an ISO date or epoch milliseconds"
    if kind == "comment":
        collector.comment(clock, time, event.get("user", event.get("user_id")), event.get("text", event.get("content", event.get("value"))))
        return ""
    if kind == "viewers":
        count = number(event.get("count", event.get("value")))
        if count is None or not 0 <= count <= 1e10:
            return f"viewers without a usable count: {event.get('count')!r}"[:100]
        collector.add(clock, Viewers(time, count))
        return ""
    sku = clean_sku(event.get("sku", event.get("product_id", event.get("item_id"))))
    if not sku:
        return f"{kind} without a sku"
    if kind == "card":
        action = str(event.get("action", _kind_name(event))).casefold()
        collector.add(clock, Card(time, sku, "hide" if action in _HIDES else "show"))
        return ""
    return _add_order(collector, clock, time, sku, event)


def _add_order(collector: Collector, clock: Clock, time: float, sku: str, event: Mapping[str, Any]) -> str:
    quantity = number(event.get("quantity", event.get("value", 1)))
    if quantity is None or not 0 < quantity <= MAX_QUANTITY:
        return f"order with quantity {event.get('quantity')!r}"[:100]
    bucket = number(event.get("bucket_s", 0)) or 0.0
    collector.add(clock, Order(time, sku, quantity, number(event.get("amount")), min(max(bucket, 0.0), 86_400.0)))
    return ""


def _time(event: Mapping[str, Any], options: LogOptions) -> tuple[Clock, float | None]:
    if event.get("t") is not None:
        return "recording", number(event["t"])
    return "wall", epoch_seconds(event.get("ts"), options.zone)
