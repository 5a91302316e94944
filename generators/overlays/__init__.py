"""What is drawn over the shots: title, selling points, price, call, logo and end card, set in the style's type and colours.

Everything is drawn once, as sprites; frames then cost the blending of the sprites' own regions alone. All of it stays inside
the platform's safe box. In wide shots words stand in their own area, which the product never enters; in close ones they stand
at the foot of the safe box, on panels of their own.
"""

from __future__ import annotations

from dataclasses import replace

from generators.overlays.canvas import Canvas
from generators.overlays.closing import draw_end_card
from generators.overlays.motion import Layer
from generators.overlays.small import draw_logo
from generators.overlays.words import Words
from generators.values import Overlay, Storyboard, Style

__all__ = ["Canvas", "Layer", "draw_overlays"]


def draw_overlays(board: Storyboard, style: Style, canvas: Canvas) -> tuple[Layer, ...]:
    """Draw a storyboard's overlays; returns their layers, lowest first. Raises InputError for a logo that cannot be read."""
    closing = next((overlay for overlay in board.overlays if overlay.kind == "end_card"), None)
    call = next((overlay for overlay in board.overlays if overlay.kind == "call"), None)
    shown = [_before(_before(overlay, closing), call) for overlay in board.overlays]
    shown = [overlay for overlay in shown if overlay.end > overlay.start]
    canvas = replace(canvas, title_at=style.title_at)
    layers = Words(shown, canvas, style.price_badge).layers()
    for overlay in shown:
        if overlay.kind == "logo":
            layers += draw_logo(overlay, canvas)
    if closing is not None:
        price = next((overlay for overlay in shown if overlay.kind == "price"), None)
        layers += draw_end_card(closing, canvas, price, style.price_badge)
    if board.loop:
        layers = [_steady(layer, board.seconds) for layer in layers]
    return tuple(sorted(layers, key=lambda layer: layer.order))


def _steady(layer: Layer, seconds: float) -> Layer:
    """Let what is seen throughout a loop stand still: coming and going would be seen at its seam."""
    if layer.start > 0 or layer.end < seconds:
        return layer
    pose = layer.pose(seconds / 2)
    return replace(layer, pose=lambda _time: pose)


def _before(overlay: Overlay, later: Overlay | None) -> Overlay:
    """Let nothing but the logo last into the end card, and neither title nor points into the call, which takes their place."""
    if later is None or overlay.kind in ("end_card", "logo", "call") or (later.kind == "call" and overlay.kind == "price"):
        return overlay
    if overlay.start >= later.start:
        return overlay
    return replace(overlay, end=min(overlay.end, later.start + (0.1 if later.kind == "end_card" else 0.0)))
