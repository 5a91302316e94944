"""What lies in a watched folder, and which of it is ready to be worked on.

The truth is a scan of the whole folder; file events only say that a scan is worth while, for they get lost (a queue of
16,384 in the kernel, none at all on network shares). A recording is ready when it has not changed for a while over at least
two scans, nobody on this machine has it open for writing, and its container shows no missing end, or has shown none for so
long that whoever wrote it must have died. Every verdict but that is for now: the next scan judges again.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from clipper.errors import InputError
from clipper.media.ending import why_unfinished
from pipelines.ledger import Seen
from pipelines.recordings import PICTURE_SUFFIXES, RUN_FILES, SYSTEM_FOLDERS, TEMPORARY
from pipelines.watch.options import WatchOptions

SIDE_FILES = frozenset((".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".xml", ".ass", ".toml", ".txt", ".srt", ".md", ".log", ".nfo"))
MAX_DEPTH = 32

Stamp = tuple[int, int, int, int]
"""Size, time of change, device, inode: equal stamps mean the same content."""
Kind = Literal["recording", "picture", "side file", "other"]
Verdict = Literal["ready", "waiting", "ignored", "rejected", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a watched folder."""

    seen: Seen
    kind: Kind
    why_not: str = ""
    """Why it can never be worked on as it is: a link, a pipe, a temporary name."""
    is_blocked: bool = False
    """It cannot be read now; a change of its mode may help."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a scan makes of an entry."""

    entry: Entry
    verdict: Verdict
    why: str = ""


@dataclass(slots=True)
class _Quiet:
    stamp: Stamp
    since: float
    scans: int


@dataclass(slots=True)
class Inbox:
    """Judges scan after scan; remembers only what is not ready yet."""

    root: Path
    options: WatchOptions = field(default_factory=WatchOptions)
    apart: Path | None = None
    """Folder of results, never entered."""
    met: set[str] = field(default_factory=set)
    """Every file name of the last complete scan."""
    closed: set[str] = field(default_factory=set)
    """Files whose recorder said that they are finished: they need not be quiet."""
    _quiet: dict[str, _Quiet] = field(default_factory=dict)

    def scan(self, now: float, known: Mapping[str, Stamp] | None = None) -> Iterator[Judged]:
        """Walk the folder and judge each name as it comes; `now` is a monotonic clock in seconds.

        Entries that `known` has with the same stamp are left out: they were dealt with. Raises InputError when the folder
        itself cannot be listed (unmounted, renamed): that says nothing about the files in it.
        """
        writers: frozenset[tuple[int, int]] | None = None
        met: set[str] = set()
        for entry in walk(self.root, self.options, known or {}, met, self.apart):
            judged = self._judge_by_name(entry, now)
            if judged is None:
                writers = open_for_writing() if writers is None else writers
                judged = self._judge_by_content(entry, writers, now)
            yield judged
        self.met = met
        self._quiet = {path: quiet for path, quiet in self._quiet.items() if path in met}
        self.closed &= met

    def next_look(self, now: float) -> float | None:
        """Seconds until something that is still may have been still for long enough; None when nothing waits for that."""
        waits = [quiet.since + self.options.stable_s - now for quiet in self._quiet.values()]
        waits = [wait for wait in waits if wait > -1.0]  # those that waited longer wait for something else
        return max(0.0, min(waits)) if waits else None

    def settle(self, path: str) -> None:
        """Forget how long a file has been quiet: it is dealt with."""
        self._quiet.pop(path, None)
        self.closed.discard(path)

    def _judge_by_name(self, entry: Entry, now: float) -> Judged | None:
        """Judge what needs no look inside; None when the entry has stood still long enough to be opened."""
        if entry.is_blocked:
            return Judged(entry, "blocked", entry.why_not)
        if entry.why_not or entry.kind == "side file":
            return Judged(entry, "ignored", entry.why_not or "side file")
        path, stamp = str(entry.seen.path), entry.seen.stamp
        quiet = self._quiet.get(path)
        if quiet is None or quiet.stamp != stamp:
            quiet = self._quiet[path] = _Quiet(stamp, now, 0)
        quiet.scans += 1
        if entry.seen.size < max(self.options.min_bytes, 1) and not self._is_left(entry, now):
            return Judged(entry, "waiting", "too small yet" if entry.seen.size else "empty yet")
        if path not in self.closed and (now - quiet.since < self.options.stable_s or quiet.scans < self.options.scans):
            return Judged(entry, "waiting", "not quiet for long enough")
        return None

    def _judge_by_content(self, entry: Entry, writers: frozenset[tuple[int, int]], now: float) -> Judged:
        if (entry.seen.device, entry.seen.inode) in writers:
            return Judged(entry, "waiting", "open for writing")
        if entry.kind == "picture":
            return Judged(entry, "ready")
        try:
            missing = why_unfinished(entry.seen.path)
        except InputError as error:
            return Judged(entry, "rejected", str(error))
        return Judged(entry, "waiting", missing) if missing and not self._is_left(entry, now) else Judged(entry, "ready")

    def _is_left(self, entry: Entry, now: float) -> bool:
        """Whether a file has not changed for so long, by what was seen of it or by its own time, that nobody goes on writing it."""
        seen_s = now - self._quiet[str(entry.seen.path)].since
        return max(seen_s, time.time() - entry.seen.mtime_ns / 1e9) >= self.options.unfinished_s


