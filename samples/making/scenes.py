"""What every picture needs: an empty Blender scene, materials, lights, a camera with depth of field, and the render itself.

Lengths are metres, z is up. Surfaces are coloured by nodes or by textures drawn in `textures.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

Vec = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A camera."""

    place: tuple[float, float, float]
    target: tuple[float, float, float]
    lens_mm: float = 70
    fstop: float = 8
    focus: tuple[float, float, float] | None = None
    """Point in focus; the target when None."""


def clear(seed: int = 1) -> None:
    """Start an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.world = bpy.data.worlds.new("world")
    np.random.seed(seed)


def world(colour: Vec, strength: float) -> None:
    """Fill the surroundings with one colour."""
    node = bpy.context.scene.world.node_tree.nodes.get("Background")
    if node is None:
        bpy.context.scene.world.use_nodes = True
        node = bpy.context.scene.world.node_tree.nodes["Background"]
    node.inputs[0].default_value = (*colour, 1)
    node.inputs[1].default_value = strength


def material(name: str, colour: Vec = (0.8, 0.8, 0.8), **inputs: Any) -> Any:
    """Make a Principled material; keyword names are socket names with underscores: `Subsurface_Weight=0.2`."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    return made


def shader(of: Any) -> Any:
    """Find a material's Principled node."""
    return of.node_tree.nodes["Principled BSDF"]


def node(of: Any, kind: str, **values: Any) -> Any:
    """Add a node; values are attributes, or sockets when the name is one."""
    made = of.node_tree.nodes.new(kind)
    for key, value in values.items():
        socket = key.replace("_", " ")
        if socket in made.inputs:
            made.inputs[socket].default_value = value
        else:
            setattr(made, key, value)
    return made


def link(of: Any, output: Any, target: Any) -> None:
    """Connect two sockets."""
    of.node_tree.links.new(output, target)


def picture(name: str, pixels: np.ndarray, *, data: bool = False) -> Any:
    """Turn an array into a Blender image: float (h, w, 3 or 4) in [0, 1], sRGB unless `data`."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=data)
    image.colorspace_settings.name = "Non-Color" if data else "sRGB"
    full = np.ones((height, width, 4), np.float32)
    full[..., : pixels.shape[2]] = pixels
    image.pixels.foreach_set(np.ascontiguousarray(full[::-1]).ravel())
    image.update()
    image.pack()
    return image


def textured(name: str, pixels: np.ndarray, *, bump: np.ndarray | None = None, bump_m: float = 0.001, **inputs: Any) -> Any:
    """Make a material coloured by a texture through the mesh's UV map, with an optional height map in [0, 1]."""
    made = material(name, **inputs)
    texture = node(made, "ShaderNodeTexImage", image=picture(name, pixels))
    link(made, texture.outputs["Color"], shader(made).inputs["Base Color"])
    if bump is not None:
        height = node(made, "ShaderNodeTexImage", image=picture(name + "-height", np.repeat(bump[..., None], 3, 2), data=True))
        relief = node(made, "ShaderNodeBump", Strength=1.0, Distance=bump_m)
        link(made, height.outputs["Color"], relief.inputs["Height"])
        link(made, relief.outputs["Normal"], shader(made).inputs["Normal"])
    return made


def rough(made: Any, scale: float, strength: float, distance: float = 0.001, detail: float = 6) -> Any:
    """Give a material a fine uneven surface."""
    place = node(made, "ShaderNodeTexCoord")
    noise = node(made, "ShaderNodeTexNoise", Scale=scale, Detail=detail)
    relief = node(made, "ShaderNodeBump", Strength=strength, Distance=distance)
    link(made, place.outputs["Object"], noise.inputs["Vector"])
    link(made, noise.outputs["Fac"], relief.inputs["Height"])
    link(made, relief.outputs["Normal"], shader(made).inputs["Normal"])
    return made


