"""The host: MakeHuman's CC0 base mesh shaped into a young woman, dressed, posed, and given a face that speaks.

The mesh is shaped by target files and bent by linear blend skinning, all in numpy; Blender only gets finished meshes. Metres, z up; she
looks along -y and stands at the origin.
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector
from mathutils.bvhtree import BVHTree

from making import registry, scenes

SHAPE = {
    "macrodetails/universal-female-young-averagemuscle-averageweight": 0.75,
    "macrodetails/universal-female-young-averagemuscle-minweight": 0.25,
    "macrodetails/asian-female-young": 1.0,
    "macrodetails/proportions/female-young-averagemuscle-averageweight-idealproportions": 0.8,
    "breast/female-young-averagemuscle-averageweight-mincup-maxfirmness": 0.3,
    "head/head-oval": 0.4,
    "chin/chin-width-decr": 0.2,
    "mouth/mouth-angles-up": 0.25,
    "nose/nose-scale-horiz-decr": 0.2,
    "mouth/mouth-upperlip-volume-incr": 0.3,
    "mouth/mouth-lowerlip-volume-incr": 0.3,
    "eyes/l-eye-scale-incr": 0.55,
    "eyes/r-eye-scale-incr": 0.55,
}
SMILE = {"mouth-corner-puller": 0.5}
_UNITS = "expression/units/asian/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How the body is held."""

    aims: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Bone to the direction it shall point to."""
    turns: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Bone to a rotation in degrees about the world's x, y, z axes."""
    rolls: dict[str, float] = field(default_factory=dict)
    """Bone to a turn in degrees about its own length."""
    curl: dict[str, float] = field(default_factory=dict)
    """Hand, L or R, to the bend of every finger joint in degrees."""


