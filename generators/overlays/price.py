"""The price: what the eye goes to. A small currency sign, large figures, small decimals, and the old price struck out.

Four shapes: plain figures, a pill, a burst of points, and a tag with its hole.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from clipper.captions.style import rgba
from clipper.drawing import panel, with_shadow
from generators.overlays.canvas import Canvas, contrast, legible
from generators.overlays.motion import Layer, pop
from generators.overlays.typeset import FINE, Line, Run, clean, lighter, set_line
from generators.sprites import sprite
from generators.values import Overlay

SIZE = 128.0
"""Design units an em of the figures."""
_FIGURES = re.compile(r"^(\D*?)\s*([\d,]+)((?:\.\d+)?)\s*(.*)$")
LEAST_CONTRAST = 2.6
"""Figures without a shape behind them need this much contrast to what is under them (WCAG ratio)."""
POINTS = 20
"""Of the burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where overlays of the lower half may stand, in output pixels."""

    foot: float
    """They stand on this."""
    head: float
    """Below title and label."""
    beside: float | None = None
    """Left edge of what is free at the right of the title; None when nothing is."""


def draw_price(overlay: Overlay, canvas: Canvas, badge: str, room: Room) -> tuple[list[Layer], float]:
    """Draw the price where it covers least: at the foot, left or right, below the title, or beside it.

    Returns its layers and the height that it takes at the foot, 0 when it went elsewhere.
    """
    picture, inset = price_picture(overlay.text, overlay.detail, canvas, badge)
    if picture is None:
        return [], 0.0
    seconds = overlay.end - overlay.start
    width, height = picture.width - 2 * inset, picture.height - 2 * inset
    places = _places(width, height, canvas, room)
    boxes = [((x, y, x + width, y + height), handicap) for x, y, handicap in places]
    chosen = canvas.ground.calmest(boxes, overlay.start, overlay.end)
    under = canvas.ground.colour(boxes[chosen][0], overlay.start, overlay.end)
    if badge == "plain" and under and contrast(legible(canvas.palette.accent, canvas.palette.background), under) < LEAST_CONTRAST:
        return draw_price(overlay, canvas, "pill", room)  # bare figures would not be seen there
    x, y, _ = places[chosen]
    pose = pop(x - inset, y - inset, seconds, late=0.05)
    return [Layer(sprite=sprite(picture), start=overlay.start, end=overlay.end, order=14, pose=pose)], height if y > room.head else 0.0


def _places(width: float, height: float, canvas: Canvas, room: Room) -> list[tuple[float, float, float]]:
    """Where a price may stand: left, top, and by how much (in steps of gradient) a place is liked less than the first."""
    left, right, low, head = canvas.left_of(width), canvas.box[2] - width, room.foot - height, room.head
    if canvas.type.align == "middle":
        return [(left, low, 0.0), (canvas.box[0], low, 1.5), (right, low, 1.5), (left, head, 2.0)]
    found = [(left, low, 0.0), (right, low, 1.0), (left, head, 2.0), (right, head, 2.5)]
    if room.beside is not None and right >= room.beside:
        found.append((right, canvas.box[1] + canvas.taken_px, 3.0))
    return found


def price_picture(text: str, old: str, canvas: Canvas, badge: str) -> tuple[Any, int]:
    """Draw a price in one of the four shapes; returns the RGBA picture and the border around its shape (for the shadow)."""
    line = _figures(text, old, canvas, badge)
    if line is None:
        return None, 0
    draw = {"pill": _pill, "burst": _burst, "tag": _tag}.get(badge, _plain)
    picture: Any = draw(line, canvas)
    if badge == "plain":
        return picture, 0
    blur = 9 * canvas.unit
    return with_shadow(picture, blur, 70), round(3 * blur)


def _figures(text: str, old: str, canvas: Canvas, badge: str) -> Line | None:
    kind = canvas.type
    text = clean(text, kind)
    if not text:
        return None
    on = canvas.palette.on_accent if badge != "plain" else legible(canvas.palette.accent, canvas.palette.background)
    ground = canvas.palette.accent if badge != "plain" else canvas.palette.background
    ink = legible(on, ground)
    size = SIZE * canvas.unit * (0.86 if badge != "plain" else 1.0)
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
        faint = ink + "b8" if badge != "plain" else legible(canvas.palette.ink, canvas.palette.background) + "99"
        runs.append(Run(text=struck, size_px=size * 0.34, fill=faint, struck=True, gap_px=size * 0.16))
    return set_line(runs, kind)


def _plain(line: Line, canvas: Canvas) -> Any:
    """Figures alone, over a haze of the style's ground that lets them stand on any picture."""
    from PIL import Image, ImageFilter

    soft = line.size_px * 0.16
    haze = line.picture.getchannel("A").filter(ImageFilter.GaussianBlur(soft)).point(lambda value: min(200, round(value * 1.7)))
    picture = Image.new("RGBA", line.picture.size, (*rgba(canvas.palette.background)[:3], 0))
    picture.putalpha(haze)
    picture.alpha_composite(line.picture)
    return picture


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
