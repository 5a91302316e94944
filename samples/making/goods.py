"""The three products as models: a tin of jasmine tea, a plaid scarf, apples and their carton."""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np

from making import scenes, textures
from making.scenes import Vec

# --- tea ----------------------------------------------------------------------------------------


def tin(place: Vec = (0, 0, 0), turn: float = 0.0, *, open_lid: bool = False) -> list[Any]:
    """Stand up the tea tin: 7.4 cm wide, 12 cm tall, its label facing -y."""
    radius, tall = 0.037, 0.100
    metal = scenes.rough(scenes.material("lid", (0.62, 0.47, 0.22), Metallic=1.0, Roughness=0.28), 320, 0.04, 0.0004)
    wrap = scenes.lathe("wrap", [(radius, 0.006), (radius, 0.006 + 0.0905)][::-1], 128)
    scenes.paint(wrap, scenes.textured("label", textures.tea_label(), Roughness=0.45, Coat_Weight=0.25, Coat_Roughness=0.3))
    wrap.data.transform(_turned(math.pi / 2))
    foot = scenes.paint(
        scenes.lathe(
            "foot", [(0, 0.0005), (radius - 0.002, 0), (radius + 0.0006, 0.0015), (radius + 0.0006, 0.0055), (radius, 0.0062)], 128
        ),
        metal,
    )
    neck = scenes.paint(
        scenes.lathe(
            "neck",
            [
                (radius, 0.0965),
                (radius + 0.0006, 0.0972),
                (radius + 0.0006, 0.0985),
                (radius - 0.002, tall),
                (radius - 0.0024, tall + 0.006),
            ],
            128,
        ),
        metal,
    )
    lid = [
        (radius + 0.0010, 0.0),
        (radius + 0.0016, 0.0008),
        (radius + 0.0016, 0.0150),
        (radius + 0.0006, 0.0172),
        (radius - 0.003, 0.0186),
        (radius - 0.006, 0.0182),
        (radius - 0.008, 0.0176),
        (0.0, 0.0178),
    ]
    cap = scenes.paint(scenes.lathe("cap", lid, 128), metal)
    parts = [wrap, foot, neck, cap]
    for part in parts:
        part.location = place
        part.rotation_euler = (0, 0, turn)
    cap.location = (place[0], place[1], place[2] + tall - 0.001)
    if open_lid:
        cap.location = (place[0] + 0.075, place[1] - 0.035, place[2] + 0.0375)
        cap.rotation_euler = (1.32, 0.0, 0.5)
    return parts


def tea_leaves(place: Vec, count: int = 420, radius: float = 0.035, seed: int = 6) -> None:
    """Pour a small heap of dry rolled leaves."""
    rng = np.random.default_rng(seed)
    tones = [
        scenes.material(f"dry{n}", colour, Roughness=0.75)
        for n, colour in enumerate(((0.035, 0.042, 0.018), (0.07, 0.075, 0.03), (0.14, 0.12, 0.055)))
    ]
    for _ in range(count):
        away, angle = radius * rng.uniform(0, 1) ** 0.62, rng.uniform(0, 2 * math.pi)
        up = max(0.0008, 0.42 * (radius - away) * rng.uniform(0.1, 1.0))
        length, yaw, pitch = rng.uniform(0.006, 0.014), rng.uniform(0, 6.28), rng.normal(0, 0.25)
        t = np.linspace(-0.5, 0.5, 7)
        bend = rng.uniform(-0.25, 0.25)
        x = t * length
        y = bend * length * (t**2 - 0.1) + length * 0.06 * np.sin(t * 14 + rng.uniform(0, 6))
        z = np.sin(pitch) * x + length * 0.05 * np.cos(t * 11)
        points = np.stack([x * math.cos(yaw) - y * math.sin(yaw), x * math.sin(yaw) + y * math.cos(yaw), z], -1)
        points += np.array([place[0] + away * math.cos(angle), place[1] + away * math.sin(angle), place[2] + up])
        thick = rng.uniform(0.0006, 0.0013)
        scenes.paint(scenes.tube("dry", points, thick, [0.4, 0.8, 1, 1.1, 1, 0.7, 0.3]), tones[rng.integers(3)])


def _turned(angle: float) -> Any:
    from mathutils import Matrix

    return Matrix.Rotation(angle, 4, "Z")


# --- scarf --------------------------------------------------------------------------------------

_WOVEN = (0.34, 1.70)
"""Width and length of the scarf's cloth in metres, without its fringe."""


def cloth_paint() -> Any:
    """Make the scarf's wool."""
    colour, height = textures.plaid()
    return scenes.textured("wool", colour, bump=height, bump_m=0.0012, Roughness=0.95, Sheen_Weight=0.35, Sheen_Roughness=0.5)


