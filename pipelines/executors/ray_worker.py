"""The other end of the executor ray: what runs in Ray's workers, and the board over which they speak with the driver."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from pipelines.executors import Context, Task, missing_input
from pipelines.executors.answers import Sparing, answer

ASK_S = 0.25
"""How often a running task asks the board whether it is to stop."""
ANSWER_S = 30.0
"""How long the board may take to answer; it is gone then."""


class Board:
    """What tasks tell while they run, and which of them are to stop: an actor of Ray, one per executor."""

    def __init__(self) -> None:
        self._told: list[tuple[str, list[Any] | None]] = []
        self._cancelled: set[str] = set()

    def tell(self, task_id: str, message: list[Any] | None) -> None:
        """Note progress as [stage, fraction, detail]; None says that the task has begun."""
        self._told.append((task_id, message))
        if message is None:
            self._cancelled.discard(task_id)

    def drain(self) -> list[tuple[str, list[Any] | None]]:
        """Hand out what was told since the last call."""
        told, self._told = self._told, []
        return told

    def cancel(self, task_id: str) -> None:
        """Note that a task is to stop."""
        self._cancelled.add(task_id)

    def is_cancelled(self, task_id: str) -> bool:
        """Say whether a task is to stop."""
        return task_id in self._cancelled


def work(order_json: str, board: Any) -> str:
    """Run one task in a worker of Ray; returns JSON: value, missing, or what failed."""
    import ray

    order = json.loads(order_json)
    probe = Task(id=order["id"], function=order["function"], inputs=tuple(order["inputs"]))
    gone, node = missing_input(probe), ray.get_runtime_context().get_node_id()
    if gone is not None:
        return json.dumps({"missing": gone, "node": node})
    board.tell.remote(order["id"], None)
    link = _Link(order["id"], board)
    with link:
        told = answer(order["function"], order["arguments"], Context(progress=link.progress, cancelled=link.cancelled))
        return json.dumps({**told, "node": node})


class _Link:
    """A running task's line to the board; asks from a thread of its own, so that `cancelled` costs nothing."""

    def __init__(self, task_id: str, board: Any) -> None:
        self._id, self._board = task_id, board
        self._ended, self._stop = threading.Event(), threading.Event()
        self.progress = Sparing(self._tell)
        self._last: Any = None
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        import ray

        self._ended.set()
        if self._last is not None:
            with suppress(Exception):  # what was told has to reach the board before the task ends
                ray.get(self._last, timeout=ANSWER_S)

    def cancelled(self) -> bool:
        return self._stop.is_set()

    def _tell(self, message: list[Any]) -> None:
        self._last = self._board.tell.remote(self._id, message)

    def _ask(self) -> None:
        import ray

        while not self._ended.wait(ASK_S):
            try:
                if ray.get(self._board.is_cancelled.remote(self._id), timeout=ANSWER_S):
                    self._stop.set()
            except Exception:  # the driver is gone and its board with it: Ray ends this process
                self._stop.set()
                return
