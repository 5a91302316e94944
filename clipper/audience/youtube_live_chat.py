"""yt-dlp's `live_chat.json` of YouTube: JSON Lines, one replayed chat action each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clipper.audience.reading import (
    Clock,
    Collector,
    Head,
    LogOptions,
    Reading,
    clock_seconds,
    epoch_seconds,
    json_object,
    number,
    text_lines,
)

_MESSAGES = ("liveChatTextMessageRenderer", "liveChatPaidMessageRenderer")


def claims(head: Head) -> bool:
    """Recognise the names of YouTube's chat actions."""
    return any(
        name in head.text[:20000] for name in ("replayChatItemAction", "addChatItemAction", "liveChatTextMessageRenderer")
    ) and head.text.startswith("{")


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read text and paid messages; times are offsets of a replay, or instants where a live chat was followed."""
    collector = Collector(path, options, hide)
    for line_number, line in text_lines(path, collector):
        action = json_object(line) if line.strip() else {}
        if action is None:
            collector.reject(line_number, "not a JSON object")
            continue
        replay = action.get("replayChatItemAction")
        replay = replay if isinstance(replay, dict) else action
        for item in _items(replay):
            _add(collector, line_number, replay, item)
    return collector.reading(frozenset({"comments"}))


def _items(replay: dict[str, Any]) -> Iterator[dict[str, Any]]:
    actions = replay.get("actions")
    for action in actions if isinstance(actions, list) else [replay]:
        added = action.get("addChatItemAction") if isinstance(action, dict) else None
        item = added.get("item") if isinstance(added, dict) else None
        if isinstance(item, dict):
            yield item


def _add(collector: Collector, line: int, replay: dict[str, Any], item: dict[str, Any]) -> None:
    message = next((item[name] for name in _MESSAGES if isinstance(item.get(name), dict)), None)
    if message is None:
        collector.skip(next(iter(item), ""))
        return
    clock, time = _time(replay, message, collector.options)
    if time is None:
        collector.reject(line, "message without a usable time")
        return
    user = message.get("authorExternalChannelId") or _simple_text(message.get("authorName"))
    collector.comment(clock, time, user, _words(message.get("message")))


def _time(replay: dict[str, Any], message: dict[str, Any], options: LogOptions) -> tuple[Clock, float | None]:
    offset = number(replay.get("videoOffsetTimeMsec"))
    if offset is not None:
        shown = clock_seconds(_simple_text(message.get("timestampText")))
        return "recording", shown if offset == 0 and shown is not None and shown < 0 else offset / 1000
    return "wall", epoch_seconds(message.get("timestampUsec"), options.zone)


def _simple_text(value: Any) -> str:
    return str(value.get("simpleText", "")) if isinstance(value, dict) else ""


def _words(message: Any) -> str:
    """Join the runs of a message; an emoji counts as its character or its first shortcut."""
    runs = message.get("runs") if isinstance(message, dict) else None
    return "".join(_run(run) for run in runs if isinstance(run, dict)) if isinstance(runs, list) else _simple_text(message)


def _run(run: dict[str, Any]) -> str:
    emoji = run.get("emoji")
    if not isinstance(emoji, dict):
        return str(run.get("text", ""))
    shortcuts = emoji.get("shortcuts")
    identity = str(emoji.get("emojiId", ""))
    return str(shortcuts[0]) if isinstance(shortcuts, list) and shortcuts and len(identity) > 4 else identity
