"""The other end of the local executor: a process that runs tasks for its parent, and never outlives it.

It reads one JSON object a line from stdin: {"run": task}, {"cancel": id}; the end of stdin is the end of the parent. It writes
to what was its stdout: {"progress": …}, and at the end what `answers.answer` returns. Whatever libraries print goes to stderr.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any

from pipelines import memory
from pipelines.executors import Context
from pipelines.executors.answers import Sparing, answer

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the parent closes stdin."""
    parent = int(sys.argv[1])
    _die_with(parent)
    memory.hand_back_large_blocks()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    logging.basicConfig(level=os.environ.get("LIVECUT_LOG_LEVEL", "WARNING"), format="%(levelname)s %(name)s: %(message)s")
    Worker(out).serve()


def _die_with(parent: int) -> None:
    """Ask the system to kill this process when its parent dies, and see whether that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Worker:
    """Runs one task at a time."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._tasks: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._cancelled: set[str] = set()
        self._sparing = Sparing(lambda progress: self._tell({"progress": progress}))

    def serve(self) -> None:
        """Read orders in a thread, run tasks in this one: models and signals belong to the main thread."""
        threading.Thread(target=self._listen, daemon=True).start()
        while (task := self._tasks.get()) is not None:
            self._tell(self._run(task))

    def _listen(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if "run" in order:
                self._tasks.put(order["run"])
            elif "cancel" in order:
                self._cancelled.add(order["cancel"])
            else:
                self._tasks.put(None)
                return
        os._exit(1)  # the parent is gone: nobody waits for what is under way

    def _run(self, task: Mapping[str, Any]) -> dict[str, Any]:
        context = Context(progress=self._sparing, cancelled=lambda: task["id"] in self._cancelled)
        for name, value in task.get("environment", {}).items():
            os.environ[name] = value
        return answer(task["function"], task["arguments"], context)

    def _tell(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(message, ensure_ascii=True) + "\n")
            self._out.flush()


if __name__ == "__main__":
    main()
