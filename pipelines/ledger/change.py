"""One change of the ledger: what happens while the write lock is held, whole or not at all.

A change of a job's state is a conditional UPDATE on the state and the attempt it expects.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.ledger.owners import Owner
from pipelines.ledger.rows import JOB, job_of, storable
from pipelines.ledger.states import FINISHED, MOVES, Claim, Job, LedgerError, LedgerOptions, LostLease, Output, Seen, State

DAY_S = 86_400.0
EVENTS_OF_ONE = 200
"""Events of one job that are kept: one that waits for a disk for weeks is tried every minute."""


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction under way; `Ledger.writing` makes it."""

    connection: sqlite3.Connection
    options: LedgerOptions
    owner: str
    now: float
    """Wall clock, seconds since 1970."""
    uptime: float
    """Seconds since the machine started."""

    # --- what the ledger offers -------------------------------------------------------------------

    def add(self, seen: Seen, *, kind: str, content: str, options: str, task: str, folder: Path, spare: Path, plain: str) -> Job:
        """Record a file with its job; see `Ledger.add`."""
        self.connection.execute("INSERT OR IGNORE INTO options VALUES (?, ?)", (options, plain))
        row = self.connection.execute("SELECT id, state FROM jobs WHERE content = ? AND options = ?", (content, options)).fetchone()
        if row is None:
            path = os.fsencode(seen.path)
            place = os.fsencode(self._free_folder(path, folder, spare))
            cursor = self.connection.execute(
                "INSERT INTO jobs (kind, content, options, state, folder, task, path, created_at, changed_at)"
                " VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?)",
                (kind, content, options, place, task, path, self.now, self.now),
            )
            job_id = int(cursor.lastrowid or 0)
            self._tell("waiting", job_id, path=path, detail="new")
        else:
            job_id = int(row[0])
            if row[1] == "gone":
                self._reopen(job_id, "it is back")
        self._attach(seen, job_id)
        return self.job(job_id)

    def note(self, seen: Seen, state: State, reason: str) -> None:
        """Record a file without a job; see `Ledger.note`."""
        path = os.fsencode(seen.path)
        row = self.connection.execute(
            "SELECT job, state, reason, size, mtime_ns, device, inode FROM files WHERE path = ?", (path,)
        ).fetchone()
        if row and row[0] is not None and state == "waiting" and tuple(row[3:]) == seen.stamp:
            return  # a daemon that has just started looks at it again: it is the file that its job is about, attempts and all
        self.connection.execute(
            "INSERT INTO files (path, job, state, reason, size, mtime_ns, device, inode, first_seen_at, seen_at)"
            " VALUES (?1, NULL, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (path) DO UPDATE SET job = NULL, state = ?2, reason = ?3,"
            " size = ?4, mtime_ns = ?5, device = ?6, inode = ?7, seen_at = ?8",
            (path, state, storable(reason), *seen.stamp, self.now),
        )
        if row is None or row[1:3] != (state, storable(reason)):
            self._tell(state, row[0] if row else None, path=path, detail=reason)
        if row and row[0] is not None:
            self._orphaned(int(row[0]), reason or "the file has gone")

    def claim(self, job_id: int | None) -> Claim | None:
        """Take a job; see `Ledger.claim`."""
        self.free_dead()
        row = self.connection.execute(
            f"SELECT {JOB} FROM jobs AS own WHERE state = 'waiting' AND (?1 IS NULL OR id = ?1)"
            " AND (due_at <= ?2 OR changed_at > ?2 + 1 OR due_at > ?2 + ?3)"  # a clock that was set back makes nobody wait
            " AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.folder = own.folder AND o.state = 'running') ORDER BY id LIMIT 1",
            (job_id, self.now, self.options.backoff_max_s + 1),
        ).fetchone()
        if row is None:
            return None
        job = job_of(row)
        self._replace_others(job)
        changed = self.connection.execute(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, owner = ?, lease_until = ?, changed_at = ?"
            " WHERE id = ? AND state = 'waiting' AND attempt = ?",
            (self.owner, self.uptime + self.options.lease_s, self.now, job.id, job.attempt),
        ).rowcount
        assert changed == 1, "the write lock is held"
        self._tell("running", job.id, attempt=job.attempt + 1)
        return Claim(self.job(job.id), job.attempt + 1)

    def renew(self) -> frozenset[tuple[int, int]]:
        """Lengthen every lease of this process; return what it holds as (job, attempt)."""
        until = self.uptime + self.options.lease_s
        self.connection.execute("UPDATE jobs SET lease_until = ? WHERE owner = ? AND state = 'running'", (until, self.owner))
        rows = self.connection.execute("SELECT id, attempt FROM jobs WHERE owner = ? AND state = 'running'", (self.owner,))
        return frozenset((int(job), int(attempt)) for job, attempt in rows)

    def free_dead(self) -> int:
        """Free jobs whose owner is dead or whose lease has ended; return how many."""
        freed = 0
        for row in self.connection.execute(f"SELECT {JOB}, lease_until FROM jobs WHERE state = 'running'").fetchall():
            job, lease_until = job_of(row[:-1]), float(row[-1])
            if job.owner != self.owner and Owner.parse(job.owner).is_dead():
                self._bury(job)
            elif lease_until <= self.uptime:
                self.move(job, "waiting", f"the lease of attempt {job.attempt} ended without news")
            else:
                continue
            freed += 1
        return freed

    def fail(self, claim: Claim, reason: str, code: int) -> State:
        """End an attempt that failed; see `Ledger.fail`."""
        job = self.held(claim)
        failures = job.failures + 1
        self.connection.execute("UPDATE jobs SET failures = ? WHERE id = ?", (failures, job.id))
        if failures >= self.options.max_attempts:
            text = f"failed {failures} times, last: {reason}" if failures > 1 else reason
            return self.move(job, "quarantined", text, code=code)
        return self.move(job, "waiting", reason, code=code, due_at=self.now + self.options.wait_after(failures))

    def finish(self, claim: Claim, outputs: Iterable[Output], *, state: State, reason: str, code: int) -> None:
        """Mark a job as done or degraded with its outputs. Raises LostLease."""
        if state not in FINISHED:
            raise ValueError(f"{state} is no state of a finished job")
        job = self.held(claim)
        self.connection.execute("UPDATE jobs SET failures = 0, deaths = 0 WHERE id = ?", (job.id,))
        self.move(job, state, reason, code=code)
        self._own(job.id, outputs)

    def amend(self, job_id: int, outputs: Iterable[Output]) -> None:
        """Put other outputs in the place of a finished job's."""
        if self.job(job_id).state in FINISHED:
            self._own(job_id, outputs)
            self._tell("amended", job_id)

    def retry(self, job_id: int, reason: str) -> State:
        """Let a job wait again with all its attempts; one that runs is left alone."""
        job = self.job(job_id)
        return job.state if job.state == "running" else self._reopen(job_id, reason)

    def retire(self, job_id: int, reason: str) -> None:
        """Write off a finished job's results: they are about to be deleted, and are not to be made again."""
        job = self.job(job_id)
        if job.state in FINISHED:
            self.connection.execute("DELETE FROM outputs WHERE job = ?", (job_id,))
            self.move(job, "gone", reason)

    def hurry(self, job_id: int) -> None:
        """Let a waiting job be due now; what it has failed stays counted."""
        self.connection.execute("UPDATE jobs SET due_at = 0 WHERE id = ? AND state = 'waiting' AND due_at > 0", (job_id,))

    def forget(self, path: Path) -> bool:
        """Drop a file; see `Ledger.forget`."""
        name = os.fsencode(path)
        row = self.connection.execute("SELECT job FROM files WHERE path = ?", (name,)).fetchone()
        if row is None:
            return False
        job = self.job(row[0]) if row[0] is not None else None
        if job and job.state == "running":
            raise LedgerError(f"could not forget {path}: it is being worked on; stop that first")
        self.connection.execute("DELETE FROM files WHERE path = ?", (name,))
        self.connection.execute("DELETE FROM events WHERE path = ?", (name,))
        if job and not self.connection.execute("SELECT 1 FROM files WHERE job = ?", (job.id,)).fetchone():
            self.connection.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (os.fsencode(job.folder), self.now))
            for table, column in (("outputs", "job"), ("events", "job"), ("jobs", "id")):
                self.connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (job.id,))
        return True

    def prune(self, days: float) -> int:
        """Drop old events; see `Ledger.prune`."""
        old = self.connection.execute(
            "DELETE FROM events WHERE at < ? AND id NOT IN (SELECT MAX(id) FROM events GROUP BY job, path)", (self.now - days * DAY_S,)
        ).rowcount
        many = self.connection.execute(
            "DELETE FROM events WHERE id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY job, path ORDER BY id DESC) AS nth"
            " FROM events) WHERE nth > ?)",
            (EVENTS_OF_ONE,),
        ).rowcount
        return int(old) + int(many)

    # --- what a change is made of -----------------------------------------------------------------

    def held(self, claim: Claim) -> Job:
        """Return the job as it stands, when this very attempt still owns it. Raises LostLease."""
        job = self.job(claim.job_id)
        if (job.state, job.attempt, job.owner) != ("running", claim.attempt, self.owner):
            raise LostLease(
                f"attempt {claim.attempt} of {job.path} no longer counts: the job is {job.state} in attempt {job.attempt}; "
                "nothing was published"
            )
        return job

    def _replace_others(self, job: Job) -> None:
        """Give up what other options have left in the job's folder, before anything there changes."""
        rows = self.connection.execute(
            f"SELECT {JOB} FROM jobs WHERE folder = ? AND id <> ? AND state IN ('done', 'degraded')", (os.fsencode(job.folder), job.id)
        ).fetchall()
        for other in map(job_of, rows):
            self.connection.execute("DELETE FROM outputs WHERE job = ?", (other.id,))
            self.move(other, "gone", f"its results were replaced by a later run (job {job.id})")

    def _bury(self, job: Job) -> None:
        """Free a job whose owner was killed: seldom the job's fault, so it costs an attempt only when it happens again and again."""
        deaths = job.deaths + 1
        self.connection.execute("UPDATE jobs SET deaths = ? WHERE id = ?", (deaths, job.id))
        reason = f"the process that worked on it (number {Owner.parse(job.owner).pid}) was killed in attempt {job.attempt}"
        if deaths >= self.options.max_deaths:
            self.move(job, "quarantined", f"{deaths} times {reason}", code=1)
            return
        wait = self.options.wait_after(deaths - 3) if deaths > 3 else 0.0
        self.move(job, "waiting", reason, due_at=self.now + wait)

    def move(self, job: Job, state: State, reason: str, *, code: int | None = None, due_at: float = 0.0) -> State:
        """Change a job's state, and take it from whoever had it."""
        if state not in MOVES[job.state]:
            raise LedgerError(f"could not move {job.path} from {job.state} to {state}: expected {', '.join(sorted(MOVES[job.state]))}")
        changed = self.connection.execute(
            "UPDATE jobs SET state = ?, reason = ?, code = ?, due_at = ?, changed_at = ?, owner = '', lease_until = 0"
            " WHERE id = ? AND state = ? AND attempt = ?",
            (state, storable(reason), job.code if code is None else code, due_at, self.now, job.id, job.state, job.attempt),
        ).rowcount
        assert changed == 1, "the write lock is held"
        self._tell(state, job.id, attempt=job.attempt, detail=reason)
        return state

    def _reopen(self, job_id: int, reason: str) -> State:
        job = self.job(job_id)
        self.connection.execute("UPDATE jobs SET failures = 0, deaths = 0, due_at = 0 WHERE id = ?", (job_id,))
        self.connection.execute("DELETE FROM outputs WHERE job = ?", (job_id,))
        return job.state if job.state == "waiting" else self.move(job, "waiting", reason, code=0)

    def _attach(self, seen: Seen, job_id: int) -> None:
        path, now = os.fsencode(seen.path), self.now
        row = self.connection.execute("SELECT job FROM files WHERE path = ?", (path,)).fetchone()
        self.connection.execute(
            "INSERT INTO files (path, job, state, size, mtime_ns, device, inode, first_seen_at, seen_at)"
            " VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (path) DO UPDATE SET job = ?2, state = NULL, reason = '',"
            " size = ?3, mtime_ns = ?4, device = ?5, inode = ?6, seen_at = ?7",
            (path, job_id, *seen.stamp, now),
        )
        before = row[0] if row else None
        if before != job_id:
            self._tell("seen", job_id, path=path, detail="" if before is None else f"before as job {before}")
            if before is not None:
                self._orphaned(int(before), "its file changed, or is wanted with other options")

    def _orphaned(self, job_id: int, reason: str) -> None:
        """A job that waits for a content which no file has any more is gone."""
        job = self.job(job_id)
        if job.state == "waiting" and not self.connection.execute("SELECT 1 FROM files WHERE job = ?", (job_id,)).fetchone():
            self.move(job, "gone", reason)

    def _free_folder(self, path: bytes, folder: Path, spare: Path) -> Path:
        other = self.connection.execute(
            "SELECT 1 FROM jobs WHERE folder = ? AND path <> ? AND state <> 'gone'", (os.fsencode(folder), path)
        ).fetchone()
        return spare if other else folder

    def _own(self, job_id: int, outputs: Iterable[Output]) -> None:
        self.connection.execute("DELETE FROM outputs WHERE job = ?", (job_id,))
        self.connection.executemany(
            "INSERT INTO outputs (path, job, sha256, size, mtime_ns, editable) VALUES (?, ?, ?, ?, ?, ?)",
            ((os.fsencode(one.path), job_id, one.sha256, one.size, one.mtime_ns, one.editable) for one in outputs),
        )

    def _tell(
        self,
        what: str,
        job_id: int | None,
        *,
        path: bytes | None = None,
        attempt: int = 0,
        detail: str = "",
    ) -> None:
        self.connection.execute(
            "INSERT INTO events (at, job, path, attempt, what, detail) VALUES (?, ?, ?, ?, ?, ?)",
            (self.now, job_id, path, attempt, what, storable(detail)),
        )

    def job(self, job_id: int) -> Job:
        """Read one job. Raises KeyError."""
        row = self.connection.execute(f"SELECT {JOB} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise KeyError(job_id)
        return job_of(row)
