"""Which files beside a recording are its logs, and which reader knows them."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from clipper.audience.reading import Head, Reader

READERS: dict[str, str] = {
    "events": "clipper.audience.events_jsonl",
    "danmaku-xml": "clipper.audience.danmaku_xml",
    "danmaku-ass": "clipper.audience.danmaku_ass",
    "youtube": "clipper.audience.youtube_live_chat",
    "twitch": "clipper.audience.twitch_chat",
    "chat-downloader": "clipper.audience.chat_downloader",
    "barrage": "clipper.audience.barrage_jsonl",
    "table": "clipper.audience.spreadsheet",
}
"""Kind of log → module, in the order in which they are asked whether a file is theirs."""

RECORDING_SUFFIXES = frozenset(
    {".mp4", ".flv", ".ts", ".mkv", ".mov", ".m4v", ".webm", ".avi", ".m2ts", ".mts", ".wmv", ".mpg", ".mpeg", ".m4s"}
)
LOG_SUFFIXES = frozenset({".xml", ".ass", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xlsx", ".xls"})
PLAIN_NAMES = (
    "events",
    "danmaku",
    "chat",
    "live_chat",
    "comments",
    "orders",
    "cards",
    "explanations",
    "viewers",
    "弹幕",
    "评论",
    "订单",
    "讲解",
    "在线人数",
)
"""Stems of logs that need not carry the recording's name when a folder holds just one recording."""

_NO_LOGS = (".info.json", ".plan.json", ".truth.json")
_TAIL = re.compile(r"[_\-. ](?:" + "|".join(PLAIN_NAMES) + r")$", re.IGNORECASE)


def load_reader(kind: str) -> Reader:
    """Import one reader of the table."""
    return cast(Reader, importlib.import_module(READERS[kind]))


def reader_of(head: Head) -> Reader | None:
    """Find the reader that knows a file by its content; None when none does."""
    return next((reader for reader in map(load_reader, READERS) if reader.claims(head)), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder's names, read once for all its recordings."""

    stems: frozenset[str]
    """Of its recordings."""
    logs: Mapping[str, tuple[str, ...]]
    """Names of logs by the stem of the recording whose they are."""
    plain: tuple[str, ...]
    """Names of logs that belong to whatever recording is the only one."""

    @classmethod
    def of(cls, folder: Path, also: str = "") -> Listing:
        """Read a folder; one that cannot be read holds nothing. `also` is the stem of a recording that may not lie there."""
        names = sorted(_names(folder))
        stems = frozenset(Path(name).stem for name in names if Path(name).suffix.casefold() in RECORDING_SUFFIXES) | ({also} - {""})
        logs: dict[str, tuple[str, ...]] = {}
        candidates = [name for name in names if _is_log_name(name)]
        for name in candidates:
            owner = _owner(name, stems)
            if owner is not None:
                logs[owner] = (*logs.get(owner, ()), name)
        return cls(stems, logs, tuple(name for name in candidates if Path(name).stem.casefold() in PLAIN_NAMES))

    def of_recording(self, recording: Path) -> tuple[Path, ...]:
        """Side files of one of its recordings."""
        found = self.logs.get(recording.stem, ())
        if self.stems <= {recording.stem}:
            found += tuple(name for name in self.plain if name not in found)
        return tuple(recording.parent / name for name in found if name != recording.name)


def find_logs(recording: Path) -> tuple[Path, ...]:
    """Find the side files of a recording: by its stem, and under plain names when it is the only recording of its folder.

    `show.xml`, `show.events.jsonl` and `show_chat.json` belong to `show.mp4`; a file that fits two recordings belongs to the
    one with the longer name.
    """
    return Listing.of(recording.parent, recording.stem).of_recording(recording)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return []


def _is_log_name(name: str) -> bool:
    lower = name.casefold()
    return Path(lower).suffix in LOG_SUFFIXES and not lower.endswith(_NO_LOGS) and not lower.startswith(("catalog.", "."))


def _owner(name: str, stems: frozenset[str]) -> str | None:
    """The longest of the stems that a log's name begins with; candidates come from the name, so that thousands cost nothing."""
    own = Path(name).stem
    fits = {own, *(name[:at] for at, char in enumerate(name) if char == ".")}
    fits |= {own[:at] for at, char in enumerate(own) if char in "_-. " and _TAIL.fullmatch(own[at:])}
    return max(fits & stems, key=len, default=None)
