"""The daemon: watched folders, one batch without end for each, one ledger and one executor for all.

SIGTERM and SIGINT drain: nothing new is begun, what runs may end; a second one stops it and hands it back. SIGHUP reads the
options anew: a folder whose options have changed goes on with them as soon as what it has in hand is done; options that
cannot be read are told, and the old ones stay.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from clipper.errors import Cancelled, InputError, LivecutError
from pipelines import batch, config, memory, places
from pipelines.batch import Outcome
from pipelines.executors import Executor
from pipelines.ledger import Ledger, LedgerError
from pipelines.settings import Settings
from pipelines.watch.folder import Folder
from pipelines.watch.retention import remove_old

log = logging.getLogger(__name__)

LEDGER_AGAIN_S = 15.0
"""Wait before the ledger is tried again after it could not be written."""
RETENTION_S = 3600.0
RELEASE_AFTER = 50
"""Recordings after which memory that was freed is given back to the system: fragments of every job's would pile up."""
MIND_S = 0.5
"""How often the main thread looks around."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start; read by the status pages."""

    settled: dict[str, int] = field(default_factory=dict)
    """Recordings by the state they came to."""
    seconds: float = 0.0
    """Of work, all recordings together."""
    reloads: int = 0
    ledger_errors: int = 0


@dataclass(slots=True)
class Daemon:
    """Watches folders until told to stop."""

    roots: tuple[Path, ...]
    load: Callable[[Path | None], Settings]
    """Reads the options of a folder, or with None those of the daemon itself."""
    ledger: Ledger
    executor: Executor
    once: bool = False
    counts: Counts = field(default_factory=Counts)
    folders: dict[Path, Folder] = field(default_factory=dict)
    trouble: str = ""
    """Why no work is taken at the moment; empty when all is well."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _killed: threading.Event = field(default_factory=threading.Event)
    _stale: dict[Path, threading.Event] = field(default_factory=dict)
    _settings: dict[Path, Settings] = field(default_factory=dict)
    _codes: list[int] = field(default_factory=list)
    _locks: list[int] = field(default_factory=list)
    _reload: threading.Event = field(default_factory=threading.Event)

    def run(self) -> list[int]:
        """Watch until a signal, with `once` until nothing is ready any more; return the exit codes of what was done.

        Raises InputError when a folder is missing at the start, holds the results of another, or is watched by another daemon.
        """
        self._settings = {root: self.load(root) for root in self.roots}
        for root in self.roots:
            _check(root, self._settings[root])
            self._locks.append(_lock(root))
            self._stale[root] = threading.Event()
            self._make(root)
        threads = [threading.Thread(target=self._serve, args=(root,), name=f"watch {root.name}") for root in self.roots]
        for thread in threads:
            thread.start()
        try:
            self._mind(threads)
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
            for lock in self._locks:
                os.close(lock)
        return self._codes

    def stop(self) -> None:
        """Drain; the second time, stop what runs."""
        if self._stopping.is_set():
            self._killed.set()
        self._stopping.set()
        self.wake()

    def reload(self) -> None:
        """Read the options anew."""
        self._reload.set()

    def wake(self) -> None:
        """Let every folder scan soon."""
        for folder in list(self.folders.values()):
            folder.wake.set()

    def closed(self, path: Path) -> bool:
        """Hear from a recorder that a file is finished; False when it lies in no watched folder."""
        path = Path(os.path.abspath(path))  # noqa: PTH100
        for root, folder in self.folders.items():
            if path.is_relative_to(root):
                folder.closed(path)
                return True
        return False

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is begun."""
        return self._stopping.is_set()

    # --- inside -----------------------------------------------------------------------------------------

    def _make(self, root: Path) -> Folder:
        stale = self._stale[root]
        folder = Folder(
            root=root,
            settings=self._settings[root],
            ledger=self.ledger,
            wake=threading.Event(),
            over=lambda: self._stopping.is_set() or stale.is_set(),
            once=self.once,
        )
        self.folders[root] = folder
        return folder

    def _serve(self, root: Path) -> None:
        """Work off one folder, in a thread of its own; whatever happens to it leaves the others alone."""
        while not self._stopping.is_set():
            try:
                self._batch(self.folders[root])
                self.trouble = ""
            except Cancelled:
                return
            except LivecutError as error:
                self.counts.ledger_errors += isinstance(error, LedgerError)
                self.trouble = str(error)
                log.error("%s: %s; nothing new is begun, trying again in %g s", root, error, LEDGER_AGAIN_S)
                self._stopping.wait(0.0 if self.once else LEDGER_AGAIN_S)
                if self.once:
                    self._codes.append(error.exit_code)
            except Exception:
                log.exception("%s: a bug in livecut; trying again in %g s", root, LEDGER_AGAIN_S)
                self._stopping.wait(LEDGER_AGAIN_S)
            if self.once:
                return
            self._stale[root].clear()
            with suppress(LivecutError):  # the ledger may still be out of reach: the loop comes back here
                self._make(root)

    def _batch(self, folder: Folder) -> None:
        settings = folder.settings
        at_once = settings.run.recordings or min(2, os.cpu_count() or 1)
        batch.run_batch(
            folder.feed(),
            settings,
            self.ledger,
            self.executor,
            at_once=at_once,
            settled=lambda outcome: self._settled(folder, outcome),
            cancelled=self._killed.is_set,
            draining=self._stopping.is_set,
            keep=False,
        )

    def _settled(self, folder: Folder, outcome: Outcome) -> None:
        self.counts.settled[outcome.state] = self.counts.settled.get(outcome.state, 0) + 1
        self.counts.seconds += outcome.seconds
        if sum(self.counts.settled.values()) % RELEASE_AFTER == 0:
            memory.release()
        if self.once:
            self._codes.append(outcome.code)
        if outcome.state == "waiting" and not self._stopping.is_set():
            folder.came_back(outcome.recording)
        level = logging.INFO if outcome.state in ("done", "degraded", "gone") else logging.WARNING
        log.log(
            level,
            "%s: %s",
            outcome.recording,
            outcome.state,
            extra={
                "recording": str(outcome.recording),
                "state": outcome.state,
                "reason": outcome.reason,
                "attempt": outcome.attempt,
                "seconds": round(outcome.seconds, 3),
                "folder": str(outcome.folder) if outcome.folder else None,
                "reused": outcome.reused,
            },
        )

    def _mind(self, threads: Sequence[threading.Thread]) -> None:
        """Wait in the main thread, where signals arrive; reload, retention, and the end of patience happen here."""
        swept = drained = 0.0
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(MIND_S)
            now = time.monotonic()
            if self._reload.is_set():
                self._reload.clear()
                self._read_options()
            if now - swept > RETENTION_S and not self._stopping.is_set():
                swept = now
                self._retire()
            if self._stopping.is_set():
                drained = drained or now
                patience = max(settings.watch.drain_s for settings in self._settings.values())
                if now - drained > patience and not self._killed.is_set():
                    log.warning("what runs did not end within %g s and is stopped", patience)
                    self._killed.set()

    def _retire(self) -> None:
        for root, settings in self._settings.items():
            if settings.watch.keep_days:
                with suppress(LivecutError):
                    for folder in remove_old(self.ledger, root, settings.watch.keep_days):
                        log.info("%s: results are older than %g days and were deleted", folder, settings.watch.keep_days)
        days = max(settings.watch.history_days for settings in self._settings.values())
        with suppress(LivecutError):
            if dropped := self.ledger.prune(days):
                log.info("%d events older than %g days were dropped from the ledger's history", dropped, days)

    def _read_options(self) -> None:
        for root in self.roots:
            try:
                settings = self.load(root)
                _check(root, settings)
            except LivecutError as error:
                log.error("%s: the options are kept as they were: %s", root, error)
                continue
            self.counts.reloads += 1
            if settings != self._settings[root]:
                log.info("%s: goes on with new options when what is in hand is done", root)
                self._settings[root] = settings
                self._stale[root].set()
                self.folders[root].wake.set()


