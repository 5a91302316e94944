"""Furniture of the pictures: wooden tops, walls, a window's light, a plant, a glass of tea."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from making import scenes, textures
from making.scenes import Vec


def wood(name: str = "wood", tone: str = "oak", size: int = 2048) -> Any:
    """Make planed wood: grain along u, boards across v."""
    light, dark = {
        "oak": ((0.72, 0.52, 0.33), (0.50, 0.32, 0.18)),
        "walnut": ((0.40, 0.24, 0.14), (0.20, 0.11, 0.06)),
        "pale": ((0.86, 0.74, 0.58), (0.72, 0.57, 0.40)),
    }[tone]
    shape = (size, size)
    wide = textures.noise(shape, (26, 420), 41)
    rings = 0.5 + 0.5 * np.sin(2 * math.pi * (wide * 9 + textures.noise(shape, (9, 260), 42) * 1.6))
    pores = textures.ramp(textures.noise(shape, (0.9, 34), 43), 0.58, 0.72)
    grain = np.clip(rings * 0.55 + textures.noise(shape, (2, 160), 44) * 0.6 - 0.1, 0, 1)
    colour = textures.mix(light, dark, grain)
    colour = textures.mix(colour, np.array(dark) * 0.55, pores * 0.55)
    boards = np.repeat(np.random.default_rng(45).uniform(0.86, 1.06, 6), size // 6 + 1)[:size]
    colour = np.clip(colour * boards[:, None, None], 0, 1)
    seam = np.ones(size)
    seam[(np.arange(size) % (size // 6 + 1)) < 3] = 0.35
    colour *= seam[:, None, None]
    relief = (1 - pores * 0.6) * np.where(seam < 1, 0.0, 1.0)[:, None]
    return scenes.textured(name, colour.astype(np.float32), bump=relief.astype(np.float32), bump_m=0.0006, Roughness=0.42)


def table(size: Vec = (1.6, 0.9), tone: str = "oak", *, centre: Vec = (0, 0)) -> Any:
    """Lay a table top: its surface is z = 0, its front edge rounded."""
    width, depth = size
    edge = [(-0.04, 0.0), (-0.012, 0.0), (-0.004, 0.004), (0.0, 0.012)]
    rows = [(-depth / 2 + y, z) for z, y in edge] + [(depth / 2, 0.0)]
    grid = np.array([[(x + centre[0], y + centre[1], z) for x in np.linspace(-width / 2, width / 2, 2)] for y, z in rows])
    top = scenes.sheet("table", grid, smooth=False)
    data = top.data
    corners = np.zeros(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", corners)
    points = grid.reshape(-1, 3)[corners]
    uv = np.stack([points[:, 0] / 1.3 + 0.5, (points[:, 1] - points[:, 2]) / 1.3 + 0.5], -1)
    data.uv_layers[0].data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).ravel())
    return scenes.paint(top, wood("table-" + tone, tone))


def wall(distance: float, colour: Vec = (0.78, 0.74, 0.68), width: float = 8) -> Any:
    """Raise a plastered wall at y = distance."""
    grid = np.array([[(x, distance, z) for x in (-width / 2, width / 2)] for z in (-1.5, 4.0)])
    return scenes.paint(
        scenes.sheet("wall", grid, smooth=False), scenes.rough(scenes.material("plaster", colour, Roughness=0.9), 60, 0.25, 0.002)
    )


def window_light(place: Vec, target: Vec, watt: float = 120, colour: Vec = (1.0, 0.95, 0.87), panes: int = 3) -> None:
    """Let daylight in through a window with glazing bars: several tall softboxes side by side."""
    from mathutils import Vector

    way = Vector(target) - Vector(place)
    side = way.cross(Vector((0, 0, 1))).normalized()
    for index in range(panes):
        shift = side * (index - (panes - 1) / 2) * 0.42
        scenes.lamp(tuple(Vector(place) + shift), tuple(Vector(target) + shift), 0.34, watt / panes, colour, tall=1.1)


def glass(name: str = "glass", tint: Vec = (1, 1, 1)) -> Any:
    """Make clear glass that lets light through to the table behind."""
    return scenes.material(name, tint, Roughness=0.0, IOR=1.46, Transmission_Weight=1.0)


def plant(place: Vec, height: float = 0.5, leaves: int = 26, seed: int = 3, colour: Vec = (0.045, 0.16, 0.035)) -> None:
    """Set a potted plant with long arching leaves."""
    rng = np.random.default_rng(seed)
    green = scenes.material(
        "leaf", colour, Roughness=0.35, Subsurface_Weight=0.15, Subsurface_Radius=(0.02, 0.05, 0.01), Subsurface_Scale=0.05
    )
    pot = [(0.0, 0.0), (0.06, 0.0), (0.075, 0.1), (0.078, 0.115), (0.070, 0.115), (0.065, 0.1), (0.0, 0.1)]
    body = scenes.paint(scenes.lathe("pot", pot, 48), scenes.rough(scenes.material("clay", (0.80, 0.77, 0.72), Roughness=0.6), 90, 0.2))
    body.location = place
    for _ in range(leaves):
        angle, reach, rise = rng.uniform(0, 2 * math.pi), rng.uniform(0.25, 0.75) * height, rng.uniform(0.6, 1.15) * height
        t = np.linspace(0, 1, 14)
        out = reach * t**1.6
        up = 0.1 + rise * (t - 0.42 * t**2.6)
        half = 0.030 * height / 0.5 * np.sin(math.pi * np.clip(t * 0.93 + 0.05, 0, 1)) ** 0.8
        way, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
        grid = np.zeros((14, 5, 3))
        for column, share in enumerate(np.linspace(-1, 1, 5)):
            grid[:, column, :2] = out[:, None] * way + (half * share)[:, None] * across
            grid[:, column, 2] = up + abs(share) * half * 0.45
        leaf = scenes.paint(scenes.sheet("leaf", grid), green)
        leaf.location = place


def _dense(profile: list[tuple[float, float]], step: float = 0.0012) -> list[tuple[float, float]]:
    """Put more points on a profile: smooth shading would bend the light at its corners over whole walls."""
    out = [profile[0]]
    for end in profile[1:]:
        start = out[-1]
        count = max(1, math.ceil(math.dist(start, end) / step))
        out += [(start[0] + (end[0] - start[0]) * k / count, start[1] + (end[1] - start[1]) * k / count) for k in range(1, count + 1)]
    return out


def tumbler(place: Vec, *, tea: bool = True) -> None:
    """Set a glass of jasmine tea: a double wall of glass, the drink, a few leaves in it."""
    radius, tall = 0.036, 0.092
    outer = [(0, 0), (radius * 0.86, 0), (radius * 0.90, 0.003), (radius * 0.96, 0.05), (radius, tall), (radius - 0.0012, tall + 0.0008)]
    inner = [(radius - 0.0024, tall), (radius * 0.96 - 0.0024, 0.05), (radius * 0.86, 0.010), (radius * 0.7, 0.0085), (0, 0.0085)]
    cup = scenes.paint(scenes.solid(scenes.lathe("tumbler", _dense(outer + inner), 96)), glass())
    cup.location = place
    if not tea:
        return
    level = 0.071
    wide = radius * 0.96 - 0.0022 + (level - 0.05) / (tall - 0.05) * radius * 0.04
    drink = [
        (0, 0.0084),
        (radius * 0.7, 0.0084),
        (radius * 0.86 + 0.0002, 0.0098),
        (radius * 0.96 - 0.0022, 0.05),
        (wide, level),
        (wide - 0.001, level - 0.0006),
        (0, level - 0.0008),
    ]
    liquid = scenes.material("tea", (0.93, 0.70, 0.25), Roughness=0.0, IOR=1.33, Transmission_Weight=1.0)
    scenes.paint(scenes.solid(scenes.lathe("drink", _dense(drink), 96)), liquid).location = place
    blossoms(place, [(0.008, 0.006, level - 0.001), (-0.014, -0.006, level - 0.0015)], 0.009)


def blossoms(place: Vec, spots: list[tuple[float, float, float]], size: float, seed: int = 2) -> None:
    """Scatter jasmine blossoms: five white petals round a yellow eye."""
    rng = np.random.default_rng(seed)
    white = scenes.material(
        "petal", (0.93, 0.92, 0.85), Roughness=0.5, Subsurface_Weight=0.4, Subsurface_Radius=(0.004, 0.004, 0.002), Subsurface_Scale=0.3
    )
    eye = scenes.material("eye", (0.78, 0.66, 0.22), Roughness=0.6)
    for spot in spots:
        turn, lean = rng.uniform(0, 6.28), rng.uniform(-0.35, 0.35, 2)
        for index in range(6):
            t, s = np.meshgrid(np.linspace(0, 1, 9), np.linspace(-1, 1, 7), indexing="ij")
            length = size * (0.12 + 0.95 * t)
            half = size * 0.27 * np.sin(math.pi * np.clip(0.10 + 0.88 * t, 0, 1)) ** 0.75
            angle = turn + index * math.pi / 3 + rng.uniform(-0.1, 0.1)
            curl = size * (0.28 * t**2 - 0.08 * t + 0.10 * s**2 * (1 - t))
            x, y = length * math.cos(angle) - half * s * math.sin(angle), length * math.sin(angle) + half * s * math.cos(angle)
            z = curl + x * lean[0] + y * lean[1]
            petal = scenes.paint(scenes.sheet("petal", np.stack([x, y, z], -1)), white)
            petal.location = (place[0] + spot[0], place[1] + spot[1], place[2] + spot[2])
        ball = scenes.paint(scenes.lathe("eye", [(0, -0.1 * size), (0.11 * size, 0), (0.07 * size, 0.1 * size), (0, 0.12 * size)], 16), eye)
        ball.location = (place[0] + spot[0], place[1] + spot[1], place[2] + spot[2])
