"""Selling points, the call to action and the logo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clipper.captions.style import rgba
from clipper.drawing import MAX_PIXELS, panel, with_shadow
from clipper.errors import InputError
from generators.overlays.canvas import Canvas, legible
from generators.overlays.motion import Layer, fade, out_back, out_cubic, slide
from generators.overlays.typeset import FINE, Line, Run, Type, clean, lighter, rows_in, set_line, tell_cut
from generators.sprites import Pose, sprite
from generators.values import Overlay

POINT_SIZE, CALL_SIZE = 44.0, 48.0
LEADING = 1.3
"""From one line's middle to the next one's, in em."""
LOGO = 150.0
PULSE_S = 1.4
"""The call breathes once in this time."""


def point_picture(text: str, canvas: Canvas, room: float) -> Any | None:
    """Draw one selling point as a bar of the style's ground with an accent tick; None for a point without a letter."""
    kind = lighter(canvas.type)
    text = clean(text, kind)
    if not text:
        return None
    unit = canvas.unit
    ground = canvas.palette.background
    size, lines = _set(text, POINT_SIZE * unit, kind, room - 130 * unit, legible(canvas.palette.ink, ground))
    high, pad, tick = round(size * (1.9 + LEADING * (len(lines) - 1))), size * 0.62, size * 0.52
    wide = max(line.width for line in lines)
    bar = panel((round(2 * pad + tick + size * 0.4 + wide), high), size * 0.95, ground + "f0")
    bar.alpha_composite(_tick(tick, canvas), (round(pad), round((high - tick) / 2)))
    for line, middle in zip(lines, _middles(high, size, lines), strict=True):
        bar.alpha_composite(line.picture, (round(pad + tick + size * 0.4 - line.pad), round(middle + size * 0.37 - line.baseline)))
    return bar


def _set(text: str, size_px: float, kind: Type, room: float, ink: str) -> tuple[float, list[Line]]:
    """Set a short text on one line, or, where that would cut it, on two; the size in px an em, and the lines."""
    size, rows = rows_in(text, size_px, kind, room, rows=1, smallest=0.7)
    if rows != [text]:
        size, rows = rows_in(text, size_px, kind, room, rows=2, smallest=0.5)
        tell_cut(rows, text)
    return size, [set_line([Run(text=row, size_px=size, fill=ink)], kind) for row in rows]


def _middles(high: float, size: float, lines: Sequence[Line]) -> list[float]:
    """Heights of the lines' middles in a bar."""
    return [high / 2 + LEADING * size * (number - (len(lines) - 1) / 2) for number in range(len(lines))]


def draw_point(bar: Any, canvas: Canvas, foot: float, span: tuple[float, float]) -> Layer:
    """Let a point's bar slide in and stand on `foot`."""
    picture, edge = with_shadow(bar, 7 * canvas.unit, 46), round(3 * 7 * canvas.unit)
    pose = slide(canvas.left_of(bar.width) - edge, foot - bar.height - edge, span[1] - span[0], by=-70 * canvas.unit)
    return Layer(sprite=sprite(picture), start=span[0], end=span[1], order=13, pose=pose)


