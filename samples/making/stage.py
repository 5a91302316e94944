"""The live room: one set, two cameras on the host and three close looks at the table, and the host's faces as patches.

Every take is one whole render; for each face the region round mouth or eyes is rendered again. `film.py` brings them to life.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from making import goods, host, scenes, surfaces, textures
from making.scenes import Shot
from making.script import APPLE, SCARF, TEA

SIZE_PX = (720, 1280)
FLOOR_M = -0.12
"""Where the host's middle stands; the table top is 0."""

MOUTHS: dict[str, dict[str, float]] = {
    "a2": {"mouth-open": 0.21},
    "a3": {"mouth-open": 0.34},
    "o": {"mouth-protusion": 0.30, "mouth-open": 0.10},
}
BLINK = {"eye-left-closure": 1.0, "eye-right-closure": 1.0}

VIEWS = {
    "wide": Shot(place=(0.10, -2.35, 0.62), target=(0.01, 0.0, 0.265), lens_mm=58, fstop=5.6, focus=(0, -0.22, 0.4)),
    "close": Shot(place=(-0.16, -1.75, 0.56), target=(0.0, 0.0, 0.30), lens_mm=64, fstop=5.6, focus=(0, -0.22, 0.4)),
    TEA: Shot(place=(0.16, -1.22, 0.30), target=(0.035, -0.55, 0.045), lens_mm=62, fstop=4.0, focus=(0.0, -0.58, 0.05)),
    SCARF: Shot(place=(-0.10, -1.30, 0.42), target=(-0.20, -0.50, 0.02), lens_mm=55, fstop=4.0, focus=(-0.2, -0.56, 0.05)),
    APPLE: Shot(place=(0.16, -1.28, 0.40), target=(0.20, -0.46, 0.05), lens_mm=55, fstop=4.0, focus=(0.2, -0.56, 0.08)),
}


@dataclass(frozen=True, slots=True)
class Take:
    """One picture of the live room."""

    view: str
    pose: host.Pose
    held: str | None = None

    @property
    def speaks(self) -> bool:
        """Say whether the host's face is in the picture."""
        return self.view in ("wide", "close")


TAKES = {
    "idle-wide": Take("wide", host.IDLE),
    "idle-close": Take("close", host.IDLE),
    f"{TEA}-close": Take("close", host.HOLD, TEA),
    f"{SCARF}-wide": Take("wide", host.SPREAD, SCARF),
    f"{SCARF}-close": Take("close", host.SPREAD, SCARF),
    f"{APPLE}-close": Take("close", host.HOLD, APPLE),
    f"{TEA}-table": Take(TEA, host.IDLE),
    f"{SCARF}-table": Take(SCARF, host.IDLE),
    f"{APPLE}-table": Take(APPLE, host.IDLE),
}


def render_all(folder: Path, samples: int = 10) -> None:
    """Render every take and its faces into a folder, with a JSON of where things are in the picture.

    Takes that share pose and product are shot in one set; what has been shot is not shot again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for held in (None, TEA, SCARF, APPLE):
        takes = {name: take for name, take in TAKES.items() if take.held == held and not (folder / f"{name}.json").exists()}
        if takes:
            _shoot(takes, held, folder, samples)


def _shoot(takes: dict[str, Take], held: str | None, folder: Path, samples: int) -> None:
    """Shoot takes of one pose: every view whole, then each face for the views that show it."""
    scenes.clear()
    _room()
    _table(held)
    pose = next(iter(takes.values())).pose
    joints: dict[str, np.ndarray] = {}
    places = {}
    for face, values in {"": {}, **MOUTHS, "blink": BLINK}.items():
        with scenes.group((0, 0, FLOOR_M)) as root:
            made = host.build(pose, values)
            joints = joints or made
            if held:
                _HELD[held](joints)
        for name, take in takes.items():
            scenes.camera(VIEWS[take.view])
            if not face:
                places[name] = _places(joints, take)
                _render_once(folder / f"{name}.png", samples)
            elif take.speaks:
                box = places[name]["boxes"]["eyes" if face == "blink" else "mouth"]
                border = tuple(side / SIZE_PX[index % 2] for index, side in enumerate(box))
                _render_once(folder / f"{name}.{face}.png", samples, border)
        scenes.drop(root)
    for name in takes:
        (folder / f"{name}.json").write_text(json.dumps(places[name]))


def _render_once(path: Path, samples: int, border: tuple[float, ...] | None = None) -> None:
    if not path.exists():
        scenes.render(path, SIZE_PX, samples, exposure=EXPOSURE, contrast=True, border=border)


def _places(joints: dict[str, np.ndarray], take: Take) -> dict[str, Any]:
    """Find where head and hand are in the picture, as fractions, and the boxes in pixels that mouth and eyes move in."""
    (wide, tall), eyes = SIZE_PX, _seen((joints["eye.L"] + joints["eye.R"]) / 2 + np.array([0, -0.03, 0]))
    apart = abs(_seen(joints["eye.L"])[0] - _seen(joints["eye.R"])[0]) * wide
    x, y = eyes[0] * wide, eyes[1] * tall
    boxes = {"mouth": _box(x, y + 1.25 * apart, 1.25 * apart, 1.05 * apart), "eyes": _box(x, y, 1.35 * apart, 0.50 * apart)}
    marks = {"head": _seen(joints["head"]), "hand": _seen(joints["finger3-1.R"])}
    return {"marks": marks, "boxes": boxes if take.speaks else {}, "held": bool(take.held)}


def _box(x: float, y: float, half_wide: float, half_tall: float) -> tuple[int, int, int, int]:
    return round(x - half_wide), round(y - half_tall), round(x + half_wide), round(y + half_tall)


EXPOSURE = 0.0


def _seen(point: np.ndarray) -> tuple[float, float]:
    """Find where a point of the host lies in the picture, as fractions from the top left."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    at = world_to_camera_view(scene, scene.camera, Vector(point) + Vector((0, 0, FLOOR_M)))
    return at.x, 1 - at.y