def cloth(
    path: np.ndarray,
    width: float = _WOVEN[0],
    *,
    seed: int = 1,
    wave: float = 0.004,
    columns: int = 60,
    thick: float = 0.004,
    start: float = 0.0,
) -> np.ndarray:
    """Lay cloth along a path.

    `path` is (n, 2): y and z of the cloth's middle line. Returns the grid (n, columns, 3) with soft waves across the width; paints it,
    gives it body and fluff.
    """
    rng = np.random.default_rng(seed)
    x = np.linspace(-width / 2, width / 2, columns)
    step = np.gradient(path, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-step[:, 1], step[:, 0]], -1)
    rows = len(path)
    swell = sum(
        rng.uniform(0.3, 1) * np.sin(x[None] * rng.uniform(12, 34) + np.linspace(0, rng.uniform(2, 7), rows)[:, None] + rng.uniform(0, 6))
        for _ in range(5)
    )
    swell = wave * swell / 2
    grid = np.zeros((rows, columns, 3))
    edge = 0.004 * np.sin(np.linspace(0, 9, rows) + seed)[:, None]
    grid[..., 0] = x[None] + edge
    grid[..., 1] = path[:, :1] + normal[:, :1] * swell
    grid[..., 2] = path[:, 1:] + normal[:, 1:] * swell
    made = wool(grid, thick=thick, start=start)
    made.name = "scarf"
    return grid


