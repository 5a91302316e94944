"""The host: MakeHuman's CC0 base mesh shaped into a young woman, dressed, posed, and given a face that speaks.

The mesh is shaped by target files and bent by linear blend skinning, all in numpy; Blender only gets finished meshes. Metres, z up, the host looks
along -y and stands at the origin.
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Euler

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
    "eyes/l-eye-scale-incr": 0.35,
    "eyes/r-eye-scale-incr": 0.35,
}
SMILE = {"mouth-corner-puller": 0.35, "mouth-elevation": 0.0}
_UNITS = "expression/units/asian/"


@dataclass(frozen=True, slots=True)
class Pose:
    """Bone name to rotation in degrees about the world's x, y, z axes."""

    bones: dict[str, tuple[float, float, float]] = field(default_factory=dict)


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


def posed(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Bend the body: every bone turns about its pivot, children go with their parents."""
    bones, weights = _rig()
    heads = _heads(points)

    @cache
    def move(name: str) -> tuple[np.ndarray, np.ndarray]:
        parent = bones[name].get("parent")
        rotation, shift = move(parent) if parent else (np.eye(3), np.zeros(3))
        if name in pose.bones:
            local = np.array(Euler([math.radians(a) for a in pose.bones[name]]).to_matrix())
            shift = rotation @ (heads[name] - local @ heads[name]) + shift
            rotation = rotation @ local
        return rotation, shift

    out, total = np.zeros_like(points), np.zeros(len(points))
    for name, rows in weights.items():
        if not rows:
            continue
        index, share = np.array([r[0] for r in rows], int), np.array([r[1] for r in rows])
        rotation, shift = move(name)
        out[index] += share[:, None] * (points[index] @ rotation.T + shift)
        total[index] += share
    free = total < 1e-6
    out[~free] /= total[~free, None]
    rotation, shift = move("head")
    out[free] = points[free]
    return out


def pivot(points: np.ndarray, name: str) -> np.ndarray:
    """Find a joint in a shaped or posed body."""
    return _heads(points)[name]
