"""What is drawn over the shots: title, selling points, price, call, logo and end card, set in the style's type and colours.

Everything is drawn once, as sprites; frames then cost the blending of the sprites' own regions alone. All of it stays inside
the platform's safe box.
"""

from __future__ import annotations

from dataclasses import replace

from generators.overlays.canvas import Canvas
from generators.overlays.closing import draw_end_card
from generators.overlays.motion import Layer
from generators.overlays.price import Room, draw_price
from generators.overlays.small import draw_call, draw_logo, draw_point
from generators.overlays.title import draw_title, title_height, title_width
from generators.values import Overlay, Storyboard, Style

__all__ = ["Canvas", "Layer", "draw_overlays"]

GAP = 26.0
"""Design units between what stands one above the other."""


def draw_overlays(board: Storyboard, style: Style, canvas: Canvas) -> tuple[Layer, ...]:
    """Draw a storyboard's overlays; returns their layers, lowest first.

    From the foot of the safe box upwards stand the call, the price, the selling points, and the title where the style has it
    below. Raises InputError for a logo that cannot be read.
    """
    closing = next((overlay for overlay in board.overlays if overlay.kind == "end_card"), None)
    shown = [_before(overlay, closing) for overlay in board.overlays if overlay.end > overlay.start]
    price = next((overlay for overlay in shown if overlay.kind == "price"), None)
    layers: list[Layer] = []
    foot = canvas.box[3]
    titles = [overlay for overlay in shown if overlay.kind == "title" and overlay.text]
    for title in titles:
        layers += draw_title(title, canvas, style.title_at)
    if style.title_at == "bottom" and titles:
        foot -= max(title_height(title, canvas, "bottom") for title in titles) + GAP * canvas.unit
    room = Room(foot=foot, head=_head(titles, canvas, style), beside=_beside(titles, shown, canvas, style))
    for kind in ("call", "price", "point"):
        room = replace(room, foot=_stand(layers, [overlay for overlay in shown if overlay.kind == kind], canvas, style, room))
    for overlay in shown:
        if overlay.kind == "logo":
            layers += draw_logo(overlay, canvas)
    if closing is not None:
        layers += draw_end_card(closing, canvas, price, style.price_badge)
    return tuple(sorted(layers, key=lambda layer: layer.order))


def _head(titles: list[Overlay], canvas: Canvas, style: Style) -> float:
    """Where something may hang below label and title."""
    head = canvas.box[1] + canvas.taken_px
    if style.title_at == "bottom" or not titles:
        return head
    below = max(title_height(title, canvas, style.title_at) for title in titles) + GAP * canvas.unit
    return head + below + (0.12 * (canvas.box[3] - canvas.box[1]) if style.title_at == "left" else 0.0)


def _beside(titles: list[Overlay], shown: list[Overlay], canvas: Canvas, style: Style) -> float | None:
    """Left edge of what is free at the right of a title at the top; a logo has that corner first."""
    if style.title_at != "top" or canvas.type.align == "middle" or any(overlay.kind == "logo" for overlay in shown):
        return None
    wide = max((title_width(title, canvas, style.title_at) for title in titles), default=0.0)
    return canvas.box[0] + wide + 2 * GAP * canvas.unit


def _before(overlay: Overlay, closing: Overlay | None) -> Overlay:
    """Let nothing but the logo last into the end card."""
    if closing is None or overlay.kind in ("end_card", "logo") or overlay.start >= closing.start:
        return overlay
    return replace(overlay, end=min(overlay.end, closing.start + 0.1))


def _stand(layers: list[Layer], overlays: list[Overlay], canvas: Canvas, style: Style, room: Room) -> float:
    """Stand overlays of one kind on the foot, above one another where they are seen together; return the foot of the next kind."""
    placed: list[tuple[Overlay, float]] = []
    highest = room.foot
    for overlay in overlays:
        stands = min([top for other, top in placed if other.end > overlay.start and overlay.end > other.start], default=room.foot)
        drawn, height = _draw(overlay, canvas, style, replace(room, foot=stands))
        layers += drawn
        if height:
            top = stands - height - GAP * canvas.unit
            placed.append((overlay, top))
            highest = min(highest, top)
    return highest


def _draw(overlay: Overlay, canvas: Canvas, style: Style, room: Room) -> tuple[list[Layer], float]:
    if overlay.kind == "price":
        return draw_price(overlay, canvas, style.price_badge, room)
    return draw_call(overlay, canvas, room.foot) if overlay.kind == "call" else draw_point(overlay, canvas, room.foot)
