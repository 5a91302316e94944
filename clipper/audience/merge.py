"""Readings of several files to one AudienceLog on the recording's clock."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from clipper.audience.reading import Channel, Event, Item, Reading
from clipper.values import Card, Comment, Order, Viewers, ms

MAX_RECORDING_S = 48 * 3600.0
"""Times beyond this are errors where the recording's length is not known."""
EARLY_S = 1.0
"""Events up to this long before the first frame count as at the first frame."""
SAME_S = 2.0
"""Equal events of two files, this close or closer, are one event told twice."""

E = TypeVar("E", Comment, Order, Card, Viewers)


@dataclass(frozen=True, slots=True)
class Start:
    """When the recording began."""

    at: float | None
    """Epoch seconds."""
    source: str
    """side file, name, container, option or unknown."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One file's events on the recording's clock."""

    name: str
    events: tuple[Event, ...]
    channels: frozenset[Channel]
    warnings: tuple[str, ...]


def place(reading: Reading, start: Start, duration: float | None, zone: ZoneInfo) -> Placed:
    """Bring a file's events onto the recording's clock; events outside the recording are left out and counted.

    A channel of which nothing falls into the recording tells nothing about it, and is not counted as recorded.
    """
    name, end = reading.path.name, duration if duration is not None else MAX_RECORDING_S
    shift = _day_shift(reading.items, start, end, zone)
    kept: list[Event] = []
    lost: dict[str, int] = defaultdict(int)
    channels = set(reading.channels)
    told: dict[Channel, int] = defaultdict(int)
    for item in reading.items:
        channel = _channel(item.event)
        told[channel] += 1
        time = _time(item, start, shift)
        if time is None or not -EARLY_S <= time <= end:
            lost["start" if time is None else "outside"] += 1
            continue
        told[channel] -= 1
        kept.append(replace(item.event, time=ms(max(time, 0.0))))
    kept_channels = {_channel(event) for event in kept}
    channels -= {channel for channel, missing in told.items() if missing and channel not in kept_channels}
    return Placed(name, tuple(kept), frozenset(channels), tuple(_lost_warnings(name, lost, end, len(kept))))


def _channel(event: Event) -> Channel:
    return _CHANNELS[type(event)]


_CHANNELS: dict[type, Channel] = {Comment: "comments", Order: "orders", Card: "cards", Viewers: "viewers"}


def _time(item: Item, start: Start, shift: float | None) -> float | None:
    time = item.event.time
    if item.clock == "recording":
        return time
    if item.clock == "wall":
        return time - start.at if start.at is not None else None
    if shift is not None:
        return (time - shift + 43_200.0) % 86_400.0 - 43_200.0
    return time / 60 if item.clock == "day_minutes" else time


def _day_shift(items: Iterable[Item], start: Start, end: float, zone: ZoneInfo) -> float | None:
    """Seconds after local midnight at which the recording began, if times without a date are times of day.

    They are when most of them then fall into the recording; otherwise they count from the first frame.
    """
    times = [item.event.time for item in items if item.clock in ("day", "day_minutes")]
    if not times or start.at is None:
        return None
    moment = datetime.fromtimestamp(start.at, zone)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    shift = (moment - midnight).total_seconds()
    inside = sum((time - shift) % 86_400.0 <= end for time in times)
    return shift if inside * 2 > len(times) else None


def _lost_warnings(name: str, lost: dict[str, int], end: float, kept: int) -> Iterable[str]:
    if lost["start"]:
        yield f"{name}: {lost['start']} events carry dates, but the recording's start is not known; they were left out; give the start time"
    if lost["outside"]:
        hint = "" if kept else "; nothing is left of it: is the start time right?"
        yield f"{name}: {lost['outside']} events lie outside the recording (0 to {end:.0f} s) and were left out{hint}"


def joined(
    parts: Sequence[Placed], channel: Channel, kind: type[E], same: Callable[[E], Hashable], notes: list[str]
) -> tuple[E, ...] | None:
    """Join one channel of all files, sorted by time; None when no file recorded it.

    What two files both tell counts once: an event is dropped when an earlier file has an equal one within SAME_S.
    """
    telling = [part for part in parts if channel in part.channels]
    if not telling:
        return None
    events: list[E] = []
    for part in telling:
        own: list[E] = sorted((event for event in part.events if isinstance(event, kind)), key=_by_time)
        new: list[E] = _unmatched(own, events, same)
        if 0 < len(new) < len(own):
            notes.append(f"{part.name}: {len(own) - len(new)} of {len(own)} {channel} are also in another file and count once")
        events = sorted(events + new, key=_by_time)
    return tuple(events)


def _by_time(event: Event) -> float:
    """Sort by time alone: amounts may be None, which has no order."""
    return event.time


def _unmatched(own: Sequence[E], known: Sequence[E], same: Callable[[E], Hashable]) -> list[E]:
    times: dict[Hashable, list[float]] = defaultdict(list)
    for event in known:
        times[same(event)].append(event.time)
    new = []
    for event in own:
        free = times.get(same(event), [])
        index = bisect.bisect_left(free, event.time - SAME_S)
        if index < len(free) and free[index] <= event.time + SAME_S:
            free.pop(index)
        else:
            new.append(event)
    return new


def richest_viewers(parts: Sequence[Placed]) -> tuple[Viewers, ...] | None:
    """Take viewers from the file with the most samples: two series in one would jump between their counts."""
    telling = (part.events for part in parts if "viewers" in part.channels)
    series = [tuple(sorted((event for event in events if isinstance(event, Viewers)), key=_by_time)) for events in telling]
    return max(series, key=len, default=None)
