"""The frame that overlays are set in: its size, its safe box, the style's colours and type, and the corner that is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from generators.overlays.ground import Ground
from generators.overlays.typeset import Type
from generators.sprites import Sprite, sprite
from generators.values import Cutout, Palette, Photo, Storyboard

MARGIN = 0.06
"""Free border of frames that are not portrait, as a share of each side: nothing covers them there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What every overlay needs to know."""

    width_px: int
    height_px: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of what the platform leaves free, in output pixels."""
    palette: Palette
    type: Type
    taken_px: float = 0.0
    """Height at the top of the box that the label needs."""
    ground: Ground = field(default_factory=Ground)
    """What the shots look like underneath."""
    hero: tuple[Photo, Cutout] | None = None
    """The product as the end card shows it."""

    @property
    def unit(self) -> float:
        """Pixels of one design unit: the design is made for a short edge of 1080."""
        return min(self.width_px, self.height_px) / 1080

    @property
    def middle(self) -> float:
        """Where centred type stands: the frame's middle, moved when the box is lopsided and narrow."""
        return self.width_px / 2

    @property
    def room(self) -> float:
        """Width that type may take."""
        left, _, right, _ = self.box
        if self.type.align == "middle":
            return 2 * min(self.middle - left, right - self.middle)
        return right - left

    def left_of(self, width: float) -> float:
        """Left edge of something `width` wide, as the style aligns it."""
        return self.middle - width / 2 if self.type.align == "middle" else self.box[0]


def box_in(board: Storyboard, safe_box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Scale the platform's safe box, which is given for 1080×1920, to a frame; other shapes get an even margin."""
    if board.height_px / board.width_px > 1.6:
        x, y = board.width_px / 1080, board.height_px / 1920
        return safe_box[0] * x, safe_box[1] * y, safe_box[2] * x, safe_box[3] * y
    x, y = board.width_px * MARGIN, board.height_px * MARGIN
    return x, y, board.width_px - x, board.height_px - y


def scrim(canvas: Canvas, top: float, bottom: float, *, colour: str, strength: float, from_top: bool, full: float) -> Sprite:
    """A soft ground for type across the frame, as high as `bottom - top`: even over its share `full` next to the frame's edge."""
    import numpy as np
    from PIL import Image

    from clipper.captions.style import rgba

    rows = (np.arange(max(1, round(bottom - top)), dtype=np.float32) + 0.5) / max(1.0, bottom - top)
    away = rows if from_top else 1 - rows
    fall = 1 - np.clip((away - full) / max(1e-6, 1 - full), 0, 1)
    alpha = 255 * strength * fall * fall * (3 - 2 * fall)
    red, green, blue, _ = rgba(colour)
    picture = np.empty((len(rows), canvas.width_px, 4), np.uint8)
    picture[:, :, :3] = (red, green, blue)
    # a little noise keeps eight bits from showing steps
    noise = np.random.default_rng(0).random((len(rows), canvas.width_px), np.float32)
    picture[:, :, 3] = (alpha[:, None] + noise).astype(np.uint8)
    return sprite(Image.fromarray(picture))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb in [0, 1] (WCAG 2)."""
    from clipper.captions.style import rgba

    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue, _ = rgba(colour)
    return float(0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: str, ground: str, least: float = 3.0) -> str:
    """The colour itself where it stands out from its ground, else black or white."""
    if contrast(colour, ground) >= least:
        return colour
    return max(("#141414", "#ffffff"), key=lambda other: contrast(other, ground))
