"""A photographer's paper sweep: a wall, a soft bend, a floor that catches the light."""

from __future__ import annotations

from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint the wall in `background`, the floor in `background_end`, lit from above left."""
    wall, floor = brushes.colour(look.palette.background), brushes.colour(look.palette.background_end)
    width, height = ground.width, ground.height
    bend = ground.base - 0.055 * ground.frame_height
    canvas = brushes.ramp(
        width, height, [(0, brushes.mix(wall, brushes.BLACK, 0.07)), (bend, wall), (height, brushes.mix(wall, floor, 0.35))]
    )
    rows = brushes.step(height, bend, 0.075 * ground.frame_height)
    near = brushes.ramp(width, height, [(bend, brushes.mix(floor, brushes.WHITE, 0.25)), (height, brushes.mix(floor, brushes.BLACK, 0.06))])
    canvas += (near - canvas) * rows[:, None, None]
    crease = np.exp(-0.5 * ((np.arange(height, dtype=np.float32) - bend) / (0.022 * ground.frame_height)) ** 2)
    brushes.shade(canvas, np.repeat((0.045 * crease)[:, None], width, axis=1))
    spread = ground.frame_width
    brushes.shine(
        canvas,
        brushes.WHITE,
        0.5 * brushes.bell(width, height, ground.x + 0.12 * look.side * spread, ground.eye - 0.1 * spread, 0.42 * spread, 0.5 * spread),
    )
    brushes.shine(
        canvas, brushes.WHITE, 0.3 * brushes.bell(width, height, ground.x, ground.base + 0.04 * spread, 0.46 * spread, 0.1 * spread)
    )
    brushes.vignette(canvas, 0.08 + look.vignette, floor)
    return Backdrop(wall=brushes.finish(canvas, rng), margin=ground.margin)
