"""A dark stage: beams from above, a pool of light, a round podium under the product."""

from __future__ import annotations

from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint the wall in `background`, the floor in `background_end`, beams and the podium's rim in `accent`."""
    back, floor, accent = (brushes.colour(code) for code in (look.palette.background, look.palette.background_end, look.palette.accent))
    width, height = ground.width, ground.height
    horizon = round(ground.base - 0.1 * ground.frame_height)
    canvas = brushes.ramp(
        width, height, [(0, brushes.mix(back, brushes.BLACK, 0.25)), (horizon, brushes.mix(back, floor, 0.35)), (height, back)]
    )
    glow = brushes.mix(accent, brushes.WHITE, 0.35)
    spread = ground.frame_width
    brushes.shine(
        canvas, brushes.mix(glow, back, 0.3), 0.34 * brushes.bell(width, height, ground.x, ground.eye, 0.36 * spread, 0.46 * spread)
    )
    for lean, power in ((-0.62, 0.3), (0.0, 0.38), (0.62, 0.3)):
        brushes.shine(canvas, brushes.mix(glow, brushes.WHITE, 0.35), power * _beam(ground, lean))
    brushes.vignette(canvas, 0.1 + look.vignette, back)
    ground_plane = _floor(ground, canvas, brushes.mix(floor, back, 0.35), glow)
    _podium(ground, ground_plane, floor, accent)
    grain = rng
    return Backdrop(
        wall=brushes.finish(canvas, grain),
        floor=brushes.finish(ground_plane[horizon:], grain),
        horizon=horizon,
        margin=ground.margin,
        mirror=0.0,
    )


def _beam(ground: Ground, lean: float) -> Any:
    """Return the weights of a cone of light that falls from above the frame onto the product's place."""
    rows = np.arange(ground.height, dtype=np.float32)[:, None]
    columns = np.arange(ground.width, dtype=np.float32)[None, :]
    top = ground.margin - 0.12 * ground.frame_height
    fall = np.clip((rows - top) / (ground.base - top), 0, 1.6)
    middle = ground.x + lean * ground.frame_width * (1 - fall)
    half = ground.frame_width * (0.03 + 0.27 * fall)
    away = np.abs(columns - middle) / half
    inside = np.clip(1.15 - away, 0, 1)
    inside = inside * inside * (3 - 2 * inside)
    # Faint where words may stand, strongest over the product.
    rise = np.clip((fall - 0.25) / 0.4, 0, 1)
    fade = np.exp(-1.5 * fall) * np.clip((1.25 - fall) / 0.35, 0, 1) * (0.3 + 0.9 * rise * rise * (3 - 2 * rise))
    return (inside * fade).astype(np.float32)


def _floor(ground: Ground, wall: Any, tone: Any, glow: Any) -> Any:
    """Paint the floor over a copy of the wall: dark, with the pool of light, joined softly at the horizon."""
    width, height = ground.width, ground.height
    horizon = ground.base - 0.1 * ground.frame_height
    plane = wall.copy()
    spread = ground.frame_width
    near = brushes.ramp(
        width,
        height,
        [
            (horizon, brushes.mix(tone, glow, 0.05)),
            (0.6 * horizon + 0.4 * height, brushes.mix(tone, glow, 0.09)),
            (height, brushes.mix(tone, brushes.BLACK, 0.5)),
        ],
    )
    brushes.shine(near, glow, 0.34 * brushes.bell(width, height, ground.x, ground.base + 0.12 * spread, 0.5 * spread, 0.16 * spread))
    rows = brushes.step(height, horizon + 0.006 * ground.frame_height, 0.012 * ground.frame_height)
    plane += (near - plane) * rows[:, None, None]
    return plane


def _podium(ground: Ground, plane: Any, floor: Any, accent: Any) -> None:
    """Draw the podium: a lit round top, its side, a bright rim, its shadow on the floor."""
    half = max(0.34 * min(ground.frame_width, ground.frame_height), 0.62 * ground.product_width)
    half = min(half, 0.47 * ground.frame_width)
    flat, side = min(0.2 * half, 0.08 * ground.frame_height), 0.17 * half
    middle = ground.base - 0.03 * half
    top = _disc(ground, middle, half, flat)
    below = _disc(ground, middle + side, half, flat)
    rows = np.arange(ground.height, dtype=np.float32)[:, None]
    columns = np.arange(ground.width, dtype=np.float32)[None, :]
    body = np.maximum(below, ((np.abs(columns - ground.x) <= half) & (rows >= middle) & (rows <= middle + side)).astype(np.float32))
    shadow = brushes.bell(ground.width, ground.height, ground.x, middle + side + flat * 0.8, 0.62 * half, 0.3 * flat)
    brushes.shade(plane, 0.55 * shadow)
    across = ((columns - ground.x) / half).astype(np.float32)
    light = np.clip(1.05 - (across + 0.25) ** 2 * 0.75, 0.2, 1.0)
    drum = brushes.mix(floor, accent, 0.3)
    face = drum[None, None, :] * (0.55 + 0.75 * light[..., None]) * np.ones_like(rows)[..., None]
    plane += (np.clip(face, 0, 255) - plane) * body[..., None]
    plate = brushes.mix(brushes.mix(floor, accent, 0.35), brushes.WHITE, 0.16)
    brushes.lay(plane, plate, top)
    brushes.shine(
        plane,
        brushes.mix(accent, brushes.WHITE, 0.6),
        0.8 * top * brushes.bell(ground.width, ground.height, ground.x, middle, 0.5 * half, 0.55 * flat),
    )
    rim = np.clip(top - _disc(ground, middle - 0.006 * half, half * 0.992, flat * 0.985), 0, 1)
    brushes.shine(plane, brushes.mix(accent, brushes.WHITE, 0.45), np.clip(rim * 0.9, 0, 1))


def _disc(ground: Ground, y: float, half: float, flat: float) -> Any:
    """Return a filled ellipse with an anti-aliased edge."""
    rows = (np.arange(ground.height, dtype=np.float32) + 0.5 - y)[:, None] / flat
    columns = (np.arange(ground.width, dtype=np.float32) + 0.5 - ground.x)[None, :] / half
    radius = np.sqrt(rows * rows + columns * columns)
    slope = np.sqrt((rows / flat) ** 2 + (columns / half) ** 2) / np.maximum(radius, 1e-3)
    return np.clip((1 - radius) / np.maximum(slope, 1e-6) * 0.7 + 0.5, 0, 1).astype(np.float32)
