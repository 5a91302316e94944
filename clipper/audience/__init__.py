"""Chat, order, card and viewer logs to one AudienceLog: one reader per file, chosen by what a file holds.

    show.xml ──────────┐
    show.events.jsonl  ├─ reader → Reading (own clocks) → merge.place → joined → AudienceLog (the recording's clock)
    show.orders.xlsx ──┘

Users' names are never kept: a comment carries a salted hash. A channel that no file records is None, which is not the same as
a channel in which nothing happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from clipper.audience.clock import parse_start, start_from_name
from clipper.audience.files import READERS, Listing, find_logs, load_reader, reader_of
from clipper.audience.merge import Placed, Start, joined, place, richest_viewers
from clipper.audience.reading import MAX_EPOCH_S, LogOptions, Reading, hider, read_head
from clipper.audience.spreadsheet import mapping_of
from clipper.errors import InputError
from clipper.values import AudienceLog, Card, Comment, Order

__all__ = ["READERS", "Listing", "LogOptions", "find_logs", "load_reader", "parse_start", "read_logs", "start_from_name"]

MIN_CONTAINER_EPOCH_S = 1_104_537_600.0
"""Year 2005: containers write 1904 or 1970 when they do not know."""
MAX_START_DISAGREEMENT_S = 5.0


def read_logs(
    recording: Path | str,
    *,
    chat: Iterable[Path | str] = (),
    events: Iterable[Path | str] = (),
    start_time: float | str | None = None,
    recording_created: float | None = None,
    duration: float | None = None,
    options: LogOptions | None = None,
) -> AudienceLog:
    """Read everything that is known of a recording's audience, in seconds on the recording's clock.

    Logs are found beside the recording (`find_logs`). `chat` and `events` name files instead: then found files lend no
    comments, respectively no orders, cards and viewers. `start_time` (epoch seconds or ISO) beats what side files, the file's
    name and the container (`recording_created`, epoch seconds) say, in that order. Events outside 0 to `duration` seconds are
    left out and counted. Raises InputError when a named file cannot be read; of a found one it only warns.
    """
    recording, options = Path(recording), options or LogOptions()
    named_chat, named_events = tuple(map(Path, chat)), tuple(map(Path, events))
    hide = hider(_salt(recording))
    warnings: list[str] = []
    named = [_read_one(path, options, hide) for path in dict.fromkeys((*named_events, *named_chat))]
    found = [
        reading
        for path in find_logs(recording)
        if path not in {*named_chat, *named_events} and (reading := _try_one(path, options, hide, warnings))
    ]
    readings = [*named, *(_without(reading, comments=bool(named_chat), rest=bool(named_events)) for reading in found)]
    start = _start(recording, readings, start_time, recording_created, options, warnings)
    parts = [place(reading, start, duration, options.zone) for reading in readings]
    return _log(readings, parts, start, warnings)


def _log(readings: Sequence[Reading], parts: Sequence[Placed], start: Start, warnings: list[str]) -> AudienceLog:
    notes: list[str] = []
    comments = joined(parts, "comments", Comment, lambda event: event.text, notes)
    orders = joined(parts, "orders", Order, lambda event: (event.sku, event.quantity), notes)
    cards = joined(parts, "cards", Card, lambda event: (event.sku, event.action), notes)
    told = [text for reading in readings for text in reading.warnings] + [text for part in parts for text in part.warnings]
    return AudienceLog(
        comments=comments,
        orders=orders,
        cards=cards,
        viewers=richest_viewers(parts),
        sources=tuple(str(reading.path) for reading in readings),
        started_at=start.at,
        started_from=start.source,
        rejects=tuple(reject for reading in readings for reject in reading.rejects),
        warnings=(*warnings, *told, *notes),
    )


def _read_one(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    head = read_head(path)
    if not head.data.strip():
        return Reading(path=path, items=(), channels=frozenset(), warnings=(f"{path.name}: the file is empty; nothing was recorded in it",))
    reader = reader_of(head) or (load_reader("table") if mapping_of(path, options) else None)
    if reader is None:
        start = head.text[:60].replace("\n", " ") if head.text.isprintable() or head.text[:60].strip() else "no text"
        raise InputError(
            f"could not read log {path}: none of the known kinds ({', '.join(READERS)}); it begins with {start!r}; see the page on logs"
        )
    try:
        return reader.read(path, options, hide)
    except OSError as error:
        raise InputError(f"could not read log {path}: {error.strerror or error}; check the file and its permissions") from error


def _try_one(path: Path, options: LogOptions, hide: Callable[[object], str], warnings: list[str]) -> Reading | None:
    try:
        return _read_one(path, options, hide)
    except InputError as error:
        warnings.append(f"{path.name} was left out: {error}")
        return None


def _without(reading: Reading, *, comments: bool, rest: bool) -> Reading:
    """Take away the channels for which files were named."""
    if not comments and not rest:
        return reading
    channels = frozenset(channel for channel in reading.channels if not (comments if channel == "comments" else rest))
    items = tuple(item for item in reading.items if not (comments if isinstance(item.event, Comment) else rest))
    return Reading(
        path=reading.path, items=items, channels=channels, started_at=reading.started_at, rejects=reading.rejects, warnings=reading.warnings
    )


def _start(
    recording: Path, readings: Sequence[Reading], given: float | str | None, created: float | None, options: LogOptions, warnings: list[str]
) -> Start:
    if given is not None:
        return Start(parse_start(given, options.zone), "option")
    told = [(reading.started_at, reading.path.name) for reading in readings if reading.started_at is not None]
    if told:
        first, name = told[0]
        for other, its_name in told[1:]:
            if abs(other - first) > MAX_START_DISAGREEMENT_S:
                warnings.append(f"{name} and {its_name} disagree by {abs(other - first):.0f} s about the recording's start; {name} counts")
        return Start(first, "side file")
    named = start_from_name(recording.stem, options.zone)
    if named is not None:
        return Start(named, "name")
    if created is not None and MIN_CONTAINER_EPOCH_S <= created <= MAX_EPOCH_S:
        return Start(created, "container")
    return Start(None, "unknown")


def _salt(recording: Path) -> bytes:
    """Make users' hashes of one recording useless for another: salt them with its name and first bytes."""
    try:
        with recording.open("rb") as file:
            start = file.read(65536)
    except (OSError, ValueError):
        start = b""
    return hashlib.sha256(recording.name.encode("utf-8", errors="surrogateescape") + b"\0" + start).digest()
