"""Processes of this machine: one per group of tasks, so that what one recording does to its process harms no other.

One thread owns everything: it starts processes, hands out processors and memory, and hears of every end. It has to be one
that lives long: Linux kills a child whose parent asked for it when the *thread* that started it ends. A worker dies with this
process, the programs it started die with the worker. See docs/why/executor-local-processes.md.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clipper.errors import Cancelled, InputError, ToolError
from pipelines.executors import Needs, Task, WorkerDied, missing_input
from pipelines.executors.answers import error_of, fail, fits, refuse_impossible
from pipelines.executors.machine import machine
from pipelines.progress import Callback, Progress, ignore

log = logging.getLogger(__name__)

PATIENCE_S = 15.0
"""Time between asking a task to stop and killing its process; ffmpeg gets 10 s of it."""
TICK_S = 0.1
IDLE_S = 5.0
"""How long the keeper sleeps while it has nothing to do; an order wakes it."""
PASSED = 8
"""So many later tasks may start before one that waits for more room; then they wait behind it."""


@dataclass(slots=True, eq=False)
class _Place:
    """A task on its way."""

    task: Task
    future: Future[Any]
    progress: Callback
    passed: int = 0
    gpu: int | None = None
    began: float = 0.0
    kill_at: float | None = None
    why: str = ""
    """What to say when its process is killed."""

    @property
    def group(self) -> str:
        return self.task.group or self.task.id


@dataclass(slots=True, eq=False)
class _Worker:
    """A process and what it does."""

    group: str
    process: subprocess.Popen[bytes]
    place: _Place | None = None
    ending: bool = False
    reader: threading.Thread | None = None


@dataclass(slots=True)
class _State:
    """What only the keeper's thread touches."""

    waiting: list[_Place] = field(default_factory=list)
    workers: dict[str, _Worker] = field(default_factory=dict)
    closing: bool = False


