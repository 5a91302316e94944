"""What every log reader shares: the value it returns, bounded lines, times, numbers, hidden names."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clipper.errors import InputError
from clipper.tables import encoding_of
from clipper.values import Card, Comment, Order, Reject, Viewers

Clock = Literal["recording", "wall", "day", "day_minutes"]
"""Seconds since the first frame; epoch seconds; seconds since local midnight as 'h:m:s' or 'h:m', which tables without a
date also use for the time since the first frame ('h:m:s' or 'm:s'): which of the two is decided when the start is known."""
Event = Comment | Order | Card | Viewers
Channel = Literal["comments", "orders", "cards", "viewers"]

MAX_LINE_BYTES = 16 * 2**20
"""A longer line is skipped and counted."""
MAX_EVENTS = 1_000_000
"""Events kept per file; what follows is counted."""
MAX_COMMENT_CHARS = 500
MAX_SKU_CHARS = 100
MAX_QUANTITY = 1e7
MAX_REJECTS = 100
"""Rejects kept one by one per file; the rest is counted."""
MIN_EPOCH_S = 946_684_800.0
"""Year 2000: a smaller number is no date but seconds of a recording."""
MAX_EPOCH_S = 4_102_444_800.0
"""Year 2100."""

_CHANNEL_OF: dict[type, Channel] = {Comment: "comments", Order: "orders", Card: "cards", Viewers: "viewers"}
_ISO = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T\s_]*(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2})(?:[.,](\d+))?)?秒?\s*(Z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(-)?(?:(\d{1,3})[:：])?(\d{1,3})[:：](\d{1,2}(?:[.,]\d+)?)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """How logs are read."""

    timezone: str = "Asia/Shanghai"
    """IANA zone of file names and of log times that name none."""
    mapping: Path | None = None
    """TOML file that maps the columns of order, card and viewer tables; see docs/logs.md."""
    max_events: int = MAX_EVENTS
    """Events kept per file; 1 or more."""

    def __post_init__(self) -> None:
        if self.max_events < 1:
            raise InputError(f"max_events = {self.max_events}: expected 1 or more")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InputError(f"timezone = {self.timezone}: not a known time zone; write one like Asia/Shanghai or UTC") from error

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Item:
    """One event and the clock that its time belongs to."""

    clock: Clock
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one file told."""

    path: Path
    items: tuple[Item, ...]
    channels: frozenset[Channel]
    """Channels that this file records, whether or not anything happened in them."""
    started_at: float | None = None
    """Epoch seconds of the recording's first frame, when the file says so."""
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The start of a file, for readers to recognise their own by."""

    name: str
    """File name in lower case."""
    data: bytes
    text: str
    first: Mapping[str, Any]
    """The first JSON object; empty when the file does not begin with one."""


class Reader(Protocol):
    """A module that reads one kind of log."""

    def claims(self, head: Head) -> bool:
        """Say whether the file is of this reader's kind."""
        ...

    def read(self, path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
        """Read it. Raises InputError when nothing can be made of it."""
        ...


@dataclass(slots=True)
class Collector:
    """Gathers a file's events within bounds; what is too much, unusable or unknown is counted."""

    path: Path
    options: LogOptions
    hide: Callable[[object], str]
    items: list[Item] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rejected: int = 0
    beyond: int = 0
    unused: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)

    def add(self, clock: Clock, event: Event) -> None:
        """Keep an event, unless the file has too many."""
        if len(self.items) < self.options.max_events:
            self.items.append(Item(clock, event))
        else:
            self.beyond += 1

    def comment(self, clock: Clock, time: float, user: object, text: object) -> None:
        """Keep a comment: its user hidden, its text cleaned and cut. An empty text is no comment."""
        words = clean_text(text)
        if words:
            self.add(clock, Comment(time, self.hide(user), self._texts.setdefault(words, words) if len(words) < 32 else words))

    def reject(self, line: int, reason: str) -> None:
        """Report a line that cannot be used."""
        self.rejected += 1
        if len(self.rejects) < MAX_REJECTS:
            self.rejects.append(Reject(line, f"{self.path.name}: {reason}"))

    def skip(self, kind: object) -> None:
        """Count an event of a kind that is not used (likes, gifts, people coming in)."""
        name = clean_text(kind)[:40] or "?"
        if name in self.unused or len(self.unused) < 20:
            self.unused[name] = self.unused.get(name, 0) + 1

    def reading(self, always: frozenset[Channel] = frozenset(), started_at: float | None = None) -> Reading:
        """Close the file: channels are those that `always` are recorded and those that occurred."""
        seen = {_CHANNEL_OF[type(item.event)] for item in self.items}
        return Reading(
            path=self.path,
            items=tuple(self.items),
            channels=always | seen,
            started_at=started_at,
            rejects=tuple(self.rejects),
            warnings=tuple(self._warnings()),
        )

    def _warnings(self) -> Iterator[str]:
        name = self.path.name
        yield from (f"{name}: {note}" for note in self.notes)
        if self.rejected:
            first = f"; the first, line {self.rejects[0].line}: {self.rejects[0].reason.partition(': ')[2]}" if self.rejects else ""
            yield f"{name}: {self.rejected} lines could not be used{first}"
        if self.beyond:
            yield f"{name}: more than {self.options.max_events} events; {self.beyond} were left out"


