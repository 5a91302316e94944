"""A photo whose product cannot be lifted: mounted as a print with rounded corners that stands on the style's set.

So a white picture keeps its own pixels in a dark style, without a veil, and type keeps the set as its ground. A scene that has
the frame's own shape fills it instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clipper.drawing import rounded
from clipper.values import Box
from generators.values import Cutout, Photo

CORNER = 0.026
"""Radius of the corners, as a share of the shorter side."""
ALIKE = 1.36
"""Ratio of the photo's shape to the frame's up to which a scene fills the frame."""
PLAIN = 14.0
"""Spread of the colours along the border, in 8-bit steps, below which the photo shows no scene but a plain ground."""
SURE = 0.5
"""Confidence from which the product's box is believed."""


def fills(photo: Photo, cutout: Cutout, width: int, height: int) -> bool:
    """Say whether the photo fills the frame: it is a scene, of about the frame's shape, and its product stays in sight."""
    shape = (photo.width_px / photo.height_px) / (width / height)
    if not 1 / ALIKE <= shape <= ALIKE or is_plain(photo):
        return False
    if cutout.method == "none" or cutout.confidence < SURE:
        return True
    return cutout.box.w <= 0.84 / max(shape, 1.0) and cutout.box.h <= 0.84 * min(shape, 1.0)


def is_plain(photo: Photo) -> bool:
    """Say whether the photo's border is nearly one colour, but for what touches it."""
    edges = np.concatenate([photo.pixels[0], photo.pixels[-1], photo.pixels[:, 0], photo.pixels[:, -1]]).astype(np.float32)
    away = np.abs(edges - np.median(edges, axis=0)).max(axis=1)
    return float(np.percentile(away, 80)) < PLAIN


def mounted(photo: Photo) -> Cutout:
    """Return the whole photo as what is to be lifted."""
    size = (photo.width_px, photo.height_px)
    mask: Any = np.array(rounded(size, min(size) * CORNER))
    return Cutout(mask=mask, box=Box(0.0, 0.0, 1.0, 1.0), confidence=1.0, method="alpha")
