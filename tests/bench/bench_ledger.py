"""What the ledger costs: a change of state, flushed to the disk, and its start with very many rows.

    python -m tests.bench.bench_ledger [--jobs 200] [--rows 100000] [--folder DIR]

A job's life is measured as a batch leads it: record, claim, finish with two outputs. Beside it stands what the disk itself takes
to flush a few bytes, below which no durable change can be.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.ledger import Job, Ledger, Output, Seen
from pipelines.settings import Settings
from pipelines.watch.folder import Folder


def life(ledger: Ledger, root: Path, jobs: int) -> dict[str, float]:
    """Median milliseconds of each change in the lives of so many jobs."""
    spent: dict[str, list[float]] = {"record": [], "claim": [], "finish": []}

    def timed(name: str, change: Callable[[], object]) -> None:
        began = time.perf_counter()
        change()
        spent[name].append((time.perf_counter() - began) * 1e3)

    for number in range(jobs):
        path = root / f"{number}.mp4"
        timed("record", lambda path=path: record(ledger, path))  # type: ignore[misc]
        claims = []
        timed("claim", lambda claims=claims: claims.append(ledger.claim()))  # type: ignore[misc]
        made = [Output(path=root / f"{number}" / name, sha256="0" * 64, size=1, mtime_ns=0, editable=False) for name in ("a", "b")]

        def finish(claim: object = claims[0], made: list[Output] = made) -> None:
            with ledger.writing() as change:
                change.finish(claim, made, state="done", reason="", code=0)  # type: ignore[arg-type]

        timed("finish", finish)
    return {name: statistics.median(times) for name, times in spent.items()}


def record(ledger: Ledger, path: Path) -> Job:
    seen = Seen(path=path, size=1, mtime_ns=1, device=1, inode=1)
    return ledger.add(seen, kind="clip", content=path.name, options="o", task="{}", folder=path.with_suffix(""), spare=path)


def flush(root: Path, times: int = 100) -> float:
    """Median milliseconds in which this disk flushes 4 KB that were appended to a file."""
    spent = []
    with (root / "flush").open("wb") as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent)


def start(path: Path, inbox: Path) -> tuple[float, float, float]:
    """Seconds to open and check a ledger, to read all its rows, and for a watched folder to remember what it has seen."""
    began = time.perf_counter()
    with Ledger(path) as ledger:
        opened = time.perf_counter()
        rows = sum(1 for _ in ledger.files())
        read = time.perf_counter()
        Folder(root=inbox, settings=Settings(), ledger=ledger, wake=threading.Event(), over=lambda: True)
        remembered = time.perf_counter()
    assert rows, "it has rows"
    return opened - began, read - opened, remembered - read


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the ledger lies; its disk is what is measured")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="livecut-ledger-", dir=options.folder) as folder:
        root = Path(folder)
        with Ledger(root / "lives.ledger") as ledger:
            told = ", ".join(f"{name} {spent:.2f} ms" for name, spent in life(ledger, root, options.jobs).items())
        print(f"a change of state, median of {options.jobs}: {told}; the disk alone {flush(root):.2f} ms a flush", flush=True)
        with Ledger(root / "many.ledger") as ledger, ledger.writing() as change:
            for number in range(options.rows):
                seen = Seen(path=root / "in" / f"{number:06}.mp4", size=number, mtime_ns=1, device=1, inode=number)
                change.note(seen, "rejected", "it is plain text, not a recording")
        opened, read, remembered = start(root / "many.ledger", root / "in")
        print(
            f"{options.rows} rows: opened and checked in {opened:.2f} s, read in {read:.2f} s, remembered by a folder in {remembered:.2f} s"
        )


if __name__ == "__main__":
    sys.exit(main())
