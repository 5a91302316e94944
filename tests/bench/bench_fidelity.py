"""How often the gate errs on the calibration set: `bench_fidelity [--share 0.4] [--seed 0] [--results FILE]`.

Products are parted in two halves: limits were set on the first, the rates that count are those of the second. Exit code 1 when
a bar is missed there: spoiled clips passed at most 2 %, good clips failed at most 5 %. Text is read only when told, which
takes seconds a clip. What was measured is written line by line to `--results`; a run that is started again goes on there, and
one of another version of the gate is refused.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2

from generators.fidelity import VERSION, FidelityOptions, measure
from tests.fidelity_clips import Clip, clips

SPOILED_PASSED, GOOD_FAILED = 0.02, 0.05
SURE = 1.96
"""Standard deviations on each side of an interval of 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate said of one clip."""

    thing: str
    kind: str
    seed: int
    is_good: bool
    half: int
    passed: bool
    seconds: float
    """Processor time of the measuring."""
    version: int = VERSION
    numbers: dict[str, object] = dataclasses.field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        return self.passed != self.is_good


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", nargs="?", help="not used; every benchmark takes one")
    parser.add_argument("--share", type=float, default=0.4, help="part of the 792 clips")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read-text", action="store_true", help="read text as a real run does")
    parser.add_argument("--only", choices=("good", "spoiled"), help="leave the others out")
    parser.add_argument("--results", type=Path, help="file of JSON lines, gone on with when it is there")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    known = _read(args.results)
    verdicts = []
    for clip in sorted(clips(args.seed, args.share), key=lambda clip: -clip.half):  # what counts comes first
        if args.only and clip.is_good != (args.only == "good"):
            continue
        verdict = known.get((clip.thing.name, clip.kind, clip.seed)) or _judge(clip, args.read_text)
        if verdict is None:
            continue
        if args.results and (verdict.thing, verdict.kind, verdict.seed) not in known:
            with args.results.open("a") as file:
                file.write(json.dumps(dataclasses.asdict(verdict), ensure_ascii=False) + "\n")
        if verdict.is_wrong:
            print(f"wrong: {verdict.thing}, {verdict.kind}, seed {verdict.seed}: {verdict.numbers['reasons'] or 'passed'}", file=sys.stderr)
        verdicts.append(verdict)
    return report(verdicts)


def _read(results: Path | None) -> dict[tuple[str, str, int], Verdict]:
    if results is None or not results.is_file():
        return {}
    found = [Verdict(**json.loads(line)) for line in results.read_text().splitlines()]
    if any(verdict.version != VERSION for verdict in found):
        raise SystemExit(f"{results} was measured by another version of the gate: use another file")
    return {(verdict.thing, verdict.kind, verdict.seed): verdict for verdict in found}


def _judge(clip: Clip, read_text: bool) -> Verdict | None:
    footage = clip.shoot()
    if footage is None:
        return None
    began = time.process_time()
    found = measure(clip.thing.photo, clip.thing.cutout, footage, FidelityOptions(read_text=read_text))
    return Verdict(
        thing=clip.thing.name,
        kind=clip.kind,
        seed=clip.seed,
        is_good=clip.is_good,
        half=clip.half,
        passed=found.passed,
        seconds=round(time.process_time() - began, 2),
        numbers=dataclasses.asdict(found),
    )


def report(verdicts: list[Verdict]) -> int:
    """Print the tables; return the exit code."""
    halves: tuple[tuple[str, Callable[[Verdict], bool]], ...] = (
        ("limits set on", lambda one: one.half == 0),
        ("reported", lambda one: one.half == 1),
        ("all", lambda one: True),
    )
    print("| kind | is | wrong, products the limits were set on | wrong, others | all, 95 % interval |\n|---|---|---|---|---|")
    for is_good, kind in sorted({(one.is_good, one.kind) for one in verdicts}, key=lambda row: (not row[0], row[1])):
        row = [one for one in verdicts if (one.is_good, one.kind) == (is_good, kind)]
        cells = [_share(one for one in row if picked(one)) for _, picked in halves]
        print(f"| {kind} | {'good' if is_good else 'spoiled'} | {cells[0][0]} | {cells[1][0]} | {cells[2][0]} {cells[2][1]} |")
    print("\n| products | good failed | spoiled passed |\n|---|---|---|")
    missed = False
    for name, picked in halves:
        rates = []
        for is_good, bar in ((True, GOOD_FAILED), (False, SPOILED_PASSED)):
            row = [one for one in verdicts if one.is_good == is_good and picked(one)]
            count, interval = _share(row)
            wrong = sum(one.is_wrong for one in row)
            rates.append(f"{count} ({wrong / max(1, len(row)):.1%}, {interval})")
            missed |= name == "reported" and wrong > bar * len(row)
        print(f"| {name} | {rates[0]} | {rates[1]} |")
    limits = FidelityOptions()
    named = [name for name in limits.__dataclass_fields__ if name.startswith(("min_", "max_"))]
    print(f"\ngate version {VERSION}, limits: " + ", ".join(f"{name} {getattr(limits, name):g}" for name in named))
    seconds = sum(one.seconds for one in verdicts)
    print(f"\n{len(verdicts)} clips, {seconds / max(1, len(verdicts)):.2f} s of processor time a clip")
    return int(missed)


def _share(row: Iterable[Verdict]) -> tuple[str, str]:
    """How many of a row are wrong, and the interval of their share."""
    found = list(row)
    wrong = sum(one.is_wrong for one in found)
    low, high = wilson(wrong, len(found))
    return f"{wrong} of {len(found)}", f"{low:.1%}–{high:.1%}"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the interval of 95 % around a share (Wilson 1927), which holds for few cases and shares near 0."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, SURE**2 / count
    middle = (share + square / 2) / (1 + square)
    half = SURE / (1 + square) * (share * (1 - share) / count + square / count / 4) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


if __name__ == "__main__":
    sys.exit(main())
