"""The price: what the eye goes to. A small currency sign, large figures, small decimals, and the old price struck out.

Four shapes: plain figures, a pill, a burst of points, and a tag with its hole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clipper.captions.style import rgba
from clipper.drawing import panel, with_shadow
from generators.overlays.canvas import SAFELY, Canvas, contrast, legible, quiet, readable
from generators.overlays.typeset import FINE, Line, Run, clean, lighter, set_line

SIZE = 128.0
"""Design units an em of the figures."""
_FIGURES = re.compile(r"^(\D*?)\s*([\d,]+)((?:\.\d+)?)\s*(.*)$")
POINTS = 20
"""Of the burst."""


@dataclass(frozen=True, slots=True, eq=False)
class Price:
    """A drawn price."""

    picture: Any
    """RGBA, with its shadow."""
    inset: int
    """Border around the shape, for the shadow."""

    @property
    def width(self) -> float:
        """Width of the shape in pixels."""
        return float(self.picture.width - 2 * self.inset)

    @property
    def height(self) -> float:
        """Height of the shape in pixels."""
        return float(self.picture.height - 2 * self.inset)


def price_picture(text: str, old: str, canvas: Canvas, badge: str, share: float = 1.0, tones: Sequence[str] = ()) -> Price | None:
    """Draw a price in one of the four shapes, at a share of the full size; None for a price without a letter.

    Plain figures have no ground of their own: where the style's colours do not stand out from `tones`, they get a pill.
    """
    text = clean(text, canvas.type)
    if not text:
        return None
    colours = canvas.palette
    grounds = tuple(tones) or (colours.background,)
    bare = readable((colours.accent, colours.ink), grounds, SAFELY) if badge == "plain" else None
    if bare:
        ground = min(grounds, key=lambda tone: contrast(bare, tone))
        line = _figures(text, old, canvas, share, bare, ground)
        return Price(line.picture.crop(line.picture.getbbox() or (0, 0, 1, 1)), 0)
    ink = legible(colours.on_accent, colours.accent)
    line = _figures(text, old, canvas, 0.86 * share, ink, colours.accent)
    picture: Any = {"burst": _burst, "tag": _tag}.get(badge, _pill)(line, canvas)
    blur = 9 * canvas.unit
    return Price(with_shadow(picture, blur, 70), round(3 * blur))


def _figures(text: str, old: str, canvas: Canvas, share: float, ink: str, ground: str) -> Line:
    kind = canvas.type
    size = SIZE * canvas.unit * share
    found = _FIGURES.match(text)
    if found is None:
        return set_line([Run(text=text, size_px=size * 0.6, fill=ink)], kind)
    sign, whole, decimals, after = found.groups()
    small = lighter(kind)
    runs = [
        Run(text=sign.strip(), size_px=size * 0.5, fill=ink),
        Run(text=whole, size_px=size, fill=ink, gap_px=size * 0.03),
        Run(text=decimals, size_px=size * 0.5, fill=ink),
        Run(text=after, size_px=size * 0.34, fill=ink, gap_px=size * 0.05),
    ]
    struck = clean(old, small)
    if struck:
        runs.append(Run(text=struck, size_px=size * 0.36, fill=quiet(ink, ground), struck=True, gap_px=size * 0.16))
    return set_line(runs, kind)


def _on(shape: Any, line: Line, x: float, middle: float) -> Any:
    """Set the line on a shape: its advance begins at `x`, its figures stand centred on `middle`."""
    figure = line.size_px * 0.733  # height of Noto's figures
    shape.alpha_composite(line.picture, (max(0, round(x - line.pad)), max(0, round(middle + figure / 2 - line.baseline))))
    return shape


def _pill(line: Line, canvas: Canvas) -> Any:
    high, pad = round(line.size_px * 1.42), line.size_px * 0.46
    shape = panel((round(line.width + 2 * pad), high), high / 2, canvas.palette.accent)
    return _on(shape, line, pad, high / 2)


def _tag(line: Line, canvas: Canvas) -> Any:
    """A price tag: pointed on the left, with a hole."""
    from PIL import Image, ImageDraw

    high, nose, pad = round(line.size_px * 1.42), line.size_px * 0.62, line.size_px * 0.36
    wide = round(nose + line.size_px * 0.18 + line.width + pad)
    radius = line.size_px * 0.14
    large = Image.new("L", (wide * FINE, high * FINE), 0)
    draw = ImageDraw.Draw(large)
    w, h, n, r = wide * FINE, high * FINE, nose * FINE, radius * FINE
    draw.rounded_rectangle((n - r, 0, w - 1, h - 1), radius=r, fill=255)
    draw.polygon([(n, 0), (n, h), (r * 1.2, h * 0.5 + r), (r * 0.9, h * 0.5), (r * 1.2, h * 0.5 - r)], fill=255)
    hole = h * 0.085
    draw.ellipse((n * 0.82 - hole, h / 2 - hole, n * 0.82 + hole, h / 2 + hole), fill=0)
    shape = Image.new("RGBA", (wide, high), (*rgba(canvas.palette.accent)[:3], 0))
    shape.putalpha(large.resize((wide, high), Image.Resampling.BOX))
    return _on(shape, line, nose + line.size_px * 0.18, high / 2)


def _burst(line: Line, canvas: Canvas) -> Any:
    """A round of soft points, tilted a little."""
    from PIL import Image, ImageDraw

    radius = line.width / 2 + line.size_px * 0.42
    side = round(radius * 2.16)
    large = Image.new("L", (side * FINE, side * FINE), 0)
    middle = side * FINE / 2
    outline = []
    for step in range(POINTS * 16):
        angle = 2 * math.pi * step / (POINTS * 16)
        reach = radius * FINE * (1.0 + 0.052 * math.cos(angle * POINTS))
        outline.append((middle + reach * math.cos(angle), middle + reach * math.sin(angle)))
    ImageDraw.Draw(large).polygon(outline, fill=255)
    shape = Image.new("RGBA", (side, side), (*rgba(canvas.palette.accent)[:3], 0))
    shape.putalpha(large.resize((side, side), Image.Resampling.BOX))
    ring = round(radius * 1.78)
    _ring(shape, ring, canvas)
    _on(shape, line, side / 2 - line.width / 2, side / 2)
    return shape.rotate(7, Image.Resampling.BICUBIC)


def _ring(shape: Any, across: int, canvas: Canvas) -> None:
    from PIL import Image, ImageDraw

    large = Image.new("L", (across * FINE, across * FINE), 0)
    width = max(1, round(2.5 * canvas.unit * FINE))
    ImageDraw.Draw(large).ellipse((width, width, across * FINE - width, across * FINE - width), outline=150, width=width)
    line = Image.new("RGBA", (across, across), (*rgba(canvas.palette.on_accent)[:3], 0))
    line.putalpha(large.resize((across, across), Image.Resampling.BOX))
    at = (shape.width - across) // 2
    shape.alpha_composite(line, (at, at))
