"""Light that sweeps over the product: a soft slanted band that brightens what it passes, by a few percent and never its hue."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

MOST = 0.06
"""Greatest gain: more would be seen as a change of the product's colour."""
_UNIT = 216
"""A factor of 1 in 8 bits; 255 is then 1.18."""


class Sweep:
    """The band over a product that lies at (left, top, right, bottom) in the frame."""

    def __init__(self, box: tuple[float, float, float, float], gain: float, light_deg: float) -> None:
        left, top, right, bottom = box
        # The band lies across the light's direction and travels along it, from above; it is never quite level or upright.
        angle = math.copysign(min(max(abs(light_deg), 25.0), 75.0), light_deg or 1.0)
        self.across, self.down = -math.sin(math.radians(angle)), math.cos(math.radians(angle))
        ends = [x * self.across + y * self.down for x in (left, right) for y in (top, bottom)]
        self.reach = 0.22 * (max(ends) - min(ends))
        self.start, self.end = min(ends) - 1.1 * self.reach, max(ends) + 1.1 * self.reach
        self.gain = min(gain, MOST)

    def at(self, share: float) -> Callable[[Any, int, int], Any] | None:
        """Return what lights pixels at that share of the way; None while the band is outside."""
        if self.gain <= 0:
            return None
        middle = self.start + (self.end - self.start) * share

        def lit(rgb: Any, left: int, top: int) -> Any:
            import cv2

            height, width = rgb.shape[:2]
            columns = (np.arange(width, dtype=np.float32) + np.float32(left + 0.5)) * np.float32(self.across / self.reach)
            rows = (np.arange(height, dtype=np.float32) + np.float32(top + 0.5)) * np.float32(self.down / self.reach)
            band = columns[None, :] + (rows - np.float32(middle / self.reach))[:, None]
            np.clip(band, -1, 1, out=band)
            band *= band
            np.subtract(1, band, out=band)
            band *= band
            band *= np.float32(self.gain * _UNIT)
            band += np.float32(_UNIT + 0.5)
            factor = band.astype(np.uint8)
            return cv2.multiply(rgb, cv2.merge([factor, factor, factor]), scale=1 / _UNIT)

        return lit
