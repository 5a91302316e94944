"""What lies in a watched folder, and which of it is ready to be worked on.

The truth is a scan of the whole folder; file events only say that a scan is worth while, for they get lost (a queue of
16,384 in the kernel, none at all on network shares). A recording is ready when it has not changed for a while over at least
two scans, nobody on this machine has it open for writing, and its container shows no missing end. Every verdict but that is
for now: the next scan judges again.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from clipper.errors import InputError
from clipper.media.ending import why_unfinished

TEMPORARY = (
    "*.part", "*.partial", "*.tmp", "*.temp", "*.crdownload", "*.download", "*.!qb", "*.!ut", "*.filepart", "*.aria2", "*.opdownload",
    "*.syncthing.*", "~*", ".*", "*~",
)  # fmt: skip
"""Names of files that somebody is still writing, or that belong to a program; matched without regard to case."""
NOT_ENTERED = ("@eadir", ".stfolder", "lost+found", "$recycle.bin", "system volume information", "__macosx")
"""Folders of network storage and operating systems, by their lower-case names; hidden folders are left out as well."""
SIDE_FILES = (".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".xml", ".ass", ".toml", ".txt", ".srt", ".md", ".log", ".nfo")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".heic", ".heif", ".avif", ".tif", ".tiff")
MAX_DEPTH = 32

Verdict = Literal["ready", "waiting", "ignored", "rejected", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxOptions:
    """When a file counts as finished."""

    stable_s: float = 10.0
    """Seconds for which size and time of change must have stood still; 0 to 86,400."""
    scans: int = 2
    """Scans that must have found the file unchanged; 1 to 100."""
    min_bytes: int = 1024
    """A smaller file may be the beginning of one; 0 or more."""
    ignore: tuple[str, ...] = ()
    """Further name patterns (`*.bak`) that are left alone."""

    def __post_init__(self) -> None:
        for name, low, high in (("stable_s", 0, 86_400), ("scans", 1, 100), ("min_bytes", 0, 2**40)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"watch.{name} = {value}: expected {low} to {high}")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What tells whether a file is still the one that was seen."""

    device: int
    inode: int
    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a watched folder."""

    path: bytes
    """As the file system has it: names need not be UTF-8."""
    kind: Literal["recording", "picture", "side file", "other"]
    identity: Identity | None
    why_not: str = ""
    """Why it can never be worked on as it is: a link, a pipe, a temporary name, no permission."""
    is_blocked: bool = False
    """It cannot be read now; a change of its mode may help."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a scan makes of an entry."""

    entry: Entry
    verdict: Verdict
    why: str = ""


@dataclass(slots=True)
class _Seen:
    identity: Identity
    since: float
    scans: int


