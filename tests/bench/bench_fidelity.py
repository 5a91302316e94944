"""How often the gate errs on the calibration set: `bench_fidelity.py [--share 0.4] [--seed 0]`.

Products are parted in two halves: limits were set on the first, the rates that count are those of the second. Exit code 1 when
a bar is missed there: spoiled clips passed at most 2 %, good clips failed at most 5 %. Without text reading, which only makes
the gate stricter for garbled letters.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict

import cv2

from generators.fidelity import FidelityOptions, measure
from tests.fidelity_clips import clips

SPOILED_PASSED, GOOD_FAILED = 0.02, 0.05
Row = list[tuple[bool, int]]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", help="not used; every benchmark takes one")
    parser.add_argument("--share", type=float, default=0.4, help="part of the 756 clips")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    kinds: dict[tuple[bool, str], Row] = defaultdict(list)
    seconds, count = 0.0, 0
    for clip in clips(args.seed, args.share):
        footage = clip.shoot()
        if footage is None:
            continue
        began = time.process_time()
        found = measure(clip.thing.photo, clip.thing.cutout, footage, FidelityOptions(read_text=False))
        seconds, count = seconds + time.process_time() - began, count + 1
        kinds[clip.is_good, clip.kind].append((found.passed, clip.half))
        if found.passed != clip.is_good:
            print(f"wrong: {clip.thing.name}, {clip.kind}, seed {clip.seed}: {'; '.join(found.reasons) or 'passed'}", file=sys.stderr)
    return report(kinds, count, seconds)


def report(kinds: dict[tuple[bool, str], Row], count: int, seconds: float) -> int:
    """Print the tables; return the exit code."""
    print("| kind | is | clips | wrong |\n|---|---|---|---|")
    for (is_good, kind), row in sorted(kinds.items(), key=lambda item: (not item[0][0], item[0][1])):
        print(f"| {kind} | {'good' if is_good else 'spoiled'} | {len(row)} | {sum(passed != is_good for passed, _ in row)} |")
    print("\n| half | good failed | spoiled passed |\n|---|---|---|")
    missed = False
    for half, name in ((0, "limits set on"), (1, "reported")):
        rates = []
        for is_good, bar in ((True, GOOD_FAILED), (False, SPOILED_PASSED)):
            row = [passed for (good, _), found in kinds.items() if good == is_good for passed, at in found if at == half]
            wrong = sum(passed != is_good for passed in row)
            rates.append(f"{wrong} of {len(row)} ({wrong / max(1, len(row)):.1%})")
            missed |= half == 1 and wrong > bar * len(row)
        print(f"| {name} | {rates[0]} | {rates[1]} |")
    limits = FidelityOptions()
    named = [name for name in limits.__dataclass_fields__ if name.startswith(("min_", "max_"))]
    print("\nlimits: " + ", ".join(f"{name} {getattr(limits, name):g}" for name in named))
    print(f"\n{count} clips, {seconds / max(1, count):.2f} s of processor time a clip")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
