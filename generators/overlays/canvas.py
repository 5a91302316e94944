"""The frame that overlays are set in: its size, its grid and safe box, the style's colours and type, and what the shots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from generators.layout import Area, Layout, layout
from generators.overlays.ground import Ground
from generators.overlays.typeset import Type
from generators.overlays.views import Span, View
from generators.values import Cutout, Palette, Photo, Storyboard

MARGIN = 0.06
"""Free border of frames that are not portrait, as a share of each side: nothing covers them there."""
READABLE = 4.5
"""Least contrast of words to whatever is behind them (WCAG 2, level AA)."""
SAFELY = 5.0
"""The same for words on the set, whose tones are measured on a frame made small."""
SMALLEST = 0.6
"""Share of the words' area that a platform's safe box has to leave; below that, words go wherever the box allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What every overlay needs to know."""

    width_px: int
    height_px: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of what the platform leaves free, in output pixels."""
    palette: Palette
    type: Type
    title_at: Literal["top", "bottom", "left"] = "top"
    taken_px: float = 0.0
    """Height at the top of the box that the label needs."""
    ground: Ground = field(default_factory=Ground)
    """What the shots look like underneath."""
    views: tuple[View, ...] = ()
    """Where the product is in the shots; nothing keeps words out of their area where there are none."""
    hero: tuple[Photo, Cutout] | None = None
    """The product as the end card shows it."""

    @property
    def unit(self) -> float:
        """Pixels of one design unit: the design is made for a short edge of 1080."""
        return min(self.width_px, self.height_px) / 1080

    @property
    def middle(self) -> float:
        """Where centred type stands: the frame's middle."""
        return self.width_px / 2

    @property
    def grid(self) -> Layout:
        """The frame's grid."""
        return layout(self.title_at, self.width_px, self.height_px)

    @property
    def free(self) -> Area:
        """The safe box below the label."""
        left, top, right, bottom = self.box
        return Area(left, top + self.taken_px, right, bottom)

    @property
    def align(self) -> Literal["left", "middle"]:
        """How words are aligned in their area."""
        return "left" if self.grid.is_column or self.title_at == "left" else self.type.align

    @property
    def words(self) -> Area:
        """Where title and price stand: the grid's area inside the safe box, even about the middle where words are centred."""
        whole = self.grid.words
        area = whole.within(self.free)
        if area.width < SMALLEST * whole.width or area.height < SMALLEST * whole.height:
            area = self.free
        if self.align == "left":
            return area
        half = min(self.middle - area.left, area.right - self.middle)
        return replace(area, left=self.middle - half, right=self.middle + half)

    def left_of(self, width: float) -> float:
        """Left edge of something `width` wide, as the style aligns it."""
        return self.words.left if self.align == "left" else self.middle - width / 2

    def tones(self, area: Area, spans: Sequence[Span]) -> tuple[str, ...]:
        """Return the colours that words in an area have to stand out from; the style's ground where nothing was looked at."""
        found = tuple(tone for start, end in spans for tone in self.ground.tones(area, start, end))
        return found or (self.palette.background,)


def box_in(board: Storyboard, safe_box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Scale the platform's safe box, which is given for 1080×1920, to a frame; other shapes get an even margin."""
    if board.height_px / board.width_px > 1.6:
        x, y = board.width_px / 1080, board.height_px / 1920
        return safe_box[0] * x, safe_box[1] * y, safe_box[2] * x, safe_box[3] * y
    x, y = board.width_px * MARGIN, board.height_px * MARGIN
    return x, y, board.width_px - x, board.height_px - y


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


def legible(colour: str, ground: str, least: float = READABLE) -> str:
    """The colour itself where it stands out from its ground, else black or white."""
    return readable((colour,), (ground,), least) or max(("#141414", "#ffffff"), key=lambda other: contrast(other, ground))


def readable(colours: Sequence[str], tones: Sequence[str], least: float = READABLE) -> str | None:
    """Return the first colour that stands out from every tone; None when none does."""
    return next((colour for colour in colours if all(contrast(colour, tone) >= least for tone in tones)), None)


def quiet(colour: str, ground: str, *, share: float = 0.3) -> str:
    """Let a colour step back towards its ground, as far as it can still be read."""
    from clipper.captions.style import rgba

    front, back = rgba(colour)[:3], rgba(ground)[:3]
    while share > 0:
        mixed = "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(front, back, strict=True))
        if contrast(mixed, ground) >= READABLE + 0.3:
            return mixed
        share -= 0.05
    return colour
