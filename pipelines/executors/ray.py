"""Ray: the same tasks on many machines, or on this one with Ray's bookkeeping.

Ray places and runs; it decides nothing else. It never tries a task again (`max_retries=0`: the ledger alone counts attempts),
it is never given more tasks than fit what this executor may use, and only small JSON crosses it. What a task says while it
runs, and whether it is to stop, goes through one small actor, the board. On a single machine everything listens on the
loopback interface, and every connection needs a token. See docs/cluster.md and docs/why/executor-ray.md.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clipper.errors import Cancelled, InputError, ToolError
from pipelines.executors import Needs, Task, WorkerDied
from pipelines.executors.answers import error_of, fail, fits, refuse_impossible
from pipelines.executors.local import IDLE_S, PATIENCE_S, TICK_S
from pipelines.executors.ray_session import installed, join, start, stop
from pipelines.executors.ray_worker import ANSWER_S, Board, work
from pipelines.progress import Callback, Progress, ignore

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Place:
    """A task on its way."""

    task: Task
    future: Future[Any]
    progress: Callback
    ref: Any = None
    began: float | None = None
    """When the task told that it runs, on this process's clock; waiting for a machine is not running."""
    kill_at: float | None = None
    why: str = ""
    not_on: set[str] = field(default_factory=set)
    """Machines that cannot see the task's inputs."""


@dataclass(slots=True)
class _State:
    """What only the keeper's thread touches."""

    waiting: list[_Place] = field(default_factory=list)
    running: list[_Place] = field(default_factory=list)
    homes: dict[str, str] = field(default_factory=dict)
    """Where a group's last task ran: what was fetched for it lies there."""
    closing: bool = False


