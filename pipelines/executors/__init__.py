"""Where stages run: one small interface, a table of those who offer it, and one contract suite for all of them.

An executor runs tasks: a function by its dotted name, arguments and result that are JSON, and labels that say what it needs.
Media never travels: tasks name files that the worker can see. Nothing is ever tried again here; the ledger alone counts
attempts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from clipper.errors import InputError, LivecutError
from pipelines import places
from pipelines.progress import Asked, Callback, ignore

EXECUTORS = {"local": "pipelines.executors.local:Local", "ray": "pipelines.executors.ray:Ray"}
"""Every executor by its name; adding one is one file and one row, the contract suite runs over the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a task takes of a machine, or what a machine has."""

    cpus: float = 1.0
    """Processors; a share such as 0.5 for work that mostly waits."""
    gpus: float = 0.0
    """Graphics processors; a share where several tasks fit on one."""
    memory_mb: int = 0
    """Memory in 10⁶ bytes; 0 when it does not matter."""

    def __post_init__(self) -> None:
        if min(self.cpus, self.gpus, self.memory_mb) < 0:
            raise InputError(f"{self}: expected nothing below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work for a worker."""

    id: str
    """Names the task in messages; unique among those under way."""
    function: str
    """`package.module:name` of a function (arguments, context) -> JSON."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """JSON: numbers, texts, lists, mappings. Files as paths that the worker can see."""
    needs: Needs = field(default_factory=Needs)
    group: str = ""
    """Tasks of one group run one at a time, in the order given, and on one machine in one process; empty for a process of its own."""
    last: bool = True
    """Whether the group's process may end after it."""
    limit_s: float | None = None
    """Wall time after which the worker is killed; None for no limit."""
    inputs: tuple[str, ...] = ()
    """Files that must be visible where the task runs; checked before it starts."""

    def __post_init__(self) -> None:
        try:
            json.dumps(self.arguments)
        except (TypeError, ValueError) as error:
            raise TypeError(f"task {self.id}: arguments have to be JSON: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a task's function is given besides its arguments."""

    progress: Callback
    """Call with the stage and the share that is done; lands in `progress` of `submit`."""
    cancelled: Asked
    """Ask often; when True, clean up and raise Cancelled."""


class Executor(Protocol):
    """Runs tasks somewhere."""

    @property
    def capacity(self) -> Needs:
        """What all machines together have."""
        ...

    def submit(self, task: Task, *, progress: Callback = ignore) -> Future[Any]:
        """Queue a task; return at once. Tasks start in the order given as soon as what they need is free.

        The future gives the function's value, or raises: TaskFailed when the function raised, WorkerDied when its process was
        killed or ended, or exceeded `limit_s`, ToolError when the machine could not start one, Cancelled after `cancel`.
        `progress` is called from another thread. Raises InputError at once for needs that no machine can ever meet.
        """
        ...

    def cancel(self, task_id: str) -> None:
        """Ask a task to stop; one that has not within the executor's patience is killed, its children with it."""
        ...

    def end_group(self, group: str) -> None:
        """Let a group's process end; its tasks that have not started are cancelled."""
        ...

    def close(self) -> None:
        """Cancel everything and end all processes; every future is settled afterwards."""
        ...


class TaskFailed(LivecutError):
    """A task's function raised: carries the name of the error and its traceback."""

    def __init__(self, name: str, message: str, trace: str = "", code: int = 1) -> None:
        self.name = name
        self.trace = trace
        self.exit_code = code
        super().__init__(f"{name}: {message}" if trace else message)


class WorkerDied(LivecutError):
    """The process that ran a task is gone, and its result with it: killed, out of memory, or crashed."""

    def __init__(self, message: str, signal: int | None = None) -> None:
        self.signal = signal
        super().__init__(message)


def load(name: str, **options: Any) -> Executor:
    """Make an executor of the table; `options` are its own. Raises InputError for an unknown name."""
    if name not in EXECUTORS:
        raise InputError(f"executor {name!r} is not known; known: {', '.join(EXECUTORS)}")
    module, _, kind = EXECUTORS[name].partition(":")
    return cast(Executor, getattr(import_module(module), kind)(**options))


def resolve(function: str) -> Callable[[Mapping[str, Any], Context], Any]:
    """Find a task's function by its dotted name."""
    module, _, name = function.partition(":")
    return cast("Callable[[Mapping[str, Any], Context], Any]", getattr(import_module(module), name))


def missing_input(task: Task, *, urls: bool = True) -> str | None:
    """Name the first input of a task that cannot be seen from here; without `urls` those are left to the task."""
    return next((places.written(path) for path in task.inputs if not _is_visible(path, urls=urls)), None)


def _is_visible(path: str, *, urls: bool) -> bool:
    try:
        return (places.is_url(path) and not urls) or places.exists(Path(path))
    except LivecutError:
        return False  # its storage cannot be reached from here, or the package for it is not installed here


def run_all(executor: Executor, tasks: Iterable[Task], *, window: int, progress: Callback = ignore) -> Iterator[tuple[Task, Future[Any]]]:
    """Run tasks, at most `window` under way at once, and yield each with its settled future as it ends.

    `tasks` is drawn from only as places become free, so that ten thousand of them take no memory.
    """
    source, under_way = iter(tasks), dict[Future[Any], Task]()
    while True:
        while len(under_way) < window and (task := next(source, None)) is not None:
            under_way[executor.submit(task, progress=progress)] = task
        if not under_way:
            return
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            yield under_way.pop(future), future
