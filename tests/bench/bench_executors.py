"""How throughput grows with workers: jobs of three stages that wait instead of computing, on each executor.

    python -m tests.bench.bench_executors [--workers 1,2,4,8,16] [--executors local,ray] [--jobs-per-worker 3] [--scale 1.0] [--cold]

A stage's lengths are those of an eight-minute recording on two cores (recognition 48 s, looking and finding 14 s, rendering
45 s), divided by ten. As nothing computes, what is measured is the executor: starting processes, handing over tasks, hearing of
their end. Perfect is all workers busy all the time: jobs ÷ workers × length of a job; *efficient* is the share of workers ×
seconds that they were, and the rest is told by where it went. The last figure compares with the first executor. With `--cold`
the start of the executor is no longer apart but counted, as a command that does one short batch meets it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Any

from pipelines import executors
from pipelines.executors import Context, Executor, Needs, Task

STAGES = (("recognise", 4.8), ("plan", 1.4), ("render", 4.5))
"""Stages of a job and their seconds."""
STAGE = "tests.bench.bench_executors:stage"


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that has run, on the wall clock that all processes share."""

    at: int
    """Which of STAGES."""
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What jobs took, and what their workers did meanwhile, in shares of workers × seconds."""

    start_s: float
    """Until every worker had done an empty task: once per executor and not per job, so no part of the rest; cold: of the call alone."""
    seconds: float
    busy: float
    beginning: float
    """A worker is free and a job's first stage has not begun: mostly the start of a process."""
    between: float
    """A worker is free between two stages of a job: hearing of one's end, handing over the next."""
    ending: float
    """A worker has nothing left to do while others still work."""


def stage(arguments: Mapping[str, Any], context: Context) -> Any:
    """Take as long as told; returns when it began and ended."""
    began = time.time()
    time.sleep(arguments["seconds"])
    return [began, time.time()]


def run(executor: Executor, jobs: int, scale: float) -> list[Done]:
    """Run jobs as a batch does, each stage given when the one before it has ended."""
    done: list[Done] = []
    futures = {executor.submit(_task(job, 0, scale)): (job, 0) for job in range(jobs)}
    while futures:
        for future in wait(futures, return_when="FIRST_COMPLETED").done:
            job, at = futures.pop(future)
            done.append(Done(at, *future.result()))
            if at + 1 < len(STAGES):
                futures[executor.submit(_task(job, at + 1, scale))] = (job, at + 1)
    return done


def _task(job: int, at: int, scale: float) -> Task:
    name, seconds = STAGES[at]
    return Task(
        id=f"{job} {name}",
        function=STAGE,
        arguments={"seconds": seconds * scale},
        needs=Needs(cpus=1),
        group=f"job {job}",
        last=at == len(STAGES) - 1,
    )


def shares(done: Sequence[Done], workers: int, began: float, ended: float) -> tuple[float, float, float, float]:
    """Lay stages on workers, each on the one that was free last; return the shares busy, beginning, between and ending."""
    free = [began] * workers
    spent = {"busy": 0.0, "beginning": 0.0, "between": 0.0}
    for one in sorted(done, key=lambda one: one.began):
        at = max((at for at in range(workers) if free[at] <= one.began + 1e-3), key=lambda at: free[at], default=free.index(min(free)))
        spent["between" if one.at else "beginning"] += max(0.0, one.began - free[at])
        spent["busy"] += one.ended - one.began
        free[at] = one.ended
    whole = workers * (ended - began)
    ending = sum(ended - time for time in free)
    return spent["busy"] / whole, spent["beginning"] / whole, spent["between"] / whole, ending / whole


def measure(name: str, workers: int, jobs: int, scale: float, *, cold: bool = False) -> Measured:
    """Run jobs on so many workers of an executor; `cold` counts its start among them."""
    asked = time.time()
    executor = executors.load(name, capacity=Needs(cpus=float(workers)))
    if not cold:
        wait([executor.submit(Task(id=f"first {number}", function=STAGE, arguments={"seconds": 0.5})) for number in range(workers)])
    started = time.time()
    began = asked if cold else started
    try:
        done = run(executor, jobs, scale)
        ended = time.time()
    finally:
        executor.close()
    return Measured(started - asked, ended - began, *shares(done, workers, began, ended))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4,8,16")
    parser.add_argument("--executors", default="local,ray")
    parser.add_argument("--jobs-per-worker", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--cold", action="store_true", help="count the start of the executor")
    options = parser.parse_args(arguments)
    length = sum(seconds for _, seconds in STAGES) * options.scale
    print(
        f"jobs of {length:.1f} s in {len(STAGES)} stages, {options.jobs_per_worker} per worker; perfect = {options.jobs_per_worker} × that"
    )
    print("executor  workers  jobs  perfect s  seconds  efficient  beginning  between  ending   start s")
    alone: dict[str, float] = {}
    for workers in map(int, options.workers.split(",")):
        jobs, perfect = workers * options.jobs_per_worker, options.jobs_per_worker * length
        for name in options.executors.split(","):
            found = measure(name, workers, jobs, options.scale, cold=options.cold)
            alone.setdefault(f"{workers}", found.seconds)
            slower = found.seconds / alone[f"{workers}"] - 1
            print(
                f"{name:<8} {workers:>8} {jobs:>5} {perfect:>10.1f} {found.seconds:>8.1f} {found.busy:>10.1%} {found.beginning:>10.1%}"
                f" {found.between:>8.1%} {found.ending:>7.1%} {found.start_s:>9.1f}" + (f"  {slower:+.1%}" if slower else ""),
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
