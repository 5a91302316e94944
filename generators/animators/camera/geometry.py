"""Where things lie in the frame: similarities, and the place a style leaves free for the product.

Coordinates are those of pixel areas: pixel i covers [i, i + 1). Only uniform scale and translation exist here, so nothing
that is drawn through them can be stretched or turned.
"""

from __future__ import annotations

from dataclasses import dataclass

from generators.values import Style


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


def between(start: Similarity, end: Similarity, share: float) -> Similarity:
    """Travel from one view to another as a zoom does: scale geometrically, around one fixed point.

    A share outside [0, 1] goes on in the same way.
    """
    ratio = end.scale / start.scale
    scale = float(start.scale * ratio**share)
    at = share if abs(ratio - 1) < 1e-9 else (scale - start.scale) / (end.scale - start.scale)
    return Similarity(scale, start.x + (end.x - start.x) * at, start.y + (end.y - start.y) * at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The part of the frame that type leaves to the product, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the room."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


# (left, top, right, bottom) as fractions of the frame: the title stands above, below, or beside. In tall frames type stays
# above 65 % of the height, over what apps cover; there a price may touch the product's foot, and never its middle.
_ROOMS = {
    "tall": {"top": (0.05, 0.265, 0.95, 0.69), "bottom": (0.05, 0.075, 0.95, 0.51), "left": (0.08, 0.36, 0.96, 0.76)},
    "square": {"top": (0.14, 0.25, 0.86, 0.86), "bottom": (0.14, 0.09, 0.86, 0.68), "left": (0.40, 0.13, 0.95, 0.86)},
    "wide": {"top": (0.20, 0.25, 0.80, 0.88), "bottom": (0.20, 0.08, 0.80, 0.70), "left": (0.44, 0.12, 0.94, 0.88)},
}


def room(style: Style, width: int, height: int) -> Room:
    """Choose where the product stands in a frame of that shape, with the title where the style puts it."""
    shape = "tall" if height > 1.15 * width else "square" if height > 0.87 * width else "wide"
    left, top, right, bottom = _ROOMS[shape][style.title_at]
    return Room(left=left * width, top=top * height, right=right * width, bottom=bottom * height)
