"""How time and memory grow with the length of a stream: 60 products, 300 distractors, each length in a process of its own."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from clipper import detect
from clipper.detect.explanations import find_explanations
from tests.bench.detect.cases import gathered, simulated
from tests.bench.detect.simulate import SimulationOptions

HOURS = (1.0, 2.0, 4.0, 8.0)


def measured(hours: float) -> tuple[int, int, float, float, float, float, float]:
    """Measure one length: sentences, products considered last, CPU seconds (gather, explanations, all), MB before and at the peak."""
    case = simulated(SimulationOptions(seed=1, hours=hours, products=60, distractors=300, regime="fast"))
    clock = time.process_time
    before = clock()
    evidence = gathered(case, "all channels")
    after = clock()
    held = _peak_mb()
    explained = find_explanations(evidence, case.products)
    told = clock()
    detect.find(evidence, case.products)
    done = clock()
    return len(evidence.sentences), len(explained.products), after - before, told - after, done - told, held, _peak_mb()


def table(lengths: tuple[float, ...] = HOURS) -> None:
    """Print the curve."""
    print("## Growth: 60 products, 300 distractors\n")
    names = (
        "hours",
        "sentences",
        "products last",
        "gather CPU s",
        "evidence to segments",
        "evidence to everything",
        "MB before",
        "peak MB",
    )
    print(f"| {' | '.join(names)} |")
    print("|---|---|---|---|---|---|---|---|")
    for hours in lengths:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            sentences, products, gather, explain, find, held, peak = pool.submit(measured, hours).result()
        print(f"| {hours:g} | {sentences} | {products} | {gather:.1f} | {explain:.1f} | {find:.1f} | {held:.0f} | {peak:.0f} |", flush=True)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