@cache
def _base() -> tuple[np.ndarray, np.ndarray, dict[str, tuple[tuple[int, ...], ...]], dict[str, tuple[tuple[int, ...], ...]]]:
    """Read the base mesh: points, texture points, and per group its faces by point and by texture point."""
    points, uvs, faces, corners, group = [], [], {}, {}, ""
    for line in (registry.body() / "mpfb2" / "3dobjs" / "base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append([float(x) for x in rest.split()])
        elif kind == "vt":
            uvs.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            pairs = [corner.split("/") for corner in rest.split()]
            faces.setdefault(group, []).append(tuple(int(p[0]) - 1 for p in pairs))
            corners.setdefault(group, []).append(tuple(int(p[1]) - 1 for p in pairs))
    return np.array(points), np.array(uvs), {k: tuple(v) for k, v in faces.items()}, {k: tuple(v) for k, v in corners.items()}


@cache
def _target(name: str) -> tuple[np.ndarray, np.ndarray]:
    path = registry.body() / "mpfb2" / "targets" / f"{name}.target.gz"
    rows = [line.split() for line in gzip.decompress(path.read_bytes()).decode().splitlines() if line and line[0] != "#"]
    return np.array([int(r[0]) for r in rows], int), np.array([[float(x) for x in r[1:4]] for r in rows]).reshape(-1, 3)


def shaped(face: dict[str, float]) -> np.ndarray:
    """Apply the body's shape and a facial expression: points (n, 3) in metres, z up, at rest."""
    points = _base()[0].copy()
    for name, share in {**SHAPE, **{_UNITS + k: v for k, v in face.items()}}.items():
        index, shift = _target(name)
        points[index] += share * shift
    points = points[:, [0, 2, 1]] * 0.1
    points[:, 1] *= -1
    return points


@cache
def _rig() -> tuple[dict[str, Any], dict[str, list[tuple[int, float]]]]:
    folder = registry.body() / "mpfb2" / "rigs" / "standard"
    rig = json.loads((folder / "rig.default.json").read_text())
    weights = json.loads((folder / "weights.default.json").read_text())["weights"]
    return rig.get("bones", rig), weights


def _heads(points: np.ndarray) -> dict[str, np.ndarray]:
    """Find every bone's pivot."""
    faces = _base()[2]
    out = {}
    for name, bone in _rig()[0].items():
        head = bone["head"]
        if head["strategy"] == "CUBE":
            used = sorted({i for f in faces[head["cube_name"]] for i in f})
            out[name] = points[used].mean(0)
        elif head["strategy"] == "VERTEX":
            out[name] = points[head["vertex_index"]]
        else:
            out[name] = points[head["vertex_indices"]].mean(0)
    return out


_NEXT = {"upperarm01": "lowerarm01", "lowerarm01": "wrist", "wrist": "finger3-1", "neck01": "head"}


def posed(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Bend the body: every bone turns about its pivot, children go with their parents."""
    bones, weights = _rig()
    heads = _heads(points)

    @cache
    def move(name: str) -> tuple[np.ndarray, np.ndarray]:
        parent = bones[name].get("parent")
        rotation, shift = move(parent) if parent else (np.eye(3), np.zeros(3))
        local = _local(name, rotation, heads, pose)
        if local is not None:
            shift = rotation @ (heads[name] - local @ heads[name]) + shift
            rotation = rotation @ local
        return rotation, shift

    out, total = np.zeros_like(points), np.zeros(len(points))
    for name, rows in weights.items():
        if rows:
            index, share = np.array([r[0] for r in rows], int), np.array([r[1] for r in rows])
            rotation, shift = move(name)
            np.add.at(out, index, share[:, None] * (points[index] @ rotation.T + shift))
            np.add.at(total, index, share)
    free = total < 1e-6
    out[~free] /= total[~free, None]
    out[free] = points[free]
    return out


def _local(name: str, parent: np.ndarray, heads: dict[str, np.ndarray], pose: Pose) -> np.ndarray | None:
    """Find a bone's own rotation, in the frame its parent leaves it in; None when it stays as it is."""
    if name in pose.turns:
        return np.array(Euler([math.radians(a) for a in pose.turns[name]]).to_matrix())
    stem, _, side = name.partition(".")
    if stem.startswith("finger") and side in pose.curl:
        knuckles = heads[f"finger5-1.{side}"] - heads[f"finger2-1.{side}"]
        thumb = stem.startswith("finger1")
        degrees = pose.curl[side] * (0.35 if thumb else 1.0)
        axis = knuckles if not thumb else heads[f"finger3-1.{side}"] - heads[f"wrist.{side}"]
        return np.array(Matrix.Rotation(math.radians(degrees if side == "L" else -degrees), 3, Vector(axis)))
    if name not in pose.aims and name not in pose.rolls:
        return None
    child = _NEXT[stem] + (f".{side}" if side else "")
    now = Vector(heads[child] - heads[name])
    local = np.eye(3)
    if name in pose.aims:
        wanted = Vector(parent.T @ np.array(pose.aims[name]))
        local = np.array(now.rotation_difference(wanted).to_matrix())
    if name in pose.rolls:
        local = local @ np.array(Matrix.Rotation(math.radians(pose.rolls[name]), 3, now))
    return local


def pivot(points: np.ndarray, name: str) -> np.ndarray:
    """Find a joint in a shaped or posed body."""
    return _heads(points)[name]


# --- bodies for Blender -------------------------------------------------------------------------

SKIN = (0.70, 0.43, 0.32)


def build(pose: Pose, face: dict[str, float]) -> dict[str, np.ndarray]:
    """Put the host into the scene; returns where her joints are."""
    rest = shaped({**SMILE, **face})
    points = posed(rest, pose)
    _skin(points)
    _sweater(points)
    eyes = [_eye(points, side) for side in "lr"]
    _mouth(points)
    _lashes(points)
    tree = BVHTree.FromPolygons([tuple(p) for p in points], [f for f in _base()[2]["body"]])
    _brows(points, tree, eyes)
    _hair(points, tree)
    return _heads(points)


def _part(name: str, points: np.ndarray, faces: Any, corners: Any, paint: Any, *, subdivide: int = 1) -> Any:
    used = sorted({i for face in faces for i in face})
    number = {old: new for new, old in enumerate(used)}
    made = scenes.mesh(name, points[used], [[number[i] for i in face] for face in faces])
    uv = _base()[1]
    layer = made.data.uv_layers.new(name="uv")
    layer.data.foreach_set("uv", uv[[i for corner in corners for i in corner]].astype(np.float32).ravel())
    if subdivide:
        smooth = made.modifiers.new("smooth", "SUBSURF")
        smooth.levels = smooth.render_levels = subdivide
    return scenes.paint(made, paint)


def _skin(points: np.ndarray) -> Any:
    folder = registry.body() / "mpfb2" / "textures"
    skin = scenes.material(
        "skin", SKIN, Roughness=0.46, Subsurface_Weight=0.28, Subsurface_Radius=(0.012, 0.0045, 0.0025), Subsurface_Scale=0.5
    )
    shader = scenes.shader(skin)
    place = scenes.node(skin, "ShaderNodeTexCoord")
    blotch = scenes.node(skin, "ShaderNodeTexNoise", Scale=9.0, Detail=5.0)
    tone = scenes.node(skin, "ShaderNodeMix", data_type="RGBA")
    tone.inputs["A"].default_value, tone.inputs["B"].default_value = (0.72, 0.455, 0.335, 1), (0.65, 0.365, 0.265, 1)
    scenes.link(skin, place.outputs["Object"], blotch.inputs["Vector"])
    scenes.link(skin, blotch.outputs["Fac"], tone.inputs["Factor"])
    colour = tone.outputs["Result"]
    for mask, paint, share in (
        ("mpfb_lips", (0.56, 0.13, 0.13, 1), 0.85),
        ("mpfb_fingernails", (0.80, 0.40, 0.36, 1), 0.6),
        ("mpfb_inside-mouth", (0.30, 0.05, 0.05, 1), 1.0),
    ):
        image = bpy.data.images.load(str(folder / f"{mask}.jpg"))
        image.colorspace_settings.name = "Non-Color"
        texture = scenes.node(skin, "ShaderNodeTexImage", image=image)
        weight = scenes.node(skin, "ShaderNodeMath", operation="MULTIPLY")
        weight.inputs[1].default_value = share
        layer = scenes.node(skin, "ShaderNodeMix", data_type="RGBA")
        layer.inputs["B"].default_value = paint
        scenes.link(skin, texture.outputs["Color"], weight.inputs[0])
        scenes.link(skin, weight.outputs[0], layer.inputs["Factor"])
        scenes.link(skin, colour, layer.inputs["A"])
        colour = layer.outputs["Result"]
    scenes.link(skin, colour, shader.inputs["Base Color"])
    pores = scenes.node(skin, "ShaderNodeTexNoise", Scale=260.0, Detail=3.0)
    relief = scenes.node(skin, "ShaderNodeBump", Strength=0.12, Distance=0.0008)
    scenes.link(skin, place.outputs["Object"], pores.inputs["Vector"])
    scenes.link(skin, pores.outputs["Fac"], relief.inputs["Height"])
    scenes.link(skin, relief.outputs["Normal"], shader.inputs["Normal"])
    return _part("body", points, _base()[2]["body"], _base()[3]["body"], skin, subdivide=2)


def _sweater(points: np.ndarray) -> Any:
    """Knit a high-necked sweater from the mesh's clothes helper."""
    rest = shaped({})
    wrist, neck = _heads(rest)["wrist.L"], _heads(rest)["neck01"]
    faces, corners = [], []
    for face, corner in zip(_base()[2]["helper-tights"], _base()[3]["helper-tights"], strict=True):
        x, y, z = rest[list(face)].mean(0)
        above_neck = z > neck[2] + 0.030 + 0.25 * (y - neck[1]) and abs(x) < 0.09
        past_wrist = abs(x) > wrist[0] - 0.012
        if z > -0.12 and not above_neck and not past_wrist:
            faces.append(face)
            corners.append(corner)
    knit = scenes.material("knit", (0.20, 0.32, 0.46), Roughness=0.95, Sheen_Weight=0.4)
    place = scenes.node(knit, "ShaderNodeUVMap")
    wave = scenes.node(knit, "ShaderNodeTexWave", Scale=150.0, Distortion=1.0)
    cross = scenes.node(knit, "ShaderNodeTexWave", Scale=95.0, Distortion=1.5, bands_direction="Y")
    both = scenes.node(knit, "ShaderNodeMath", operation="MULTIPLY")
    relief = scenes.node(knit, "ShaderNodeBump", Strength=0.8, Distance=0.0022)
    scenes.link(knit, place.outputs["UV"], wave.inputs["Vector"])
    scenes.link(knit, place.outputs["UV"], cross.inputs["Vector"])
    scenes.link(knit, wave.outputs["Fac"], both.inputs[0])
    scenes.link(knit, cross.outputs["Fac"], both.inputs[1])
    scenes.link(knit, both.outputs[0], relief.inputs["Height"])
    scenes.link(knit, relief.outputs["Normal"], scenes.shader(knit).inputs["Normal"])
    made = _part("sweater", points, faces, corners, knit, subdivide=2)
    loose = made.modifiers.new("loose", "DISPLACE")
    loose.strength, loose.mid_level = 0.003, 0.0
    clouds = bpy.data.textures.new("folds", "CLOUDS")
    clouds.noise_scale = 0.09
    folds = made.modifiers.new("folds", "DISPLACE")
    folds.texture, folds.strength, folds.mid_level, folds.texture_coords = clouds, 0.011, 0.5, "GLOBAL"
    body = made.modifiers.new("body", "SOLIDIFY")
    body.thickness, body.offset = 0.004, 1
    return made


def _eye(points: np.ndarray, side: str) -> np.ndarray:
    """Set an eyeball: white, brown iris, pupil, wet surface."""
    ball = points[sorted({i for face in _base()[2][f"helper-{side}-eye"] for i in face})]
    centre, radius = (ball.max(0) + ball.min(0)) / 2, (ball.max(0) - ball.min(0))[0] / 2
    angle = np.linspace(0, math.pi, 40)
    profile = [(radius * math.sin(a), radius * math.cos(a)) for a in angle]
    made = scenes.lathe("eye", profile, 64)
    made.location, made.rotation_euler = centre, (math.radians(90), 0, 0)
    share = np.linspace(0, 1, 512)[:, None] * np.ones((1, 256))
    rng = np.random.default_rng(1)
    fibre = rng.normal(0, 1, 256)[None] * 0.25
    iris = np.array([0.16, 0.075, 0.035]) * (1 + fibre[..., None] * np.clip((share - 0.06) / 0.1, 0, 1)[..., None])
    pixels = np.ones((512, 256, 3)) * np.array([0.90, 0.87, 0.85])
    edge = np.clip((0.172 - share) / 0.012, 0, 1)[..., None]
    pixels = pixels * (1 - edge) + iris * (1 - 0.5 * np.clip((share - 0.14) / 0.03, 0, 1))[..., None] * edge
    pixels = np.where((share < 0.070)[..., None], 0.01, pixels)
    paint = scenes.textured("eyeball", np.clip(pixels, 0, 1).astype(np.float32), Roughness=0.15, Coat_Weight=1.0, Coat_Roughness=0.02)
    scenes.paint(made, paint)
    return centre


def _mouth(points: np.ndarray) -> None:
    enamel = scenes.material("teeth", (0.86, 0.82, 0.74), Roughness=0.2, Subsurface_Weight=0.2, Subsurface_Radius=(0.004, 0.003, 0.002))
    tongue = scenes.material("tongue", (0.55, 0.16, 0.15), Roughness=0.4)
    for group, paint in (("helper-upper-teeth", enamel), ("helper-lower-teeth", enamel), ("helper-tongue", tongue)):
        _part(group, points, _base()[2][group], _base()[3][group], paint)


def _dark() -> Any:
    made = bpy.data.materials.get("hair")
    if made is None:
        made = scenes.material("hair", (0.016, 0.011, 0.009), Roughness=0.38, Specular_IOR_Level=0.6)
    return made


def _lashes(points: np.ndarray) -> None:
    """Turn the mesh's lash strips into single lashes."""
    tree = BVHTree.FromPolygons([tuple(p) for p in points], list(_base()[2]["body"]))
    lines, rng = [], np.random.default_rng(2)
    for group in ("helper-l-eyelashes-1", "helper-r-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-2"):
        for face in _base()[2][group]:
            order = sorted(face, key=lambda i: tree.find_nearest(Vector(points[i]))[3])
            roots, tips = points[list(order[:2])], points[list(order[2:])]
            if np.linalg.norm(roots[0] - tips[0]) > np.linalg.norm(roots[0] - tips[1]):
                tips = tips[::-1]
            for share in rng.uniform(0, 1, 4):
                root, tip = roots[0] * (1 - share) + roots[1] * share, tips[0] * (1 - share) + tips[1] * share
                t = np.linspace(0, 1, 5)[:, None]
                lines.append(root + (tip - root) * t * 0.8 + np.array([0, 0, 0.0012]) * t**2)
    scenes.strands("lashes", np.array(lines), 0.00011, _dark(), 0.2)


def _brows(points: np.ndarray, tree: BVHTree, eyes: list[np.ndarray]) -> None:
    lines, rng = [], np.random.default_rng(3)
    for centre in eyes:
        side = 1 if centre[0] > 0 else -1
        for _ in range(330):
            along = rng.uniform(-1, 1)
            x = centre[0] + side * along * 0.0215
            thick = 0.0030 * (1 - 0.55 * max(0.0, along)) * (1 - 0.25 * max(0.0, -along))
            z = centre[2] + 0.0205 + 0.0035 * (1 - ((along - 0.35) / 1.1) ** 2) + rng.normal(0, 0.5) * thick
            spot, normal, *_ = tree.ray_cast(Vector((x, -0.5, z)), Vector((0, 1, 0)))
            if spot is None:
                continue
            way = np.array([side * (0.55 + 0.45 * (along + 1) / 2), 0, 0.75 - 0.5 * (along + 1)])
            t = np.linspace(0, 1, 4)[:, None]
            lines.append(np.array(spot) + np.array(normal) * 0.0006 + way * 0.0055 * t + np.array(normal) * 0.0006 * t)
    scenes.strands("brows", np.array(lines), 0.00010, _dark(), 0.3)


def _hair(points: np.ndarray, tree: BVHTree, count: int = 12_000) -> None:
    """Comb the hair back into a high bun, with a fringe over the forehead and a lock at each ear."""
    rng = np.random.default_rng(4)
    head = _heads(points)
    eye_z = (head["eye.L"][2] + head["eye.R"][2]) / 2
    top = points[[i for f in _base()[2]["body"] for i in f]][:, 2].max()
    bun = np.array([0.0, head["head"][1] + 0.115, top - 0.012])
    middle = np.array([0.0, head["head"][1] + 0.015, eye_z + 0.025])
    lines = []
    while len(lines) < count:
        way = rng.normal(0, 1, 3)
        way /= np.linalg.norm(way)
        spot, _normal, *_ = tree.ray_cast(Vector(middle + way * 0.3), Vector(-way))
        if spot is None or not _on_scalp(np.array(spot), middle, eye_z, rng):
            continue
        lines.append(_combed(np.array(spot), bun, middle, tree, rng))
    scenes.strands("hair", np.array(lines), 0.00022, _dark(), 0.8)
    _bun(bun, rng)
    _fringe_and_locks(tree, middle, eye_z, top, rng)


def _on_scalp(spot: np.ndarray, middle: np.ndarray, eye_z: float, rng: np.random.Generator) -> bool:
    """Say whether hair grows here: above a line from the forehead past the temples and over the ears to the nape."""
    forward = middle[1] - spot[1]
    line = np.interp(forward, (-0.10, -0.05, 0.0, 0.03, 0.055, 0.085, 0.12), (-0.055, -0.045, 0.0, 0.030, 0.040, 0.060, 0.068))
    return bool(spot[2] - eye_z > line + rng.normal(0, 0.0018))


def _combed(root: np.ndarray, bun: np.ndarray, middle: np.ndarray, tree: BVHTree, rng: np.random.Generator, points: int = 22) -> np.ndarray:
    lift = rng.uniform(0.002, 0.008)
    line = np.zeros((points, 3))
    for k, t in enumerate(np.linspace(0, 1, points)):
        straight = root * (1 - t) + bun * t
        spot, normal, *_ = tree.find_nearest(Vector(straight))
        out = straight - middle
        away = np.array(spot) + np.array(normal) * (lift * min(1.0, t * 6) + 0.0004)
        inside = np.dot(straight - np.array(spot), np.array(normal)) < lift
        line[k] = away if inside and t < 0.92 else straight + out * 0.0
    line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line + rng.normal(0, 0.0006, 3) * np.linspace(0, 1, points)[:, None]


def _bun(centre: np.ndarray, rng: np.random.Generator, radius: float = 0.042) -> None:
    """Wind a ball of hair."""
    lines = []
    for _ in range(2600):
        tilt, phase = rng.normal(0, 0.5, 2), rng.uniform(0, 6.28)
        size = radius * rng.uniform(0.80, 1.03)
        t = np.linspace(0, 2.6, 22) + phase
        ring = np.stack([np.cos(t), np.sin(t), 0.35 * np.sin(t * 0.5 + phase)], -1)
        ring /= np.linalg.norm(ring, axis=1, keepdims=True)
        turn = np.array(Euler((0.9 + tilt[0], tilt[1], 0)).to_matrix())
        lines.append(centre + np.array([0, 0.006, 0.014]) + size * ring @ turn.T)
    scenes.strands("bun", np.array(lines), 0.00022, _dark(), 0.6)
    core = scenes.lathe("core", [(radius * 0.93 * math.sin(a), radius * 0.93 * math.cos(a)) for a in np.linspace(0, math.pi, 24)], 32)
    core.location = centre + np.array([0, 0.006, 0.014])
    scenes.paint(core, _dark())


def _fringe_and_locks(tree: BVHTree, middle: np.ndarray, eye_z: float, top: float, rng: np.random.Generator) -> None:
    lines = []
    for _ in range(900):
        x = rng.normal(0, 0.030)
        if abs(x) > 0.058:
            continue
        lines.append(
            _falling(
                np.array([x, 0, 0]), eye_z, 0.080 + rng.normal(0, 0.002), 0.020 + rng.normal(0, 0.006) - 6 * x * x, x * 0.25, tree, rng
            )
        )
    for side in (-1, 1):
        for _ in range(420):
            x = side * (0.060 + abs(rng.normal(0, 0.004)))
            lines.append(
                _falling(np.array([x, 0, 0]), eye_z, 0.066 + rng.normal(0, 0.003), -0.075 + rng.normal(0, 0.012), side * 0.014, tree, rng)
            )
    scenes.strands("fringe", np.array([line for line in lines if line is not None]), 0.00016, _dark(), 0.4)


def _falling(spot: np.ndarray, eye_z: float, high: float, low: float, drift: float, tree: BVHTree, rng: np.random.Generator) -> np.ndarray:
    """Let one hair fall in front of the face from `high` to `low` above the eyes."""
    line = np.zeros((14, 3))
    far = rng.uniform(0.002, 0.009)
    wave = rng.normal(0, 0.003)
    y = None
    for k, t in enumerate(np.linspace(0, 1, 14)):
        x, z = spot[0] + drift * t**1.5 + wave * math.sin(2.2 * t), eye_z + high + (low - high) * t
        hit, *_ = tree.ray_cast(Vector((x, -0.6, z)), Vector((0, 1, 0)))
        skin = hit[1] if hit is not None and hit[1] < 0.02 else (y if y is not None else -0.05)
        y = skin if y is None else min(y + 0.002, skin)
        line[k] = (x, y - far * (0.3 + 1.2 * math.sin(math.pi * min(1, t * 0.9 + 0.1))), z)
    return line


IDLE = Pose(
    aims={
        "upperarm01.L": (0.22, -0.12, -1.0),
        "lowerarm01.L": (-0.50, -0.85, 0.10),
        "wrist.L": (-0.75, -0.60, -0.05),
        "upperarm01.R": (-0.22, -0.12, -1.0),
        "lowerarm01.R": (0.50, -0.85, 0.04),
        "wrist.R": (0.75, -0.60, -0.08),
    },
    curl={"L": 22, "R": 22},
    turns={"head": (-4, 0, 0)},
)
_RAISED = {"upperarm01.R": (-0.32, -0.30, -1.0), "lowerarm01.R": (0.06, -0.62, 0.80), "wrist.R": (0.10, -0.25, 0.95)}
HOLD = Pose(
    aims={**{bone: way for bone, way in IDLE.aims.items() if bone.endswith("L")}, **_RAISED},
    rolls={"wrist.R": -90},
    curl={"L": 22, "R": 28},
    turns={"head": (-4, 3, 4)},
)
SPREAD = Pose(
    aims={**_RAISED, **{bone[:-1] + "L": (-x, y, z) for bone, (x, y, z) in _RAISED.items()}},
    rolls={"wrist.R": -90, "wrist.L": 90},
    curl={"L": 30, "R": 30},
    turns={"head": (-3, 0, -3)},
)