def wool(grid: np.ndarray, *, thick: float = 0.004, start: float = 0.0, fluff: int = 26_000) -> Any:
    """Turn a grid of points into woollen cloth: plaid by length, thickness, loose fibres."""
    _rows, _columns = grid.shape[:2]
    made = scenes.sheet("wool", grid)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(grid.mean(1), axis=0), axis=1))]) + start
    across = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(grid.mean(0), axis=0), axis=1))])
    u, v = np.meshgrid(across / _WOVEN[0], along / _WOVEN[1])
    data = made.data
    corners = np.zeros(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", corners)
    data.uv_layers[0].data.foreach_set("uv", np.stack([u, v], -1).reshape(-1, 2)[corners].astype(np.float32).ravel())
    paint = bpy.data.materials.get("wool") or cloth_paint()
    scenes.paint(made, paint)
    body = made.modifiers.new("body", "SOLIDIFY")
    body.thickness, body.offset = thick, 0
    smooth = made.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 1
    if fluff:
        _fluff(grid, thick, fluff)
    return made


def _fluff(grid: np.ndarray, thick: float, count: int) -> None:
    """Raise loose fibres from both faces of a cloth."""
    rng = np.random.default_rng(3)
    rows, columns = grid.shape[:2]
    r, c = rng.uniform(0, rows - 1.001, count), rng.uniform(0, columns - 1.001, count)
    i, j = r.astype(int), c.astype(int)
    fr, fc = (r - i)[:, None], (c - j)[:, None]
    root = (grid[i, j] * (1 - fr) + grid[i + 1, j] * fr) * (1 - fc) + (grid[i, j + 1] * (1 - fr) + grid[i + 1, j + 1] * fr) * fc
    normal = np.cross(grid[i, j + 1] - grid[i, j], grid[i + 1, j] - grid[i, j])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    normal *= np.where(rng.uniform(size=(count, 1)) < 0.5, 1, -1)
    root = root + normal * thick / 2
    lean = normal * 0.55 + rng.normal(0, 0.7, (count, 3))
    length = rng.uniform(0.0015, 0.0050, (count, 1))
    curl = rng.normal(0, 0.5, (count, 3))
    t = np.linspace(0, 1, 5)[None, :, None]
    lines = root[:, None] + (lean * length)[:, None] * t + (curl * length)[:, None] * t**2
    fibre = bpy.data.materials.get("fibre") or scenes.material("fibre", (0.55, 0.16, 0.14), Roughness=0.9)
    scenes.strands("fluff", lines, 0.000035, fibre)


def fringe(edge: np.ndarray, way: Vec, *, length: float = 0.07, floor: float | None = None, seed: int = 5) -> None:
    """Knot tassels along an edge of points (n, 3), lying along `way`; never below `floor`."""
    rng = np.random.default_rng(seed)
    colours = ((0.36, 0.015, 0.02), (0.36, 0.015, 0.02), (0.16, 0.008, 0.015), (0.75, 0.66, 0.52), (0.012, 0.018, 0.05))
    paints = [
        bpy.data.materials.get(f"yarn{n}") or scenes.material(f"yarn{n}", colour, Roughness=0.95, Sheen_Weight=0.3)
        for n, colour in enumerate(colours)
    ]
    way_n = np.array(way, float) / np.linalg.norm(way)
    distance = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
    for at in np.arange(0.004, distance[-1], 0.0085):
        root = np.array([np.interp(at, distance, edge[:, k]) for k in range(3)])
        lean, long = rng.normal(0, 0.10, 3), length * rng.uniform(0.9, 1.1)
        pick = paints[rng.integers(len(paints))]
        for twist in range(2):
            t = np.linspace(0, 1, 26)
            phase = t * 26 + twist * math.pi
            line = root + (way_n + lean * t[:, None]) * (t * long)[:, None]
            if floor is None:
                line[:, 2] -= 0.25 * long * t**2
            side = np.cross(way_n, (0, 0, 1.0)) if abs(way_n[2]) < 0.9 else np.array([1.0, 0, 0])
            line += 0.0011 * (np.sin(phase)[:, None] * side + np.cos(phase)[:, None] * np.cross(way_n, side))
            if floor is not None:
                line[:, 2] = np.maximum(line[:, 2] - 0.5 * t * max(root[2] - floor, 0), floor + 0.0016)
            scenes.paint(scenes.tube("yarn", line, 0.0014, np.r_[np.linspace(1.25, 1, 4), np.ones(19), 0.9, 0.7, 0.4]), pick)


def folded(layers: int = 5, depth: float = 0.24, gap: float = 0.013) -> np.ndarray:
    """Fold a path over itself: (n, 2) of y and z, lying on z = 0."""
    points, rng = [], np.random.default_rng(9)
    for layer in range(layers):
        z = 0.006 + layer * gap
        shrink = rng.uniform(-0.004, 0.004)
        run = np.linspace(-depth / 2, depth / 2 + shrink, 44)
        if layer % 2:
            run = run[::-1]
        sag = 0.0015 * np.sin(run * 19 + layer * 2.1)
        points += [(y, z + s) for y, s in zip(run, sag, strict=True)]
        if layer < layers - 1:
            end, side = run[-1], 1 if layer % 2 == 0 else -1
            points += [
                (end + side * gap * 0.72 * math.sin(a), z + gap / 2 - gap / 2 * math.cos(a)) for a in np.linspace(0.25, math.pi - 0.25, 9)
            ]
    return np.array(points)


def tag(place: Vec, turn: Vec = (0, 0, 0), width: float = 0.066) -> Any:
    """Sew on the woven label."""
    height = width * 3 / 7
    grid = np.array([[(x, y, 0.0006) for x in (-width / 2, width / 2)] for y in (height / 2, -height / 2)])
    made = scenes.paint(scenes.sheet("tag", grid, smooth=False), scenes.textured("tag", textures.scarf_tag(), Roughness=0.8))
    body = made.modifiers.new("body", "SOLIDIFY")
    body.thickness = 0.0008
    made.location, made.rotation_euler = place, turn
    return made


# --- apples -------------------------------------------------------------------------------------


def _apple_profile(steps: int = 110) -> np.ndarray:
    """(radius, height) of an apple of radius 1 from the stem's hollow down to the calyx."""
    u = np.linspace(0.0, math.pi, steps)
    wide = np.sin(u) ** 0.86 * (1 + 0.10 * np.cos(u))
    tall = 0.86 * np.cos(u)
    tall = tall - 0.40 * np.exp(-((wide / 0.27) ** 2)) * (u < math.pi / 2) + 0.24 * np.exp(-((wide / 0.25) ** 2)) * (u > math.pi / 2)
    return np.stack([wide / wide.max(), tall], -1)


def _apple_surface(profile: np.ndarray, seed: int, radius: float, turn: float = 2 * math.pi, steps: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, turn, steps + 1)
    a, b, c = rng.uniform(0, 6.28, 3)
    low = (profile[:, 1:] < 0) * np.clip(-profile[:, 1:], 0, 1)
    bulge = 1 + 0.022 * np.cos(2 * angle + a) + 0.015 * np.cos(3 * angle + b) + 0.05 * low * np.cos(5 * angle + c)
    wide = profile[:, :1] * bulge
    return radius * np.stack(
        [wide * np.cos(angle), wide * np.sin(angle), np.repeat(profile[:, 1:], steps + 1, 1) * (1 + 0.03 * np.cos(angle + b))], -1
    )


def _skin(seed: int) -> Any:
    name = f"skin{seed}"
    return bpy.data.materials.get(name) or scenes.textured(
        name,
        textures.apple_skin(seed),
        Roughness=0.30,
        Coat_Weight=0.35,
        Coat_Roughness=0.12,
        Subsurface_Weight=0.12,
        Subsurface_Radius=(0.012, 0.004, 0.002),
        Subsurface_Scale=0.4,
    )


def apple(place: Vec, *, seed: int = 1, radius: float = 0.040, turn: Vec = (0, 0, 0)) -> Any:
    """Put down a whole apple; `place` is its centre."""
    made = scenes.paint(scenes.sheet("apple", _apple_surface(_apple_profile(), seed, radius)), _skin(1 + seed % 4))
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 9)
    lean = rng.uniform(-0.35, 0.35, 2)
    stem = np.stack([lean[0] * t**2 * radius * 0.6, lean[1] * t**2 * radius * 0.6, radius * (0.42 + 0.62 * t)], -1)
    stalk = scenes.paint(scenes.tube("stem", stem, 0.0013, [1.1, 0.9, 0.85, 0.85, 0.9, 0.95, 1.05, 1.3, 1.5]), _stem())
    for part in (made, stalk):
        part.location, part.rotation_euler = place, turn
    return made


