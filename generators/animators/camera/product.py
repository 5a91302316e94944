"""The product as a plane of its own: cut from the photo with clean edge colours, drawn by one Lanczos resampling per frame.

Only a uniform scale and a translation ever touch it, so rows and columns can be resampled one after the other; Pillow does
that with exact sub-pixel boxes and widens its filter when it makes smaller, so nothing shimmers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.animators.camera.backdrops.brushes import blur
from generators.animators.camera.geometry import Similarity
from generators.values import Cutout, Photo

KEPT = 1.4
"""Picture pixels kept for each one shown."""
REACH = 12
"""Pixels around the product's edge whose colour matters: half the width of the filter when it makes smaller."""
ROUGH_PX = 1_200_000
"""Colours around an edge are spread over pictures of this size at most: they are smooth."""
PAD = 6
"""Empty pixels kept around the product, so that the filter never runs over the edge."""
SOLID = 251
CLEAR = 4
"""Alpha at or above SOLID is drawn opaque, below CLEAR not at all: the filter's overshoot is neither veil nor pinhole."""

_GAMMA = 2.2
_LINEAR = (np.arange(256, dtype=np.float32) / 255) ** np.float32(_GAMMA)
_STEPS = 4095
_ENCODED = np.clip(np.round((np.arange(_STEPS + 1) / _STEPS) ** (1 / _GAMMA) * 255), 0, 255).astype(np.uint8)
_SNAP = np.arange(256, dtype=np.uint8)
_SNAP[:CLEAR] = 0
_SNAP[SOLID:] = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A picture that is drawn through similarities."""

    rgb: Any
    """Pillow image, RGB."""
    alpha: Any | None
    """Pillow image, L, of the same size; None when the plane is opaque and covers the frame."""
    factor: int
    """Photo pixels per plane pixel along each side."""
    x: float
    """Left edge in the photo's pixels; the next is the top."""
    y: float

    def placed(self, photo_to_frame: Similarity) -> Similarity:
        """Return the similarity from the plane's own pixels to the frame's."""
        return photo_to_frame.after(Similarity(self.factor, self.x, self.y))


def cut(photo: Photo, cutout: Cutout, largest: float) -> Plane:
    """Lift the product off its photo; `largest` is the greatest scale it will be shown at."""
    height, width = cutout.mask.shape
    box = cutout.box
    left, top = max(0, int(box.x * width) - PAD), max(0, int(box.y * height) - PAD)
    right = min(width, int(np.ceil((box.x + box.w) * width)) + PAD)
    bottom = min(height, int(np.ceil((box.y + box.h) * height)) + PAD)
    factor = reduction(largest)
    alpha = shrunk(padded(cutout.mask[top:bottom, left:right], PAD), factor)
    rgb = shrunk(padded(photo.pixels[top:bottom, left:right], PAD, edge=True), factor)
    if (right - left) * (bottom - top) > 0:
        rgb = _image(clean_edges(np.asarray(rgb), np.asarray(alpha)))
    return Plane(rgb=rgb, alpha=alpha, factor=factor, x=left - PAD, y=top - PAD)


def reduction(largest: float) -> int:
    """Return by how much a picture that is far larger than it is shown is averaged down once, before any frame is drawn.

    At least 1.4 pixels are kept for each one shown: the resampling has something to choose from, and twenty megapixels are not
    read for every frame.
    """
    return max(1, int(1 / (KEPT * largest))) if largest > 0 else 1


def padded(picture: Any, by: int, *, edge: bool = False) -> Any:
    """Add a border: of the edge's colours, or of nothing."""
    sides = [(by, by), (by, by)] + [(0, 0)] * (picture.ndim - 2)
    return np.pad(picture, sides, mode="edge") if edge else np.pad(picture, sides)


def shrunk(picture: Any, factor: int) -> Any:
    """Return a Pillow image, averaged over squares of that side; incomplete squares at the far edges are filled up first."""
    if factor == 1:
        return _image(picture)
    height, width = picture.shape[:2]
    more = [(0, -height % factor), (0, -width % factor)] + [(0, 0)] * (picture.ndim - 2)
    return _image(np.pad(picture, more, mode="edge")).reduce(factor)


def _image(picture: Any) -> Any:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(picture))


