"""TwitchDownloader's chat JSON: one document with `video` and `comments`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper.audience.json_stream import array_items
from clipper.audience.reading import Collector, Head, LogOptions, Reading, epoch_seconds, number, read_head

_COMMENTS = re.compile(r'"comments"\s*:\s*\[')
_START = re.compile(r'"start"\s*:\s*(\d+(?:\.\d+)?)')
_CREATED = re.compile(r'"created_at"\s*:\s*"([^"]{1,40})"')


def claims(head: Head) -> bool:
    """Recognise comments that count from the start of a video on demand."""
    return head.text.startswith("{") and '"comments"' in head.text and ("content_offset_seconds" in head.text or '"streamer"' in head.text)


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read the comments. In a cropped chat, times count from the crop's start (`video.start`)."""
    collector = Collector(path, options, hide)
    video = _video_of(read_head(path).text)
    start_match, created_match = _START.search(video), _CREATED.search(video)
    start = float(start_match.group(1)) if start_match else 0.0
    created = epoch_seconds(created_match.group(1), options.zone) if created_match else None
    for count, comment in array_items(path, collector, _COMMENTS):
        _add(collector, count, comment, start)
    return collector.reading(frozenset({"comments"}), created + start if created is not None else None)


def _video_of(text: str) -> str:
    """Cut out the flat part of the `video` object, which stands before the comments."""
    return text.partition('"video"')[2].partition('"comments"')[0].partition('"chapters"')[0]


def _add(collector: Collector, count: int, comment: dict[str, Any], start: float) -> None:
    time = number(comment.get("content_offset_seconds"))
    message, sender = comment.get("message"), comment.get("commenter")
    if time is None or not isinstance(message, dict):
        collector.reject(count, "comment without a usable time or message")
        return
    user = (sender.get("_id") or sender.get("name") or sender.get("display_name")) if isinstance(sender, dict) else ""
    collector.comment("recording", time - start, user, message.get("body"))