def _stem() -> Any:
    return bpy.data.materials.get("stem") or scenes.rough(scenes.material("stem", (0.13, 0.075, 0.03), Roughness=0.8), 700, 0.5)


def half_apple(place: Vec, *, seed: int = 1, radius: float = 0.041, turn: Vec = (0, 0, 0)) -> Any:
    """Put down half an apple, its cut facing -y before turning; `place` is the middle of the cut."""
    profile = _apple_profile()
    shell = scenes.paint(scenes.sheet("half", _apple_surface(profile, seed, radius, math.pi, 64)), _skin(1 + seed % 4))
    surface = _apple_surface(profile, seed, radius, math.pi, 64)
    share = np.linspace(0, 1, 30)[:, None]
    left, right = surface[:, 0], surface[:, -1]
    grid = left[:, None] * (1 - share) + right[:, None] * share
    cut = scenes.sheet("cut", grid)
    corners = np.zeros(len(cut.data.loops), np.int32)
    cut.data.loops.foreach_get("vertex_index", corners)
    flat = grid.reshape(-1, 3)[corners] / radius
    uv = np.stack([(flat[:, 0] + 1.15) / 2.3, (flat[:, 2] + 1.15) / 2.3], -1)
    cut.data.uv_layers[0].data.foreach_set("uv", uv.astype(np.float32).ravel())
    flesh = bpy.data.materials.get("flesh") or scenes.rough(
        scenes.textured(
            "flesh",
            textures.apple_flesh(),
            Roughness=0.32,
            Subsurface_Weight=0.35,
            Subsurface_Radius=(0.010, 0.007, 0.003),
            Subsurface_Scale=0.4,
            Coat_Weight=0.3,
        ),
        900,
        0.25,
        0.0006,
    )
    scenes.paint(cut, flesh)
    for part in (shell, cut):
        part.location, part.rotation_euler = place, turn
    return shell


def carton(place: Vec = (0, 0, 0), turn: float = 0.0, size: Vec = (0.36, 0.26, 0.15)) -> None:
    """Stand up the open carton, printed front facing -y."""
    wide, deep, tall = size
    thick = 0.005
    print_front = scenes.textured("print", textures.carton(), Roughness=0.85)
    board = scenes.rough(scenes.material("board", (0.50, 0.34, 0.20), Roughness=0.9), 260, 0.25, 0.0008)
    parts = [
        scenes.paint(scenes.box("floor", (wide, deep, thick), (0, 0, 0), 0.001), board),
        scenes.paint(scenes.box("front", (wide, thick, tall), (0, -deep / 2 + thick / 2, 0), 0.001), board),
        scenes.paint(scenes.box("back", (wide, thick, tall), (0, deep / 2 - thick / 2, 0), 0.001), board),
        scenes.paint(scenes.box("left", (thick, deep, tall), (-wide / 2 + thick / 2, 0, 0), 0.001), board),
        scenes.paint(scenes.box("right", (thick, deep, tall), (wide / 2 - thick / 2, 0, 0), 0.001), board),
    ]
    front = np.array([[(x, -deep / 2 - 0.0006, z) for x in (-wide / 2 + 0.002, wide / 2 - 0.002)] for z in (tall - 0.001, 0.001)])
    parts.append(scenes.paint(scenes.sheet("print", front, smooth=False), print_front))
    for side in (-1, 1):
        flap = scenes.box("flap", (thick * 0.7, deep * 0.98, tall * 0.62), (0, 0, 0), 0.001)
        scenes.paint(flap, board)
        flap.location = (side * (wide / 2 + 0.002), 0, tall)
        flap.data.transform(_lifted(tall * 0.31))
        flap.rotation_euler = (0, side * 2.15, 0)
        parts.append(flap)
    root = bpy.data.objects.new("carton", None)
    bpy.context.collection.objects.link(root)
    for part in parts:
        part.parent = root
    root.location, root.rotation_euler = place, (0, 0, turn)


def _lifted(height: float) -> Any:
    from mathutils import Matrix

    return Matrix.Translation((0, 0, height))
