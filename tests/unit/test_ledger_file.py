"""The ledger's file: made, migrated, refused."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.ledger import Ledger, LedgerError, Seen, filesystem, schema


def state_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def filled(path: Path, rows: int = 300) -> Path:
    with Ledger(path) as ledger:
        ledger.note((Seen(path=Path(f"/in/{i}.mp4"), size=i, mtime_ns=0, device=0, inode=i) for i in range(rows)), "waiting")
    return path


def test_a_new_ledger_is_durable_and_shared(tmp_path: Path) -> None:
    with Ledger(tmp_path / "new" / "livecut.ledger") as ledger, ledger.writing() as change:
        ask = lambda name: change.connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: E731
        assert (ask("journal_mode"), ask("synchronous"), ask("foreign_keys")) == ("wal", 2, 1)
        assert ask("user_version") == len(schema.MIGRATIONS)


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    with Ledger(filled(tmp_path / "x.ledger")) as ledger:
        assert ledger.counts() == {"waiting": 300}


@pytest.mark.parametrize("damage", ["head", "page", "other", "cut"])
def test_a_damaged_ledger_is_refused_untouched(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path / "x.ledger")
    data = bytearray(path.read_bytes())
    if damage == "head":
        data[:16] = b"not a database!!"
    elif damage == "page":
        data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data = bytearray(b"PK\x03\x04" + b"x" * 5000)
    path.write_bytes(data)
    before = state_of(tmp_path)
    with pytest.raises(LedgerError, match=r"it is damaged .* restore it from a backup"):
        Ledger(path)
    assert state_of(tmp_path) == before


def test_a_newer_ledger_is_refused_untouched(tmp_path: Path) -> None:
    path = filled(tmp_path / "x.ledger")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    before = state_of(tmp_path)
    with pytest.raises(LedgerError, match="newer than this livecut reads"):
        Ledger(path)
    assert state_of(tmp_path) == before


def test_an_old_ledger_is_brought_up_and_a_copy_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "x.ledger")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE more (x); INSERT INTO more VALUES (1);"))
    with Ledger(path) as ledger, ledger.writing() as change:
        assert change.connection.execute("SELECT x FROM more").fetchall() == [(1,)]
        assert ledger.counts() == {"waiting": 300}
    with closing(sqlite3.connect(tmp_path / "x.ledger.v1")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT COUNT(*) FROM files").fetchone() == (300,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "x.ledger")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE more (x); CREATE TABLE files (x);"))
        with pytest.raises(LedgerError):
            Ledger(path)
    with Ledger(path) as ledger, ledger.writing() as change:
        assert change.connection.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall() == []
        assert ledger.counts() == {"waiting": 300}


@pytest.mark.parametrize(
    ("magic", "kind", "name"),
    [(0x6969, "", "NFS"), (0xFE534D42, "", "SMB2"), (0x01021997, "", "9P"), (filesystem.FUSE, "fuse.sshfs", "FUSE \\(fuse.sshfs\\)")],
)
def test_a_network_file_system_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: int, kind: str, name: str
) -> None:
    monkeypatch.setattr(filesystem, "magic_of", lambda folder: magic)
    monkeypatch.setattr(filesystem, "mount_type", lambda folder: kind)
    with pytest.raises(LedgerError, match=f"network file system \\({name}\\).* --ledger"):
        Ledger(tmp_path / "x.ledger")
    assert list(tmp_path.iterdir()) == []


def test_local_file_systems_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filesystem.network_name(tmp_path) is None
    assert filesystem.network_name(Path("/proc")) is None
    assert filesystem.magic_of(Path("/proc")) == 0x9FA0
    assert filesystem.mount_type(Path("/proc")) == "proc"
    monkeypatch.setattr(filesystem, "magic_of", lambda folder: filesystem.FUSE)
    monkeypatch.setattr(filesystem, "mount_type", lambda folder: "fuseblk")
    assert filesystem.network_name(tmp_path) is None


def test_a_full_disk_marks_nothing_as_done(tmp_path: Path) -> None:
    """SQLite's own limit stands in for the disk's."""
    with Ledger(filled(tmp_path / "x.ledger")) as ledger:
        with ledger.writing() as change:
            pages = change.connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
        rows = [Seen(path=Path(f"/more/{i}.mp4"), size=i, mtime_ns=0, device=0, inode=i) for i in range(3000)]
        with pytest.raises(LedgerError, match="the disk is full; nothing was marked as done"):
            ledger.note(rows, "waiting")
        assert ledger.counts() == {"waiting": 300}
        ledger._connection.execute("PRAGMA max_page_count = 1000000")
        ledger.note(rows, "waiting")
        assert ledger.counts() == {"waiting": 3300}
