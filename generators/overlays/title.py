"""The title: a rule, the brand small above the product's name, and a quiet second line."""

from __future__ import annotations

from dataclasses import dataclass

from clipper.drawing import panel
from generators.overlays.canvas import Canvas
from generators.overlays.motion import Layer, grow, reveal
from generators.overlays.typeset import Line, Run, Type, brand_of, clean, is_wide, lighter, rows_in, set_line, spaced, width_of
from generators.sprites import sprite
from generators.texts import TITLE_WIDTH, width
from generators.values import Overlay

NAME, LATIN, BRAND, DETAIL = 116.0, 92.0, 52.0, 42.0
"""Design units an em: a Chinese name, a Latin one, the brand, the second line."""
RULE, BELOW_RULE = 8.0, 30.0
"""Design units: the rule, and the air under it."""
SMALLEST = 0.45
"""Type shrinks to this share before a name is torn or cut."""
STAGGER_S = 0.09


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a title before it is coloured."""

    text: str
    size_px: float
    type: Type
    step: float
    """From its top to the next one's, in pixels."""
    is_small: bool = False

    @property
    def width(self) -> float:
        """Advance width in pixels."""
        return width_of(self.text, self.size_px, self.type)


def is_long(text: str) -> bool:
    """Say whether a title has a name without a space that is too long for two lines of large type."""
    return any(is_wide(word) and width(word) > TITLE_WIDTH for word in text.split())


def title_rows(overlay: Overlay, canvas: Canvas, room: float, share: float = 1.0, *, rows: int = 0) -> list[Row]:
    """Break a title into lines that fit a width, at a share of the full size; nothing for a title without a letter.

    `rows` is how many lines the name may take; by default two, and three where it is long and has no space.
    """
    rows = rows or (3 if is_long(overlay.text) else 2)
    text = clean(overlay.text, canvas.type)
    if not text:
        return []
    small = lighter(canvas.type)
    unit = canvas.unit * share
    brand, name = brand_of(text)
    found: list[Row] = []
    if brand:
        found.append(_small(brand, BRAND * unit, spaced(small), room, 1.42))
    size, lines = rows_in(name, (NAME if is_wide(name) else LATIN) * unit, canvas.type, room, rows=rows, smallest=SMALLEST)
    found += [Row(text=line, size_px=size, type=canvas.type, step=1.24 * size) for line in lines]
    detail = clean(overlay.detail, small)
    if detail:
        found.append(_small(detail, DETAIL * unit, small, room, 1.5))
    return found


def _small(text: str, size_px: float, kind: Type, room: float, step: float) -> Row:
    size, lines = rows_in(text, size_px, kind, room, rows=1, smallest=SMALLEST)
    return Row(text=lines[0], size_px=size, type=kind, step=step * size, is_small=True)


def height_of(rows: list[Row], unit: float) -> float:
    """How high a title stands, its rule included."""
    return (RULE + BELOW_RULE) * unit + sum(row.step for row in rows) if rows else 0.0


def draw_rows(rows: list[Row], ink: str, accent: str) -> list[Line]:
    """Draw a title's lines in their colours."""
    return [set_line([Run(text=row.text, size_px=row.size_px, fill=accent if row.is_small else ink)], row.type) for row in rows]


def draw_title(rows: list[Row], canvas: Canvas, top: float, span: tuple[float, float], ink: str, accent: str) -> list[Layer]:
    """Let a title rise line by line from behind an edge, under a rule that unrolls."""
    unit, (start, end) = canvas.unit, span
    seconds = end - start
    wide = max(row.width for row in rows)
    mark = panel((max(2, round(min(120 * unit, wide))), max(2, round(RULE * unit))), RULE * unit / 2, canvas.palette.accent)
    left = canvas.left_of(mark.width)
    pose = grow(left, top, mark.width, mark.height, seconds, middle=canvas.align == "middle")
    layers = [Layer(sprite=sprite(mark), start=start, end=end, order=11, pose=pose)]
    y = top + (RULE + BELOW_RULE) * unit
    for number, (row, line) in enumerate(zip(rows, draw_rows(rows, ink, accent), strict=True)):
        move = reveal(canvas.left_of(line.width) - line.pad, y, line.picture.height, seconds, late=0.1 + STAGGER_S * number)
        layers.append(Layer(sprite=sprite(line.picture), start=start, end=end, order=12, pose=move))
        y += row.step
    return layers