@dataclass(slots=True)
class Inbox:
    """Judges scan after scan; remembers only what is not ready yet."""

    root: Path
    options: InboxOptions = field(default_factory=InboxOptions)
    _seen: dict[bytes, _Seen] = field(default_factory=dict)

    def scan(self, now: float, known: dict[bytes, Identity] | None = None) -> Iterator[Judged]:
        """Walk the folder and judge each name as it comes; `now` is a monotonic clock in seconds.

        Entries that `known` has with the same identity are left out: they were dealt with. Raises InputError when the folder
        itself cannot be listed (unmounted, renamed): that says nothing about the files in it.
        """
        writers: frozenset[tuple[int, int]] | None = None
        met = set()
        for entry in walk(self.root, self.options):
            met.add(entry.path)
            if known is not None and entry.identity is not None and known.get(entry.path) == entry.identity:
                self._seen.pop(entry.path, None)
                continue
            judged = self._judge_by_name(entry, now)
            if judged is None:
                writers = open_for_writing() if writers is None else writers
                judged = self._judge_by_content(entry, writers)
            yield judged
        for path in self._seen.keys() - met:
            del self._seen[path]

    def _judge_by_name(self, entry: Entry, now: float) -> Judged | None:
        """Judge what needs no look inside; None when the entry has stood still long enough to be opened."""
        if entry.is_blocked:
            return Judged(entry, "blocked", entry.why_not)
        if entry.why_not or entry.kind == "side file":
            return Judged(entry, "ignored", entry.why_not or "side file")
        identity = entry.identity
        assert identity is not None
        seen = self._seen.get(entry.path)
        if seen is None or seen.identity != identity:
            seen = self._seen[entry.path] = _Seen(identity, now, 0)
        seen.scans += 1
        if identity.size < max(self.options.min_bytes, 1):
            return Judged(entry, "waiting", f"only {identity.size} bytes yet")
        if now - seen.since < self.options.stable_s or seen.scans < self.options.scans:
            return Judged(entry, "waiting", "not quiet for long enough")
        return None

    def _judge_by_content(self, entry: Entry, writers: frozenset[tuple[int, int]]) -> Judged:
        identity = entry.identity
        assert identity is not None
        if (identity.device, identity.inode) in writers:
            return Judged(entry, "waiting", "open for writing")
        if entry.kind == "picture":
            return Judged(entry, "ready")
        path = Path(os.fsdecode(entry.path))
        try:
            missing = why_unfinished(path)
        except InputError as error:
            return Judged(entry, "rejected", str(error))
        return Judged(entry, "waiting", missing) if missing else Judged(entry, "ready")


def identity_of(status: os.stat_result) -> Identity:
    """Take a file's identity from its status."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def walk(root: Path, options: InboxOptions | None = None) -> Iterator[Entry]:
    """Yield what lies in a folder and its subfolders, one name at a time; links are never followed.

    Raises InputError when the folder itself cannot be listed.
    """
    ignore = TEMPORARY + tuple(pattern.lower() for pattern in (options or InboxOptions()).ignore)
    try:
        folders = [(0, os.scandir(os.fsencode(root)))]
    except OSError as error:
        raise InputError(f"could not list {root}: {error.strerror}; is it mounted, and is the path right?") from error
    while folders:
        depth, listing = folders[-1]
        item = next(listing, None)
        if item is None:
            listing.close()
            folders.pop()
            continue
        entry = _entry(item, ignore)
        if entry is not None:
            yield entry
        elif depth < MAX_DEPTH:
            try:
                folders.append((depth + 1, os.scandir(item.path)))
            except OSError as error:
                yield Entry(path=item.path, kind="other", identity=None, why_not=f"folder: {error.strerror}", is_blocked=True)


def _entry(item: os.DirEntry[bytes], ignore: tuple[str, ...]) -> Entry | None:
    """Describe one name; None for a folder that is to be entered."""
    name = os.fsdecode(item.name).lower()
    kind = _kind(name)
    try:
        status = item.stat(follow_symlinks=False)
    except OSError as error:
        return Entry(path=item.path, kind=kind, identity=None, why_not=f"could not be looked at: {error.strerror}", is_blocked=True)
    identity = identity_of(status)
    if stat.S_ISDIR(status.st_mode):
        if name.startswith(".") or name in NOT_ENTERED:
            return Entry(path=item.path, kind="other", identity=None, why_not="folder that is not entered")
        return None
    why = ""
    if stat.S_ISLNK(status.st_mode):
        why = "symbolic link"
    elif not stat.S_ISREG(status.st_mode):
        why = "no regular file"
    elif any(fnmatch.fnmatchcase(name, pattern) for pattern in ignore):
        why = "temporary or hidden name"
    elif not os.access(item.path, os.R_OK):
        return Entry(path=item.path, kind=kind, identity=identity, why_not="permission denied", is_blocked=True)
    return Entry(path=item.path, kind=kind, identity=identity, why_not=why)


def _kind(name: str) -> Literal["recording", "picture", "side file", "other"]:
    """Sort a name by its extension; what a recording really is is read from its bytes later."""
    extension = Path(name).suffix
    return "picture" if extension in PICTURES else "side file" if extension in SIDE_FILES else "recording"


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
