"""A photo made to cover a frame of another shape: its surroundings are continued, never its content stretched.

Beyond the photo's edge the strip between edge and product goes on, mirrored to and fro, softer the farther it is and a
little darker towards the corners. The product itself never appears in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clipper.values import Box
from generators.animators.camera.backdrops.brushes import blur
from generators.animators.camera.product import Plane, reduction, shrunk
from generators.values import Photo

COARSE = 4
"""The extension's blurs are made at a quarter of the size."""
STRIP = 256
"""Rows that are worked on at once."""
DARKER = 0.16
"""How much the extension loses at its farthest."""


def extended(photo: Photo, box: Box, window: tuple[float, float, float, float], largest: float) -> Plane:
    """Return a plane that covers the window (left, top, right, bottom in photo pixels), which may reach beyond the photo."""
    factor = reduction(largest)
    image = np.asarray(shrunk(photo.pixels, factor))
    height, width = image.shape[:2]
    left, top = (max(0, int(np.ceil(-edge / factor)) + 4) for edge in window[:2])
    right = max(0, int(np.ceil(window[2] / factor)) - width + 4)
    bottom = max(0, int(np.ceil(window[3] / factor)) - height + 4)
    rows = _folded(height, top, bottom, box.y * height, (1 - box.y - box.h) * height)
    columns = _folded(width, left, right, box.x * width, (1 - box.x - box.w) * width)
    picture = image[rows][:, columns]
    soft = _softened(picture, (top, bottom, left, right), height, width) if max(top, bottom, left, right) > 4 else picture
    from PIL import Image

    return Plane(rgb=Image.fromarray(soft), alpha=None, factor=factor, x=-left * factor, y=-top * factor)


def _folded(size: int, before: int, after: int, free_before: float, free_after: float) -> Any:
    """Return the source index of every row or column: the free strips beside the product, folded to and fro beyond the edges."""
    index = np.arange(-before, size + after)
    first, last = max(1, min(size, int(0.8 * free_before))), max(1, min(size, int(0.8 * free_after)))
    head = _fold(-1 - index[:before], first)
    tail = size - 1 - _fold(index[before + size :] - size, last)
    return np.concatenate([head, index[before : before + size], tail])


def _fold(distance: Any, length: int) -> Any:
    around = np.mod(distance, 2 * length)
    return np.minimum(around, 2 * length - 1 - around)


def _softened(picture: Any, sides: tuple[int, int, int, int], height: int, width: int) -> Any:
    """Blur the extension, more with distance from the photo; the photo's own pixels stay as they are."""
    import cv2

    top, _, left, _ = sides
    rows = np.arange(picture.shape[0], dtype=np.float32)
    columns = np.arange(picture.shape[1], dtype=np.float32)
    beyond_rows = np.maximum(np.maximum(top - rows, rows - (top + height - 1)), 0)[:, None]
    beyond_columns = np.maximum(np.maximum(left - columns, columns - (left + width - 1)), 0)[None, :]
    size = (height * width) ** 0.5
    small = cv2.resize(picture, (picture.shape[1] // COARSE, picture.shape[0] // COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = tuple(blur(small, share * size / COARSE) for share in (0.012, 0.06))
    result = picture.copy()
    # In strips: a wide banner in a tall frame needs much ground, and floats are four times as large as what they stand for.
    for start in range(0, picture.shape[0], STRIP):
        strip = slice(start, min(start + STRIP, picture.shape[0]))
        away = np.hypot(beyond_rows[strip], beyond_columns) / (0.16 * size)
        if away.max() > 0:
            result[strip] = _melted(picture[strip], away[..., None], soft, start)
    return result


def _melted(strip: Any, away: Any, soft: tuple[Any, Any], start: int) -> Any:
    """Blend a strip of rows from `start` on into its two blurred versions, the more the farther away from the photo."""
    import cv2

    rows, columns = strip.shape[:2]
    step = 1 / COARSE
    matrix = np.array([[step, 0, 0.5 * step - 0.5], [0, step, (start + 0.5) * step - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    little, much = (cv2.warpAffine(value, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE) for value in soft)
    mixed = strip + (little - strip) * np.clip(away * 3.0, 0, 1)
    mixed += (much - mixed) * np.clip(away * 1.2 - 0.2, 0, 1)
    mixed *= 1 - DARKER * np.clip(away / 4, 0, 1) ** 1.5
    mixed += np.random.default_rng(start).random(away.shape, dtype=np.float32) - 0.5
    return np.where(away > 0, np.clip(np.round(mixed), 0, 255).astype(np.uint8), strip)
