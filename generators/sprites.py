"""Pictures with transparency laid over frames: only their own region is touched, in 8-bit arithmetic, without copies.

Laid as full frames of RGBA (MoviePy's own way) an overlay costs 13 ms at 1080×1920; a title's region costs 0.2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.values import Pixels

WHOLE = 1 / 64
"""Offsets closer to a whole pixel than this are taken as whole: no resampling then."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A drawn picture, ready to be laid over frames."""

    colour: Pixels
    """uint8 (h, w, 3) RGB, multiplied by its opacity."""
    keep: Pixels
    """uint8 (h, w, 3): how much of the frame stays, 255 where the sprite is clear."""

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return int(self.colour.shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return int(self.colour.shape[0])

    @property
    def is_opaque(self) -> bool:
        """Say whether nothing of the frame stays."""
        return not self.keep.any()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a sprite stands in a frame at an instant."""

    x: float
    """Left edge in output pixels, of the unscaled sprite."""
    y: float
    opacity: float = 1.0
    scale: float = 1.0
    """About the sprite's middle."""
    clip: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom in output pixels: nothing outside is drawn."""


def sprite(picture: Any) -> Sprite:
    """Make a sprite of a Pillow RGBA picture."""
    pixels = np.asarray(picture.convert("RGBA"))
    alpha = pixels[:, :, 3:4].astype(np.uint16)
    colour = ((pixels[:, :, :3] * alpha + 127) // 255).astype(np.uint8)
    keep = np.repeat((255 - alpha).astype(np.uint8), 3, axis=2)
    return Sprite(colour, keep)


def lay(frame: Pixels, shown: Sprite, pose: Pose) -> None:
    """Lay a sprite over a frame in place; `frame` is uint8 (h, w, 3) RGB and may be written to."""
    if pose.opacity <= 0.004 or pose.scale <= 0.01:
        return
    moved, left, top = _placed(shown, pose)
    bounds = (0, 0, frame.shape[1], frame.shape[0])
    if pose.clip is not None:
        bounds = _inside(bounds, pose.clip)
    x0, y0 = max(left, bounds[0]), max(top, bounds[1])
    x1, y1 = min(left + moved.width_px, bounds[2]), min(top + moved.height_px, bounds[3])
    if x1 <= x0 or y1 <= y0:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    _mix(frame[y0:y1, x0:x1], moved.colour[part], moved.keep[part], min(pose.opacity, 1.0))


def _inside(frame: tuple[int, int, int, int], clip: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(side) for side in clip)
    return max(frame[0], left), max(frame[1], top), min(frame[2], right), min(frame[3], bottom)


def _mix(region: Pixels, colour: Pixels, keep: Pixels, opacity: float) -> None:
    import cv2

    if opacity < 0.996:
        colour = cv2.convertScaleAbs(colour, alpha=opacity)
        keep = cv2.convertScaleAbs(keep, alpha=opacity, beta=255 * (1 - opacity))
    region[...] = cv2.add(cv2.multiply(region, keep, scale=1 / 255), colour)


def _placed(shown: Sprite, pose: Pose) -> tuple[Sprite, int, int]:
    """Scale and shift a sprite by fractions of a pixel where it moves; left and top come back whole."""
    x = pose.x + shown.width_px * (1 - pose.scale) / 2
    y = pose.y + shown.height_px * (1 - pose.scale) / 2
    left, top = int(np.floor(x + WHOLE)), int(np.floor(y + WHOLE))
    dx, dy = x - left, y - top
    if abs(pose.scale - 1) < 1e-3 and dx <= 2 * WHOLE and dy <= 2 * WHOLE:
        return shown, left, top
    return _warped(shown, pose.scale, dx, dy), left, top


def _warped(shown: Sprite, scale: float, dx: float, dy: float) -> Sprite:
    import cv2

    size = (int(np.ceil(shown.width_px * scale)) + 1, int(np.ceil(shown.height_px * scale)) + 1)
    # pixel centres: output (u + .5) = scale * (input + .5) + d
    half = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, dx + half], [0, scale, dy + half]], np.float32)
    way = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    colour = cv2.warpAffine(shown.colour, matrix, size, flags=way, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0))
    keep = cv2.warpAffine(shown.keep, matrix, size, flags=way, borderMode=cv2.BORDER_CONSTANT, borderValue=(255, 255, 255))
    return Sprite(colour, keep)
