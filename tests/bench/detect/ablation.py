"""What each channel brings: every set of channels against all of them, stream by stream, and what only livecut answers."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.detect.evaluate import interval, mean
from tests.bench.detect.scores import Score, ece, shown, teaser_gain

ALL = "all channels"
FIGURES = (("AP@.5", "half"), ("AP@.7", "seven"), ("seconds right", "right"))


def table(by_mask: dict[str, dict[str, list[Score]]]) -> list[str]:
    """Write one row per set of channels; differences to all channels are paired, with 90 % bootstrap intervals over streams."""
    names = [
        "channels",
        *(name for name, _ in FIGURES),
        *(f"Δ {name}" for name, _ in FIGURES[:2]),
        "ECE",
        "hot found",
        "false",
        "uplift held",
        "teaser",
    ]
    lines = ["**Ablation**", "", f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    whole = by_mask.get(ALL, {}).get("livecut", [])
    for mask, by_method in by_mask.items():
        rows = by_method["livecut"]
        cells = [f"{mean([getattr(row, figure) for row in rows]):.3f}" for _, figure in FIGURES]
        cells += [_difference(rows, whole, figure) if mask != ALL else "" for _, figure in FIGURES[:2]]
        gain = teaser_gain(rows)
        cells += [shown(rows, ece), *_hot(rows), f"{gain:.1f}×" if gain == gain else "–"]
        lines.append(f"| {mask} | {' | '.join(cells)} |")
    return [*lines, ""]


def _difference(rows: Sequence[Score], whole: Sequence[Score], figure: str) -> str:
    """Write how a figure differs from that of all channels, on the same streams."""
    if len(rows) != len(whole):
        return "–"
    gaps = [getattr(row, figure) - getattr(one, figure) for row, one in zip(rows, whole, strict=True)]
    low, high = interval(gaps, mean)
    return f"{mean(gaps):+.3f} [{low:+.3f} {high:+.3f}]"


def _hot(rows: Sequence[Score]) -> tuple[str, str, str]:
    """Write hot products found of those that are, false ones, and how many intervals held the true uplift."""
    found, wanted, false, near = (sum(getattr(row, f"hot_{what}") for row in rows) for what in ("found", "wanted", "false", "near"))
    covered = [held for row in rows for held in row.covered]
    held = f"{mean([float(c) for c in covered]):.2f} of {len(covered)}" if covered else "–"
    return f"{found} of {wanted}", f"{false}" + (f" ({near} nearly)" if near else ""), held
