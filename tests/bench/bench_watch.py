"""What the daemon costs while nothing happens, how soon it begins, and whether its memory grows.

    python -m tests.bench.bench_watch [--files 10000] [--idle-s 90] [--jobs 1000] [--parts idle,start,memory]

A real daemon in a process of its own, over sham recordings (tests/sham.py): everything but the cutting is real. *idle*: the
processor time of the daemon over some minutes with the default intervals, in a folder of old files that it has judged before.
*start*: from the last byte of a recording to the moment its job is claimed, with and without file events. *memory*: resident
bytes of the daemon after each tenth of the jobs, which arrive a tenth at a time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from pipelines.ledger import Ledger
from tests.faults.soak import World

STABLE_S = 2.0
SCAN_S = 3.0


@contextmanager
def daemon(world: World, *more: str) -> Iterator[psutil.Process]:
    """A running daemon; drained at the end."""
    process = world.start(*more)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def until(claim: Callable[[], bool], limit_s: float) -> None:
    """Wait for something; raises AssertionError when it does not come."""
    end = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < end, f"it took longer than {limit_s:g} s"
        time.sleep(0.2)


def counts(world: World) -> dict[str, int]:
    """Files by state; none before there is a ledger."""
    return world.counts() if (world.out / "livecut.ledger").is_file() else {}


def idle(world: World, files: int, seconds: float) -> float:
    """Share of one core that the daemon takes beside old files, over so many seconds."""
    for number in range(files):
        folder = world.inbox / f"{number // 500:03}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:05}.mp4").write_bytes(b"no recording at all")
    with daemon(world):
        until(lambda: counts(world).get("rejected") == files, 600)
    with daemon(world, "--set", "watch.scan_s=30", "--set", "watch.stable_s=10", "--port", "0") as process:
        time.sleep(10)  # its start, and the first scan
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(seconds)
        after = process.cpu_times()
        return (after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def start(world: World, recordings: int, *, events: bool) -> list[float]:
    """Seconds from the last byte of each recording to the claim of its job, one recording after the other."""
    given = ["--set", f"watch.scan_s={SCAN_S}", "--set", f"watch.stable_s={STABLE_S}", "--set", f"watch.events={str(events).lower()}"]
    waits = []
    with daemon(world, *given):
        until(lambda: (world.out / "livecut.ledger").is_file(), 60)
        for _ in range(recordings):
            time.sleep(world.rng.uniform(0.0, SCAN_S))
            path, ended = world.write(""), time.time()
            until(lambda path=path: began(world, path) is not None, 60)  # type: ignore[misc]
            waits.append((began(world, path) or 0.0) - ended)
    return waits


def began(world: World, path: Path) -> float | None:
    """When the job of a file was claimed, on the wall clock."""
    with Ledger(world.out / "livecut.ledger") as ledger:
        return next((event.at for event in ledger.history(path=path) if event.what == "running"), None)


def memory(world: World, jobs: int) -> list[int]:
    """Resident bytes of the daemon after each tenth of the jobs."""
    sizes = []
    with daemon(world, "--light") as process:
        for _ in range(10):
            for _ in range(jobs // 10):
                world.write("")
            wanted = world.written
            until(lambda wanted=wanted: counts(world).get("done") == wanted, 3600)  # type: ignore[misc]
            time.sleep(1)
            sizes.append(process.memory_info().rss)
    return sizes


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--idle-s", type=float, default=90.0)
    parser.add_argument("--recordings", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--parts", default="idle,start,memory")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    if "idle" in parts:
        with fresh() as world:
            share = idle(world, options.files, options.idle_s)
        print(f"idle: {share:.2%} of a core over {options.idle_s:g} s beside {options.files} old files, scans every 30 s", flush=True)
    for events in (True, False) if "start" in parts else ():
        with fresh() as world:
            waits = start(world, options.recordings, events=events)
        told = ", ".join(f"{wait:.2f}" for wait in sorted(waits))
        how = "with file events" if events else "by the clock alone"
        print(f"start {how}: {told} s; stability {STABLE_S:g} s + scan {SCAN_S:g} s = {STABLE_S + SCAN_S:g} s", flush=True)
    if "memory" in parts:
        with fresh() as world:
            sizes = memory(world, options.jobs)
        told = ", ".join(f"{size / 1e6:.1f}" for size in sizes)
        print(f"memory: {told} MB after each {options.jobs // 10} of {options.jobs} jobs: {sizes[-1] / sizes[0] - 1:+.1%}")


@contextmanager
def fresh() -> Iterator[World]:
    """An empty watched folder."""
    with tempfile.TemporaryDirectory(prefix="livecut-watch-") as folder:
        yield World(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
