"""Photograph the products: two pictures each, one on white paper, one at home."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from making import goods, scenes, surfaces
from making.scenes import Shot

SIZE_PX = 1024


def take(name: str, folder: Path, *, size: int = SIZE_PX, samples: int = 48) -> Path:
    """Build one scene, render it, and save the photograph as JPEG."""
    scenes.clear()
    look, exposure = PICTURES[name]()
    raw = scenes.render(folder / f"{name}.png", (size, size), samples, look=look, exposure=exposure)
    return develop(raw, folder / f"{name}.jpg")


def develop(raw: Path, out: Path) -> Path:
    """Finish a render as a camera would: a touch of sharpening and of sensor noise."""
    with Image.open(raw) as image:
        sharp = image.convert("RGB").filter(ImageFilter.UnsharpMask(1.2, 55, 2))
    pixels = np.asarray(sharp, np.float32)
    grain = np.random.default_rng(1).normal(0, 1.1, pixels.shape[:2])[..., None]
    Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(out, quality=88, subsampling=0, optimize=True)
    raw.unlink()
    return out


def _studio(key: float = 22, fill: float = 9) -> None:
    """Light white paper from a big softbox on the left, a weaker one on the right, one above."""
    scenes.backdrop((0.93, 0.93, 0.93), depth=0.9)
    scenes.world((1, 1, 1), 0.55)
    scenes.lamp((-0.9, -0.7, 0.9), (0, 0, 0.04), 0.8, key)
    scenes.lamp((1.0, -0.5, 0.6), (0, 0, 0.05), 0.7, fill)
    scenes.lamp((0.1, 0.5, 1.3), (0, 0.1, 0), 0.8, key * 0.7)


def tea_white() -> tuple[str, float]:
    """The tin, a heap of leaves, three blossoms."""
    _studio()
    goods.tin((-0.012, 0.0, 0), 0.06)
    goods.tea_leaves((0.058, -0.030, 0), 380, 0.030)
    surfaces.blossoms((0, 0, 0.002), [(0.020, -0.062, 0), (0.044, -0.070, 0.001), (0.062, -0.030, 0.014)], 0.010)
    scenes.camera(Shot(place=(0.05, -0.62, 0.20), target=(0.010, -0.01, 0.054), lens_mm=108, fstop=16, focus=(-0.02, -0.037, 0.06)))
    return "Standard", -0.85


def tea_home() -> tuple[str, float]:
    """Tea by the window: the tin, a glass just poured, a plant behind."""
    surfaces.table((1.8, 0.8), "walnut", centre=(0, 0.12))
    surfaces.wall(1.5, (0.62, 0.60, 0.54))
    surfaces.plant((0.155, 0.47, 0), 0.26, 34)
    scenes.world((0.75, 0.85, 1.0), 0.25)
    surfaces.window_light((-1.3, 0.35, 0.85), (0.05, 0.0, 0.0), 62)
    scenes.lamp((0.8, -0.9, 0.7), (0, 0, 0.05), 0.8, 4, (1, 0.9, 0.8))
    scenes.lamp((-0.5, 1.2, 1.0), (-0.3, 1.5, 0.6), 0.5, 6, (1, 0.85, 0.65))
    goods.tin((-0.045, 0.02, 0), 0.06)
    surfaces.tumbler((0.058, -0.035, 0.0))
    goods.tea_leaves((-0.005, -0.085, 0), 260, 0.024)
    surfaces.blossoms((0, 0, 0.002), [(-0.045, -0.095, 0), (0.10, -0.085, 0), (0.025, -0.115, 0)], 0.010)
    scenes.camera(Shot(place=(0.03, -0.62, 0.22), target=(0.008, 0.0, 0.052), lens_mm=85, fstop=2.8, focus=(-0.045, -0.02, 0.06)))
    return "AgX", 0.55


def scarf_white() -> tuple[str, float]:
    """The scarf folded, its fringe to the front."""
    _studio(26, 11)
    grid = goods.cloth(goods.folded(5, 0.25, 0.014), 0.30, wave=0.0022)
    goods.fringe(grid[-1], (0, 1, -0.05), length=0.06)
    goods.fringe(grid[0], (0, -1, 0), length=0.075, floor=0.0)
    top = float(grid[-1, :, 2].mean())
    goods.tag((0.07, -0.075, top + 0.007), (0.0, 0, -0.03))
    scenes.camera(Shot(place=(0.246, -0.655, 0.46), target=(-0.014, -0.05, 0.015), lens_mm=56, fstop=11, focus=(0.03, -0.1, 0.06)))
    return "Standard", -0.9


def scarf_home() -> tuple[str, float]:
    """The scarf laid over a bench by the window, one end hanging down."""
    surfaces.table((1.5, 0.42), "pale", centre=(0, 0.15))
    surfaces.wall(0.75, (0.70, 0.68, 0.65))
    scenes.world((0.8, 0.88, 1.0), 0.22)
    surfaces.window_light((-1.2, -0.35, 0.9), (0.0, 0.05, 0.0), 66)
    scenes.lamp((1.0, -0.8, 0.6), (0, 0, 0), 0.8, 4, (1, 0.9, 0.8))
    surfaces.plant((0.36, 0.26, 0), 0.30, 30, seed=5)
    hang = _over_edge()
    grid = goods.cloth(hang, 0.30, wave=0.010, seed=4)
    goods.fringe(grid[-1], (0.02, -0.05, -1), length=0.07)
    goods.tag((0.08, -0.096, -0.085), (math.pi / 2 - 0.03, 0, 0))
    scenes.camera(Shot(place=(0.26, -0.95, 0.36), target=(0.005, 0.0, -0.045), lens_mm=62, fstop=4, focus=(0.03, -0.06, 0.0)))
    return "AgX", 0.5


def _over_edge() -> np.ndarray:
    """A path: two layers on the bench, then over its front edge and down."""
    front, back, lie = -0.075, 0.21, 0.005
    lower = [(y, lie) for y in np.linspace(-0.035, back, 40)]
    fold = [(back + 0.008 * math.sin(a), lie + 0.0075 - 0.0075 * math.cos(a)) for a in np.linspace(0.3, math.pi - 0.3, 8)]
    upper = [(y, lie + 0.015) for y in np.linspace(back, front + 0.02, 44)]
    bend = [(front + 0.02 - 0.02 * math.sin(a), lie - 0.005 + 0.02 * math.cos(a)) for a in np.linspace(0.2, math.pi / 2, 9)]
    down = [(front - 0.012 * math.sin((k + 1) / 6), lie - 0.005 - 0.009 * (k + 1)) for k in range(17)]
    return np.array([*lower, *fold, *upper, *bend, *down])


def apples_white() -> tuple[str, float]:
    """Two apples and a half."""
    _studio(24, 9)
    goods.apple((-0.048, 0.035, 0.0335), seed=3, radius=0.041, turn=(0.10, -0.06, 0.4))
    goods.apple((0.044, 0.050, 0.034), seed=6, radius=0.042, turn=(-0.08, 0.12, 1.9))
    goods.half_apple((0.004, -0.044, 0.0345), seed=5, turn=(-0.16, 0.0, 0.10))
    scenes.camera(Shot(place=(0.05, -0.66, 0.21), target=(0.0, 0.0, 0.034), lens_mm=105, fstop=16, focus=(0.0, -0.04, 0.04)))
    return "Standard", -0.9


def apples_home() -> tuple[str, float]:
    """A carton of apples on the kitchen table, one cut open."""
    surfaces.table((2.4, 1.5), "oak", centre=(0, 0.2))
    surfaces.wall(1.6, (0.66, 0.70, 0.66))
    surfaces.plant((-0.42, 0.62, 0), 0.42, 30, seed=8)
    scenes.world((0.8, 0.88, 1.0), 0.25)
    surfaces.window_light((-1.5, -0.1, 1.1), (0.05, 0.05, 0.05), 95)
    scenes.lamp((1.2, -0.9, 0.8), (0, 0, 0), 0.8, 6, (1, 0.9, 0.8))
    goods.carton((0.0, 0.14, 0), 0.10)
    rng = np.random.default_rng(12)
    number = 0
    for level, (rows, height) in enumerate(((3, 0.085), (3, 0.140))):
        for row in range(rows):
            for column in range(4 - level):
                x = (column - (3 - level) / 2) * 0.084 + rng.uniform(-0.004, 0.004)
                y = (row - 1) * 0.080 + rng.uniform(-0.004, 0.004) + level * 0.01
                c, s = math.cos(0.10), math.sin(0.10)
                turn = (rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), rng.uniform(0, 6))
                goods.apple(
                    (c * x - s * y, 0.14 + s * x + c * y, height + rng.uniform(-0.006, 0.006)), seed=number, radius=0.041, turn=turn
                )
                number += 1
    goods.half_apple((-0.085, -0.125, 0.0345), seed=5, turn=(-0.16, 0.0, -0.12))
    goods.apple((0.11, -0.10, 0.034), seed=2, radius=0.041, turn=(0.1, 0.1, 1.0))
    scenes.camera(Shot(place=(0.06, -0.92, 0.46), target=(0.0, 0.06, 0.068), lens_mm=74, fstop=4.5, focus=(0.0, -0.05, 0.07)))
    return "AgX", 0.5


PICTURES: dict[str, Callable[[], tuple[str, float]]] = {
    "L001-white": tea_white,
    "L001-home": tea_home,
    "L002-white": scarf_white,
    "L002-home": scarf_home,
    "L003-white": apples_white,
    "L003-home": apples_home,
}
