"""The ledger's file: its tables, how they grew, and when it is better not to open it.

A file that is damaged, newer than this program, or on a network file system is refused before anything writes to it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from clipper.errors import InputError
from pipelines.ledger import filesystem
from pipelines.ledger.states import LedgerError

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE options (digest TEXT PRIMARY KEY, plain TEXT NOT NULL);
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        content TEXT NOT NULL,
        options TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'degraded', 'quarantined', 'rejected', 'gone')),
        reason TEXT NOT NULL DEFAULT '',
        attempt INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        deaths INTEGER NOT NULL DEFAULT 0,
        code INTEGER NOT NULL DEFAULT 0,
        folder BLOB NOT NULL,
        task TEXT NOT NULL,
        path BLOB NOT NULL,
        due_at REAL NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        changed_at REAL NOT NULL,
        owner TEXT NOT NULL DEFAULT '',
        lease_until REAL NOT NULL DEFAULT 0,
        UNIQUE (content, options),
        CHECK ((state = 'running') = (owner <> ''))
    );
    CREATE INDEX jobs_by_state ON jobs (state, id);
    CREATE INDEX jobs_by_folder ON jobs (folder);
    CREATE TABLE files (
        path BLOB PRIMARY KEY,
        job INTEGER REFERENCES jobs (id),
        state TEXT CHECK (state IN ('waiting', 'ignored', 'rejected', 'gone')),
        reason TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        first_seen_at REAL NOT NULL,
        seen_at REAL NOT NULL,
        CHECK ((job IS NULL) <> (state IS NULL))
    ) WITHOUT ROWID;
    CREATE INDEX files_by_job ON files (job);
    CREATE TABLE outputs (
        path BLOB PRIMARY KEY,
        job INTEGER NOT NULL REFERENCES jobs (id),
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        editable INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX outputs_by_job ON outputs (job);
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        job INTEGER,
        path BLOB,
        attempt INTEGER NOT NULL DEFAULT 0,
        what TEXT NOT NULL,
        detail TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX events_by_job ON events (job);
    CREATE INDEX events_by_path ON events (path) WHERE path IS NOT NULL;
    CREATE TABLE forgotten (folder BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
    """,
)
"""Statements that bring a ledger from one version to the next; its version is the number of those it has had. Append only."""

BUSY_S = 30.0
"""How long to wait for another process that writes."""
CACHE_KB = 512
"""Pages that SQLite keeps in memory; its own 2 MB would make a daemon grow by as much over its first thousand jobs."""
_MAGIC = b"SQLite format 3\x00"
_VERSION_AT = 60
"""Where the header of an SQLite file keeps user_version, four bytes, big end first (https://sqlite.org/fileformat.html)."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger, making or migrating it as needed.

    Raises LedgerError, with the file untouched, when it is damaged, newer than this program or on a network file system, and
    InputError when its folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"could not write {path.parent}: {error.strerror or error}; choose another folder with -o, or another ledger with --ledger"
        ) from error
    remote = filesystem.network_name(path.parent)
    if remote:
        raise LedgerError(
            f"could not use {path}: it lies on a network file system ({remote}), where two machines cannot lock it safely; "
            "put the ledger on a local disk with --ledger, results may stay where they are"
        )
    if path.exists() and path.stat().st_size:
        _refuse_damaged(path)
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        migrate(connection, path)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a ledger to this program's version, one migration at a time, each whole or not at all; keeps a copy of an old one."""
    version = _version(connection)
    _refuse_newer(path, version)
    if 0 < version < len(MIGRATIONS):
        with closing(sqlite3.connect(path.with_name(f"{path.name}.v{version}"))) as copy:
            connection.backup(copy)
    while version < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)
            if version < len(MIGRATIONS):
                for statement in MIGRATIONS[version].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        version = _version(connection)
    _refuse_newer(path, version)


def translated(error: sqlite3.Error, path: Path) -> LedgerError:
    """Say what an error of SQLite means for the ledger."""
    text = str(error)
    if "full" in text:
        return LedgerError(f"could not write {path}: the disk is full; nothing was marked as done, free some space and run again")
    if "readonly" in text or "unable to open" in text:
        return LedgerError(f"could not write {path}: {text}; make it writable, or put it elsewhere with --ledger")
    if "malformed" in text or "not a database" in text:
        return _damaged(path, text)
    if "locked" in text or "busy" in text:
        return LedgerError(f"could not write {path}: another process has held it for {BUSY_S:g} s; find it with `fuser {path}`")
    return LedgerError(f"could not use {path}: {text}; nothing was marked as done, look at the disk and run again")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"could not use {path}: its version {version} is newer than this livecut reads ({len(MIGRATIONS)}); upgrade livecut, "
            "or choose another ledger with --ledger"
        )


def _refuse_damaged(path: Path) -> None:
    """Check header and pages without writing to the file."""
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(_MAGIC):
        raise _damaged(path, "it is not an SQLite file")
    _refuse_newer(path, int.from_bytes(head[_VERSION_AT : _VERSION_AT + 4], "big"))
    found = _quick_check(path)
    if found != "ok":
        found = _quick_check(path)  # somebody may have begun to write after the first look
    if found != "ok":
        raise _damaged(path, found)


def _quick_check(path: Path) -> str:
    """Ask SQLite whether the pages fit together. Without a log nobody has the file open, and it can be read as unchangeable."""
    in_use = path.with_name(path.name + "-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro" + ("" if in_use else "&immutable=1")
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as connection:
            return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            return str(error)
        raise translated(error, path) from error


def _damaged(path: Path, found: str) -> LedgerError:
    return LedgerError(
        f"could not use {path}: it is damaged ({' '.join(found.split())}); restore it from a backup, or move it away: finished work in the "
        "folders of the runs is used again, the history is lost"
    )