class Local:
    """Runs every group of tasks in a process of its own, as many at once as the machine has room for."""

    def __init__(self, *, capacity: Needs | None = None, patience_s: float = PATIENCE_S) -> None:
        self._capacity = capacity or machine()
        self._patience_s = patience_s
        self._orders: queue.Queue[Callable[[], None]] = queue.Queue()
        self._state = _State()
        self._keeper = threading.Thread(target=self._keep, name="local executor", daemon=True)
        self._keeper.start()

    @property
    def capacity(self) -> Needs:
        """What this machine has, or was said to have."""
        return self._capacity

    def submit(self, task: Task, *, progress: Callback = ignore) -> Future[Any]:
        """Queue a task; see `Executor.submit`."""
        refuse_impossible(task, self._capacity, "this machine")
        place = _Place(task, Future(), progress)
        self._orders.put(lambda: self._accept(place))
        return place.future

    def cancel(self, task_id: str) -> None:
        """Ask a task to stop; see `Executor.cancel`."""
        self._orders.put(lambda: self._cancel(task_id))

    def end_group(self, group: str) -> None:
        """Let a group's process end; see `Executor.end_group`."""
        self._orders.put(lambda: self._end_group(group))

    def close(self) -> None:
        """Cancel everything, wait at most the executor's patience, kill the rest."""
        self._orders.put(self._close)
        self._keeper.join()

    # --- in the keeper's thread -----------------------------------------------------------------

    def _keep(self) -> None:
        state = self._state
        while not (state.closing and not state.workers and not state.waiting):
            with suppress(queue.Empty):
                self._obey(self._orders.get(timeout=TICK_S if state.workers or state.waiting else IDLE_S))
                while True:
                    self._obey(self._orders.get_nowait())
            self._watch()
            self._start_what_fits()

    def _obey(self, order: Callable[[], None]) -> None:
        try:
            order()
        except Exception:  # a caller's progress callback: this thread must live on for all others
            log.exception("a callback failed")

    def _accept(self, place: _Place) -> None:
        if self._state.closing:
            fail(place.future, Cancelled(f"stopped before {place.task.id}: the executor is closing"))
        else:
            self._state.waiting.append(place)

    def _start_what_fits(self) -> None:
        blocked: list[_Place] = []
        for place in list(self._state.waiting):
            worker = self._state.workers.get(place.group)
            if worker and (worker.place or worker.ending):
                continue  # its group is busy: that is order, not want of room
            if any(one.passed >= PASSED for one in blocked) or not self._fits(place):
                blocked.append(place)
                continue
            self._state.waiting.remove(place)
            if place.future.set_running_or_notify_cancel():
                for one in blocked:
                    one.passed += 1
                self._start(place, worker)

    def _fits(self, place: _Place) -> bool:
        running = [worker.place.task for worker in self._state.workers.values() if worker.place]
        return fits(place.task.needs, running, self._capacity)

    def _start(self, place: _Place, worker: _Worker | None) -> None:
        gone = missing_input(place.task, urls=False)  # this thread waits for no storage
        if gone is not None:
            fail(place.future, InputError(f"could not run {place.task.id}: {gone} cannot be seen from here; check the path"))
            return
        if worker is None:
            try:
                worker = self._launch(place.group)
            except OSError as error:
                fail(place.future, ToolError(f"could not start a process for {place.task.id}: {error}; look at the limits of this machine"))
                return
        place.began, worker.place = time.monotonic(), place
        place.gpu = self._gpu(place)
        order = {
            "id": place.task.id,
            "function": place.task.function,
            "arguments": dict(place.task.arguments),
            "environment": {} if place.gpu is None else {"CUDA_VISIBLE_DEVICES": str(place.gpu)},
        }
        self._tell(worker, {"run": order})

    def _gpu(self, place: _Place) -> int | None:
        """Choose the graphics processor with the least on it; none for a task that needs none."""
        if not place.task.needs.gpus:
            return None
        load = {number: 0.0 for number in range(int(self._capacity.gpus))}
        for worker in self._state.workers.values():
            if worker.place and worker.place.gpu is not None:
                load[worker.place.gpu] += worker.place.task.needs.gpus
        return min(load, key=lambda number: load[number]) if load else None

    def _launch(self, group: str) -> _Worker:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.executors.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        worker = _Worker(group, process)
        worker.reader = threading.Thread(target=self._read, args=(worker,), daemon=True)
        worker.reader.start()
        self._state.workers[group] = worker
        return worker

    def _read(self, worker: _Worker) -> None:
        """Pass on what a worker says, in a thread of its own, and its end."""
        assert worker.process.stdout is not None
        with worker.process.stdout as lines:
            for line in lines:
                with suppress(ValueError):  # half a line: the end of a killed worker
                    message = json.loads(line)
                    self._orders.put(lambda message=message: self._hear(worker, message))  # type: ignore[misc]
        self._orders.put(lambda: self._ended(worker))

    def _hear(self, worker: _Worker, message: dict[str, Any]) -> None:
        place = worker.place
        if place is None:
            return
        if "progress" in message:
            place.progress(Progress(*message["progress"]))
            return
        worker.place = None
        if "value" in message:
            place.future.set_result(message["value"])
        else:
            fail(place.future, error_of(message))
        if place.task.last or not place.task.group:
            self._retire(worker)

    def _retire(self, worker: _Worker) -> None:
        worker.ending = True
        self._tell(worker, {"stop": True})

    def _ended(self, worker: _Worker) -> None:
        code = worker.process.wait()
        if worker.process.stdin is not None:
            with suppress(OSError):
                worker.process.stdin.close()
        if self._state.workers.get(worker.group) is worker:
            del self._state.workers[worker.group]
        place = worker.place
        if place is None:
            return
        if place.why == "cancelled":
            fail(place.future, Cancelled(f"stopped: {place.task.id}"))
        else:
            fail(place.future, WorkerDied(f"{place.task.id}: {place.why or _how(code)}", -code if code < 0 else None))

    def _cancel(self, task_id: str) -> None:
        for place in [one for one in self._state.waiting if one.task.id == task_id]:
            self._state.waiting.remove(place)
            fail(place.future, Cancelled(f"stopped before {task_id}"))
        for worker in self._state.workers.values():
            if worker.place and worker.place.task.id == task_id and worker.place.kill_at is None:
                worker.place.why, worker.place.kill_at = "cancelled", time.monotonic() + self._patience_s
                self._tell(worker, {"cancel": task_id})

    def _end_group(self, group: str) -> None:
        for place in [one for one in self._state.waiting if one.group == group]:
            self._cancel(place.task.id)
        worker = self._state.workers.get(group)
        if worker and worker.place is None and not worker.ending:
            self._retire(worker)

    def _close(self) -> None:
        self._state.closing = True
        for place in list(self._state.waiting):
            self._cancel(place.task.id)
        for worker in list(self._state.workers.values()):
            if worker.place:
                self._cancel(worker.place.task.id)
            elif not worker.ending:
                self._retire(worker)

    def _watch(self) -> None:
        """Kill what was asked to stop and does not, and what exceeds its limit."""
        now = time.monotonic()
        for worker in self._state.workers.values():
            place = worker.place
            if place is None:
                if self._state.closing and not worker.ending:
                    self._retire(worker)
                continue
            limit = place.task.limit_s
            if place.kill_at is None and limit is not None and now - place.began > limit:
                place.why, place.kill_at = f"it took longer than {limit:g} s and was killed", now
            if place.kill_at is not None and now >= place.kill_at:
                with suppress(ProcessLookupError):
                    os.killpg(worker.process.pid, signal.SIGKILL)

    def _tell(self, worker: _Worker, message: dict[str, Any]) -> None:
        assert worker.process.stdin is not None
        with suppress(OSError):  # it has ended: its reader tells
            worker.process.stdin.write(json.dumps(message).encode() + b"\n")
            worker.process.stdin.flush()


def _how(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed (signal 9): out of memory, or by somebody"
    if code < 0:
        return f"its process crashed ({signal.Signals(-code).name})"
    return f"its process ended with exit code {code} before it was done"
