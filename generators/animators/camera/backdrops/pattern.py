"""A poster: tone on tone ornament, and a disc of light behind the product."""

from __future__ import annotations

from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop, Ground, Look, brushes
from generators.values import Palette


def paint(ground: Ground, look: Look, rng: Any) -> Backdrop:
    """Paint the motif: scales, halftone, confetti, or rays."""
    top, end = brushes.colour(look.palette.background), brushes.colour(look.palette.background_end)
    width, height = ground.width, ground.height
    canvas = brushes.ramp(width, height, [(0, top), (height, end)])
    ornament = {"scales": _scales, "halftone": _halftone, "confetti": _confetti}.get(look.motif, _rays)(ground, rng)
    light = brushes.luma(brushes.mix(top, end, 0.5)) > 0.6
    tone = brushes.mix(end, brushes.BLACK, 0.28) if light else brushes.mix(top, brushes.WHITE, 0.5)
    brushes.lay(canvas, tone, np.float32(0.22 if light else 0.15) * ornament)
    spread = ground.frame_width
    halo = brushes.bell(width, height, ground.x, ground.eye, 0.5 * spread, 0.55 * spread)
    brushes.shine(canvas, brushes.mix(top, brushes.WHITE, 0.5), 0.24 * halo)
    # The ring stays out of the words' area: above the product in tall and square frames, beside it in wide ones.
    share = ground.frame_height / spread
    most = 0.4 * spread if share > 1.6 else (0.3 if share > 0.87 else 0.44) * ground.frame_height
    radius = min(most, 0.66 * max(0.8 * ground.product_width, ground.product_height))
    disc = _disc(ground, radius)
    brushes.lay(canvas, _disc_tone(look.palette, light), 0.9 * disc)
    ring = np.clip(_disc(ground, radius * 1.07) - _disc(ground, radius * 1.055), 0, 1)
    brushes.lay(canvas, brushes.colour(look.palette.accent), 0.8 * ring)
    brushes.vignette(canvas, look.vignette, end)
    return Backdrop(wall=brushes.finish(canvas, rng), margin=ground.margin, shadow="drop", depth=0.55)


def _disc_tone(palette: Palette, light: bool) -> Any:
    """Return the disc's colour: paper white on a light ground, the accent let into the ground on a dark one."""
    ground = brushes.mix(brushes.colour(palette.background), brushes.colour(palette.background_end), 0.35)
    return brushes.mix(ground, brushes.WHITE, 0.62) if light else brushes.mix(ground, brushes.colour(palette.accent), 0.24)


def _grid(ground: Ground) -> tuple[Any, Any]:
    rows = (np.arange(ground.height, dtype=np.float32) + 0.5 - ground.eye)[:, None]
    columns = (np.arange(ground.width, dtype=np.float32) + 0.5 - ground.x)[None, :]
    return rows, columns


def _disc(ground: Ground, radius: float) -> Any:
    rows, columns = _grid(ground)
    return np.clip(radius - np.sqrt(rows * rows + columns * columns) + 0.5, 0, 1).astype(np.float32)


def _scales(ground: Ground, rng: Any) -> Any:
    """Overlapping scales, three rings each, as on festive paper."""
    rows, columns = _grid(ground)
    radius = 0.085 * ground.frame_width
    pitch = radius * 0.5
    result = np.zeros((ground.height, ground.width), np.float32)
    free = np.ones_like(result)
    band = np.floor(rows / pitch)
    # A scale hides the rows above it: go through the candidates from the lowest centre up, first hit wins.
    for step in (2, 1, 0):
        line = band + step
        shift = np.mod(line, 2) * radius
        across = np.mod(columns - shift, 2 * radius) - radius
        distance = np.sqrt(across * across + (rows - line * pitch) ** 2)
        inside = np.clip(radius - distance + 0.5, 0, 1)
        rings = sum(np.clip(1.3 - np.abs(distance - radius * part) / (0.012 * ground.frame_width) * 3, 0, 1) for part in (0.95, 0.64, 0.33))
        result += free * inside * np.clip(rings, 0, 1)
        free *= 1 - inside
    return np.clip(result, 0, 1)


def _halftone(ground: Ground, rng: Any) -> Any:
    """Diagonal dots that grow towards the lower left corner, over broad stripes."""
    rows, columns = _grid(ground)
    pitch = 0.034 * ground.frame_width
    u, v = (columns + rows) / np.sqrt(2), (columns - rows) / np.sqrt(2)
    du, dv = np.mod(u, pitch) - pitch / 2, np.mod(v, pitch) - pitch / 2
    grow = np.clip(0.52 + 0.55 * (rows - columns) / ground.frame_height, 0.0, 1.0) * pitch * 0.5
    dots = np.clip(grow - np.sqrt(du * du + dv * dv) + 0.5, 0, 1)
    wave = np.mod(v, 0.5 * ground.frame_width)
    edge = 0.25 * ground.frame_width
    stripe = np.clip(np.minimum(wave, edge - wave) + 0.5, 0, 1)
    return np.clip(0.8 * dots + 0.45 * stripe, 0, 1).astype(np.float32)


def _confetti(ground: Ground, rng: Any) -> Any:
    """Rounded pieces strewn evenly, none on another."""
    import cv2

    result = np.zeros((ground.height, ground.width), np.float32)
    pitch = 0.15 * ground.frame_width
    for row in range(int(ground.height / pitch) + 2):
        for column in range(int(ground.width / pitch) + 2):
            x = (column + 0.5 * (row % 2) + rng.uniform(-0.22, 0.22)) * pitch
            y = (row + rng.uniform(-0.22, 0.22)) * pitch
            angle, half = rng.uniform(0, np.pi), rng.choice([0.0, 0.1, 0.16]) * pitch
            dx, dy = np.cos(angle) * half, np.sin(angle) * half
            ends = [(round((x + sign * dx) * 16), round((y + sign * dy) * 16)) for sign in (-1, 1)]
            cv2.line(result, ends[0], ends[1], float(rng.uniform(0.5, 1.0)), max(3, round(0.1 * pitch)), cv2.LINE_AA, 4)
    return result


def _rays(ground: Ground, rng: Any) -> Any:
    """Rays that open from behind the product and fade outwards."""
    rows, columns = _grid(ground)
    angle = np.arctan2(rows, columns)
    radius = np.sqrt(rows * rows + columns * columns)
    turn = np.mod(angle / (2 * np.pi) * 18, 1.0)
    width = np.maximum(radius, 1.0) * (2 * np.pi / 18)
    soft = np.clip(np.minimum(turn, 0.5 - turn) * width + 0.5, 0, 1)
    return (soft * np.exp(-radius / (1.1 * ground.frame_width))).astype(np.float32)
