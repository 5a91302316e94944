"""Score explanations, hot items and teasers against ground truth, in time and never by sentence."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Pair = tuple[float, bool]
"""A confidence, and whether what it told was right."""
BRIDGE_S = 45.0
"""Explanations of one product that follow each other this closely may be told as one."""


@dataclass(frozen=True, slots=True, order=True)
class Labelled:
    """A stretch that belongs to a product."""

    start: float
    end: float
    sku: str
    confidence: float = 1.0


def iou(a: Labelled, b: Labelled) -> float:
    """Shared time over covered time."""
    union = max(a.end, b.end) - min(a.start, b.start)
    return max(0.0, min(a.end, b.end) - max(a.start, b.start)) / union if union > 0 else 0.0


def bridged(segments: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """Join neighbours of one product across short gaps."""
    out: list[Labelled] = []
    for segment in sorted(segments):
        if out and out[-1].sku == segment.sku and segment.start - out[-1].end <= BRIDGE_S:
            out[-1] = Labelled(out[-1].start, segment.end, segment.sku, max(out[-1].confidence, segment.confidence))
        else:
            out.append(segment)
    return tuple(out)


def average_precision(found: Sequence[Labelled], truth: Sequence[Labelled], threshold: float) -> float:
    """Average precision at one tIoU; either telling of interrupted explanations (one or two) is right."""
    return max(_average_precision(found, truth, threshold), _average_precision(found, bridged(truth), threshold))


def _average_precision(found: Sequence[Labelled], truth: Sequence[Labelled], threshold: float) -> float:
    used: set[int] = set()
    hits, total = 0, 0.0
    for number, segment in enumerate(sorted(found, key=lambda s: -s.confidence), 1):
        matches = [(iou(segment, t), at) for at, t in enumerate(truth) if t.sku == segment.sku and at not in used]
        best = max(matches, default=(0.0, -1))
        if best[0] >= threshold:
            used.add(best[1])
            hits += 1
            total += hits / number
    return total / len(truth) if truth else float(not found)


def seconds_right(found: Sequence[Labelled], truth: Sequence[Labelled], duration: float) -> float:
    """Share of seconds with the right product, background included."""

    size = int(duration) + 1

    def labels(segments: Sequence[Labelled]) -> list[str | None]:
        line: list[str | None] = [None] * size
        for s in sorted(segments, reverse=True):  # the earlier of two that touch has the second
            first, last = math.ceil(s.start), min(int(s.end), size - 1)
            line[first : last + 1] = [s.sku] * max(last + 1 - first, 0)
        return line

    return sum(a == b for a, b in zip(labels(found), labels(truth), strict=True)) / size


def boundary_errors(found: Sequence[Labelled], truth: Sequence[Labelled]) -> tuple[float, ...]:
    """Seconds between true edges and those of the best matching explanation (tIoU above .3)."""
    errors: list[float] = []
    for reference in truth:
        matches = [(iou(s, reference), s) for s in found if s.sku == reference.sku]
        if matches and max(matches)[0] > 0.3:
            best = max(matches)[1]
            errors += [abs(best.start - reference.start), abs(best.end - reference.end)]
    return tuple(errors)


def boundary_f1(found: Sequence[Labelled], truth: Sequence[Labelled], within: float = 5.0) -> float:
    """F1 of all edges against all true ones, matched one to one within some seconds; edges closer than a second are one."""
    ours, theirs = _all_edges(found), _all_edges(truth)
    hits = at = 0
    for edge in theirs:  # in order, each taking the earliest that is near: the largest matching on a line
        while at < len(ours) and ours[at] < edge - within:
            at += 1
        if at < len(ours) and ours[at] <= edge + within:
            hits, at = hits + 1, at + 1
    return 2 * hits / (len(ours) + len(theirs)) if ours or theirs else 1.0


def _all_edges(segments: Sequence[Labelled]) -> list[float]:
    merged: list[float] = []
    for edge in sorted(time for s in segments for time in (s.start, s.end)):
        if not merged or edge - merged[-1] >= 1:
            merged.append(edge)
    return merged


def seconds_inside(pieces: Sequence[tuple[float, float]], wanted: Sequence[tuple[float, float]]) -> float:
    """Seconds of some pieces that lie in what was wanted (which does not overlap itself)."""
    return sum(max(0.0, min(b, d) - max(a, c)) for a, b in pieces for c, d in wanted)


def calibration_error(pairs: Sequence[Pair], bins: int = 15) -> float:
    """Expected calibration error over equal-mass bins of (confidence, was right); equal confidences stay in the order given.

    With few pairs it measures chance: bins of three show gaps of a quarter when every confidence is exact.
    """
    if not pairs:
        return 0.0
    ordered = sorted(pairs, key=lambda pair: pair[0])
    size = max(1, len(ordered) // bins)
    return _gap([ordered[at : at + size] for at in range(0, len(ordered), size)])


def swept_error(pairs: Sequence[Pair]) -> float:
    """Expected calibration error with as many equal-mass bins as the data carry: the most whose shares of right ones still rise.

    Confidence that means anything is right more often when it is higher, so bins that fall are too small (ECE_sweep with equal mass,
    Roelofs et al. 2022, Mitigating bias in calibration error estimation, which finds it the least biased with few cases).
    """
    if not pairs:
        return 0.0
    ordered = sorted(pairs, key=lambda pair: pair[0])
    kept = [ordered]
    for count in range(2, len(ordered) + 1):
        edges = [round(n * len(ordered) / count) for n in range(count + 1)]
        groups = [ordered[a:b] for a, b in pairwise(edges)]
        shares = [sum(right for _, right in group) / len(group) for group in groups]
        if any(later < earlier for earlier, later in pairwise(shares)):
            break
        kept = groups
    return _gap(kept)


def _gap(groups: Sequence[Sequence[Pair]]) -> float:
    """Mean distance of confidence and share of right ones, over cases."""
    gaps = [abs(sum(c for c, _ in g) / len(g) - sum(r for _, r in g) / len(g)) * len(g) for g in groups]
    return sum(gaps) / sum(map(len, groups))


def error_by_chance(
    confidences: Sequence[float], error: Callable[[Sequence[Pair]], float] = calibration_error, *, draws: int = 200
) -> float:
    """Give the calibration error that these confidences would have on average if each were exactly right: what few cases leave open."""
    rng = random.Random(0)
    return mean([error([(c, rng.random() < c) for c in confidences]) for _ in range(draws)]) if confidences else 0.0


def interval(
    values: Sequence[float], statistic: Callable[[Sequence[float]], float], *, seed: int = 0, draws: int = 400
) -> tuple[float, float]:
    """90 % bootstrap interval over streams."""
    rng = random.Random(seed)
    if not values:
        return 0.0, 0.0
    drawn = sorted(statistic([rng.choice(values) for _ in values]) for _ in range(draws))
    return drawn[int(0.05 * draws)], drawn[int(0.95 * draws) - 1]


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; 0 for nothing."""
    return sum(values) / len(values) if values else 0.0
