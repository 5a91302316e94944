"""How time and memory grow with the length of a stream: 60 products, 300 distractors.

The evidence of each length is gathered and written in one process, and read and decided in fresh ones: neither the simulator nor the
gathering counts. Seconds are of the processor.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import msgspec

from clipper import detect
from clipper.detect.explanations import find_explanations
from clipper.values import Evidence, Product
from tests.bench.detect.cases import gathered, simulated
from tests.bench.detect.simulate import SimulationOptions

T = TypeVar("T")
HOURS = (1.0, 2.0, 4.0, 8.0)


def written(hours: float, path: str) -> float:
    """Gather the evidence of one length into a file; give the CPU seconds."""
    case = simulated(SimulationOptions(seed=1, hours=hours, products=60, distractors=300, regime="fast"))
    before = time.process_time()
    evidence = gathered(case, "all channels")
    took = time.process_time() - before
    Path(path).write_bytes(msgspec.json.encode((evidence, case.products), enc_hook=float))
    return took


def explained(path: str) -> tuple[int, int, float, float, float]:
    """Decide explanations from a file: sentences, products considered last, CPU seconds, MB before and at the peak."""
    evidence, products, held, before = *_read(path), _peak_mb(), time.process_time()
    found = find_explanations(evidence, products)
    return len(evidence.sentences), len(found.products), time.process_time() - before, held, _peak_mb()


def everything(path: str) -> tuple[float, float]:
    """Decide everything from a file: CPU seconds, MB at the peak."""
    evidence, products, before = *_read(path), time.process_time()
    detect.find(evidence, products)
    return time.process_time() - before, _peak_mb()


def table(lengths: tuple[float, ...] = HOURS) -> None:
    """Print the curve."""
    print("## Growth: 60 products, 300 distractors\n")
    names = (
        "hours",
        "sentences",
        "products last",
        "gather s",
        "to segments s",
        "to everything s",
        "MB before",
        "peak MB",
        "peak MB of all",
    )
    print(f"| {' | '.join(names)} |")
    print("|" + "---|" * len(names))
    with tempfile.TemporaryDirectory() as folder:
        for hours in lengths:
            path = str(Path(folder) / "evidence.json")
            gather = _apart(written, hours, path)
            sentences, products, explain, held, peak = _apart(explained, path)
            find, peak_all = _apart(everything, path)
            figures = (f"{gather:.1f}", f"{explain:.1f}", f"{find:.1f}", f"{held:.0f}", f"{peak:.0f}", f"{peak_all:.0f}")
            print(f"| {hours:g} | {sentences} | {products} | {' | '.join(figures)} |", flush=True)


def _apart(function: Callable[..., T], *arguments: object) -> T:
    """Call in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _read(path: str) -> tuple[Evidence, tuple[Product, ...]]:
    return msgspec.json.decode(Path(path).read_bytes(), type=tuple[Evidence, tuple[Product, ...]])


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