def _tick(side: float, canvas: Canvas) -> Any:
    """A round mark with a tick in it."""
    from PIL import Image, ImageDraw

    large = round(side * FINE)
    picture = Image.new("RGBA", (large, large), (*rgba(canvas.palette.accent)[:3], 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((0, 0, large - 1, large - 1), fill=rgba(canvas.palette.accent))
    ink = rgba(legible(canvas.palette.on_accent, canvas.palette.accent))
    width = max(1, round(large * 0.11))
    draw.line(
        [(large * 0.27, large * 0.52), (large * 0.44, large * 0.68), (large * 0.74, large * 0.34)], fill=ink, width=width, joint="curve"
    )
    return picture.resize((max(1, round(side)), max(1, round(side))), Image.Resampling.BOX)


def draw_call(overlay: Overlay, canvas: Canvas, foot: float, span: tuple[float, float]) -> list[Layer]:
    """Draw the call as a button that breathes, standing on `foot`."""
    picture, edge = call_picture(overlay.text, canvas)
    if picture is None:
        return []
    high = picture.height - 2 * edge
    x = canvas.left_of(picture.width - 2 * edge) - edge
    pose = _breathing(x, foot - high - edge, span[1] - span[0])
    return [Layer(sprite=sprite(picture), start=span[0], end=span[1], order=16, pose=pose)]


def call_picture(text: str, canvas: Canvas) -> tuple[Any, int]:
    """Draw the button; returns the RGBA picture and the border around it (for the shadow)."""
    kind = lighter(canvas.type)
    text = clean(text, kind)
    if not text:
        return None, 0
    unit = canvas.unit
    ink = legible(canvas.palette.on_accent, canvas.palette.accent)
    size, lines = _set(text, CALL_SIZE * unit, kind, canvas.words.width - 150 * unit, ink)
    high, pad, arrow = round(size * (1.95 + LEADING * (len(lines) - 1))), size * 0.85, size * 0.42
    wide = max(line.width for line in lines)
    button = panel((round(2 * pad + wide + size * 0.35 + arrow), high), size * 0.97, canvas.palette.accent)
    for line, middle in zip(lines, _middles(high, size, lines), strict=True):
        button.alpha_composite(line.picture, (round(pad + (wide - line.width) / 2 - line.pad), round(middle + size * 0.37 - line.baseline)))
    button.alpha_composite(_arrow(arrow, ink, size * 0.075), (round(pad + wide + size * 0.35), round((high - arrow * 1.4) / 2)))
    blur = 9 * unit
    return with_shadow(button, blur, 80), round(3 * blur)


def _arrow(side: float, ink: str, width: float) -> Any:
    from PIL import Image, ImageDraw

    size = (round(side * FINE), round(side * 1.4 * FINE))
    picture = Image.new("RGBA", size, (*rgba(ink)[:3], 0))
    w, h = size
    draw = ImageDraw.Draw(picture)
    draw.line(
        [(w * 0.25, h * 0.2), (w * 0.7, h * 0.5), (w * 0.25, h * 0.8)], fill=rgba(ink), width=max(1, round(width * FINE)), joint="curve"
    )
    return picture.resize((max(1, round(side)), max(1, round(side * 1.4))), Image.Resampling.BOX)


def _breathing(x: float, y: float, seconds: float) -> Any:
    def pose(time: float) -> Pose:
        share = time / 0.45
        size = 0.8 + 0.2 * out_back(share) if share < 1 else 1 + 0.018 * math.sin(2 * math.pi * (time - 0.45) / PULSE_S)
        return Pose(x=x, y=y, scale=size, opacity=out_cubic(share * 2) * out_cubic((seconds - time) / 0.28))

    return pose


def draw_logo(overlay: Overlay, canvas: Canvas) -> list[Layer]:
    """Set the logo into the upper right corner of the safe box. Raises InputError when its file cannot be used."""
    picture = _logo(overlay, canvas)
    _, top, right, _ = canvas.box
    pose = fade(round(right - picture.width), round(top), overlay.end - overlay.start, opacity=0.94)
    return [Layer(sprite=sprite(picture), start=overlay.start, end=overlay.end, order=18, pose=pose)]


def _logo(overlay: Overlay, canvas: Canvas) -> Any:
    from PIL import Image, ImageOps

    side = max(8, round(LOGO * canvas.unit))
    if not overlay.image:
        raise InputError("could not draw the logo: the overlay names no image; give `image` a PNG with transparency")
    try:
        with Image.open(Path(overlay.image), formats=("PNG", "JPEG", "WEBP")) as file:
            if file.width * file.height > MAX_PIXELS:
                raise InputError(f"could not use logo {overlay.image}: {file.width}×{file.height} px is too large; give a smaller picture")
            return ImageOps.contain(ImageOps.exif_transpose(file).convert("RGBA"), (2 * side, side), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"could not read logo {overlay.image}: {error}; give a PNG, JPEG or WebP file") from error
