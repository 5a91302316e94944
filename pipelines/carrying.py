"""A job whose files lie at URLs: brought to the worker's scratch folder, its results put back after each stage.

A worker needs a recording on a disk of its own: ffmpeg is kept off the network. So a stage of such a job

    fetches   the recording (its size and digest have to be those that the ledger knows), the files beside it, and what
              earlier stages have left in the job's folder, each once per machine
    works     in scratch, as on any recording
    puts back what it made or changed in that folder, an index of names and digests last

A killed machine costs its stage: another one goes on from what was put back. On the same machine scratch is still there, and
recognition goes on at its window. Nothing here is shared by two jobs; a job's scratch goes with its last stage.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipper import media
from clipper.audience.files import LOG_SUFFIXES, RECORDING_SUFFIXES
from clipper.catalog import CATALOG_NAMES
from clipper.errors import InputError, LivecutError
from pipelines import places
from pipelines.inputs import Inputs
from pipelines.ledger import Seen
from pipelines.recordings import PICTURE_SUFFIXES
from pipelines.workdir import digest, json_bytes

INDEX = ".carried.json"
"""Names and digests of what lies in a job's folder; written last, so that it names only what is there whole."""
OWN = (".lock", INDEX)
APART = "media"
"""Folder of a run that holds copies of the recording: made anew where it is needed."""
BESIDE_DEPTH = 3
"""Folders below a recording's in which its catalogue's pictures are looked for."""
BESIDE_FILES, BESIDE_BYTES = 5_000, 2 * 10**9
"""More than this beside a recording is no catalogue and its logs."""
OLD_S = 3 * 86_400.0
"""Scratch of a job that was left alone for so long is deleted."""


@dataclass(slots=True)
class Carried:
    """A job's arguments with names of this machine, and the way back."""

    arguments: dict[str, Any]
    source: str = ""
    """URL of the recording; empty when it lies on a disk."""
    folder: Path | None = None
    """URL of the job's folder; None when it lies on a disk."""
    scratch: Path | None = None

    def send(self, *, last: bool) -> None:
        """Put back what a stage made; after the last one, drop the scratch."""
        if self.scratch is None:
            return
        local = Path(self.arguments["folder"])
        if self.source and last:
            _name_source(local / "manifest.json", self.source)
        if self.folder is not None:
            _put_back(local, self.folder)
        if last:
            shutil.rmtree(self.scratch, ignore_errors=True)


@contextmanager
def carried(arguments: Mapping[str, Any]) -> Iterator[Carried]:
    """Bring the files of a stage here, when they lie elsewhere, and hold its scratch for this process alone.

    Raises InputError for what is not there or may not be read, ToolError when a storage fails, and LivecutError for a full disk.
    """
    given = dict(arguments["inputs"])
    named = [given["recording"], given.get("catalog"), *given.get("chat", ()), *given.get("events", ()), arguments["folder"]]
    if not any(name and places.is_url(name) for name in named):
        yield Carried(dict(arguments))
        return
    run = arguments["settings"]["run"]
    root = scratch_root(run.get("scratch", ""))
    _sweep(root)
    place = root / digest(given["recording"], str(arguments["folder"]), arguments.get("content", ""))
    place.mkdir(exist_ok=True)
    with (place / ".lock").open("w") as lock:
        _hold(lock.fileno(), place)
        os.utime(place)
        yield _bring(dict(arguments), given, place)


def scratch_root(wanted: str) -> Path:
    """The folder in which jobs have their scratch, ours alone. Raises InputError when it is somebody else's."""
    root = Path(wanted) if wanted else Path(tempfile.gettempdir()) / f"livecut-{os.getuid()}"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = root.lstat()
    if found.st_uid != os.getuid() or root.is_symlink():
        raise InputError(f"could not use {root} for files that are fetched: it belongs to somebody else; name another as run.scratch")
    return root


def beside(recording: Path, into: Path, *, http: bool) -> Path:
    """Fetch what lies beside a recording at a URL and may belong to it; return the name that it has here, without fetching it.

    Other recordings of that folder become empty files, since a log's name says which of several it belongs to.
    """
    places.refuse_strange(recording, http=http)
    into.mkdir(parents=True, exist_ok=True)
    if not str(recording).startswith(tuple(f"{scheme}:" for scheme in places.WEB)):  # what the web holds beside it, nobody can list
        _fetch_side_files(recording, into)
    return into / recording.name


def _fetch_side_files(recording: Path, into: Path) -> None:
    count = total = 0
    for path, size in places.below(recording.parent, BESIDE_DEPTH).items():
        name = path.relative_to(recording.parent)
        suffix = name.suffix.casefold()
        flat = len(name.parts) == 1
        if flat and suffix in RECORDING_SUFFIXES and name.name != recording.name:
            (into / name).touch()
            continue
        if not (flat and (suffix in LOG_SUFFIXES or name.name in CATALOG_NAMES)) and suffix not in PICTURE_SUFFIXES:
            continue
        count, total = count + 1, total + size
        if count > BESIDE_FILES or total > BESIDE_BYTES:
            raise InputError(
                f"could not use {places.written(recording)}: more than {BESIDE_FILES} files or {BESIDE_BYTES / 1e9:g} GB of logs and "
                "pictures lie beside it; give each recording a folder of its own"
            )
        target = into / name
        if not _inside(target, into):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.stat().st_size != size:
            places.fetch(path, target)


