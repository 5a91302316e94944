"""What one method got on one stream, and the figures of many streams with their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clipper import detect
from clipper.values import Evidence, Findings
from tests.bench.detect.baselines import BASELINES
from tests.bench.detect.cases import MASKS, Case, gathered
from tests.bench.detect.evaluate import (
    Labelled,
    Pair,
    average_precision,
    boundary_errors,
    boundary_f1,
    calibration_error,
    error_by_chance,
    interval,
    iou,
    mean,
    seconds_inside,
    seconds_right,
    swept_error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Figures of one method on one stream."""

    method: str
    hours: float
    half: float
    """AP at tIoU .5."""
    seven: float
    right: float
    """Share of seconds with the right product, background included."""
    f1: float
    """Edges within 5 s."""
    errors: tuple[float, ...]
    pairs: tuple[Pair, ...] = ()
    """(confidence, was right) of every explanation."""
    hot_found: int = 0
    hot_false: int = 0
    hot_near: int = 0
    """False ones that did sell half as much again as the others, or more."""
    hot_wanted: int = 0
    hot_pairs: tuple[Pair, ...] = ()
    covered: tuple[bool, ...] = ()
    """Whether the interval of an uplift held the true one."""
    teaser: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Seconds that an editor also picked, seconds of teasers, and the editor's share of the stream."""
    clock: tuple[float, float, float] | None = None
    """Clock error before and after, and confidence."""


def decided(case: Case, mask: str) -> tuple[Evidence, Findings]:
    """Decide a stream with a set of channels."""
    evidence = gathered(case, mask)
    return evidence, detect.find(evidence, () if mask == "no catalogue" else case.products)


def score(case: Case, mask: str) -> list[Score]:
    """Score livecut on one stream with a set of channels, and the baselines that these channels allow."""
    evidence, findings = decided(case, mask)
    blind = mask == "no catalogue"
    truth = tuple(replace(t, sku="") for t in case.truth) if blind else case.truth
    found = tuple(Labelled(s.start, s.end, "" if blind else s.sku, s.confidence) for s in findings.segments)
    ours = _full(_plain("livecut", case, found, truth), case, evidence, findings, found, truth)
    if blind:
        return [ours]
    return [ours, *(_baseline(name, case, evidence) for name in BASELINES if NEEDS.get(name) not in MASKS[mask])]


def _baseline(name: str, case: Case, evidence: Evidence) -> Score:
    """Score a baseline; those that only hear the speech answer the same for every set of channels, and the last stream's are kept."""
    if name in NEEDS:
        return _plain(name, case, BASELINES[name](evidence), case.truth)
    if not _KEPT or _KEPT[0][0] is not case:
        _KEPT[:] = [(case, {})]
    scores = _KEPT[0][1]
    if name not in scores:
        scores[name] = _plain(name, case, BASELINES[name](evidence), case.truth)
    return scores[name]


_KEPT: list[tuple[Case, dict[str, Score]]] = []


NEARLY_HOT = 1.5
NEEDS = {"cards only": "cards", "chat density": "comments"}
"""Channel that a baseline cannot do without."""


def _plain(method: str, case: Case, found: Sequence[Labelled], truth: Sequence[Labelled]) -> Score:
    duration = case.transcript.duration
    return Score(
        method=method,
        hours=duration / 3600,
        half=average_precision(found, truth, 0.5),
        seven=average_precision(found, truth, 0.7),
        right=seconds_right(found, truth, duration),
        f1=boundary_f1(found, truth),
        errors=boundary_errors(found, truth),
    )


def _full(plain: Score, case: Case, evidence: Evidence, findings: Findings, found: Sequence[Labelled], truth: Sequence[Labelled]) -> Score:
    hot = {item.sku: item for item in sorted(findings.hot_items, key=lambda h: h.confidence)}
    true_uplift = dict(case.uplifts)
    pieces = [(p.start, p.end) for t in findings.teasers for p in t.pieces]
    shown = sum(b - a for a, b in pieces)
    share = sum(b - a for a, b in case.teaser) / case.transcript.duration
    skew = -case.skew_s
    return replace(
        plain,
        pairs=tuple((s.confidence, is_right(s, truth)) for s in found),
        hot_found=len(case.hot & set(hot)),
        hot_false=len(set(hot) - case.hot),
        hot_near=sum(true_uplift.get(sku, 1.0) >= NEARLY_HOT for sku in set(hot) - case.hot),
        hot_wanted=len(case.hot),
        hot_pairs=tuple((item.confidence, sku in case.hot) for sku, item in hot.items()),
        covered=tuple(
            h.uplift_low <= true_uplift[sku] <= h.uplift_high for sku, h in hot.items() if sku in true_uplift and h.basis != "speech"
        ),
        teaser=(seconds_inside(pieces, case.teaser), shown, share),
        clock=(abs(skew), abs(evidence.clock_offset_s - skew), evidence.clock_confidence) if case.log.sources or case.uplifts else None,
    )


def is_right(segment: Labelled, truth: Sequence[Labelled]) -> bool:
    """Tell whether an explanation of the product covers the same time to a half."""
    return any(t.sku == segment.sku and iou(segment, t) >= 0.5 for t in truth)


