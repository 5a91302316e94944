"""Light that sweeps over the product: a soft slanted band which brightens what it passes, by a few percent and never its hue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MOST = 0.06
"""Greatest gain: more would be seen as a change of the product's colour."""
SLANT = 0.42
"""Pixels that the band moves sideways per pixel down."""
_UNIT = 216
"""A factor of 1 in 8 bits; 255 is then 1.18."""


class Sweep:
    """The band over a product that lies at (left, top, right, bottom) in the frame."""

    def __init__(self, box: tuple[float, float, float, float], gain: float, side: float) -> None:
        left, top, right, bottom = box
        self.reach = 0.24 * (right - left) + 0.05 * (bottom - top)
        lean = SLANT * (bottom - top)
        self.start, self.end = left - 1.2 * self.reach, right + lean + 1.2 * self.reach
        self.top, self.gain, self.side = top, min(gain, MOST), side

    def at(self, share: float) -> Callable[[Any, int, int], Any] | None:
        """Return what lights pixels at that share of the way; None while the band is outside."""
        if self.gain <= 0:
            return None
        along = share if self.side > 0 else 1 - share
        middle = self.start + (self.end - self.start) * along

        def lit(rgb: Any, left: int, top: int) -> Any:
            import cv2

            height, width = rgb.shape[:2]
            columns = np.arange(width, dtype=np.float32)[None, :] + np.float32(left + 0.5 - middle)
            rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(top + 0.5 - self.top)
            band = (columns + np.float32(SLANT) * rows) * np.float32(1 / self.reach)
            np.clip(band, -1, 1, out=band)
            band *= band
            np.subtract(1, band, out=band)
            band *= band
            band *= np.float32(self.gain * _UNIT)
            band += np.float32(_UNIT + 0.5)
            factor = band.astype(np.uint8)
            return cv2.multiply(rgb, cv2.merge([factor, factor, factor]), scale=1 / _UNIT)

        return lit