def mesh(name: str, points: np.ndarray, faces: Sequence[Sequence[int]], uv: np.ndarray | None = None, *, smooth: bool = True) -> Any:
    """Build an object from points (n, 3), faces of point numbers, and a UV per point (n, 2)."""
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(point) for point in points], [], [tuple(face) for face in faces])
    if uv is not None:
        layer = data.uv_layers.new(name="uv")
        corners = np.zeros(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", corners)
        layer.data.foreach_set("uv", np.ascontiguousarray(uv[corners], np.float32).ravel())
    data.polygons.foreach_set("use_smooth", np.full(len(data.polygons), smooth))
    data.update()
    made = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(made)
    return made


def sheet(name: str, grid: np.ndarray, *, smooth: bool = True, close: bool = False) -> Any:
    """Build a surface from a grid of points (rows, columns, 3); UV runs over [0, 1]². `close` joins the last column to the first."""
    rows, columns = grid.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(number, -1, 1) if close else number[:, 1:]
    left = number if close else number[:, :-1]
    faces = np.stack([left[:-1], right[:-1], right[1:], left[1:]], -1).reshape(-1, 4)
    v, u = np.meshgrid(np.linspace(1, 0, rows), np.linspace(0, 1, columns), indexing="ij")
    return mesh(name, grid.reshape(-1, 3), faces.tolist(), np.stack([u, v], -1).reshape(-1, 2), smooth=smooth)


def lathe(name: str, profile: Sequence[tuple[float, float]], steps: int = 96, turn: float = 2 * math.pi) -> Any:
    """Turn a profile of (radius, height) about the z axis; u runs around, v along the profile."""
    line = np.array(profile, float)
    angle = np.linspace(0, turn, steps + 1)
    grid = np.stack(
        [
            line[:, :1] * np.cos(angle),
            line[:, :1] * np.sin(angle),
            np.repeat(line[:, 1:], steps + 1, 1),
        ],
        -1,
    )
    return sheet(name, grid)


def solid(of: Any) -> Any:
    """Close a lathed body's seam and turn its faces outwards, as glass needs."""
    import bmesh

    body = bmesh.new()
    body.from_mesh(of.data)
    bmesh.ops.remove_doubles(body, verts=body.verts, dist=1e-6)
    bmesh.ops.recalc_face_normals(body, faces=body.faces)
    body.to_mesh(of.data)
    body.free()
    return of


def box(name: str, size: Vec, place: Vec = (0, 0, 0), bevel: float = 0.002) -> Any:
    """Build a box standing on its bottom face, edges rounded."""
    bpy.ops.mesh.primitive_cube_add(size=1, location=(place[0], place[1], place[2] + size[2] / 2))
    made = bpy.context.object
    made.name = name
    made.scale = size
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    if bevel:
        edge = made.modifiers.new("edge", "BEVEL")
        edge.width, edge.segments = bevel, 3
    return made


def tube(name: str, points: np.ndarray, radius: float, taper: Vec | None = None) -> Any:
    """Build a round tube through points (n, 3)."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution, curve.use_fill_caps = "3D", radius, 4, True
    line = curve.splines.new("POLY")
    line.points.add(len(points) - 1)
    for index, point in enumerate(points):
        line.points[index].co = (*point, 1)
        line.points[index].radius = taper[index] if taper is not None else 1
    line.use_smooth = True
    made = bpy.data.objects.new(name, curve)
    bpy.context.collection.objects.link(made)
    return made


def strands(name: str, lines: np.ndarray, radius: float, paint: Any, tip: float = 0.3) -> Any:
    """Build hair: lines (n, points, 3), thinning to `tip` of the radius."""
    count, points = lines.shape[:2]
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([points] * count)
    curves.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(lines, np.float32).ravel())
    width = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    width.data.foreach_set("value", np.tile(np.linspace(radius, radius * tip, points), count).astype(np.float32))
    curves.materials.append(paint)
    made = bpy.data.objects.new(name, curves)
    bpy.context.collection.objects.link(made)
    return made


@contextmanager
def group(place: Vec = (0, 0, 0), turn: float = 0.0, scale: float = 1.0) -> Iterator[Any]:
    """Move everything that is built inside as one body."""
    before = set(bpy.data.objects)
    root = bpy.data.objects.new("group", None)
    bpy.context.collection.objects.link(root)
    yield root
    for made in set(bpy.data.objects) - before - {root}:
        if made.parent is None:
            made.parent = root
    root.location, root.rotation_euler, root.scale = place, (0, 0, turn), (scale, scale, scale)


def drop(root: Any) -> None:
    """Take a group out of the scene."""
    for made in [*root.children_recursive, root]:
        bpy.data.objects.remove(made, do_unlink=True)


def paint(of: Any, made: Any) -> Any:
    """Give an object its material."""
    of.data.materials.clear()
    of.data.materials.append(made)
    return of


def aim(of: Any, target: Vec) -> None:
    """Turn a camera or a lamp to look at a point."""
    of.rotation_euler = (Vector(target) - of.location).to_track_quat("-Z", "Y").to_euler()


def lamp(place: Vec, target: Vec, size: float, watt: float, colour: Vec = (1, 1, 1), *, tall: float | None = None) -> Any:
    """Hang an area lamp: a softbox of `size` metres (and `tall`, when it is not square)."""
    data = bpy.data.lights.new("lamp", "AREA")
    data.energy, data.color, data.size = watt, colour, size
    if tall is not None:
        data.shape, data.size_y = "RECTANGLE", tall
    made = bpy.data.objects.new("lamp", data)
    made.location = place
    aim(made, target)
    bpy.context.collection.objects.link(made)
    return made


def camera(shot: Shot) -> Any:
    """Set up the camera; the one before it goes."""
    if bpy.context.scene.camera is not None:
        bpy.data.objects.remove(bpy.context.scene.camera, do_unlink=True)
    data = bpy.data.cameras.new("camera")
    data.lens = shot.lens_mm
    data.clip_start = 0.01
    made = bpy.data.objects.new("camera", data)
    made.location = shot.place
    aim(made, shot.target)
    data.dof.use_dof = True
    data.dof.focus_distance = (Vector(shot.focus or shot.target) - made.location).length
    data.dof.aperture_fstop = shot.fstop
    bpy.context.collection.objects.link(made)
    bpy.context.scene.camera = made
    return made


def backdrop(colour: Vec = (0.9, 0.9, 0.9), depth: float = 1.2, width: float = 4) -> Any:
    """Hang a seamless paper: floor, curve, wall."""
    bend = np.linspace(0, math.pi / 2, 16)
    radius = 0.5
    floor = [(-2.0, 0.0), *[(depth - radius + radius * math.sin(a), radius - radius * math.cos(a)) for a in bend], (depth, 3.0)]
    grid = np.array([[(x, y, z) for x in (-width / 2, width / 2)] for y, z in floor], float)
    return paint(sheet("backdrop", grid), material("paper", colour, Roughness=0.9))


def render(
    path: Path,
    size: tuple[int, int],
    samples: int,
    *,
    clear_film: bool = False,
    look: str = "AgX",
    exposure: float = 0.0,
    contrast: bool = False,
    border: tuple[float, float, float, float] | None = None,
) -> Path:
    """Render the scene into a PNG with Cycles on the CPU, denoised; `border` (left, top, right, bottom, in fractions) is the part."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.seed = "CPU", samples, 1
    scene.cycles.use_adaptive_sampling, scene.cycles.adaptive_threshold = True, 0.015
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 10, 12
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.film_transparent = clear_film
    scene.render.use_border = scene.render.use_crop_to_border = border is not None
    if border is not None:
        left, top, right, bottom = border
        scene.render.border_min_x, scene.render.border_max_x = left, right
        scene.render.border_min_y, scene.render.border_max_y = 1 - bottom, 1 - top
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.view_settings.view_transform = look
    scene.view_settings.look = "AgX - Medium High Contrast" if contrast else "None"
    scene.view_settings.exposure = exposure
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA" if clear_film else "RGB"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return path