# --- files --------------------------------------------------------------------------------------


def read_head(path: Path, size: int = 65536) -> Head:
    """Read the start of a file. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(size)
            rest = b"" if len(data) < size or b"\n" in data else file.readline(MAX_LINE_BYTES)
    except (OSError, ValueError) as error:
        raise InputError(
            f"could not read log {path}: {getattr(error, 'strerror', None) or error}; check the path and its permissions"
        ) from error
    encoding = encoding_of(data, is_whole=False)
    text = data.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    return Head(
        name=path.name.casefold(),
        data=data,
        text=text,
        first=_first_object(text) or _first_object(text + rest.decode(encoding, errors="replace")),
    )


def _first_object(text: str) -> dict[str, Any]:
    """Decode the first object of JSON Lines or of a JSON array."""
    try:
        value = json.JSONDecoder().raw_decode(text.lstrip("[ \t\r\n"))[0]
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def text_lines(path: Path, collector: Collector) -> Iterator[tuple[int, str]]:
    """Yield (1-based number, line) of a text file; lines longer than MAX_LINE_BYTES are rejected unread."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(2**20), is_whole=False)
        file.seek(0)
        if encoding.startswith("utf-16"):
            yield from _wide_lines(file, encoding)
            return
        number = 0
        while chunk := file.readline(MAX_LINE_BYTES):
            number += 1
            if len(chunk) == MAX_LINE_BYTES and not chunk.endswith(b"\n"):
                _finish_line(file)
                collector.reject(number, f"longer than {MAX_LINE_BYTES // 2**20} MB")
                continue
            yield number, chunk.decode(encoding, errors="replace").strip("\ufeff\r\n")


def _wide_lines(file: IO[bytes], encoding: str) -> Iterator[tuple[int, str]]:
    text = file.read(MAX_LINE_BYTES * 8).decode(encoding, errors="replace")
    yield from enumerate(text.splitlines(), 1)


def _finish_line(file: IO[bytes]) -> None:
    while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def json_object(text: str) -> dict[str, Any] | None:
    """Decode one JSON object; None for anything else, however broken or deep."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


# --- values -------------------------------------------------------------------------------------


def number(value: object) -> float | None:
    """Read a finite number from a number or text ('1,204', '3.2万'); None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            found = float(value)
        else:
            plain = unicodedata.normalize("NFKC", str(value)[:64]).replace(",", "").replace("¥", "").strip()
            factor = 1e4 if plain.endswith(("万", "w", "W")) else 1e3 if plain.endswith(("k", "K")) else 1.0
            found = float(plain.rstrip("万wWkK元件人次+ ") or "x") * factor
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def clean_text(value: object) -> str:
    """Turn a value into one line of text, without control characters, MAX_COMMENT_CHARS at most."""
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value)[: 4 * MAX_COMMENT_CHARS]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text.strip()[:MAX_COMMENT_CHARS].rstrip()


def clean_sku(value: object) -> str:
    """Turn an id into text: 1024.0 and '1024' are the same product."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return clean_text(value)[:MAX_SKU_CHARS]


def epoch_seconds(value: object, zone: ZoneInfo) -> float | None:
    """Read an instant: epoch seconds, milliseconds or microseconds, or an ISO-like date and time; None when it is none.

    A date without zone is taken to be local to `zone`. Instants before 2000 or after 2100 are None.
    """
    amount = number(value)
    if amount is not None:
        seconds = amount / (1e6 if amount >= 1e14 else 1e3 if amount >= 1e11 else 1.0)
        return seconds if MIN_EPOCH_S <= seconds <= MAX_EPOCH_S else None
    match = _ISO.match(str(value).strip()[:64]) if isinstance(value, str) else None
    if match is None:
        return None
    *parts, fraction, offset = match.groups()
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone_of(offset) or zone)
        seconds = moment.timestamp() + (float(f"0.{fraction[:9]}") if fraction else 0.0)
    except (ValueError, OverflowError):
        return None
    return seconds if MIN_EPOCH_S <= seconds <= MAX_EPOCH_S else None


def _zone_of(offset: str | None) -> tzinfo | None:
    if not offset:
        return None
    if offset.upper() == "Z":
        return UTC
    return datetime.strptime(offset.replace(":", ""), "%z").tzinfo


def clock_seconds(text: str) -> float | None:
    """Read '1:02:03.5' or '62:03' as seconds; None when it is neither."""
    match = _CLOCK.match(text.strip()[:32])
    if match is None:
        return None
    sign, hours, minutes, seconds = match.groups()
    total = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    return -total if sign else total


def hider(salt: bytes) -> Callable[[object], str]:
    """Return a function that turns a user's name into a short salted hash, and no name into ''."""
    known: dict[str, str] = {}

    def hide(user: object) -> str:
        name = str(user)[:200] if user not in (None, "") else ""
        if not name:
            return ""
        if name not in known:
            if len(known) > MAX_EVENTS:
                known.clear()
            known[name] = "u" + hashlib.sha256(salt + name.encode("utf-8", errors="replace")).hexdigest()[:12]
        return known[name]

    return hide
