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
    """Lift the product off its photo; `largest` is the greatest scale it will be shown at.

    Pictures far larger than that are averaged down once, to no less than twice what is shown.
    """
    height, width = cutout.mask.shape
    box = cutout.box
    left, top = max(0, int(box.x * width) - PAD), max(0, int(box.y * height) - PAD)
    right = min(width, int(np.ceil((box.x + box.w) * width)) + PAD)
    bottom = min(height, int(np.ceil((box.y + box.h) * height)) + PAD)
    alpha = cutout.mask[top:bottom, left:right]
    rgb = photo.pixels[top:bottom, left:right]
    factor = reduction(largest)
    rgb = clean_edges(rgb, alpha)
    return Plane(
        rgb=shrunk(padded(rgb, PAD, edge=True), factor), alpha=shrunk(padded(alpha, PAD), factor), factor=factor, x=left - PAD, y=top - PAD
    )


def reduction(largest: float) -> int:
    """Return by how much a picture may be averaged down before it is shown at that scale, keeping two pixels for each one shown."""
    return max(1, int(0.5 / largest)) if largest > 0 else 1


def padded(picture: Any, by: int, *, edge: bool = False) -> Any:
    """Add a border: of the edge's colours, or of nothing."""
    sides = [(by, by), (by, by)] + [(0, 0)] * (picture.ndim - 2)
    return np.pad(picture, sides, mode="edge") if edge else np.pad(picture, sides)


def shrunk(picture: Any, factor: int) -> Any:
    """Return a Pillow image, averaged over squares of that side; incomplete squares at the far edges are filled up first."""
    from PIL import Image

    height, width = picture.shape[:2]
    more = [(0, -height % factor), (0, -width % factor)] + [(0, 0)] * (picture.ndim - 2)
    image = Image.fromarray(np.ascontiguousarray(np.pad(picture, more, mode="edge") if factor > 1 else picture))
    return image.reduce(factor) if factor > 1 else image


def clean_edges(rgb: Any, alpha: Any) -> Any:
    """Give soft-edge pixels the product's own colour: the old background is taken out, and what is left is filled from inside.

    Solid pixels are returned untouched.
    """
    solid = (alpha >= SOLID).astype(np.float32)
    if not solid.any() or solid.all():
        return rgb
    picture = rgb.astype(np.float32)
    share = alpha.astype(np.float32) / 255
    inside = _spread(picture, solid)
    outside = _spread(picture, (alpha < CLEAR).astype(np.float32))
    known = np.clip(share, 0.25, 1)[..., None]
    freed = np.clip((picture - (1 - known) * outside) / known, 0, 255)
    # Thin things have soft pixels only, far from any solid one: there the freed colour is all there is.
    alone = 1 - np.clip(blur(solid, 3.0) / 0.05, 0, 1)
    trust = np.maximum(np.clip((share - 0.35) / 0.4, 0, 1), alone * np.clip((share - 0.1) / 0.2, 0, 1))[..., None]
    mixed = inside + (freed - inside) * trust
    return np.where(alpha[..., None] >= SOLID, rgb, np.clip(np.round(mixed), 0, 255).astype(np.uint8))


def _spread(picture: Any, weight: Any) -> Any:
    """Fill the picture from its weighted pixels outwards: finer averages where they reach, broader ones beyond."""
    result = np.zeros_like(picture)
    missing = np.ones_like(weight)
    weighted = picture * weight[..., None]
    for sigma in (1.0, 3.0, 10.0, 40.0):
        total = blur(weight, sigma)
        filled = blur(weighted, sigma) / np.maximum(total, 1e-6)[..., None]
        sure = np.clip(total / 0.05, 0, 1) * missing
        result += filled * sure[..., None]
        missing = missing - sure
    rest = weighted.sum((0, 1)) / max(float(weight.sum()), 1e-6)
    return result + missing[..., None] * rest


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