def listen(daemon: Daemon) -> None:
    """Let the process's signals drain, stop and reload the daemon."""
    signal.signal(signal.SIGTERM, lambda number, frame: daemon.stop())
    signal.signal(signal.SIGINT, lambda number, frame: daemon.stop())
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda number, frame: daemon.reload())


def options_of(root: Path | None, file: Path | None, flags: dict[str, object]) -> Settings:
    """Read the options of a watched folder: default < the daemon's file < livecut.toml in the folder < environment < flags.

    Relative folders of results in the folder's own file are meant from there. Raises InputError.
    """
    own = config.find_file(root) if root is not None else None
    settings = config.load(Settings, files=[path for path in (file, own) if path is not None], flags=flags)
    out = Path(settings.run.out)
    if root is None or own is None or out.is_absolute() or places.is_url(out) or "run.out" in flags or "LIVECUT_RUN_OUT" in os.environ:
        return settings
    return replace(settings, run=replace(settings.run, out=str(root / out)))


def _check(root: Path, settings: Settings) -> None:
    if not root.is_dir():
        raise InputError(f"could not watch {root}: {'it is no folder' if root.exists() else 'no such folder'}; check the path")
    out = places.absolute(settings.run.out)
    if out == root or root.is_relative_to(out):
        raise InputError(f"could not watch {root}: results go to {out}, which holds it; give another folder with -o")


def _lock(root: Path) -> int:
    """Hold a folder for this daemon alone; released with the process. Where it cannot be locked, the ledger's leases must do."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise InputError(f"could not watch {root}: another livecut watches it; stop that one first") from error
    except OSError as error:
        log.warning("%s cannot be locked (%s): take care that one daemon alone watches it", root, error.strerror)
    return handle
