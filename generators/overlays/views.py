"""What the shots leave free: where the product is while a text is to be read, and so when the text may stand in its own area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generators.layout import Area

LEAST_S = 0.7
"""Nothing is shown for less."""
Span = tuple[float, float]
"""Seconds on the video's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One shot as the overlays see it."""

    start: float
    """Seconds on the video's clock: where the shot is seen alone, after its transition."""
    end: float
    cut: float
    """Where the shot begins."""
    products: tuple[tuple[float, Area | None], ...]
    """Instants of the shot and the product's area at each, in output pixels; None where nobody knows it."""

    def clear(self, area: Area) -> Span | None:
        """Return when the product stays out of an area, up to the shot's end; None when it never does for long enough."""
        if any(product is None for _, product in self.products):
            return None
        met = [at for at, (_, product) in enumerate(self.products) if product is not None and product.meets(area)]
        if not met:
            return self.start, self.end
        if met[-1] + 1 >= len(self.products):
            return None
        begins = max(self.start, self.products[met[-1] + 1][0])
        return (begins, self.end) if self.end - begins >= LEAST_S else None


def clear_spans(views: Sequence[View], area: Area, span: Span) -> list[Span]:
    """Return when a text that is wanted throughout a span may stand in its area; all of it where no shot is known."""
    if not views:
        return [span]
    found: list[Span] = []
    last: float | None = None
    for view in views:
        free = view.clear(area)
        if free is None:
            last = None
            continue
        joined = last is not None and free[0] <= view.start + 1e-6
        begins = found.pop()[0] if joined else free[0]
        if not found and not joined and view is views[0] and free[0] <= view.start + 1e-6:
            begins = min(begins, view.cut)
        found.append((begins, free[1]))
        last = free[1]
    return _within(found, span)


def close_spans(views: Sequence[View], area: Area, span: Span) -> list[Span]:
    """Return when the product fills the area throughout a shot: a text has to stand on a panel of its own then, or to wait."""
    found: list[Span] = []
    for view in views:
        if view.clear(area) is None:
            begins = found.pop()[0] if found and abs(found[-1][1] - view.cut) < 1e-6 else view.cut
            found.append((begins, view.end))
    return _within(found, span)


def _within(found: Sequence[Span], span: Span) -> list[Span]:
    cut = [(max(start, span[0]), min(end, span[1])) for start, end in found]
    return [(start, end) for start, end in cut if end - start >= min(LEAST_S, span[1] - span[0]) - 1e-6]