def shown(rows: Sequence[Score], statistic: Callable[[Sequence[Score]], float], form: str = ".3f", *, draws: int = 200) -> str:
    """Write a figure of many streams with its 90 % interval over streams."""
    if not rows:
        return "–"
    low, high = interval(rows, statistic, draws=draws)
    value = statistic(rows)
    return "–" if value != value else f"{value:{form}} [{low:{form}} {high:{form}}]"


def median_error(rows: Sequence[Score]) -> float:
    """Give the median boundary error of all streams, in seconds; NaN without any."""
    errors = sorted(e for row in rows for e in row.errors)
    return errors[len(errors) // 2] if errors else float("nan")


def ece(rows: Sequence[Score]) -> float:
    """Give the expected calibration error of the explanations of all streams, in as many bins as they carry."""
    return swept_error([pair for row in rows for pair in row.pairs])


def teaser_gain(rows: Sequence[Score]) -> float:
    """Give how many times more teaser seconds an editor also picked than chance would; NaN without teasers."""
    good, total, chance = (sum(row.teaser[n] for row in rows) for n in range(3))
    return good / total / (chance / len(rows)) if total and chance else float("nan")


COLUMNS: tuple[tuple[str, Callable[[Sequence[Score]], float], str], ...] = (
    ("AP@.5", lambda rows: mean([r.half for r in rows]), ".3f"),
    ("AP@.7", lambda rows: mean([r.seven for r in rows]), ".3f"),
    ("seconds right", lambda rows: mean([r.right for r in rows]), ".3f"),
    ("edges F1@5", lambda rows: mean([r.f1 for r in rows]), ".3f"),
    ("edge error s", median_error, ".2f"),
)


def table(mask: str, by_method: dict[str, list[Score]]) -> list[str]:
    """Write one set of channels as a Markdown table: livecut, then the baselines."""
    ours = by_method["livecut"]
    hours = sum(row.hours for row in ours)
    lines = [f"**{mask}** ({len(ours)} streams, {hours:.1f} h)", ""]
    lines += ["| method | " + " | ".join(name for name, _, _ in COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for method, rows in by_method.items():
        lines.append(f"| {method} | " + " | ".join(shown(rows, statistic, form) for _, statistic, form in COLUMNS) + " |")
    return [*lines, "", _extras(ours), ""]


def _extras(rows: Sequence[Score]) -> str:
    """Write what only livecut answers: calibration, hot items, teasers, clocks."""
    parts = [_calibration(rows), _hot(rows)]
    covered = [held for row in rows for held in row.covered]
    if covered:
        parts.append(f"90 % interval of the uplift held {mean([float(c) for c in covered]):.2f} of {len(covered)}")
    gain = teaser_gain(rows)
    if gain == gain:
        parts.append(f"teaser {gain:.1f}× chance")
    clocks = [row.clock for row in rows if row.clock is not None and row.clock[0] > 3]
    if clocks:
        better = sum(after < before for before, after, _ in clocks)
        parts.append(f"clocks off: {len(clocks)}, brought nearer {better}, within 2 s {sum(after <= 2 for _, after, _ in clocks)}")
    return "; ".join(parts) + "."


def _calibration(rows: Sequence[Score]) -> str:
    """Write how far confidences are off, and how far they would seem to be if each were exact."""
    pairs = [pair for row in rows for pair in row.pairs]
    told = [confidence for confidence, _ in pairs]
    right = mean([float(is_right) for _, is_right in pairs])
    chance = f"{calibration_error(pairs):.3f} in 15 bins, {error_by_chance(told):.3f} if told exactly"
    return f"ECE {shown(rows, ece)} ({chance}), told {mean(told):.2f}, right {right:.2f} of {len(pairs)}"


def _hot(rows: Sequence[Score]) -> str:
    """Write which hot products were found, and how far their confidences are off."""
    found, false, near, wanted = (sum(getattr(row, f"hot_{what}") for row in rows) for what in ("found", "false", "near", "wanted"))
    text = f"hot products {found} of {wanted}, {false} false"
    if near:
        text += f" ({near} of them at {NEARLY_HOT:g} times the usual or more)"
    pairs = [pair for row in rows for pair in row.hot_pairs]
    if not pairs:
        return text
    chance = error_by_chance([confidence for confidence, _ in pairs], swept_error)
    return f"{text}, ECE of hot {swept_error(pairs):.3f} ({chance:.3f} if told exactly)"


def all_scores(case: Case, masks: Sequence[str] = tuple(MASKS)) -> list[tuple[str, Score]]:
    """Score a stream with every set of channels."""
    return [(mask, row) for mask in masks for row in score(case, mask)]


def grouped(rows: Sequence[tuple[str, Score]]) -> dict[str, dict[str, list[Score]]]:
    """Sort scores by set of channels and method."""
    found: dict[str, dict[str, list[Any]]] = {}
    for mask, row in rows:
        found.setdefault(mask, {}).setdefault(row.method, []).append(row)
    return found
