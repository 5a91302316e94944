"""Where things lie in the frame: similarities.

Coordinates are those of pixel areas: pixel i covers [i, i + 1). Only uniform scale and translation exist here, so nothing
that is drawn through them can be stretched or turned.
"""

from __future__ import annotations

from dataclasses import dataclass

from generators.layout import Area


@dataclass(frozen=True, slots=True)
class Similarity:
    """A uniform scale and a translation: (x, y) goes to (scale * x + x0, scale * y + y0)."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def after(self, first: Similarity) -> Similarity:
        """Compose: first `first`, then this."""
        return Similarity(self.scale * first.scale, self.scale * first.x + self.x, self.scale * first.y + self.y)

    def inverse(self) -> Similarity:
        """Return the similarity that undoes this one."""
        return Similarity(1 / self.scale, -self.x / self.scale, -self.y / self.scale)

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """Map a point."""
        return self.scale * x + self.x, self.scale * y + self.y

    def damped(self, depth: float) -> Similarity:
        """Return what a plane farther away does under the same camera: `depth` of the movement, around the same fixed point."""
        scale = self.scale**depth
        share = depth if abs(self.scale - 1) < 1e-9 else (scale - 1) / (self.scale - 1)
        return Similarity(scale, self.x * share, self.y * share)

    def moved(self, dx: float, dy: float) -> Similarity:
        """Add a translation after this."""
        return Similarity(self.scale, self.x + dx, self.y + dy)


def around(scale: float, x: float, y: float, to_x: float, to_y: float) -> Similarity:
    """Return the similarity of that scale which brings the point (x, y) to (to_x, to_y)."""
    return Similarity(scale, to_x - scale * x, to_y - scale * y)


def inside(view: Similarity, box: tuple[float, float, float, float], area: Area) -> Similarity:
    """Return the nearest view in which what lies at `box` at rest stays inside an area: made smaller first, then shifted."""
    left, top, right, bottom = box
    wide, tall = view.scale * (right - left), view.scale * (bottom - top)
    share = min(1.0, area.width / wide, area.height / tall)
    x, y = (left + right) / 2, (top + bottom) / 2
    view = around(view.scale * share, x, y, *view.apply(x, y))
    x0, y0 = view.apply(left, top)
    x1, y1 = view.apply(right, bottom)
    return view.moved(max(0.0, area.left - x0) - max(0.0, x1 - area.right), max(0.0, area.top - y0) - max(0.0, y1 - area.bottom))


def between(start: Similarity, end: Similarity, share: float) -> Similarity:
    """Travel from one view to another as a zoom does: scale geometrically, around one fixed point.

    A share outside [0, 1] goes on in the same way.
    """
    ratio = end.scale / start.scale
    scale = float(start.scale * ratio**share)
    at = share if abs(ratio - 1) < 1e-9 else (scale - start.scale) / (end.scale - start.scale)
    return Similarity(scale, start.x + (end.x - start.x) * at, start.y + (end.y - start.y) * at)
