"""A table before a wall in daylight: wood in perspective, out of focus behind and in front, with a soft reflection."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes

OAK = brushes.colour("#c79a6b")
WALNUT = brushes.colour("#6b4630")


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint the wall from `background`; the wood is oak or walnut, whichever suits, tinted by `background_end`."""
    wall, end = brushes.colour(look.palette.background), brushes.colour(look.palette.background_end)
    width, height = ground.width, ground.height
    horizon = round(ground.base - 0.115 * ground.frame_height)
    canvas = brushes.ramp(width, height, [(0, brushes.mix(wall, brushes.BLACK, 0.05)), (horizon, wall), (height, wall)])
    brushes.daylight(canvas, rng, ground.x, ground.eye, ground.frame_width, 0.12, look.side)
    haze = np.exp(-np.maximum(horizon - np.arange(height, dtype=np.float32), 0) / (0.045 * ground.frame_height))
    brushes.lay(canvas, brushes.mix(wall, brushes.BLACK, 0.3), np.repeat((0.3 * haze)[:, None], width, axis=1))
    brushes.vignette(canvas, 0.05 + look.vignette, end)
    wood = brushes.mix(OAK if brushes.luma(wall) > 0.45 else WALNUT, end, 0.25)
    return Backdrop(
        wall=brushes.finish(canvas, rng),
        floor=brushes.finish(_boards(ground, horizon, wood, rng), rng),
        horizon=horizon,
        margin=ground.margin,
        mirror=0.16,
    )


def _boards(ground: Ground, horizon: int, wood: Any, rng: Any) -> Any:
    """Paint the table top from its far edge on: boards that run towards the viewer, seen at a low angle."""
    import cv2

    width, rows = ground.width, ground.height - horizon
    top = _planks(2048, 2048, wood, rng)
    depth = np.arange(rows, dtype=np.float32) + 0.5
    eye = 0.5 * ground.frame_height
    far = eye * 0.62
    # A plane seen from above: distance falls as 1 / (height under the vanishing line).
    distance = far * rows / (depth + far)
    v = (distance - distance.min()) / (distance.max() - distance.min())
    squeeze = (depth + far) / (rows + far)
    columns = (np.arange(width, dtype=np.float32) + 0.5 - ground.x) / ground.frame_width
    u = columns[None, :] / squeeze[:, None] * 0.62 + 0.5
    map_x = (np.mod(u, 1.0) * 2047).astype(np.float32)
    map_y = np.repeat(((1 - v) * 2047).astype(np.float32)[:, None], width, axis=1)
    plane = cv2.remap(top, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float32)
    plane = _focus(ground, plane, ground.base - horizon)
    down = np.arange(rows, dtype=np.float32) / rows
    brushes.shine(plane, brushes.WHITE, np.repeat((0.20 * np.exp(-down / 0.12))[:, None], width, axis=1))
    brushes.shine(
        plane,
        brushes.colour("#fff1d8"),
        0.3 * brushes.bell(width, rows, ground.x, ground.base - horizon, 0.4 * ground.frame_width, 0.09 * ground.frame_width),
    )
    brushes.shade(plane, np.repeat((0.34 * down**1.4)[:, None], width, axis=1))
    return plane


def _planks(width: int, height: int, wood: Any, rng: Any) -> Any:
    """Return `float32` boards that run from front to back, each with a grain and a tone of its own; it repeats sideways."""
    tone = np.zeros((height, width), np.float32)
    for start, stop in pairwise(round(width * place) for place in _joints(rng)):
        board = np.float32(rng.normal(0, 0.05)) + np.zeros((height, stop - start), np.float32)
        for cell_x, cell_y, weight in ((90, 1400, 0.028), (22, 900, 0.028), (8, 420, 0.027), (3.2, 260, 0.024), (1.8, 90, 0.016)):
            board += np.float32(weight) * brushes.noise(rng, stop - start, height, cell_x, cell_y)
        across = np.minimum(np.arange(stop - start), np.arange(stop - start)[::-1]).astype(np.float32)
        board -= 0.34 * np.exp(-across / 1.6)[None, :] + 0.03 * np.exp(-across / 14.0)[None, :]
        tone[:, start:stop] = board
    warm = np.array([1.0, 1.04, 1.1], np.float32)
    return np.clip(wood * (1 + tone[..., None] * warm), 0, 255)


def _joints(rng: Any, count: int = 7) -> list[float]:
    """Return the edges of boards that are nearly as wide as one another, from 0 to 1."""
    widths = rng.uniform(0.85, 1.15, count)
    return [0.0, *(np.cumsum(widths) / widths.sum()).tolist()]


def _focus(ground: Ground, plane: Any, sharp: float) -> Any:
    """Blur the plane in front of and behind the line of focus, more the farther away."""
    rows = np.arange(plane.shape[0], dtype=np.float32)
    away = np.clip(np.abs(rows - sharp) / (0.3 * ground.frame_height) - 0.15, 0, 1)[:, None, None]
    little, much = brushes.blur(plane, 0.0018 * ground.frame_width + 0.4), brushes.blur(plane, 0.008 * ground.frame_width)
    lower, upper = np.clip(2 * away, 0, 1), np.clip(2 * away - 1, 0, 1)
    plane = brushes.blur(plane, 0.7)
    return (plane * (1 - lower) + little * lower) * (1 - upper) + much * upper
