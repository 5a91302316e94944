"""What every executor does alike: may a task be given, does it fit, what came of it as JSON and back, how often it may speak."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from clipper.errors import Cancelled, InputError, LivecutError
from pipelines.executors import Context, Needs, Task, TaskFailed, resolve
from pipelines.progress import Progress

TELL_S = 0.2
"""Progress of one stage is told at most this often."""
TRACE_LINES = -20
"""Calls of a traceback that are kept: the last ones."""


def refuse_impossible(task: Task, there: Needs, where: str) -> None:
    """Raise InputError for a task that needs more processors than there will ever be; `where` says whose, e.g. "this machine"."""
    for name, word in (("cpus", "processors"), ("gpus", "graphics processors")):
        wanted, has = getattr(task.needs, name), getattr(there, name)
        if wanted > has:
            raise InputError(f"could not run {task.id}: it needs {wanted:g} {word}, {where} has {has:g}; ask for less")


def fits(needs: Needs, running: Iterable[Task], there: Needs) -> bool:
    """Say whether a task may start beside those that run; one that runs alone may take more memory than there is."""
    taken = [task.needs for task in running]
    if sum(one.cpus for one in taken) + needs.cpus > there.cpus + 1e-9 or sum(one.gpus for one in taken) + needs.gpus > there.gpus + 1e-9:
        return False
    return not taken or not there.memory_mb or sum(one.memory_mb for one in taken) + needs.memory_mb <= there.memory_mb


def fail(future: Future[Any], error: Exception) -> None:
    """Settle a future with an error, unless its caller has cancelled it meanwhile."""
    if not future.done():
        future.set_exception(error)


def answer(function: str, arguments: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Run a task's function and put what came of it into JSON: its value, or name, message, code and trace of its error."""
    try:
        return {"value": resolve(function)(arguments, context)}
    except LivecutError as error:
        return {"name": type(error).__name__, "message": str(error), "code": error.exit_code, "trace": ""}
    except Exception as error:
        trace = traceback.format_exc(limit=TRACE_LINES)
        return {"name": type(error).__name__, "message": str(error), "code": 1, "trace": trace}


def error_of(told: Mapping[str, Any]) -> LivecutError:
    """Turn an answer that is no value back into an error."""
    if told["name"] == "Cancelled":
        return Cancelled(told["message"])
    return TaskFailed(told["name"], told["message"], told["trace"], told["code"])


class Sparing:
    """Passes progress on as [stage, fraction, detail]: the ends of a stage always, what lies between only now and then."""

    def __init__(self, tell: Callable[[list[Any]], None]) -> None:
        self._tell = tell
        self._said: dict[str, float] = {}

    def __call__(self, progress: Progress) -> None:
        """Tell one step, or leave it out."""
        now = time.monotonic()
        if 0 < progress.fraction < 1 and now - self._said.get(progress.stage, 0.0) < TELL_S:
            return
        self._said[progress.stage] = now
        self._tell([progress.stage, progress.fraction, progress.detail])
