"""Lights out of focus behind a polished top that mirrors the product."""

from __future__ import annotations

from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint lights in `accent` and white before `background`; the top is `background_end`, mirroring the lights softly.

    A light palette becomes a sunny place: white lights over patches of its own deeper shades.
    """
    back, end, accent = (brushes.colour(code) for code in (look.palette.background, look.palette.background_end, look.palette.accent))
    width, height = ground.width, ground.height
    horizon = round(ground.base - 0.085 * ground.frame_height)
    spread = ground.frame_width
    bright = brushes.luma(back) > 0.5
    first = brushes.mix(back, end, 0.35) if bright else brushes.mix(back, brushes.BLACK, 0.15)
    canvas = brushes.ramp(width, height, [(0, first), (horizon, brushes.mix(back, end, 0.25 if bright else 0.6)), (height, end)])
    if bright:
        _patches(canvas, ground, brushes.mix(end, accent, 0.22), rng)
    brushes.shine(
        canvas,
        brushes.mix(end if bright else accent, brushes.WHITE, 0.3),
        0.22 * brushes.bell(width, height, ground.x, horizon, 0.6 * spread, 0.35 * spread),
    )
    one = brushes.mix(end, brushes.WHITE, 0.75) if bright else brushes.mix(accent, brushes.WHITE, 0.25)
    other = brushes.WHITE if bright else brushes.mix(end, brushes.WHITE, 0.6)
    lights = _lights(ground, horizon, one, other, rng) * np.float32(1.7 if bright else 1.0)
    canvas += (255 - canvas) * lights
    brushes.vignette(canvas, 0.06 + look.vignette, end)
    plane = _top(ground, canvas, horizon, end)
    return Backdrop(wall=brushes.finish(canvas, rng), floor=brushes.finish(plane, rng), horizon=horizon, margin=ground.margin, mirror=0.26)


def _patches(canvas: Any, ground: Ground, tone: Any, rng: Any) -> None:
    """Lay large soft patches of a deeper shade, as foliage or drapery far out of focus."""
    width, height = ground.width, ground.height
    cells = brushes.noise(rng, width, height, 0.34 * ground.frame_width, 0.3 * ground.frame_width)
    fine = brushes.noise(rng, width, height, 0.13 * ground.frame_width, 0.12 * ground.frame_width)
    brushes.lay(canvas, tone, np.clip(0.2 + 0.24 * cells + 0.1 * fine, 0, 0.6).astype(np.float32))


def _lights(ground: Ground, horizon: int, warm: Any, pale: Any, rng: Any) -> Any:
    """Return added light in [0, 1] per channel: discs of three sizes, denser near the horizon, with brighter rims."""
    import cv2

    width, height = ground.width, ground.height
    total = np.zeros((height, width, 3), np.float32)
    spread = ground.frame_width
    for size, count, power, soft in ((0.12, 12, 0.16, 0.012), (0.07, 22, 0.26, 0.006), (0.03, 40, 0.5, 0.003)):
        layer = np.zeros_like(total)
        for _ in range(count):
            x, rise = rng.uniform(0, width), abs(rng.normal(0, 0.34)) * ground.frame_height
            radius = size * spread * rng.uniform(0.75, 1.2)
            tone = brushes.mix(warm, pale, float(rng.uniform(0, 1) ** 2)) / 255 * power * rng.uniform(0.45, 1.0)
            at = (round(x * 16), round((horizon - rise - 0.02 * spread) * 16))
            cv2.circle(layer, at, round(radius * 16), tuple(float(c) for c in tone), -1, cv2.LINE_AA, 4)
            cv2.circle(
                layer, at, round(radius * 0.97 * 16), tuple(float(c) * 1.35 for c in tone), max(2, round(0.05 * radius)), cv2.LINE_AA, 4
            )
        total += brushes.blur(layer, soft * spread)
    return np.clip(total, 0, 0.55)


def _top(ground: Ground, wall: Any, horizon: int, end: Any) -> Any:
    """Paint the polished top: what stands above the horizon mirrored, blurred and dimmed, under a sheen at the far edge."""
    width, rows = ground.width, ground.height - horizon
    mirrored = wall[max(0, horizon - rows) : horizon][::-1]
    mirrored = np.concatenate([mirrored, np.repeat(mirrored[-1:], rows - len(mirrored), axis=0)]) if len(mirrored) < rows else mirrored
    mirrored = brushes.blur(np.ascontiguousarray(mirrored), 0.022 * ground.frame_width, 0.05 * ground.frame_width)
    down = np.arange(rows, dtype=np.float32) / rows
    bright = brushes.luma(end) > 0.5
    far, near = (
        (brushes.mix(end, brushes.WHITE, 0.3), end)
        if bright
        else (brushes.mix(end, brushes.BLACK, 0.12), brushes.mix(end, brushes.BLACK, 0.5))
    )
    body = brushes.ramp(width, rows, [(0, far), (rows, near)])
    share = (0.5 * np.exp(-down / 0.3))[:, None, None]
    plane = body * (1 - share) + mirrored * share
    brushes.shine(plane, brushes.WHITE, np.repeat((0.22 * np.exp(-down / 0.02))[:, None], width, axis=1))
    brushes.shine(
        plane,
        brushes.WHITE,
        0.12 * brushes.bell(width, rows, ground.x, ground.base - horizon, 0.36 * ground.frame_width, 0.05 * ground.frame_width),
    )
    return plane