# --- what she holds -----------------------------------------------------------------------------


def _palm(joints: dict[str, np.ndarray], side: str = "R") -> np.ndarray:
    return joints[f"wrist.{side}"] * 0.25 + joints[f"finger3-1.{side}"] * 0.75


def _hold_tea(joints: dict[str, np.ndarray]) -> None:
    palm = _palm(joints)
    goods.tin((palm[0] + 0.006, palm[1] - 0.052, palm[2] - 0.058), 0.10)


def _hold_apple(joints: dict[str, np.ndarray]) -> None:
    palm = _palm(joints)
    goods.apple((palm[0] + 0.004, palm[1] - 0.050, palm[2] + 0.008), seed=6, radius=0.041, turn=(-0.25, 0.1, 1.9))


def _hold_scarf(joints: dict[str, np.ndarray]) -> None:
    """Hang the scarf from both hands."""
    right, left = _palm(joints, "R"), _palm(joints, "L")
    across = np.linspace(-0.06, 1.06, 72)
    down = np.linspace(0, 0.36, 90)
    rng = np.random.default_rng(8)
    grid = np.zeros((90, 72, 3))
    line = right[None] * (1 - across[:, None]) + left[None] * across[:, None]
    sag = 0.030 * (1 - (2 * across - 1) ** 2)
    waves = sum(rng.uniform(0.4, 1) * np.sin(across * k * math.pi * 2 + rng.uniform(0, 6)) for k in (1.5, 2.4, 3.6)) * 0.008
    grid[..., 0] = line[None, :, 0] + 0.006 * np.sin(down[:, None] * 22)
    grid[..., 1] = line[None, :, 1] - 0.034 + waves[None] * (0.3 + down[:, None] * 3.2)
    grid[..., 2] = line[None, :, 2] + 0.035 - sag[None] * (1 - down[:, None]) - down[:, None]
    goods.wool(grid, fluff=14_000, start=0.2)
    goods.fringe(grid[-1], (0, -0.05, -1), length=0.065)


_HELD: dict[str, Callable[[dict[str, np.ndarray]], None]] = {TEA: _hold_tea, SCARF: _hold_scarf, APPLE: _hold_apple}


# --- the set ------------------------------------------------------------------------------------


def _table(held: str | None) -> None:
    """Lay the table: what is held is not on it."""
    surfaces.table((1.9, 0.58), "oak", centre=(0, -0.46))
    panel = scenes.box("panel", (1.9, 0.02, 0.9), (0, -0.70, -0.95), 0.002)
    scenes.paint(panel, scenes.rough(scenes.material("panel", (0.20, 0.125, 0.075), Roughness=0.55), 40, 0.1))
    if held != TEA:
        goods.tin((0.005, -0.545, 0), 0.05)
    goods.tin((-0.072, -0.480, 0), -0.25)
    surfaces.tumbler((0.088, -0.600, 0))
    goods.tea_leaves((0.015, -0.640, 0), 200, 0.022)
    surfaces.blossoms((0, 0, 0.002), [(-0.02, -0.650, 0), (0.055, -0.655, 0)], 0.010)
    with scenes.group((-0.245, -0.50, 0), 0.18, 0.82):
        grid = goods.cloth(goods.folded(5, 0.25, 0.014), 0.30, wave=0.0022)
        goods.fringe(grid[0], (0, -1, 0), length=0.06, floor=0.0)
        goods.tag((0.07, -0.075, float(grid[-1, :, 2].mean()) + 0.007), (0, 0, -0.03))
    with scenes.group((0.275, -0.43, 0), -0.16, 0.80):
        goods.carton()
        _fill_carton()
    goods.half_apple((0.155, -0.595, 0.0345), seed=5, turn=(-0.16, 0.0, 0.15))
    goods.apple((0.245, -0.620, 0.034), seed=2, radius=0.040, turn=(0.1, 0.1, 1.0))


def _fill_carton() -> None:
    rng = np.random.default_rng(12)
    number = 0
    for level, height in enumerate((0.080, 0.138)):
        for row in range(3):
            for column in range(4 - level):
                x, y = (column - (3 - level) / 2) * 0.084 + rng.uniform(-0.004, 0.004), (row - 1) * 0.080 + level * 0.01
                turn = (rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), rng.uniform(0, 6))
                goods.apple((x, y, height + rng.uniform(-0.006, 0.006)), seed=number, radius=0.041, turn=turn)
                number += 1


