"""Where a picture has something to look at closely: its sharpest, most detailed regions, print above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipper.values import Box
from generators.values import Cutout, Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOOK_PX = 512
"""Longer side at which detail is measured."""
WINDOW = 0.42
"""Side of a region, as a share of the product's shorter side."""
LEAST_DETAIL = 1.2
"""Mean strength of fine structure, 8-bit steps, below which a region is plain."""
SHARED = 0.25
"""Regions may overlap by this much (IoU)."""


def sharp_regions(photo: Photo, cutout: Cutout, n: int = 3) -> tuple[Box, ...]:
    """Find up to `n` regions of the product worth a close look, the richest first, as fractions of the photo.

    Fine structure is the difference of two blurs; its strength is capped, so that one hard edge does not outweigh a line of
    print, and the product's own outline does not count. Plain products have none.
    """
    import cv2
    import numpy as np

    scale = min(1.0, LOOK_PX / max(photo.width_px, photo.height_px))
    size = (max(8, round(photo.width_px * scale)), max(8, round(photo.height_px * scale)))
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(cutout.mask, size, interpolation=cv2.INTER_AREA)
    detail = _detail(np.asarray(small, np.uint8), np.asarray(mask, np.uint8))
    width, height = cutout.box.w * size[0], cutout.box.h * size[1]
    side = max(12, round(WINDOW * max(min(width, height), 0.5 * max(width, height))))
    side = min(side, *size)
    strength = cv2.boxFilter(detail, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    found: list[Box] = []
    while len(found) < n:
        y, x = np.unravel_index(int(np.argmax(strength)), strength.shape)
        if strength[y, x] < LEAST_DETAIL:
            break
        box = _box(*_centred(detail, int(x), int(y), side), side, size)
        if all(_iou(box, other) <= SHARED for other in found):
            found.append(box)
        strength[max(0, int(y) - side // 6) : int(y) + side // 6 + 1, max(0, int(x) - side // 6) : int(x) + side // 6 + 1] = 0
    return tuple(found)


def _detail(rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Strength of fine structure per pixel, float32 (h, w), 0 outside the product and on its outline."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 2.4))
    capped = np.clip(fine - 0.8, 0, 14)
    inside = cv2.erode(
        (mask > 200).astype(np.uint8), np.ones((9, 9), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0 if mask.min() < 128 else 1
    )
    return np.asarray(capped * inside, np.float32)


def _centred(detail: NDArray[np.float32], x: int, y: int, side: int) -> tuple[int, int]:
    """Move a window's middle to the middle of the detail in and around it: a label is looked at straight."""
    import numpy as np

    reach = round(0.65 * side)
    top, left = max(0, y - reach), max(0, x - reach)
    part = detail[top : y + reach + 1, left : x + reach + 1]
    total = max(1e-6, float(part.sum()))
    return (
        left + round(float(part.sum(axis=0) @ np.arange(part.shape[1])) / total),
        top + round(float(part.sum(axis=1) @ np.arange(part.shape[0])) / total),
    )


def _box(x: int, y: int, side: int, size: tuple[int, int]) -> Box:
    left, top = min(max(0, x - side // 2), size[0] - side), min(max(0, y - side // 2), size[1] - side)
    return Box(round(left / size[0], 4), round(top / size[1], 4), round(side / size[0], 4), round(side / size[1], 4))


def _iou(a: Box, b: Box) -> float:
    across = max(0.0, min(a.x + a.w, b.x + b.w) - max(a.x, b.x))
    down = max(0.0, min(a.y + a.h, b.y + b.h) - max(a.y, b.y))
    shared = across * down
    return shared / (a.w * a.h + b.w * b.h - shared)
