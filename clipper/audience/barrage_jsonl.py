"""Chat of Douyin, Kuaishou and other fetchers: one JSON object a line (or an array of them), under names that no two tools share.

Douyin's raw form (`method` = WebcastChatMessage, … with a `payload`) and flat forms (`content`, `nickname`, `event_ts_ms` or
even `timestmap`) are recognised by what their fields are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clipper.audience.json_stream import records
from clipper.audience.reading import MIN_EPOCH_S, Clock, Collector, Head, LogOptions, Reading, clock_seconds, epoch_seconds, number
from clipper.values import Viewers

_TEXT = ("content", "text", "message", "msg", "comment", "danmu", "danmaku", "chat", "弹幕", "内容", "评论")
_USER = (
    "user_id",
    "userId",
    "uid",
    "sec_uid",
    "user",
    "nickname",
    "nickName",
    "user_name",
    "username",
    "userName",
    "uname",
    "name",
    "sender",
    "昵称",
    "用户",
)
_OFFSETS = ("t", "time_in_seconds", "offset", "offset_s", "relative_time", "video_time", "progress")
_OFFSETS_MS = ("offset_ms", "relative_ms", "progress_ms")
_INSTANTS = (
    *("event_ts_ms", "event_time_ms", "timestamp", "timestmap", "ts", "event_iso", "time", "create_time", "createTime", "created_at"),
    *("event_time", "eventTime", "send_time", "sendTime", "时间"),
)
_VIEWERS = ("WebcastRoomUserSeqMessage", "room_user_seq", "online", "viewers", "在线人数")
_COUNTS = ("total", "online_count", "onlineCount", "viewer_count", "online", "watching", "count", "user_count", "userCount")
_METHOD = ("method", "type", "msg_type", "msgType", "event", "cmd", "event_type")
_CHAT_METHODS = ("WebcastChatMessage", "chat", "comment", "danmaku", "danmu", "text", "message", "弹幕", "评论")


def claims(head: Head) -> bool:
    """Recognise a line with a text and a time under one of the known names, or one of Douyin's methods."""
    flat = _flat(head.first)
    if str(flat.get("method", "")).startswith("Webcast"):
        return True
    has_time = any(name in flat for name in (*_OFFSETS, *_OFFSETS_MS, *_INSTANTS))
    return has_time and any(isinstance(flat.get(name), str) for name in _TEXT)


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read comments, and viewer counts where the fetcher kept them; gifts, likes and arrivals are counted and not used."""
    collector = Collector(path, options, hide)
    for line_number, event in records(path, collector):
        reason = _add(collector, _flat(event))
        if reason:
            collector.reject(line_number, reason)
    return collector.reading(frozenset({"comments"}))


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """Lift the fields of payload, data, user and common to the top; what stands further out wins."""
    flat: dict[str, Any] = {}
    for part in (event, event.get("payload"), event.get("data")):
        if isinstance(part, Mapping):
            for inner in (part, part.get("common"), part.get("user")):
                if isinstance(inner, Mapping):
                    for name, value in inner.items():
                        if not isinstance(value, Mapping):
                            flat.setdefault(str(name), value)
    return flat


def _add(collector: Collector, event: Mapping[str, Any]) -> str:
    """Keep one event; returns why it cannot be used, or ''."""
    method = next((str(event[name]) for name in _METHOD if isinstance(event.get(name), str)), "")
    is_viewers = method in _VIEWERS
    if method and not is_viewers and method not in _CHAT_METHODS and method.casefold() not in _CHAT_METHODS:
        collector.skip(method)
        return ""
    clock, time = _time(event, collector.options)
    if time is None:
        return "no usable time"
    if is_viewers:
        count = next((found for name in _COUNTS if (found := number(event.get(name))) is not None), None)
        if count is None or count < 0:
            return "viewers without a count"
        collector.add(clock, Viewers(time, count))
        return ""
    text = next((event[name] for name in _TEXT if isinstance(event.get(name), str) and event[name] != method), "")
    user = next((event[name] for name in _USER if event.get(name) not in (None, "", 0, "0")), "")
    collector.comment(clock, time, user, text)
    return ""


def _time(event: Mapping[str, Any], options: LogOptions) -> tuple[Clock, float | None]:
    for names, factor in ((_OFFSETS, 1.0), (_OFFSETS_MS, 0.001)):
        for name in names:
            offset = number(event.get(name))
            if offset is not None and abs(offset) < MIN_EPOCH_S:
                return "recording", offset * factor
    for name in _INSTANTS:
        instant = epoch_seconds(event.get(name), options.zone)
        if instant is not None:
            return "wall", instant
    for name in ("time", "timestamp", "ts"):
        value = event.get(name)
        seconds = clock_seconds(value) if isinstance(value, str) and ":" in value else number(value)
        if seconds is not None and abs(seconds) < MIN_EPOCH_S / 10:
            return "recording", seconds
    return "recording", None
