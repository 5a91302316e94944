"""Print how well the finding finds: one table per set of channels, with baselines, ablation and growth.

    python -m tests.bench.detect [--quick]

Labelled recordings are read from the folder that LIVECUT_BENCH_DATA names: each a folder with catalog.csv, events.jsonl,
truth.json and a cached transcript.json (and loudness.json, picture.json where there are). Scripted and simulated streams are
always there.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from clipper import detect
from clipper.detect.explanations import ALL_CHANNELS, ExplanationOptions, find_explanations
from clipper.detect.finding import FindOptions
from clipper.values import AudienceLog, Catalog, Evidence, Findings, Product, Transcript
from tests.bench.detect import labelled
from tests.bench.detect.baselines import BASELINES
from tests.bench.detect.evaluate import Labelled, average_precision, boundary_errors, calibration_error, interval, iou, mean, seconds_right
from tests.bench.detect.scripts import SCRIPTS
from tests.bench.detect.simulate import SimulationOptions, simulate

MASKS = {"all channels": ALL_CHANNELS, "no cards": tuple(c for c in ALL_CHANNELS if c != "cards"), "speech and catalogue": ("speech",)}


@dataclass(frozen=True, slots=True)
class Case:
    """One stream with its truth."""

    name: str
    evidence: Evidence
    products: tuple[Product, ...]
    truth: tuple[Labelled, ...]
    hot: frozenset[str]


def cases(quick: bool) -> dict[str, list[Case]]:
    """Build the streams, by level."""
    found = {"scripted": [_scripted(script) for script in SCRIPTS], "simulated": [_simulated(seed) for seed in range(3 if quick else 12)]}
    folder = os.environ.get("LIVECUT_BENCH_DATA")
    if folder:
        found["spoken"] = [Case(*row) for row in labelled.streams(Path(folder))]
    return found


def _scripted(script) -> Case:  # type: ignore[no-untyped-def]
    sentences = script.sentences
    transcript = Transcript(
        language=script.language, sentences=sentences, heard=(), duration=sentences[-1].end + 3, engine="script", model="script"
    )
    evidence = detect.gather(transcript, Catalog(path=None, products=script.products), AudienceLog(), None, None)
    return Case(script.name, evidence, script.products, tuple(Labelled(start, end, sku) for sku, start, end in script.truth), frozenset())


def _simulated(seed: int, hours: float = 0.5, products: int = 12, distractors: int = 20) -> Case:
    stream = simulate(SimulationOptions(seed=seed, hours=hours, products=products, distractors=distractors))
    transcript = Transcript(
        language="zh", sentences=stream.sentences, heard=(), duration=stream.duration, engine="simulated", model="simulated"
    )
    evidence = detect.gather(transcript, Catalog(path=None, products=stream.products), stream.log, stream.picture, None)
    return Case(f"simulated {seed}", evidence, stream.products, stream.truth, stream.hot)


def masked(evidence: Evidence, mask: str) -> Evidence:
    """Take away the channels that a mask lacks."""
    if mask == "speech and catalogue":
        return replace(evidence, log=AudienceLog(), picture=None)
    return replace(evidence, log=replace(evidence.log, cards=None)) if mask == "no cards" else evidence


def labels(findings: Findings) -> tuple[Labelled, ...]:
    """Turn findings into what the evaluator scores."""
    return tuple(Labelled(s.start, s.end, s.sku, s.confidence) for s in findings.segments)


def row(name: str, answers: list[tuple[Case, tuple[Labelled, ...]]]) -> str:
    """Score one method over its streams."""
    half = [average_precision(found, case.truth, 0.5) for case, found in answers]
    seven = [average_precision(found, case.truth, 0.7) for case, found in answers]
    right = [seconds_right(found, case.truth, case.evidence.duration) for case, found in answers]
    errors = sorted(error for case, found in answers for error in boundary_errors(found, case.truth))
    low, high = interval(half, mean)
    middle = f"{errors[len(errors) // 2]:5.2f}" if errors else "    –"
    return f"  {name:22} {mean(half):5.3f} [{low:4.2f} {high:4.2f}]  {mean(seven):5.3f}  {mean(right):5.3f}  {middle}"


def table(level: str, streams: list[Case]) -> None:
    """Print one level: every mask, the baselines and the ablation."""
    print(f"\n{level}: {len(streams)} streams\n  {'':22} AP@.5 [90 %]        AP@.7  seconds boundary s")
    for mask in MASKS:
        answers, pairs, right, false, wanted = [], [], 0, 0, 0
        for case in streams:
            findings = detect.find(masked(case.evidence, mask), case.products)
            answers.append((case, labels(findings)))
            pairs += [(s.confidence, any(t.sku == s.sku and iou(s, t) >= 0.5 for t in case.truth)) for s in labels(findings)]
            hot = {item.sku for item in findings.hot_items if item.basis == "orders"}
            right, false, wanted = right + len(hot & case.hot), false + len(hot - case.hot), wanted + len(case.hot)
        print(row(mask, answers) + f"   ECE {calibration_error(pairs):.3f}   hot {right}/{wanted}, false {false}")
    for name, method in BASELINES.items():
        print(row(name, [(case, method(case.evidence)) for case in streams]))
    for channel in ALL_CHANNELS[1:]:
        options = FindOptions(explanations=ExplanationOptions(channels=tuple(c for c in ALL_CHANNELS if c != channel)))
        print(row(f"without {channel}", [(case, labels(detect.find(case.evidence, case.products, options))) for case in streams]))


def growth(quick: bool) -> None:
    """Print the time from evidence to segments as streams grow: 60 products, 300 distractors."""
    print("\nhours   sentences   CPU s     peak MB")
    for hours in (1, 2) if quick else (1, 2, 4, 8):
        case = _simulated(0, hours, 60, 300)
        before = time.process_time()
        find_explanations(case.evidence, case.products)
        taken = time.process_time() - before
        print(
            f"{hours:5}   {len(case.evidence.sentences):9}   {taken:7.2f}   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:7}"
        )


if __name__ == "__main__":
    is_quick = "--quick" in sys.argv
    for level_name, level_streams in cases(is_quick).items():
        table(level_name, level_streams)
    growth(is_quick)
