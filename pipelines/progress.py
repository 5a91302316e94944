"""How a long job tells what it is doing, and how it is asked to stop."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from clipper.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """One step's state."""

    stage: str
    """What is being done, e.g. recognise, or render 001-explanation-A001."""
    fraction: float
    """Share of the stage that is done, in [0, 1]."""
    detail: str = ""
    """Something to be said once, in words of its own, e.g. how a model is laid over this machine."""


Callback = Callable[[Progress], None]
Asked = Callable[[], bool]


def ignore(progress: Progress) -> None:
    """Tell nobody."""


def never() -> bool:
    """Never ask to stop."""
    return False


class Reached(Exception):
    """The stage that a run was to end after is done."""


@dataclass(slots=True)
class Meter:
    """Seconds and peak memory of each stage, for run.json; passes progress on and watches for cancellation."""

    tell: Callback = ignore
    cancelled: Asked = never
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    until: str | None = None
    """Raise Reached when this stage is done."""

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float], None]]:
        """Time a stage; yields what the stage calls with the share that is done.

        Raises Cancelled before the stage starts when the caller asked to stop.
        """
        if self.cancelled():
            raise Cancelled(f"stopped before {name}: what was finished is kept, run again to go on")
        begin = time.monotonic()
        self.tell(Progress(name, 0.0))
        yield lambda fraction: self.tell(Progress(name, min(max(float(fraction), 0.0), 0.99)))  # the end is told once, below
        self.stages[name] = {"seconds": round(time.monotonic() - begin, 3), "peak_memory_mb": round(peak_memory_mb(), 1)}
        self.tell(Progress(name, 1.0))
        if name == self.until:
            raise Reached

    def say(self, stage: str, text: str) -> None:
        """Tell something that is worth a line of its own."""
        self.tell(Progress(stage, 0.0, text))


def peak_memory_mb() -> float:
    """Peak resident memory of this process or the largest of its children so far, in MB (10⁶ bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * unit / 1e6
