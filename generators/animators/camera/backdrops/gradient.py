"""A clean fall of colour with light behind the product."""

from __future__ import annotations

from typing import Any

from generators.animators.camera.backdrops import Backdrop, Ground, brushes
from generators.values import Palette


def paint(ground: Ground, palette: Palette, motif: str, rng: Any) -> Backdrop:
    """Paint from `background` above to `background_end` below, with a halo and a foot of light."""
    top, end = brushes.colour(palette.background), brushes.colour(palette.background_end)
    width, height = ground.width, ground.height
    canvas = brushes.ramp(width, height, [(0, top), (0.35 * height, brushes.mix(top, end, 0.3)), (height, end)])
    if brushes.luma(brushes.mix(top, end, 0.5)) > 0.5:
        brushes.daylight(canvas, rng, ground.x, ground.eye, ground.frame_width, 0.08)
    lift = 0.42 if brushes.luma(brushes.mix(top, end, 0.5)) < 0.75 else 0.6
    reach = 0.62 * ground.frame_width
    brushes.shine(
        canvas, brushes.mix(top, brushes.WHITE, 0.55), lift * brushes.bell(width, height, ground.x, ground.eye, 0.7 * reach, reach)
    )
    brushes.shine(canvas, brushes.WHITE, 0.16 * brushes.bell(width, height, ground.x, ground.base, 0.6 * reach, 0.09 * ground.frame_width))
    brushes.vignette(canvas, 0.16)
    return Backdrop(wall=brushes.finish(canvas, rng), margin=ground.margin)