class Ray:
    """Runs tasks on the machines of a Ray cluster, or on this machine when neither `address` nor RAY_ADDRESS names one.

    `capacity` is the most that is used of the cluster at once; by default all of it. A session that runs in this process
    already is used as it is, and left alone on closing.
    """

    def __init__(self, *, capacity: Needs | None = None, patience_s: float = PATIENCE_S, address: str | None = None) -> None:
        self._owns = not ("ray" in sys.modules and sys.modules["ray"].is_initialized())
        address = address or os.environ.get("RAY_ADDRESS")
        if self._owns:
            join(address) if address else start(capacity)
        self._ray = ray = installed()
        self._capacity = _within(capacity, _cluster(ray))
        self._patience_s = patience_s
        self._board = ray.remote(num_cpus=0, max_restarts=0)(Board).remote()
        self._work = ray.remote(max_retries=0, retry_exceptions=False, max_calls=0)(work)
        self._orders: queue.Queue[Callable[[], None]] = queue.Queue()
        self._state = _State()
        self._keeper = threading.Thread(target=self._keep, name="ray executor", daemon=True)
        self._keeper.start()

    @property
    def capacity(self) -> Needs:
        """What may be used of all machines together."""
        return self._capacity

    def submit(self, task: Task, *, progress: Callback = ignore) -> Future[Any]:
        """Queue a task; see `Executor.submit`."""
        refuse_impossible(task, self._capacity, "the cluster")
        place = _Place(task, Future(), progress)
        self._orders.put(partial(self._accept, place))
        return place.future

    def cancel(self, task_id: str) -> None:
        """Ask a task to stop; see `Executor.cancel`."""
        self._orders.put(partial(self._cancel, task_id))

    def end_group(self, group: str) -> None:
        """Cancel what of a group has not started; its tasks share no process here."""
        self._orders.put(partial(self._end_group, group))

    def close(self) -> None:
        """Cancel everything, wait at most the executor's patience, kill the rest."""
        self._orders.put(self._close)
        self._keeper.join()
        with suppress(Exception):
            self._ray.kill(self._board)
        if self._owns and self._ray.is_initialized():
            stop()

    # --- in the keeper's thread -----------------------------------------------------------------

    def _keep(self) -> None:
        state = self._state
        while not (state.closing and not state.running and not state.waiting):
            with suppress(queue.Empty):
                self._obey(self._orders.get(timeout=TICK_S if state.running or state.waiting else IDLE_S))
                while True:
                    self._obey(self._orders.get_nowait())
            self._obey(self._collect)
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
        busy = {place.task.group for place in self._state.running if place.task.group}
        for place in list(self._state.waiting):
            group = place.task.group
            if group and group in busy:
                continue
            if not self._fits(place):
                return  # in the order given: a task that needs much is not passed by for ever
            self._state.waiting.remove(place)
            if place.future.set_running_or_notify_cancel():
                self._start(place)
                busy |= {group} - {""}

    def _fits(self, place: _Place) -> bool:
        return fits(place.task.needs, (one.task for one in self._state.running), self._capacity)

    def _start(self, place: _Place, node: str | None = None) -> None:
        task = place.task
        order = {"id": task.id, "function": task.function, "arguments": dict(task.arguments), "inputs": list(task.inputs)}
        options: dict[str, Any] = {"num_cpus": task.needs.cpus, "name": task.id}
        if task.needs.gpus:
            options["num_gpus"] = task.needs.gpus
        if task.needs.memory_mb:
            options["memory"] = task.needs.memory_mb * 10**6
        wanted = node or self._state.homes.get(task.group)
        if wanted:
            strategies = self._ray.util.scheduling_strategies
            options["scheduling_strategy"] = strategies.NodeAffinitySchedulingStrategy(node_id=wanted, soft=node is None)
        try:
            place.ref = self._work.options(**options).remote(json.dumps(order), self._board)
        except Exception as error:
            fail(place.future, ToolError(f"could not give {task.id} to Ray: {error}"))
            return
        if place not in self._state.running:
            self._state.running.append(place)

    def _hear(self) -> None:
        """Pass on what running tasks have told the board."""
        try:
            told = self._ray.get(self._board.drain.remote(), timeout=ANSWER_S)
        except Exception as error:
            self._lost(f"Ray's board is gone ({type(error).__name__})")
            return
        by_id = {place.task.id: place for place in self._state.running}
        for task_id, message in told:
            place = by_id.get(task_id)
            if place is None:
                continue
            if message is None:
                place.began = time.monotonic()
            else:
                self._obey(partial(place.progress, Progress(*message)))

    def _lost(self, why: str) -> None:
        for place in self._state.running:
            fail(place.future, WorkerDied(f"{place.task.id}: {why}: a machine or the head of the cluster has stopped"))
        self._state.running.clear()

    def _collect(self) -> None:
        """Settle the futures of tasks that have ended."""
        running = self._state.running
        if not running:
            return
        refs = {place.ref: place for place in running}
        ended, _ = self._ray.wait(list(refs), num_returns=len(refs), timeout=0, fetch_local=False)
        self._hear()  # after the wait: what a task has said comes before its end
        for ref in ended:
            if refs[ref] not in running:
                continue
            place = refs[ref]
            running.remove(place)
            self._settle(place)

    def _settle(self, place: _Place) -> None:
        try:
            told = json.loads(self._ray.get(place.ref, timeout=ANSWER_S))
        except Exception as error:
            if place.why == "cancelled":
                fail(place.future, Cancelled(f"stopped: {place.task.id}"))
            else:
                fail(place.future, WorkerDied(f"{place.task.id}: {place.why or _how(error)}"))
            return
        if "missing" in told:
            self._elsewhere(place, told)
            return
        if place.task.group and not place.task.last:
            self._state.homes[place.task.group] = told["node"]
        if "value" in told:
            if not place.future.done():
                place.future.set_result(told["value"])
        else:
            fail(place.future, error_of(told))

    def _elsewhere(self, place: _Place, answer: dict[str, str]) -> None:
        """Try a machine that may see the inputs; when none does, say so."""
        place.not_on.add(answer["node"])
        nodes = [node["NodeID"] for node in self._ray.nodes() if node["Alive"] and _can(node, place.task.needs)]
        left = [node for node in nodes if node not in place.not_on]
        if left and not place.why:
            place.began = None
            self._start(place, left[0])
            return
        where = f"from here or from any of {len(nodes)} machines" if len(nodes) > 1 else "from here"
        fail(place.future, InputError(f"could not run {place.task.id}: {answer['missing']} cannot be seen {where}; check the path"))

    def _cancel(self, task_id: str) -> None:
        for place in [one for one in self._state.waiting if one.task.id == task_id]:
            self._state.waiting.remove(place)
            fail(place.future, Cancelled(f"stopped before {task_id}"))
        for place in self._state.running:
            if place.task.id == task_id and place.kill_at is None:
                place.why, place.kill_at = "cancelled", time.monotonic() + self._patience_s
                self._board.cancel.remote(task_id)

    def _end_group(self, group: str) -> None:
        self._state.homes.pop(group, None)
        for place in [one for one in self._state.waiting if one.task.group == group]:
            self._cancel(place.task.id)

    def _close(self) -> None:
        self._state.closing = True
        for place in [*self._state.waiting, *self._state.running]:
            self._cancel(place.task.id)

    def _watch(self) -> None:
        """Kill what was asked to stop and does not, and what exceeds its limit."""
        now = time.monotonic()
        for place in self._state.running:
            limit = place.task.limit_s
            if place.kill_at is None and limit is not None and place.began is not None and now - place.began > limit:
                place.why, place.kill_at = f"it took longer than {limit:g} s and was killed", now
            if place.kill_at is not None and now >= place.kill_at:
                place.kill_at = now + self._patience_s
                with suppress(Exception):
                    self._ray.cancel(place.ref, force=True, recursive=True)


def _cluster(ray: Any) -> Needs:
    there = ray.cluster_resources()
    return Needs(cpus=there.get("CPU", 0.0), gpus=there.get("GPU", 0.0), memory_mb=int(there.get("memory", 0)) // 10**6)


def _within(wanted: Needs | None, there: Needs) -> Needs:
    """The smaller of what is wanted and what is there; memory that nobody limited is the cluster's."""
    if wanted is None:
        return there
    memory = min(wanted.memory_mb or there.memory_mb, there.memory_mb or wanted.memory_mb)
    return Needs(cpus=min(wanted.cpus, there.cpus), gpus=min(wanted.gpus, there.gpus), memory_mb=memory)


def _can(node: dict[str, Any], needs: Needs) -> bool:
    has = node["Resources"]
    return bool(has.get("CPU", 0.0) >= needs.cpus and has.get("GPU", 0.0) >= needs.gpus)


def _how(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "OutOfMemoryError":
        return "its process was killed: the machine ran out of memory"
    if kind in ("WorkerCrashedError", "LocalRayletDiedError", "NodeDiedError", "ObjectLostError", "OwnerDiedError"):
        return f"its process was killed or crashed ({kind})"
    return f"Ray lost it ({kind}: {str(error).splitlines()[0] if str(error) else ''})"