def _inside(target: Path, folder: Path) -> bool:
    """Names of a storage may hold `..`: nothing is written outside."""
    return os.path.normpath(target).startswith(f"{folder}{os.sep}")


@contextmanager
def side_files_of(inputs: Inputs, *, scratch: str, http: bool) -> Iterator[Inputs]:
    """Fetch all but the recording of inputs of which some lie at URLs, for as long as it takes to digest them."""
    with tempfile.TemporaryDirectory(dir=scratch_root(scratch)) as folder:
        place = Path(folder)

        def here(path: Path, name: str) -> Path:
            return Path(_bring_given(str(path), place / name, http=http))

        recording = inputs.recording
        yield replace(
            inputs,
            recording=beside(recording, place / "in", http=http) if places.is_url(recording) else recording,
            catalog=here(inputs.catalog, "catalog") if inputs.catalog else None,
            chat=tuple(here(path, f"chat {number}") for number, path in enumerate(inputs.chat)),
            events=tuple(here(path, f"events {number}") for number, path in enumerate(inputs.events)),
        )


# --- here ---------------------------------------------------------------------------------------


def _bring(arguments: dict[str, Any], given: dict[str, Any], place: Path) -> Carried:
    http = bool(arguments["settings"]["run"].get("http"))
    carried = Carried(arguments, scratch=place)
    try:
        if places.is_url(given["recording"]):
            carried.source = places.written(given["recording"])
            here = _bring_recording(Path(given["recording"]), place / "in", arguments.get("content", ""), http=http)
            given["recording"], arguments["known"] = str(here), list(Seen.of(here).stamp)
        for number, kind in enumerate(("catalog", "chat", "events")):
            given[kind] = _bring_given(given.get(kind), place / f"given {number}", http=http)
        if places.is_url(arguments["folder"]):
            carried.folder = Path(arguments["folder"])
            arguments["folder"] = str(place / "run" / carried.folder.name)
            _take_over(carried.folder, Path(arguments["folder"]))
    except OSError as error:
        raise LivecutError(f"could not bring the files of {given['recording']} to {place}: {error.strerror or error}") from error
    arguments["inputs"] = given
    return carried


def _bring_recording(url: Path, into: Path, content: str, *, http: bool) -> Path:
    local, checked = beside(url, into, http=http), into.parent / ".content"
    size, _ = places.look(url)
    if not local.is_file() or local.stat().st_size != size or _bytes(checked) != content.encode():
        free = shutil.disk_usage(into).free
        if free < size * 1.1:
            raise OSError(28, f"{size / 1e9:.1f} GB are needed there and {free / 1e9:.1f} are free")
        places.fetch(url, local, sha=content)
        checked.write_text(content)
    return local


def _bring_given(given: Any, into: Path, *, http: bool) -> Any:
    """Fetch files that were named one by one; a catalogue with the pictures below it."""
    if isinstance(given, list | tuple):
        return [_bring_given(one, into / str(number), http=http) for number, one in enumerate(given)]
    if not given or not places.is_url(given):
        return given
    local = beside(Path(given), into, http=http)
    places.fetch(Path(given), local)
    return str(local)


def _take_over(folder: Path, local: Path) -> None:
    """Fetch what earlier stages have put back and this machine does not have."""
    local.mkdir(parents=True, exist_ok=True)
    there, here = _index(places.read(folder / INDEX) if places.exists(folder / INDEX) else b""), _index(_bytes(local / INDEX))
    for name, sha in there.items():
        target = local / name
        if not _inside(target, local) or (target.is_file() and here.get(name) == sha):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        places.fetch(folder / name, target, sha=sha)
    (local / INDEX).write_bytes(json_bytes(there))


def _put_back(local: Path, folder: Path) -> None:
    before = _index(_bytes(local / INDEX))
    now = {
        str(path.relative_to(local)): media.sha256(path)
        for path in sorted(local.rglob("*"))
        if path.is_file() and path.name not in OWN and path.suffix != ".part" and path.relative_to(local).parts[0] != APART
    }
    for name, sha in now.items():
        if before.get(name) != sha:
            places.put(local / name, folder / name)
    (local / INDEX).write_bytes(json_bytes(now))
    places.put(local / INDEX, folder / INDEX)
    for name in before.keys() - now.keys():
        places.remove(folder / name)


def _index(data: bytes) -> dict[str, str]:
    try:
        return {str(name): str(sha) for name, sha in json.loads(data).items()}
    except (ValueError, AttributeError):
        return {}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _name_source(manifest: Path, url: str) -> None:
    """Let a manifest name the recording by its URL: the file in scratch goes."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(manifest.read_text(encoding="utf-8"))
        data["recording"]["path"] = url
        manifest.write_bytes(json_bytes(data))


def _hold(lock: int, place: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise LivecutError(f"could not use {place}: another process of this machine works on the same recording") from error


def _sweep(root: Path) -> None:
    for path in root.iterdir():
        with suppress(OSError):
            if path.is_dir() and time.time() - path.stat().st_mtime > OLD_S:
                shutil.rmtree(path)
