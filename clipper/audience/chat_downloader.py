"""chat-downloader's output for YouTube, Twitch and others: a JSON array, or JSON Lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper.audience.json_stream import records
from clipper.audience.reading import Collector, Head, LogOptions, Reading, epoch_seconds, number

_OWN_NAMES = ('"message_id"', '"time_in_seconds"', '"message_type"', '"action_type"')
_UNUSED = ("membership", "ticker", "sponsor", "gift", "placeholder", "engagement", "ban", "subscription", "raid")


def claims(head: Head) -> bool:
    """Recognise at least two of the field names that only this tool writes."""
    return head.text[:1] in ("[", "{") and '"message"' in head.text and sum(name in head.text for name in _OWN_NAMES) >= 2


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read text messages, with times in the video where there are some, else instants."""
    collector = Collector(path, options, hide)
    for count, message in records(path, collector):
        _add(collector, count, message)
    return collector.reading(frozenset({"comments"}))


def _add(collector: Collector, count: int, message: dict[str, Any]) -> None:
    kind = str(message.get("message_type", "text_message"))
    if any(word in kind for word in _UNUSED):
        collector.skip(kind)
        return
    author = message.get("author")
    user = (author.get("id") or author.get("name") or author.get("display_name")) if isinstance(author, dict) else author
    time = number(message.get("time_in_seconds"))
    if time is not None:
        collector.comment("recording", time, user, message.get("message"))
        return
    instant = epoch_seconds(message.get("timestamp"), collector.options.zone)
    if instant is None:
        collector.reject(count, "message without a usable time")
        return
    collector.comment("wall", instant, user, message.get("message"))
