"""Where words and product stand in a frame: one grid per shape of frame and place of the title, read by whoever draws either.

The camera keeps the product's silhouette inside its area in every wide shot, the overlays keep inside theirs, and the two never
meet: nothing has to be dodged frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

TALL = 1.6
"""From this ratio of height to width on a frame is one for phones, with an app's controls over it."""

Side = Literal["above", "below", "left", "right"]


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in output pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the area."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def meets(self, other: Area) -> bool:
        """Say whether two areas share pixels."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def within(self, other: Area) -> Area:
        """Return what both have in common; turned inside out where that is nothing."""
        return Area(max(self.left, other.left), max(self.top, other.top), min(self.right, other.right), min(self.bottom, other.bottom))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The grid of one frame."""

    words: Area
    product: Area
    """Where the product rests."""
    print_: Area
    """Where a whole photo rests as a print: larger, for its product fills a part of it only."""
    free: Area
    """How far it may go while it moves: its own area, and the frame on the sides where no words stand."""
    print_free: Area
    """How far a print may go."""
    side: Side
    """Where the words stand, seen from the product."""

    @property
    def is_column(self) -> bool:
        """Say whether words and product stand side by side."""
        return self.side in ("left", "right")


# Words, product: (left, top, right, bottom) as fractions of the frame. In tall frames words stay between 14 and 65 % of the
# height and left of 87 % of the width, clear of what apps lay over a video; the product and its set may reach farther.
_ABOVE: tuple[Side, tuple[float, ...], tuple[float, ...]] = ("above", (0.06, 0.14, 0.87, 0.352), (0.05, 0.372, 0.95, 0.835))
_COLUMN: tuple[Side, tuple[float, ...], tuple[float, ...]] = ("left", (0.06, 0.12, 0.43, 0.88), (0.46, 0.07, 0.95, 0.93))
_GRID: dict[str, dict[str, tuple[Side, tuple[float, ...], tuple[float, ...]]]] = {
    "tall": {
        "top": _ABOVE,
        "left": _ABOVE,
        "bottom": ("below", (0.06, 0.492, 0.87, 0.65), (0.05, 0.06, 0.95, 0.475)),
    },
    "portrait": {
        "top": ("above", (0.06, 0.06, 0.94, 0.30), (0.08, 0.325, 0.92, 0.93)),
        "left": ("above", (0.06, 0.06, 0.94, 0.30), (0.08, 0.325, 0.92, 0.93)),
        "bottom": ("below", (0.06, 0.70, 0.94, 0.94), (0.08, 0.06, 0.92, 0.675)),
    },
    "square": {
        "top": ("above", (0.06, 0.06, 0.94, 0.305), (0.10, 0.33, 0.90, 0.93)),
        "left": ("left", (0.06, 0.10, 0.42, 0.90), (0.45, 0.10, 0.95, 0.90)),
        "bottom": ("below", (0.06, 0.695, 0.94, 0.94), (0.10, 0.06, 0.90, 0.67)),
    },
    "wide": {
        "top": _COLUMN,
        "left": _COLUMN,
        "bottom": ("right", (0.57, 0.12, 0.94, 0.88), (0.05, 0.07, 0.54, 0.93)),
    },
}


def shape_of(width: float, height: float) -> str:
    """Name a frame's shape: tall, portrait, square or wide."""
    share = height / width
    return "tall" if share > TALL else "portrait" if share > 1.15 else "square" if share > 0.87 else "wide"


def layout(title_at: str, width: float, height: float) -> Layout:
    """Solve the grid for a frame of that size; `title_at` is the style's: top, bottom or left."""
    side, words, product = _GRID[shape_of(width, height)][title_at]
    place = _scaled(product, width, height)
    edge = 0.012 * width
    free = Area(
        place.left if side == "left" else edge,
        place.top if side == "above" else 0.02 * height,
        place.right if side == "right" else width - edge,
        place.bottom if side == "below" else max(0.9 * height, place.bottom) if side == "above" else 0.98 * height,
    )
    print_, print_free = place, free
    if side == "above" and height > TALL * width:
        print_ = replace(place, left=0.03 * width, right=0.97 * width, bottom=0.9 * height)
        print_free = replace(free, bottom=0.925 * height)
    return Layout(words=_scaled(words, width, height), product=place, print_=print_, free=free, print_free=print_free, side=side)


def _scaled(box: tuple[float, ...], width: float, height: float) -> Area:
    left, top, right, bottom = box
    return Area(left * width, top * height, right * width, bottom * height)
