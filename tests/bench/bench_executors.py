"""How throughput grows with workers: jobs of three stages that wait instead of computing, on each executor.

    python -m tests.bench.bench_executors [--workers 1,2,4,8,16] [--executors local,ray] [--jobs-per-worker 3] [--scale 1.0]

A stage's lengths are those of an eight-minute recording on two cores (recognition 48 s, looking and finding 14 s, rendering
45 s), divided by ten. As nothing computes, what is measured is the executor: starting processes, handing over tasks, hearing of
their end. Perfect is all workers busy all the time: jobs ÷ workers × length of a job.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from typing import Any

from pipelines import executors
from pipelines.executors import Context, Executor, Needs, Task

STAGES = (("recognise", 4.8), ("plan", 1.4), ("render", 4.5))
"""Stages of a job and their seconds."""


def stage(arguments: Mapping[str, Any], context: Context) -> Any:
    """Take as long as told; returns when it began and ended, on the wall clock that all processes share."""
    began = time.time()
    time.sleep(arguments["seconds"])
    return [began, time.time()]


def run(executor: Executor, jobs: int, scale: float) -> tuple[float, list[tuple[float, float]]]:
    """Run jobs as a batch does, each stage given when the one before it has ended; returns wall seconds and all stages' times."""
    began = time.monotonic()
    times: list[tuple[float, float]] = []
    futures = {executor.submit(_task(job, 0, scale)): (job, 0) for job in range(jobs)}
    while futures:
        for future in wait(futures, return_when="FIRST_COMPLETED").done:
            job, at = futures.pop(future)
            times.append(tuple(future.result()))
            if at + 1 < len(STAGES):
                futures[executor.submit(_task(job, at + 1, scale))] = (job, at + 1)
    return time.monotonic() - began, times


def _task(job: int, at: int, scale: float) -> Task:
    name, seconds = STAGES[at]
    return Task(
        id=f"{job} {name}",
        function="tests.bench.bench_executors:stage",
        arguments={"seconds": seconds * scale},
        needs=Needs(cpus=1),
        group=f"job {job}",
        last=at == len(STAGES) - 1,
    )


def measure(name: str, workers: int, jobs: int, scale: float) -> tuple[float, float]:
    """Return (seconds to start the executor, seconds for the jobs)."""
    began = time.monotonic()
    executor = executors.load(name, capacity=Needs(cpus=float(workers)))
    started = time.monotonic() - began
    try:
        seconds, _ = run(executor, jobs, scale)
    finally:
        executor.close()
    return started, seconds


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4,8,16")
    parser.add_argument("--executors", default="local,ray")
    parser.add_argument("--jobs-per-worker", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args(arguments)
    length = sum(seconds for _, seconds in STAGES) * options.scale
    print(
        f"jobs of {length:.1f} s in {len(STAGES)} stages, {options.jobs_per_worker} per worker; perfect = {options.jobs_per_worker} × that"
    )
    print(
        f"{'workers':>8} {'jobs':>5} {'perfect':>8}"
        + "".join(f" {name + ' s':>9} {'efficient':>9}" for name in options.executors.split(","))
    )
    for workers in map(int, options.workers.split(",")):
        jobs = workers * options.jobs_per_worker
        perfect = options.jobs_per_worker * length
        line = f"{workers:>8} {jobs:>5} {perfect:>8.1f}"
        for name in options.executors.split(","):
            _, seconds = measure(name, workers, jobs, options.scale)
            line += f" {seconds:>9.1f} {perfect / seconds:>9.0%}"
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
