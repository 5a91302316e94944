"""The folder of one run: every value on disk with schema, version and key.

Resume and audit are one question: is the file there with this key? A step's key is a digest of the stage's version and of
everything it was given, so a value is used again exactly when it would come out the same.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from clipper import artefact
from clipper.errors import ArtefactError, InputError, LivecutError

T = TypeVar("T")

log = logging.getLogger(__name__)


def digest(*parts: object) -> str:
    """Digest values, options and plain data to 32 hexadecimal digits."""
    data = json.dumps([artefact.plain(part) for part in parts], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(data.encode("utf-8", "backslashreplace")).hexdigest()[:32]


@dataclass(slots=True)
class Workdir:
    """One run's folder and what happened in it."""

    root: Path
    made: list[str] = field(default_factory=list)
    """Names of the steps that were computed in this run."""
    reused: list[str] = field(default_factory=list)
    """Names of the steps whose value was on disk already."""

    def step(self, name: str, kind: type[T], version: int, key_parts: tuple[object, ...], make: Callable[[], T]) -> T:
        """Load the value `name` when it is on disk with the key of these parts, else make it and save it whole.

        A file that cannot be decoded counts as absent: it is made again, with a warning.
        """
        path = self.root / f"{name}.json"
        key = digest(name, version, *key_parts)
        if artefact.key_of(path) == key:
            try:
                value = artefact.loads(path.read_bytes(), kind, name, version, where=str(path))
                self.reused.append(name)
                return value
            except ArtefactError as error:
                log.warning("%s; making it again", error)
        value = make()
        artefact.save(path, artefact.dumps(value, name, version, key=key))
        self.made.append(name)
        return value

    def folder(self, name: str) -> Path:
        """Make a folder inside the run, and return it."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path


def run_folder(out: Path, recording: Path) -> Path:
    """Name the run's folder: OUT/<recording's stem>, made distinct when another recording has that name there."""
    folder = out / recording.stem
    try:
        other = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["recording"]["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return folder
    if Path(other) == recording.resolve() or not Path(other).exists():
        return folder
    return out / f"{recording.stem}-{digest(str(recording.resolve()))[:8]}"


def stamp(path: Path) -> tuple[object, ...]:
    """What tells that a file is still the same one, without reading it; a missing file has a stamp of its own."""
    try:
        stat = path.stat()
    except OSError:
        return (str(path), None)
    return (str(path), stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder into an error that says what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise LivecutError(
                f"could not finish {folder}: no space left on the device; free some space and run again, what was finished is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise InputError(f"could not write {folder}: {error.strerror}; choose another folder with -o") from error
        raise


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep two runs out of one folder; the lock goes with the process."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"could not use {folder}: another livecut is at work in it; wait for it, or choose another folder with -o"
            ) from error
        yield


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Write plain data as the JSON of a results file; bytes of names that are no UTF-8 are escaped."""
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"


def sweep(folder: Path, names: set[str], suffixes: tuple[str, ...]) -> None:
    """Drop files of results that are planned no more: those whose record, `.NAME.json`, names none of `names`."""
    for record in folder.glob(".*.json"):
        name = record.name[1:-5]
        if name not in names:
            for path in (record, *(folder / f"{name}{suffix}" for suffix in suffixes)):
                path.unlink(missing_ok=True)


def clear_leftovers(root: Path) -> None:
    """Drop what a killed run has left half written in its folder, `.*.part`; only for who holds the folder's lock."""
    for path in sorted(root.rglob(".*.part")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
