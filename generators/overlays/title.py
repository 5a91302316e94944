"""The title: a rule, one or two lines that rise from behind an edge, and a quiet second line."""

from __future__ import annotations

from clipper.drawing import panel
from generators.overlays.canvas import Canvas, contrast, legible, scrim
from generators.overlays.motion import Layer, fade, grow, reveal
from generators.overlays.typeset import Line, Run, clean, lighter, rows_in, set_line
from generators.sprites import sprite
from generators.values import Overlay

SIZE, DETAIL_SIZE = 100.0, 42.0
"""Design units an em."""
STAGGER_S = 0.09
READABLE = 5.5
"""Contrast (WCAG ratio) from which a title needs no ground of its own, where it lies on something calm."""
CALM = 5.0
"""Busyness of the ground up to which that holds."""
SCRIM = 0.66
"""Opacity of the ground behind the title."""
REACH = 200.0
"""Design units over which the ground fades out beyond the title."""


def draw_title(overlay: Overlay, canvas: Canvas, at: str) -> list[Layer]:
    """Set the title at the top of the safe box (below the label), or at its foot; `at` is top, bottom or left."""
    lines = _lines(overlay, canvas, at)
    if not lines:
        return []
    unit, seconds = canvas.unit, overlay.end - overlay.start
    rule = 8 * unit
    height = _height(lines, unit)
    top = _top(canvas, at, height)
    layers = [] if _stands(overlay, canvas, top, top + height) else [_ground(overlay, canvas, top, top + height, at)]
    wide = max(line.width for line in lines[:1])
    x = canvas.left_of(wide)
    mark = panel((max(2, round(min(132 * unit, wide))), max(2, round(rule))), rule / 2, canvas.palette.accent)
    centred = canvas.type.align == "middle"
    left = canvas.middle - mark.width / 2 if centred else x
    pose = grow(left, top, mark.width, mark.height, seconds, middle=centred)
    layers.append(Layer(sprite=sprite(mark), start=overlay.start, end=overlay.end, order=11, pose=pose))
    y = top + rule + 26 * unit
    for number, line in enumerate(lines):
        x = canvas.left_of(line.width) - line.pad
        high = line.picture.height
        move = reveal(x, y, high, seconds, late=0.1 + STAGGER_S * number)
        layers.append(Layer(sprite=sprite(line.picture), start=overlay.start, end=overlay.end, order=12, pose=move))
        y += _step(line)
    return layers


def title_height(overlay: Overlay, canvas: Canvas, at: str) -> float:
    """How high the title stands, in output pixels."""
    lines = _lines(overlay, canvas, at)
    return _height(lines, canvas.unit) if lines else 0.0


def title_width(overlay: Overlay, canvas: Canvas, at: str) -> float:
    """How wide the title is, in output pixels."""
    return max((line.width for line in _lines(overlay, canvas, at)), default=0.0)


def _lines(overlay: Overlay, canvas: Canvas, at: str) -> list[Line]:
    room = canvas.room * (0.62 if at == "left" and canvas.type.align == "left" else 1.0)
    ink = legible(canvas.palette.ink, canvas.palette.background)
    text = clean(overlay.text, canvas.type)
    if not text:
        return []
    size, rows = rows_in(text, SIZE * canvas.unit, canvas.type, room, rows=3 if at == "left" else 2)
    lines = [set_line([Run(text=row, size_px=size, fill=ink)], canvas.type) for row in rows]
    quiet = lighter(canvas.type)
    detail = clean(overlay.detail, quiet)
    if detail:
        small, rows = rows_in(detail, DETAIL_SIZE * canvas.unit, quiet, room, rows=1, smallest=0.75)
        colour = legible(canvas.palette.accent, canvas.palette.background, 2.6)
        lines.append(set_line([Run(text=rows[0], size_px=small, fill=colour)], quiet))
    return lines


def _step(line: Line) -> float:
    """From one line's top to the next one's."""
    return line.size_px * 1.3


def _height(lines: list[Line], unit: float) -> float:
    return (8 + 26) * unit + sum(_step(line) for line in lines)


def _top(canvas: Canvas, at: str, height: float) -> float:
    _, top, _, bottom = canvas.box
    if at == "bottom":
        return bottom - height
    return top + canvas.taken_px + (0.12 * (bottom - top) if at == "left" else 0.0)


def _stands(overlay: Overlay, canvas: Canvas, top: float, bottom: float) -> bool:
    """Say whether the title can be read where it stands without a ground of its own."""
    box = (canvas.box[0], top, canvas.box[2], bottom)
    under = canvas.ground.colour(box, overlay.start, overlay.end)
    ink = legible(canvas.palette.ink, canvas.palette.background)
    return under is not None and contrast(ink, under) >= READABLE and canvas.ground.busy(box, overlay.start, overlay.end) <= CALM


def _ground(overlay: Overlay, canvas: Canvas, top: float, bottom: float, at: str) -> Layer:
    """A soft ground in the style's own colour: unseen on the style's backdrop, a help on a photograph."""
    reach = REACH * canvas.unit
    foot = at == "bottom"
    high, low = (top - reach, float(canvas.height_px)) if foot else (0.0, bottom + reach)
    full = 1 - (reach + 40 * canvas.unit) / (low - high)
    colour = canvas.palette.background_end if foot else canvas.palette.background
    ground = scrim(canvas, high, low, colour=colour, strength=SCRIM, from_top=not foot, full=full)
    pose = fade(0.0, high, overlay.end - overlay.start, over=0.5)
    return Layer(sprite=ground, start=overlay.start, end=overlay.end, order=2, pose=pose)
