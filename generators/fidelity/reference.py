"""The product as its photo shows it, cut out and scaled to working size: what every frame is compared with.

Matrices are 3×3 and map pixel centres; `Reference.to_photo` leads from the reference to the full photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generators.values import Cutout, Photo

LONG_PX = 360
"""Long edge of the product in the reference: labels stay legible, and a view costs a few milliseconds."""
MARGIN = 0.1
"""Room around the product, as a share of its long edge: outlines are looked for there."""
KEYPOINTS = 500
"""Most key points that are looked for on a product."""
STEP = 0.92
"""Ratio between two sizes of a reference."""
SMALLEST_SHARE = 0.004
"""A mask that covers less than this of the photo cannot be meant as the product; the whole photo is taken instead."""

Matrix = Any
"""numpy `float64 (3, 3)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A product at working size."""

    image: Any
    """`uint8 (h, w, 3)` RGB, with a margin of the photo's background around the product."""
    mask: Any
    """`uint8 (h, w)`: 255 on the product."""
    to_photo: Matrix
    long_px: float
    """Long edge of the product, in reference pixels."""
    centre: tuple[float, float]
    """Centre of the product's box, in reference pixels."""
    is_whole: bool
    """The whole photo counts as the product, because it could not be cut out."""

    def at(self, scale: float) -> Reference:
        """Return the reference reduced to a share of its size, in steps of 8 %: what is computed of a view serves many frames."""
        import math

        step = math.ceil(math.log(max(scale, 0.02)) / math.log(STEP) - 1e-6)
        return self if step <= 0 else _reduced(self, STEP**step)

    def corners(self) -> Any:
        """Return the corners of the product's box: `float64 (4, 2)`."""
        return _corners(self)


def scaling(across: float, down: float | None = None) -> Matrix:
    """Return the matrix of a resize by a factor, or by one for each axis, pixel centres kept in place as `cv2.resize` does."""
    import numpy as np

    down = across if down is None else down
    return np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5], [0, 0, 1]], float)


def shifting(dx: float, dy: float) -> Matrix:
    """Return the matrix of a translation."""
    import numpy as np

    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], float)


def build_reference(photo: Photo, cutout: Cutout) -> Reference:
    """Cut the product out of its photo, with a margin, and bring its long edge to at most 360 px."""
    import cv2
    import numpy as np

    mask, is_whole = _mask_of(photo, cutout)
    ys, xs = np.nonzero(mask > 127)
    left, right, top, bottom = int(xs.min()), int(xs.max()) + 1, int(ys.min()), int(ys.max()) + 1
    long_px = max(right - left, bottom - top)
    room = int(MARGIN * long_px) + 2
    padded = cv2.copyMakeBorder(photo.pixels, room, room, room, room, cv2.BORDER_REPLICATE)
    inside = cv2.copyMakeBorder(mask, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    crop = (slice(top, bottom + 2 * room), slice(left, right + 2 * room))
    image, mask = np.ascontiguousarray(padded[crop]), np.ascontiguousarray(inside[crop])
    factor = min(1.0, LONG_PX / long_px)
    if factor < 1:
        size = (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor)))
        image, mask = cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    whole = (right - left + 2 * room, bottom - top + 2 * room)
    to_photo = shifting(left - room, top - room) @ scaling(whole[0] / image.shape[1], whole[1] / image.shape[0])
    centre = (image.shape[1] / 2 - 0.5, image.shape[0] / 2 - 0.5)
    return Reference(image=image, mask=mask, to_photo=to_photo, long_px=long_px * factor, centre=centre, is_whole=is_whole)


def _mask_of(photo: Photo, cutout: Cutout) -> tuple[Any, bool]:
    import numpy as np

    mask = cutout.mask
    if cutout.method == "none" or float((mask > 127).mean()) < SMALLEST_SHARE:
        return np.full(photo.pixels.shape[:2], 255, np.uint8), True
    return mask, bool((mask > 127).mean() > 0.995)


@lru_cache(maxsize=32)
def _corners(reference: Reference) -> Any:
    import numpy as np

    ys, xs = np.nonzero(reference.mask > 127)
    return np.array([(xs.min(), ys.min()), (xs.max(), ys.min()), (xs.max(), ys.max()), (xs.min(), ys.max())], float)


@lru_cache(maxsize=32)
def _reduced(reference: Reference, scale: float) -> Reference:
    import cv2

    height, width = reference.mask.shape
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    image = cv2.resize(reference.image, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(reference.mask, size, interpolation=cv2.INTER_AREA)
    to_photo = reference.to_photo @ scaling(width / size[0], height / size[1])
    centre = (image.shape[1] / 2 - 0.5, image.shape[0] / 2 - 0.5)
    return Reference(
        image=image, mask=mask, to_photo=to_photo, long_px=reference.long_px * scale, centre=centre, is_whole=reference.is_whole
    )