def walk(
    root: Path, options: WatchOptions, known: Mapping[str, Stamp] | None = None, met: set[str] | None = None, apart: Path | None = None
) -> Iterator[Entry]:
    """Yield what lies in a folder and its subfolders, one name at a time; links are never followed.

    Files that `known` has with the same stamp are left out; `met` is given the name of every file, those too. Raises InputError
    when the folder itself cannot be listed.
    """
    ignore = _pattern(options.ignore)
    met = set() if met is None else met
    try:
        folders: list[Any] = [os.scandir(root)]
    except OSError as error:
        raise InputError(f"could not list {root}: {error.strerror}; is it mounted, and is the path right?") from error
    try:
        while folders:
            item = next(folders[-1], None)
            if item is None:
                folders.pop().close()
                continue
            try:
                status = item.stat(follow_symlinks=False)
            except OSError as error:
                seen = Seen(path=Path(item.path), size=0, mtime_ns=0, device=0, inode=0)
                yield Entry(seen=seen, kind="other", why_not=f"could not be looked at: {error.strerror}", is_blocked=True)
                continue
            if stat.S_ISDIR(status.st_mode):
                blocked = _enter(item, status, folders, apart)
                if blocked is not None:
                    yield blocked
                continue
            met.add(item.path)
            if known and known.get(item.path) == (status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino):
                continue
            yield _entry(item, status, ignore)
    finally:
        for folder in folders:
            folder.close()


def _pattern(more: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all names that are left alone, matched on the case-folded name."""
    ends = "|".join(re.escape(end) for end in TEMPORARY)
    own = "".join(f"|{fnmatch.translate(pattern.casefold())}" for pattern in more)
    return re.compile(rf"(?s:[.~].*|.*(?:{ends}))\Z{own}")


def _enter(item: os.DirEntry[str], status: os.stat_result, folders: list[Any], apart: Path | None) -> Entry | None:
    """Go into a folder, when it is one to go into; returns an entry for one that cannot be read."""
    name = item.name.casefold()
    if name.startswith(".") or name in SYSTEM_FOLDERS or name == ".stfolder" or len(folders) > MAX_DEPTH:
        return None
    if (apart is not None and Path(item.path) == apart) or any(os.path.lexists(f"{item.path}/{file}") for file in RUN_FILES):
        return None
    try:
        folders.append(os.scandir(item.path))
    except OSError as error:
        return Entry(seen=_seen(item, status), kind="other", why_not=f"folder: {error.strerror}", is_blocked=True)
    return None


def _entry(item: os.DirEntry[str], status: os.stat_result, ignore: re.Pattern[str]) -> Entry:
    name = item.name.casefold()
    kind, seen = _kind(name), _seen(item, status)
    if stat.S_ISLNK(status.st_mode):
        return Entry(seen=seen, kind=kind, why_not="symbolic link")
    if not stat.S_ISREG(status.st_mode):
        return Entry(seen=seen, kind=kind, why_not="no regular file")
    if ignore.match(name):
        return Entry(seen=seen, kind=kind, why_not="temporary or hidden name")
    if not os.access(item.path, os.R_OK):
        return Entry(seen=seen, kind=kind, why_not="permission denied", is_blocked=True)
    return Entry(seen=seen, kind=kind)


def _seen(item: os.DirEntry[str], status: os.stat_result) -> Seen:
    return Seen(path=Path(item.path), size=status.st_size, mtime_ns=status.st_mtime_ns, device=status.st_dev, inode=status.st_ino)


def _kind(name: str) -> Kind:
    """Sort a name by its extension; what a recording really is is read from its bytes later."""
    extension = Path(name).suffix
    return "picture" if extension in PICTURE_SUFFIXES else "side file" if extension in SIDE_FILES else "recording"


def open_for_writing(proc: Path = Path("/proc")) -> frozenset[tuple[int, int]]:
    """List (device, inode) of the regular files that processes we may look at have open for writing; empty without /proc."""
    found = set()
    for process in _names(proc):
        if not process.name.isdigit():
            continue
        for descriptor in _names(process / "fd"):
            try:
                if not descriptor.lstat().st_mode & stat.S_IWUSR:
                    continue
                status = descriptor.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _names(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
