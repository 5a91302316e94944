"""Sham recordings and runs: everything around a batch is real, only the cutting takes a moment instead of an hour."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from clipper.errors import Cancelled, InputError, LivecutError, ModelError, NothingFound
from pipelines import executors, jobs
from pipelines.batch import run_batch
from pipelines.clips import Inputs, Run
from pipelines.executors import Context, Needs, Task, TaskFailed, WorkerDied, resolve
from pipelines.ledger import Ledger, LedgerOptions
from pipelines.progress import Callback, Progress, ignore
from pipelines.settings import RunOptions, Settings

HEAD = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
"""The first bytes of an MP4: enough for a file to count as a recording."""


def recording(path: Path, text: str = "", content: str | None = None) -> Path:
    """Write a sham recording; `text` says what its run shall do, `content` makes two of them equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEAD + f"{path.name if content is None else content}|{text}".encode("utf-8", "surrogateescape"))
    return path


def make_clips(
    source: str | Path, *, folder: str | Path, until: str | None = None, progress: Callback, cancelled: Callable[[], bool], **_: Any
) -> Run:
    """Stand in for `pipelines.clips.make_clips`; does what the recording's text says."""
    data, folder = Path(source).read_bytes(), Path(folder)
    text = data.rpartition(b"|")[2].decode()
    progress(Progress(until or "render", 0.0))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "calls").open("a") as calls:
        calls.write(f"{until}\n")
    _misbehave(text, source, cancelled)
    if until is not None:
        return Run(folder=folder, manifest={}, clips=(), made=())
    if text != "nothing":
        clip = folder / "clips" / "001.mp4"
        clip.parent.mkdir(exist_ok=True)
        clip.write_bytes(b"clip of " + data)
    manifest = {
        "recording": {"path": str(source), "sha256": hashlib.sha256(data).hexdigest()},
        "clips": [] if text == "nothing" else [{"file": "clips/001.mp4"}],
        "coverage": {"damaged_s": 1.5 if text == "damaged" else 0},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    if text == "nothing":
        raise NothingFound(f"nothing to cut in {source}: no speech")
    return Run(folder=folder, manifest=manifest, clips=(), made=())


def _misbehave(text: str, source: str | Path, cancelled: Callable[[], bool]) -> None:
    if text == "poison":
        raise WorkerDied("its process was killed (signal 9)", 9)
    if text == "kill":
        os.kill(os.getpid(), 9)
    if text == "fail":
        raise LivecutError("it failed")
    if text == "bug":
        raise ZeroDivisionError("division by zero")
    if text == "damaged index":
        raise InputError(f"could not read {source}: damaged: no index")
    if text == "no model":
        raise ModelError("weights are missing")
    if text == "no space":
        raise LivecutError("no space left on the device") from OSError(28, "No space left on device")
    end = time.monotonic() + {"slow": 60.0, "rest": 0.1}.get(text, 0.0)
    while time.monotonic() < end:
        if cancelled():
            raise Cancelled("stopped")
        time.sleep(0.01)


def run_stage(arguments: Mapping[str, Any], context: Context) -> Any:
    """What a real worker process does with a sham recording."""
    jobs.make_clips = make_clips  # type: ignore[assignment]
    return jobs.run_stage(arguments, context)


def drive(root: Path, at_once: int) -> None:
    """Do all recordings of a folder on real worker processes, as a batch that will be killed."""
    jobs.WORK = "tests.sham:run_stage"
    with Ledger(root / "out" / "livecut.ledger", LedgerOptions(backoff_s=0.1, max_deaths=1000)) as ledger:
        settings = Settings(run=RunOptions(out=str(root / "out")))
        executor = executors.load("local", capacity=Needs(cpus=at_once))
        recordings = (Inputs(recording=path) for path in sorted((root / "in").iterdir()))
        print("ready", flush=True)
        run_batch(recordings, settings, ledger, executor, at_once=at_once)
        executor.close()


class Threads:
    """An executor whose workers are threads: quick, and a "dead worker" is an error that is raised."""

    def __init__(self, capacity: Needs | None = None, **_: Any) -> None:
        self.capacity = capacity or Needs(cpus=2)
        self._cancelled: set[str] = set()
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()

    def submit(self, task: Task, *, progress: Callback = ignore) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Thread(target=self._run, args=(task, future, progress), daemon=True).start()
        return future

    def _run(self, task: Task, future: Future[Any], progress: Callback) -> None:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            value = resolve(task.function)(task.arguments, Context(progress=progress, cancelled=lambda: task.id in self._cancelled))
            error = None
        except LivecutError as raised:
            error = raised
        except Exception as raised:
            error = TaskFailed(type(raised).__name__, str(raised), "trace")
        with self._lock:
            self._running -= 1
        if error:
            future.set_exception(error)
        else:
            future.set_result(value)

    def cancel(self, task_id: str) -> None:
        self._cancelled.add(task_id)

    def end_group(self, group: str) -> None:
        pass

    def close(self) -> None:
        pass


if __name__ == "__main__":
    drive(Path(sys.argv[1]), int(sys.argv[2]))
