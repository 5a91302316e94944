"""Print how well the finding finds: one table per set of channels, with baselines, and the growth of time and memory.

    python -m tests.bench.detect [--hours 24] [--full] [--jobs 2] [--level simulated] [--only "no cards"] [--first-seed 0]

Levels: spoken (the sample's truth and every labelled recording under the folder that LIVECUT_BENCH_DATA names, see
`labelled`), scripted, simulated (as many hours as asked, one stream in five with violations in a table of its own), growth.
`--full` simulates 240 hours.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.bench.detect import ablation, growth, labelled
from tests.bench.detect.cases import MASKS, scripted
from tests.bench.detect.many import Rows, simulate_many
from tests.bench.detect.scores import all_scores, grouped, table
from tests.bench.detect.scripts import SCRIPTS

FULL_HOURS = 240.0


def main(argv: list[str]) -> None:
    """Run the levels that were asked for and print their tables."""
    args = _arguments(argv)
    if args.level in ("all", "spoken") and (folder := os.environ.get("LIVECUT_BENCH_DATA")):
        _print("Spoken streams", [row for case in labelled.streams(Path(folder)) for row in all_scores(case, args.masks)])
    if args.level in ("all", "scripted"):
        _print(
            "Scripted streams",
            [row for script in SCRIPTS for row in all_scores(scripted(script), ("speech and catalogue", "no catalogue"))],
        )
    if args.level in ("all", "simulated"):
        began = time.perf_counter()
        plain, broken = simulate_many(args.hours, args.first_seed, args.jobs, args.masks)
        _print("Simulated streams", plain)
        _print("Simulated streams with violations", broken)
        print(f"({time.perf_counter() - began:.0f} s for {args.hours:g} h in {args.jobs} processes)\n")
    if args.level in ("all", "growth"):
        growth.table()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detect", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hours", type=float, default=24.0, help="hours to simulate (24)")
    parser.add_argument("--full", action="store_true", help=f"simulate {FULL_HOURS:g} hours")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first simulated stream (0); calibration used 100000 and up")
    parser.add_argument("--level", choices=("all", "spoken", "scripted", "simulated", "growth"), default="all")
    parser.add_argument("--only", action="append", choices=tuple(MASKS), help="a set of channels; all of them by default")
    args = parser.parse_args(argv)
    args.hours = FULL_HOURS if args.full else args.hours
    args.masks = tuple(args.only or MASKS)
    return args


def _print(title: str, rows: Rows) -> None:
    if rows:
        print(f"## {title}\n")
        by_mask = grouped(rows)
        for mask, by_method in by_mask.items():
            print("\n".join(table(mask, by_method)))
        if len(by_mask) > 1:
            print("\n".join(ablation.table(by_mask)))


if __name__ == "__main__":
    main(sys.argv[1:])
