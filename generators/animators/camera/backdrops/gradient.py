"""A fall of colour with light behind the product: plain, under leaves, before misty hills, or on sunlit concrete."""

from __future__ import annotations

from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint from `background` above to `background_end` below, with a halo and a foot of light."""
    top, end = brushes.colour(look.palette.background), brushes.colour(look.palette.background_end)
    width, height = ground.width, ground.height
    canvas = brushes.ramp(width, height, [(0, top), (0.35 * height, brushes.mix(top, end, 0.3)), (height, end)])
    {"leaves": _leaves, "hills": _hills, "concrete": _concrete}.get(look.motif, _halo)(canvas, ground, look, rng)
    reach = 0.62 * ground.frame_width
    brushes.shine(canvas, brushes.WHITE, 0.2 * brushes.bell(width, height, ground.x, ground.base, 0.6 * reach, 0.09 * ground.frame_width))
    brushes.vignette(canvas, look.vignette, end)
    return Backdrop(wall=brushes.finish(canvas, rng), margin=ground.margin)


def _halo(canvas: Any, ground: Ground, look: Look, rng: Any, strength: float = 1.0) -> None:
    """Let light stand behind the product."""
    tone = brushes.colour(look.palette.background)
    reach = 0.62 * ground.frame_width
    lift = (0.42 if brushes.luma(tone) < 0.75 else 0.6) * strength
    glow = brushes.bell(ground.width, ground.height, ground.x, ground.eye, 0.7 * reach, reach)
    brushes.shine(canvas, brushes.mix(tone, brushes.WHITE, 0.55), lift * glow)


def _leaves(canvas: Any, ground: Ground, look: Look, rng: Any) -> None:
    """Let sun fall through leaves."""
    brushes.daylight(canvas, rng, ground.x, ground.eye, ground.frame_width, 0.1, look.side)
    _halo(canvas, ground, look, rng, 0.5)


def _hills(canvas: Any, ground: Ground, look: Look, rng: Any) -> None:
    """Set ridge behind ridge, each paler with distance, with mist at its foot; before them lies a pale ground."""
    width, height = ground.width, ground.height
    top, end = brushes.colour(look.palette.background), brushes.colour(look.palette.background_end)
    deep = brushes.mix(end, brushes.colour("#1d3b2c"), 0.55)
    columns = np.arange(width, dtype=np.float32) / ground.frame_width
    rows = np.arange(height, dtype=np.float32)[:, None]
    sun = brushes.bell(
        width, height, ground.x + 0.2 * look.side * ground.frame_width, ground.eye - 0.42 * ground.frame_height, 0.4 * width, 0.2 * width
    )
    brushes.shine(canvas, brushes.SUN, 0.65 * sun)
    foot = ground.base - 0.035 * ground.frame_height
    for depth in range(5):
        near = depth / 4
        crest = foot - (0.36 - 0.29 * near) * ground.frame_height
        wave = sum(
            rng.uniform(0.5, 1.0) * np.sin(columns * beat * (1.2 + near) + rng.uniform(0, 6.28)) / beat
            for beat in (3.1, 7.3, 15.7, 31.0, 67.0)
        )
        ridge = crest - (0.11 - 0.03 * near) * ground.frame_height * wave
        soft = (3.0 - 0.5 * depth) * ground.frame_width / 1080
        body = np.clip((rows - ridge[None, :]) / soft + 0.5, 0, 1)
        mist = np.exp(-np.maximum(rows - ridge[None, :], 0) / ((0.05 + 0.05 * near) * ground.frame_height))
        tone = brushes.mix(top, deep, 0.16 + 0.5 * near)
        brushes.lay(canvas, tone, (body * (0.25 + 0.75 * mist)).astype(np.float32))
    floor = brushes.ramp(width, height, [(foot, brushes.mix(top, end, 0.25)), (height, brushes.mix(end, deep, 0.2))])
    share = brushes.step(height, foot, 0.05 * ground.frame_height)
    canvas += (floor - canvas) * share[:, None, None]


def _concrete(canvas: Any, ground: Ground, look: Look, rng: Any) -> None:
    """Show cast concrete in hard sun: clouds and pores, joints of the formwork, and a shadow with a sharp edge across it."""
    width, height = ground.width, ground.height
    unit = ground.frame_width
    cloud = sum(
        weight * brushes.noise(rng, width, height, cell * unit, cell * unit) for cell, weight in ((0.3, 0.02), (0.08, 0.013), (0.02, 0.008))
    )
    grain = brushes.blur(rng.standard_normal((height, width)).astype(np.float32), 1.1) * 0.035
    canvas *= 1 + (cloud + grain)[..., None]
    _pores(canvas, ground, rng)
    rows = (np.arange(height, dtype=np.float32) - ground.eye)[:, None] / unit
    columns = (np.arange(width, dtype=np.float32) - ground.x)[None, :] / unit
    edge = -look.side * columns * 1.25 + rows + 0.62
    shadow = brushes.blur(np.clip(-edge * unit / 9, -0.5, 0.5).astype(np.float32) + 0.5, 2.2)
    brushes.shade(canvas, 0.19 * np.clip(shadow, 0, 1))
    brushes.shine(canvas, brushes.SUN, 0.22 * (1 - np.clip(shadow, 0, 1)))
    crease = ground.base - 0.05 * ground.frame_height
    line = np.exp(-0.5 * ((np.arange(height, dtype=np.float32) - crease) / (0.012 * ground.frame_height)) ** 2)
    brushes.shade(canvas, np.repeat((0.10 * line).astype(np.float32)[:, None], width, axis=1))
    lift = brushes.step(height, crease, 0.02 * ground.frame_height)
    brushes.shine(canvas, brushes.SUN, np.repeat((0.14 * lift)[:, None], width, axis=1))


def _pores(canvas: Any, ground: Ground, rng: Any) -> None:
    """Strew small air holes, a dark upper rim and a light lower one, and two joints of the formwork."""
    import cv2

    unit = ground.frame_width
    dark = np.zeros((ground.height, ground.width), np.float32)
    for _ in range(150):
        x, y = rng.uniform(0, ground.width), rng.uniform(0, ground.height)
        radius = unit * rng.uniform(0.0012, 0.0042) * (0.5 + rng.random())
        cv2.ellipse(
            dark,
            (round(x), round(y)),
            (max(1, round(radius * 1.2)), max(1, round(radius))),
            0,
            0,
            360,
            float(rng.uniform(0.1, 0.3)),
            -1,
            cv2.LINE_AA,
        )
    joint = round(ground.eye - 0.62 * unit)
    dark[max(0, joint - 1) : joint + 2] += 0.16
    dark = brushes.blur(dark, 1.0)
    brushes.shade(canvas, np.clip(dark, 0, 0.6))
    brushes.shine(canvas, brushes.WHITE, 0.5 * np.clip(np.roll(dark, 3, axis=0) - dark, 0, 1))