def clean_edges(rgb: Any, alpha: Any) -> Any:
    """Give soft-edge pixels the product's own colour: the old background is taken out, and what is left is filled from inside.

    Solid pixels, and those far from the product, are returned untouched.
    """
    import cv2

    near = cv2.dilate((alpha > CLEAR).astype(np.uint8), np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    rows, columns = np.nonzero((alpha < SOLID) & (near > 0))
    if not len(rows) or not (alpha >= SOLID).any():
        return rgb
    inside, alone = _spread(rgb, alpha >= SOLID, rows, columns)
    outside, _ = _spread(rgb, alpha < CLEAR, rows, columns)
    share = alpha[rows, columns].astype(np.float32) / 255
    known = np.clip(share, 0.25, 1)[:, None]
    freed = np.clip((rgb[rows, columns] - (1 - known) * outside) / known, 0, 255)
    # Thin things have soft pixels only, far from any solid one: there the freed colour is all there is.
    trust = np.maximum(np.clip((share - 0.35) / 0.4, 0, 1), alone * np.clip((share - 0.1) / 0.2, 0, 1))[:, None]
    cleaned = rgb.copy()
    cleaned[rows, columns] = np.clip(np.round(inside + (freed - inside) * trust), 0, 255).astype(np.uint8)
    return cleaned


def _spread(rgb: Any, known: Any, rows: Any, columns: Any) -> tuple[Any, Any]:
    """Return the colours of the known pixels as they reach the asked ones, and how far those are from any, 0 to 1.

    Finer averages count where they reach, broader ones beyond.
    """
    import cv2

    scale = min(1.0, (ROUGH_PX / known.size) ** 0.5)
    weight = known.astype(np.float32)
    picture = rgb * weight[..., None]
    if scale < 1:
        size = (max(1, round(known.shape[1] * scale)), max(1, round(known.shape[0] * scale)))
        weight, picture = (cv2.resize(value, size, interpolation=cv2.INTER_AREA) for value in (weight, picture))
    result, missing = np.zeros_like(picture), np.ones_like(weight)
    alone = None
    for sigma in (1.0, 3.0, 10.0, 40.0):
        total = blur(weight, sigma)
        sure = np.clip(total / 0.05, 0, 1)
        result += blur(picture, sigma) / np.maximum(total, 1e-6)[..., None] * (sure * missing)[..., None]
        missing = missing * (1 - sure)
        alone = missing.copy() if sigma == 3.0 else alone
    result += missing[..., None] * (picture.sum((0, 1)) / max(float(weight.sum()), 1e-6))
    y, x = np.minimum((rows * scale).astype(int), weight.shape[0] - 1), np.minimum((columns * scale).astype(int), weight.shape[1] - 1)
    return result[y, x], alone[y, x] if alone is not None else missing[y, x]


def draw(canvas: Any, plane: Plane, place: Similarity, light: Any | None = None) -> None:
    """Draw the plane over the canvas, in place; `place` goes from the plane's pixels to the canvas's.

    Edges are blended in linear light. `light` is called with the drawn pixels and their corner (x, y) in the canvas, and
    returns them lit.
    """
    import cv2

    area = visible(plane, place, canvas.shape[1], canvas.shape[0])
    if area is None:
        return
    left, top, right, bottom = area
    rgb = resample(plane.rgb, place, area)
    if light is not None:
        rgb = light(rgb, left, top)
    target = canvas[top:bottom, left:right]
    if plane.alpha is None:
        target[...] = rgb
        return
    from PIL import Image

    alpha = _SNAP[resample(plane.alpha, place, area, Image.Resampling.BICUBIC)]
    soft = np.flatnonzero((alpha > 0) & (alpha < 255))
    flat = target.reshape(-1, 3) if target.flags.c_contiguous else None
    behind = (flat if flat is not None else np.ascontiguousarray(target).reshape(-1, 3))[soft]
    edge = _blend(rgb.reshape(-1, 3)[soft], behind, alpha.reshape(-1)[soft])
    cv2.copyTo(rgb, (alpha == 255).view(np.uint8), target)
    rows, columns = np.divmod(soft, right - left)
    target[rows, columns] = edge


def visible(plane: Plane, place: Similarity, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return the canvas's pixels that the plane covers wholly, as (left, top, right, bottom); None when there are none."""
    x0, y0 = place.apply(0, 0)
    x1, y1 = place.apply(*plane.rgb.size)
    left, top = max(0, int(np.ceil(x0 - 1e-6))), max(0, int(np.ceil(y0 - 1e-6)))
    right, bottom = min(width, int(np.floor(x1 + 1e-6))), min(height, int(np.floor(y1 + 1e-6)))
    return (left, top, right, bottom) if right > left and bottom > top else None


def resample(image: Any, place: Similarity, area: tuple[int, int, int, int], kernel: Any = None) -> Any:
    """Return `uint8` pixels of that area of the canvas: one resampling, exact to a fraction of a pixel."""
    from PIL import Image

    left, top, right, bottom = area
    back = place.inverse()
    x0, y0 = back.apply(left, top)
    x1, y1 = back.apply(right, bottom)
    box = (max(x0, 0.0), max(y0, 0.0), min(x1, float(image.size[0])), min(y1, float(image.size[1])))
    return np.array(image.resize((right - left, bottom - top), Image.Resampling.LANCZOS if kernel is None else kernel, box=box))


def _blend(front: Any, back: Any, alpha: Any) -> Any:
    """Blend `uint8 (n, 3)` pixels in linear light."""
    share = (alpha.astype(np.float32) / 255)[:, None]
    light = _LINEAR[back] + (_LINEAR[front] - _LINEAR[back]) * share
    return _ENCODED[(light * _STEPS + 0.5).astype(np.int32)]
