"""What ties a product to its ground: contact shadow, drop shadow, reflection.

All of it is soft, so it is made once at a quarter of the frame's size and laid under the product through the product's own
similarity; shadow and product cannot part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.animators.camera.backdrops import Backdrop
from generators.animators.camera.backdrops.brushes import blur
from generators.animators.camera.geometry import Similarity
from generators.animators.camera.product import Plane, resample

MIRRORED = 0.42
"""Share of the product's height after which its reflection has faded."""
COARSE = 4
"""Frame pixels per pixel of the layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """The layer between backdrop and product, in coarse pixels of the resting frame."""

    let: Any
    """`uint8 (h, w, 3)`: what the ground keeps, 255 for all of it."""
    add: Any | None
    """`uint8 (h, w, 3)`: what is added, the reflection; None without it."""
    place: Similarity
    """From coarse pixels to the resting frame's."""


def under(plane: Plane, rest: Similarity, backdrop: Backdrop, strength: float) -> Under:
    """Make the layer for a product that rests at `rest` (from the plane's pixels to the frame's)."""
    alpha, rgb, left, top = _coarse(plane, rest)
    height, width = alpha.shape
    pad = max(12, round(0.22 * max(height, width)), round(MIRRORED * height) if backdrop.mirror > 0 else 0)
    alpha = np.pad(alpha, pad)
    cast = _drop(alpha, width) if backdrop.shadow == "drop" else _contact(alpha, height, width)
    let = 1 - np.clip(strength * cast, 0, 0.92) * _faded(alpha.shape, pad)
    add = None
    if backdrop.mirror > 0:
        mirror, share = _reflection(np.pad(rgb, [(pad, pad), (pad, pad), (0, 0)]), alpha, backdrop.mirror, height)
        share = share * _faded(alpha.shape, pad)
        let, add = let * (1 - share), np.clip(mirror * share[..., None] + 0.5, 0, 255).astype(np.uint8)
    let = np.repeat(np.clip(let * 255 + 0.5, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    # Standing things leave nearly everything above their foot untouched: only the rest is worth laying.
    first = int(np.argmax((let[..., 0] < 254).any(axis=1) | (add is not None and (add > 0).any(axis=(1, 2)))))
    place = Similarity(COARSE, left - COARSE * pad, top - COARSE * (pad - first))
    return Under(let=let[first:], add=None if add is None else add[first:], place=place)


def _faded(shape: tuple[int, ...], pad: int) -> Any:
    """Return weights that fall to nothing at the layer's border, so that no blur ends in an edge."""
    sides = [np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32) for size in shape]
    away = [np.clip(side / (0.8 * pad), 0, 1) for side in sides]
    down, across = (value * value * (3 - 2 * value) for value in away)
    return np.outer(down, across)


def _coarse(plane: Plane, rest: Similarity) -> tuple[Any, Any, float, float]:
    """Return the product's alpha (float32, 0 to 1) and colours at coarse size, and where their corner lies in the frame."""
    from PIL import Image

    left, top = rest.apply(0, 0)
    columns = max(2, int(plane.rgb.size[0] * rest.scale / COARSE))
    rows = max(2, int(plane.rgb.size[1] * rest.scale / COARSE))
    place = Similarity(rest.scale / COARSE)
    alpha = resample(plane.alpha, place, (0, 0, columns, rows), Image.Resampling.BOX).astype(np.float32) / 255
    rgb = resample(plane.rgb, place, (0, 0, columns, rows), Image.Resampling.BOX).astype(np.float32)
    return alpha, rgb, left, top


def _contact(alpha: Any, height: int, width: int) -> Any:
    """Return the shadow of a thing that stands: tight and dark along its lower outline, wide and faint around its foot."""
    lowest = _outline(alpha)
    size = min(height, width)
    columns = np.flatnonzero(lowest >= 0)
    foot = float(lowest[columns].max())
    stands = np.zeros_like(lowest, dtype=np.float32)
    stands[columns] = np.exp(-(((foot - lowest[columns]) / (0.16 * height)) ** 2))
    rows = np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    line = (np.abs(rows - lowest[None, :] + 0.5) <= max(1.0, 0.012 * size)) * stands[None, :]
    tight = blur(line.astype(np.float32), 0.018 * size + 0.6, 0.010 * size + 0.6)
    near = blur(line.astype(np.float32), 0.07 * size, 0.03 * size)
    wide = blur(line.astype(np.float32), 0.2 * size, 0.065 * size)
    parts = [(1.5, tight), (0.95, near), (0.6, wide)]
    return sum(weight * part / max(float(part.max()), 1e-6) for weight, part in parts)


def _outline(alpha: Any) -> Any:
    """Return for each column the lowest row with product in it, -1 where there is none."""
    inside = alpha > 0.5 * float(alpha.max())
    lowest = alpha.shape[0] - 1 - np.argmax(inside[::-1], axis=0)
    return np.where(inside.any(axis=0), lowest, -1).astype(np.float32)


def _drop(alpha: Any, width: int) -> Any:
    """Return the shadow of a thing that lies before a wall: its own shape, blurred, down and to the right."""
    size = min(width, 260)
    result = np.zeros_like(alpha)
    for weight, reach, softness in ((0.75, 0.02, 0.016), (0.6, 0.055, 0.06)):
        dx, dy = round(0.5 * reach * size), round(reach * size)
        moved = np.zeros_like(alpha)
        moved[dy:, dx:] = alpha[: alpha.shape[0] - dy, : alpha.shape[1] - dx]
        result += weight * blur(moved, softness * size + 0.6)
    return result


def _reflection(rgb: Any, alpha: Any, strength: float, height: int) -> tuple[Any, Any]:
    """Mirror each column at its own lower outline; it fades and blurs with distance. Returns colours and weights."""
    lowest = _outline(alpha)
    rows = np.arange(alpha.shape[0])[:, None]
    source = np.clip(2 * lowest[None, :].astype(int) + 1 - rows, 0, alpha.shape[0] - 1)
    columns = np.arange(alpha.shape[1])[None, :]
    below = (rows > lowest[None, :]) & (lowest[None, :] >= 0)
    share = np.where(below, alpha[source, columns], 0).astype(np.float32)
    colours = rgb[source, columns]
    foot = float(lowest.max())
    away = np.clip((rows - lowest[None, :]) / (MIRRORED * height), 0, 1)
    stands = np.where(lowest >= 0, np.exp(-(((foot - lowest) / (0.12 * height)) ** 2)), 0)[None, :]
    weight = share * (1 - away) ** 2 * stands
    lit = blur((colours * weight[..., None]).astype(np.float32), 0.012 * height + 0.7, 0.02 * height + 0.7)
    weight = blur(weight.astype(np.float32), 0.012 * height + 0.7, 0.02 * height + 0.7)
    return lit / np.maximum(weight, 1e-3)[..., None], np.clip(weight * strength, 0, 1)


def lay(canvas: Any, layer: Under, near: Similarity) -> None:
    """Darken the canvas by the layer and add its reflection, in place; `near` is how the product has moved from rest."""
    import cv2

    place = near.after(layer.place)
    height, width = canvas.shape[:2]
    rows, columns = layer.let.shape[:2]
    x0, y0 = place.apply(0, 0)
    x1, y1 = place.apply(columns, rows)
    left, top, right, bottom = max(0, int(x0)), max(0, int(y0)), min(width, int(x1) + 1), min(height, int(y1) + 1)
    if right <= left or bottom <= top:
        return
    # Between pixel centres, as cv2 counts: the half pixels of both sides.
    back = place.inverse()
    matrix = np.array([[back.scale, 0, back.scale * (left + 0.5) + back.x - 0.5], [0, back.scale, back.scale * (top + 0.5) + back.y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    target = canvas[top:bottom, left:right]
    size = (right - left, bottom - top)
    let = cv2.warpAffine(layer.let, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    lit = cv2.multiply(target, let, scale=1 / 255)
    if layer.add is not None:
        cv2.add(lit, cv2.warpAffine(layer.add, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), dst=lit)
    target[...] = lit
