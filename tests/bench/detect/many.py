"""Score many simulated streams in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.bench.detect.cases import simulated
from tests.bench.detect.scores import Score, all_scores
from tests.bench.detect.simulate import SimulationOptions

LENGTHS_H = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Lengths of simulated streams, in turn."""
BROKEN_EVERY = 5
"""One simulated stream in so many has violations."""
Rows = list[tuple[str, Score]]
Task = tuple[int, float, bool, tuple[str, ...]]
"""Seed, hours, whether violated, sets of channels."""


def simulate_many(hours: float, first_seed: int, jobs: int, masks: tuple[str, ...]) -> tuple[Rows, Rows]:
    """Score simulated streams in several processes: the usual ones, and those with violations."""
    work = list(_work(hours, first_seed, masks))
    plain: Rows = []
    broken: Rows = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for (_, _, breaks, _), rows in zip(work, pool.map(_one, work), strict=True):
            (broken if breaks else plain).extend(rows)
    return plain, broken


def _work(hours: float, first_seed: int, masks: tuple[str, ...]) -> Iterator[Task]:
    total, number = 0.0, 0
    while total < hours:
        length = min(LENGTHS_H[number % len(LENGTHS_H)], max(hours - total, 0.5))
        yield first_seed + number, length, number % BROKEN_EVERY == BROKEN_EVERY - 3, masks
        total, number = total + length, number + 1


def _one(task: Task) -> Rows:
    seed, hours, breaks, masks = task
    return all_scores(simulated(SimulationOptions(seed=seed, hours=hours), breaks=breaks), masks)
