"""One watched folder: scan after scan, what is ready goes to the batch, everything else is written down with its reason.

The ledger remembers across restarts; what is kept here can be built anew from it at any time.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from clipper.audience import Listing
from clipper.catalog import CATALOG_NAMES, find_catalog
from clipper.errors import InputError
from pipelines import places
from pipelines.inputs import Inputs
from pipelines.ledger import FINISHED, FileRow, Ledger, Seen, State
from pipelines.recordings import looks_like_a_recording
from pipelines.settings import Settings
from pipelines.watch.inbox import Entry, Inbox, Judged, Stamp

log = logging.getLogger(__name__)

NOTES = 500
"""Files written into the ledger in one transaction."""
SETTLE_S = 0.5
"""After an event, wait this long for more of them before scanning."""
AGAIN_S = 30.0
"""Least time before a recording is given to the batch again that came back unfinished through no fault of its own."""


@dataclass(slots=True)
class Report:
    """What is known of one folder; read by the status pages."""

    root: Path
    state: str = "starting"
    """scanning, watching, paused: …, or missing: …"""
    scans: int = 0
    scan_s: float = 0.0
    """Seconds that the last scan took."""
    scanned_at: float = 0.0
    """Monotonic."""
    fed: int = 0
    """Recordings given to the batch."""
    is_giving: bool = False
    """The scan waits because the batch has enough for now."""


@dataclass(slots=True)
class Folder:
    """The feed of one watched folder."""

    root: Path
    settings: Settings
    ledger: Ledger
    wake: threading.Event
    """Set by whatever thinks that a scan is worth while."""
    over: Callable[[], bool]
    """Whether nothing more is to be given to the batch."""
    once: bool = False
    report: Report = field(init=False)
    _inbox: Inbox = field(init=False)
    _known: dict[str, Stamp] = field(default_factory=dict)
    _noted: dict[str, tuple[State, str, Stamp]] = field(default_factory=dict)
    _notes: list[tuple[Seen, State, str]] = field(default_factory=list)
    _products: set[Path] = field(default_factory=set)
    """Folders in which pictures are new."""
    _unfinished: set[Path] = field(default_factory=set)
    """Folders in which a picture is still being written."""
    _ready_since: dict[str, float] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)
    _listings: dict[str, tuple[bool, Listing]] = field(default_factory=dict)
    """Folders of this scan: whether there is a catalogue, and whose logs there are."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.report = Report(self.root)
        self._inbox = Inbox(self.root, self.settings.watch, places.absolute(self.settings.run.out))
        self._remember()

    # --- what the batch and the daemon call -------------------------------------------------------

    def feed(self) -> Iterator[Inputs]:
        """Yield recordings as they become ready, until `over`, or with `once` until nothing is left to wait for."""
        while not self.over():
            reason = self._why_paused()
            if reason:
                self._say(f"paused: {reason}")
                if self.once:
                    return
            else:
                yield from self._scan()
                if self.once and self._nothing_to_wait_for():
                    return
            self._wait()

    def came_back(self, recording: Path) -> None:
        """Hear that the batch could not finish a recording for now: it is looked at again later."""
        if recording.is_dir():
            self._products.add(recording)
            return
        with self._lock:
            self._known.pop(str(recording), None)
            self._again[str(recording)] = time.monotonic() + AGAIN_S

    def closed(self, path: Path) -> None:
        """Hear from a recorder that it has finished a file."""
        self._inbox.closed.add(str(path))
        self.wake.set()

    # --- one scan -----------------------------------------------------------------------------------

    def _scan(self) -> Iterator[Inputs]:
        began = time.monotonic()
        dirty: set[Path] = set()
        before = self._identity()
        self._unfinished.clear()
        self._listings.clear()
        try:
            for judged in self._inbox.scan(began, self._known):
                if judged.entry.kind == "side file" and not judged.entry.why_not:
                    dirty.add(judged.entry.seen.path)
                if self._is_ready(judged):
                    yield from self._give(judged.entry)
                if self.over():
                    break
            else:
                self._gone(before)
        except InputError as error:
            self._say(f"missing: {error}")
            return
        finally:
            self._write_notes()
        yield from self._with_late_side_files(dirty)
        yield from self._finished_products()
        self.report.scans += 1
        self.report.scanned_at = time.monotonic()
        self.report.scan_s = self.report.scanned_at - began
        self._say("watching")

    def _is_ready(self, judged: Judged) -> bool:
        """Say whether an entry goes to the batch now; note what keeps it."""
        entry, path = judged.entry, str(judged.entry.seen.path)
        if judged.verdict in ("ignored", "rejected"):
            self._note(entry, "rejected" if judged.verdict == "rejected" else "ignored", judged.why)
            self._known[path] = entry.seen.stamp
            self._inbox.settle(path)
            return False
        if judged.verdict == "blocked":
            self._note(entry, "waiting", f"blocked: {judged.why}")
            return False
        if judged.verdict == "waiting":
            if entry.kind == "picture":
                self._unfinished.add(entry.seen.path.parent)
            self._ready_since.pop(path, None)
            self._note(entry, "waiting", judged.why)
            return False
        if self._again.get(path, 0.0) > time.monotonic():
            return False
        if entry.kind == "picture":
            self._note(entry, "ignored", "product picture")
            self._known[path] = entry.seen.stamp
            self._products.add(entry.seen.path.parent)
            return False
        if self._waits_for_side_files(entry):
            self._note(entry, "waiting", "waiting for its catalogue or logs")
            return False
        return True

    def _waits_for_side_files(self, entry: Entry) -> bool:
        path = entry.seen.path
        since = self._ready_since.setdefault(str(path), time.monotonic())
        if time.monotonic() - since >= self.settings.watch.grace_s:
            return False
        folder = str(path.parent)
        if folder not in self._listings:
            self._listings[folder] = (find_catalog(path.parent) is not None, Listing.of(path.parent))
        has_catalog, listing = self._listings[folder]
        return not has_catalog or not listing.of_recording(path)

    def _give(self, entry: Entry) -> Iterator[Inputs]:
        path = str(entry.seen.path)
        with self._lock:
            self._known[path] = entry.seen.stamp
        self._noted.pop(path, None)
        self._ready_since.pop(path, None)
        self._inbox.settle(path)
        self.report.fed += 1
        self.report.is_giving = True
        yield Inputs(recording=entry.seen.path)
        self.report.is_giving = False

    def _with_late_side_files(self, dirty: set[Path]) -> Iterator[Inputs]:
        """Give finished recordings again whose catalogue or logs are new or have changed: what still fits is not made anew."""
        oldest = self.ledger.clock.wall() - self.settings.watch.late_s
        for folder in {path.parent for path in dirty}:
            names = [path.stem for path in dirty if path.parent == folder]
            has_catalog = any(name.casefold() == "catalog" for name in names)
            for row in self._rows(folder):
                belongs = has_catalog or any(name.startswith(row.path.stem) for name in names)
                if row.state in FINISHED and row.path.parent == folder and row.seen_at >= oldest and belongs and not self.over():
                    yield Inputs(recording=row.path)

    def _finished_products(self) -> Iterator[Inputs]:
        """Give the folders of product pictures in which there is something new, and nothing that is still being written."""
        ready = sorted(self._products - self._unfinished)
        if not ready or self.over():
            return
        lived_in = {
            Path(path).parent for path in self._inbox.met if looks_like_a_recording(path) or Path(path).name.casefold() in CATALOG_NAMES
        }
        for folder in ready:
            self._products.discard(folder)
            if self._is_product(folder, lived_in):
                self.report.fed += 1
                yield Inputs(recording=folder)

    def _is_product(self, folder: Path, lived_in: set[Path]) -> bool:
        """Say whether a folder of pictures is a product to make videos of, and not what a recording or a catalogue shows."""
        if self.settings.watch.pictures == "ignore" or folder == self.root:
            return False
        above = [folder, *(parent for parent in folder.parents if parent.is_relative_to(self.root))]
        return self.settings.watch.pictures == "generate" or not any(parent in lived_in for parent in above)

    def _gone(self, before: tuple[int, int] | None) -> None:
        """Write down what is no longer there; a folder that is empty of a sudden, or another one, says nothing."""
        met = self._inbox.met
        if not met or before != self._identity():
            return
        lost = [path for path in {**self._known, **self._noted} if path not in met]
        for path in lost:
            row = self.ledger.file(Path(path))
            if row is not None and row.state == "running":
                continue  # whoever works on it ends first
            if row is not None and row.state != "gone":
                size, mtime_ns, device, inode = row.stamp
                seen = Seen(path=row.path, size=size, mtime_ns=mtime_ns, device=device, inode=inode)
                self._notes.append((seen, "gone", "the file has gone"))
            self._known.pop(path, None)
            self._noted.pop(path, None)
            self._ready_since.pop(path, None)
            self._again.pop(path, None)

    # --- the ledger -----------------------------------------------------------------------------------

    def _remember(self) -> None:
        """Take from the ledger what was dealt with before; what waits, or whose worker died, is given again."""
        for row in self._rows(self.root):
            if row.job_id is not None and row.path.is_dir():
                if row.state in ("waiting", "running"):
                    self._products.add(row.path)
            elif row.state in (*FINISHED, "quarantined", "rejected", "ignored") or (row.state == "gone" and row.job_id is not None):
                self._known[str(row.path)] = row.stamp
            elif row.state in ("waiting", "running"):
                self._noted[str(row.path)] = ("waiting", row.reason, row.stamp)

    def _rows(self, folder: Path) -> Iterator[FileRow]:
        """Files of a folder and below it that the ledger knows."""
        prefix = os.fsencode(folder) + b"/"
        return self.ledger.files("f.path >= ? AND f.path < ?", (prefix, prefix[:-1] + b"0"))

    def _note(self, entry: Entry, state: State, reason: str) -> None:
        path, stamp = str(entry.seen.path), entry.seen.stamp
        if self._noted.get(path) == (state, reason, stamp):
            return
        if state == "waiting":
            self._noted[path] = (state, reason, stamp)
        else:
            self._noted.pop(path, None)
        self._notes.append((entry.seen, state, reason))
        if len(self._notes) >= NOTES:
            self._write_notes()

    def _write_notes(self) -> None:
        if not self._notes:
            return
        notes, self._notes = self._notes, []
        with self.ledger.writing() as change:
            for seen, state, reason in notes:
                change.note(seen, state, reason)

    # --- between scans --------------------------------------------------------------------------------

    def _why_paused(self) -> str:
        """Say why nothing new may be begun: too little room for results; those that go to a URL are made in scratch."""
        out, scratch = Path(self.settings.run.out), Path(self.settings.run.scratch or tempfile.gettempdir())
        place = scratch if places.is_url(out) else out
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            return f"{place} cannot be looked at: {error.strerror}"
        floor = self.settings.watch.free_gb * 1e9
        return f"{free / 1e9:.2f} GB free at {place}, {floor / 1e9:g} GB are to stay free" if free < floor else ""

    def _nothing_to_wait_for(self) -> bool:
        """With `once`: whatever may still become quiet, or get its side files, has had its time."""
        return self._inbox.next_look(time.monotonic()) is None and not self._ready_since

    def _wait(self) -> None:
        """Wait for the next scan: the clock, an event, or a file that may have been quiet for long enough by then."""
        now, options = time.monotonic(), self.settings.watch
        wait = options.scan_s
        quiet = self._inbox.next_look(now)
        if quiet is not None:
            wait = min(wait, max(quiet, 0.05))
        if self._ready_since:
            wait = min(wait, max(min(self._ready_since.values()) + options.grace_s - now, 0.05))
        end = now + wait
        while not self.over() and (left := end - time.monotonic()) > 0:
            if self.wake.wait(min(left, 0.5)):
                self.wake.clear()
                time.sleep(min(SETTLE_S, max(options.stable_s / 4, 0.01)))
                return

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self.root.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _say(self, state: str) -> None:
        if state != self.report.state:
            log.info("%s: %s", self.root, state)
            self.report.state = state