def _room() -> None:
    """Build the room behind: wall, shelf, curtain, lamp, plant, sign, and light it."""
    surfaces.wall(1.25, (0.58, 0.47, 0.37))
    scenes.world((0.75, 0.82, 1.0), 0.12)
    _curtain()
    _shelf(0.64)
    _shelf(0.30)
    board = np.array([[(x, 1.225, z) for x in (-0.30, 0.18)] for z in (0.93, 0.762)])
    scenes.paint(scenes.sheet("sign", board, smooth=False), scenes.textured("sign", textures.sign(), Roughness=0.7))
    _lamp((-0.44, 0.95))
    surfaces.plant((0.62, 0.75, -0.35), 0.62, 34, seed=8)
    scenes.lamp((-0.8, -2.1, 1.05), (0, -0.1, 0.25), 0.8, 34, (1.0, 0.97, 0.93))
    scenes.lamp((1.1, -1.7, 0.8), (0, -0.1, 0.2), 0.8, 7, (0.93, 0.96, 1.0))
    scenes.lamp((0.5, 0.95, 1.35), (0, 0, 0.4), 0.4, 14, (1.0, 0.88, 0.72))
    scenes.lamp((0.2, -0.4, 1.5), (0, -0.5, 0.0), 0.6, 9)


def _curtain() -> None:
    x = np.linspace(-1.35, -0.42, 160)
    fold = 0.030 * np.sin(x * 46) + 0.012 * np.sin(x * 91 + 1)
    grid = np.array(
        [[(px, 1.10 + f * (1 - 0.25 * h), 1.6 - 2.4 * h) for px, f in zip(x, fold, strict=True)] for h in np.linspace(0, 1, 12)]
    )
    linen = scenes.rough(scenes.material("linen", (0.80, 0.72, 0.60), Roughness=0.95), 700, 0.3, 0.001)
    scenes.paint(scenes.sheet("curtain", grid), linen)


def _shelf(height: float) -> None:
    rng = np.random.default_rng(round(height * 100))
    scenes.paint(
        scenes.box("shelf", (0.80, 0.16, 0.022), (0.62, 1.16, height - 0.022), 0.003),
        scenes.rough(scenes.material("board", (0.34, 0.19, 0.10), Roughness=0.5), 30, 0.2),
    )
    x = 0.27
    while x < 0.92:
        kind = rng.integers(4)
        if kind == 0:
            for _ in range(rng.integers(3, 6)):
                wide, tall = rng.uniform(0.018, 0.034), rng.uniform(0.13, 0.19)
                colour = ((0.55, 0.18, 0.14), (0.16, 0.26, 0.32), (0.75, 0.66, 0.48), (0.24, 0.33, 0.22), (0.82, 0.80, 0.75))[
                    rng.integers(5)
                ]
                scenes.paint(
                    scenes.box("book", (wide, 0.11, tall), (x, 1.15, height), 0.002), scenes.material("book", colour, Roughness=0.7)
                )
                x += wide + 0.002
            x += 0.04
        elif kind == 1:
            with scenes.group((x + 0.03, 1.14, height), rng.uniform(-0.3, 0.3)):
                goods.tin()
            x += 0.11
        elif kind == 2:
            vase = [(0, 0), (0.035, 0), (0.05, 0.05), (0.04, 0.11), (0.018, 0.14), (0.022, 0.16), (0.016, 0.158), (0, 0.02)]
            made = scenes.paint(
                scenes.lathe("vase", vase, 48), scenes.material("glaze", (0.78, 0.74, 0.66), Roughness=0.3, Coat_Weight=0.4)
            )
            made.location = (x + 0.04, 1.15, height)
            x += 0.13
        else:
            surfaces.plant((x + 0.06, 1.13, height), 0.20, 16, seed=int(x * 100))
            x += 0.17


def _lamp(place: tuple[float, float]) -> None:
    """Stand a lamp with a glowing linen shade."""
    glow = scenes.material("shade", (1.0, 0.80, 0.55), Roughness=0.9)
    shader: Any = scenes.shader(glow)
    shader.inputs["Emission Color"].default_value = (1.0, 0.62, 0.30, 1)
    shader.inputs["Emission Strength"].default_value = 3.2
    shade = scenes.paint(scenes.lathe("shade", [(0.085, 0.0), (0.12, -0.19)], 48), glow)
    shade.location = (*place, 0.62)
    pole = scenes.tube("pole", np.array([(*place, -1.0), (*place, 0.52)]), 0.009)
    scenes.paint(pole, scenes.material("brass", (0.60, 0.45, 0.22), Metallic=1.0, Roughness=0.3))
    bulb = bpy.data.lights.new("bulb", "POINT")
    bulb.energy, bulb.color, bulb.shadow_soft_size = 5, (1.0, 0.72, 0.42), 0.05
    made = bpy.data.objects.new("bulb", bulb)
    made.location = (*place, 0.66)
    bpy.context.collection.objects.link(made)
