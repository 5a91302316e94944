"""The ledger itself: every file ever seen, every job, who works on it, what came of it.

One SQLite file, one transaction per change (see `change`), each durable before the call returns. All times are the wall
clock's, for people; leases run on the machine's uptime (see `owners`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipelines.ledger import schema
from pipelines.ledger.change import Change
from pipelines.ledger.owners import Clock, Owner
from pipelines.ledger.rows import JOB, job_of
from pipelines.ledger.states import FILE_STATES, Claim, Event, FileRow, Job, LedgerOptions, Output, Seen, State

_FILE = """f.path, COALESCE(f.state, j.state), CASE WHEN f.job IS NULL THEN f.reason ELSE j.reason END, f.job,
    f.size, f.mtime_ns, f.device, f.inode, f.seen_at"""


class Ledger:
    """An open ledger; may be used from several threads, and by several processes at once."""

    def __init__(
        self, path: str | Path, options: LedgerOptions | None = None, *, clock: Clock | None = None, owner: Owner | None = None
    ) -> None:
        self.path = Path(path)
        self.options = options or LedgerOptions()
        self.clock = clock or Clock()
        self.owner = str(owner or Owner.me())
        self._lock = threading.RLock()
        self._connection = schema.connect(self.path)

    def close(self) -> None:
        """Close the file; claims stay until their lease ends or their owner is dead."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- files ----------------------------------------------------------------------------------

    def note(self, seen: Iterable[Seen], state: State, reason: str = "") -> None:
        """Record files that have no job: still being written (waiting), left alone (ignored), unreadable (rejected), vanished (gone).

        A file that has a job loses it; the job goes too when it was waiting and no other file has its content. One that is
        said to wait and looks as it did keeps its job. One transaction for all.
        """
        if state not in FILE_STATES:
            raise ValueError(f"{state} is no state of a file without a job")
        with self.writing() as change:
            for one in seen:
                change.note(one, state, reason)

    def add(self, seen: Seen, *, kind: str, content: str, options: str, task: str, folder: Path, spare: Path, plain: str = "") -> Job:
        """Record a file together with its job, making the job when this content was never seen with these options.

        `folder` is where the results shall lie; `spare` is taken when that folder belongs to another file's job. `plain`
        is the text of which `options` is the digest. A job that had gone comes back; any other keeps its state.
        """
        with self.writing() as change:
            return change.add(seen, kind=kind, content=content, options=options, task=task, folder=folder, spare=spare, plain=plain)

    def file(self, path: Path) -> FileRow | None:
        """What is known of a file."""
        return next(self.files("f.path = ?", (os.fsencode(path),)), None)

    def files(self, where: str = "1", values: Sequence[Any] = ()) -> Iterator[FileRow]:
        """Go through every file ever seen, in the order of their names."""
        query = f"SELECT {_FILE} FROM files f LEFT JOIN jobs j ON j.id = f.job WHERE {where} ORDER BY f.path"
        for row in self._read(query, values):
            path, state, reason, job, size, mtime_ns, device, inode, seen_at = row
            stamp = (size, mtime_ns, device, inode)
            yield FileRow(path=Path(os.fsdecode(path)), state=state, reason=reason, job_id=job, stamp=stamp, seen_at=seen_at)

    def forget(self, path: Path) -> bool:
        """Drop a file, and its job when no other file has that content, as if never seen; results on disk stay.

        Returns whether it was known. Raises LedgerError when it is being worked on.
        """
        with self.writing() as change:
            return change.forget(path)

    def forgotten(self) -> set[Path]:
        """Folders whose jobs were forgotten."""
        return {Path(os.fsdecode(row[0])) for row in self._read("SELECT folder FROM forgotten")}

    # --- jobs -----------------------------------------------------------------------------------

    def job(self, job_id: int) -> Job:
        """Read one job. Raises KeyError."""
        with self._lock, self._translating():
            return self._change().job(job_id)

    def jobs(self, *, state: State | None = None, folder: Path | None = None) -> Iterator[Job]:
        """Go through the jobs, oldest first."""
        where, values = ["1"], list[Any]()
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if folder is not None:
            where.append("folder = ?")
            values.append(os.fsencode(folder))
        for row in self._read(f"SELECT {JOB} FROM jobs WHERE {' AND '.join(where)} ORDER BY id", values):
            yield job_of(row)

    def paths(self, job_id: int) -> tuple[Path, ...]:
        """Every file that has a job's content; the one it was first seen as first."""
        rows = self._read(
            "SELECT f.path FROM files f JOIN jobs j ON j.id = f.job WHERE j.id = ? ORDER BY f.path <> j.path, f.path", (job_id,)
        )
        return tuple(Path(os.fsdecode(row[0])) for row in rows)

    def counts(self) -> dict[State, int]:
        """How many files are in each state."""
        rows = self._read("SELECT COALESCE(f.state, j.state), COUNT(*) FROM files f LEFT JOIN jobs j ON j.id = f.job GROUP BY 1 ORDER BY 1")
        return {row[0]: int(row[1]) for row in rows}

    def outputs(self, job_id: int) -> tuple[Output, ...]:
        """What a job has published."""
        rows = self._read("SELECT path, sha256, size, mtime_ns, editable FROM outputs WHERE job = ? ORDER BY path", (job_id,))
        return tuple(
            Output(path=Path(os.fsdecode(path)), sha256=sha256, size=size, mtime_ns=mtime_ns, editable=bool(editable))
            for path, sha256, size, mtime_ns, editable in rows
        )

    def history(self, *, path: Path | None = None, job_id: int | None = None) -> tuple[Event, ...]:
        """What happened to a file and to its job, oldest first."""
        if path is not None and job_id is None:
            row = self.file(path)
            job_id = row.job_id if row else None
        name = os.fsencode(path) if path is not None else None
        rows = self._read("SELECT at, job, path, attempt, what, detail FROM events WHERE path = ? OR job = ? ORDER BY id", (name, job_id))
        return tuple(
            Event(at=at, job_id=job, path=Path(os.fsdecode(where)) if where else None, attempt=attempt, what=what, detail=detail)
            for at, job, where, attempt, what, detail in rows
        )

    def prune(self, days: float) -> int:
        """Drop what happened longer ago, but for the last of each file and job, and what is too much of one job; return how much."""
        with self.writing() as change:
            return change.prune(days)

    # --- work -----------------------------------------------------------------------------------

    def claim(self, job_id: int | None = None) -> Claim | None:
        """Take a waiting job that is due, the oldest or the one named; None when there is none.

        The attempt is counted before this returns. Jobs whose owner is dead, or whose lease has ended, are freed first. Two
        jobs with one folder never run at once; results that lie in that folder from other options are given up here.
        """
        with self.writing() as change:
            return change.claim(job_id)

    def renew(self) -> frozenset[tuple[int, int]]:
        """Lengthen every lease of this process; return what it still holds as (job, attempt)."""
        with self.writing() as change:
            return change.renew()

    def free_dead(self) -> int:
        """Free jobs whose owner is dead or whose lease has ended; return how many."""
        with self.writing() as change:
            return change.free_dead()

    def fail(self, claim: Claim, reason: str, *, code: int = 1) -> State:
        """End an attempt that failed: the job waits its turn again, or is quarantined after too many. Raises LostLease."""
        with self.writing() as change:
            return change.fail(claim, reason, code)

    def give_up(self, claim: Claim, state: State, reason: str, *, code: int = 2) -> State:
        """End an attempt for good: rejected, quarantined or gone. Raises LostLease."""
        with self.writing() as change:
            return change.move(change.held(claim), state, reason, code=code)

    def hand_back(self, claim: Claim, reason: str, *, wait_s: float = 0.0, code: int = 0) -> State:
        """End an attempt that is nobody's fault (stopped, disk full, model missing): it waits and has not failed. Raises LostLease."""
        with self.writing() as change:
            return change.move(change.held(claim), "waiting", reason, code=code, due_at=change.now + wait_s)

    def amend(self, job_id: int, outputs: Iterable[Output]) -> None:
        """Put other outputs in the place of a finished job's: somebody rendered an edited plan."""
        with self.writing() as change:
            change.amend(job_id, outputs)

    def retry(self, job_id: int, reason: str = "asked for") -> State:
        """Let a job wait again, whatever it has come to, with all its attempts; one that runs is left alone."""
        with self.writing() as change:
            return change.retry(job_id, reason)

    def hurry(self, job_id: int) -> None:
        """Let a job that waits for its time be due now; its failures stay counted."""
        with self.writing() as change:
            change.hurry(job_id)

    # --- inside one transaction -----------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Change]:
        """Hold the write lock: everything inside happens whole or not at all, and is on the disk afterwards."""
        with self._lock, self._translating():
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._change()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _change(self) -> Change:
        return Change(self._connection, self.options, self.owner, self.clock.wall(), self.clock.uptime())

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._translating():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise schema.translated(error, self.path) from error
