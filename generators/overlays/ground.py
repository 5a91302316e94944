"""What lies under the overlays: how busy the shots are where something is to stand, so that a price does not cover a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.values import Pixels

REDUCED = 8
"""Busyness is measured on frames this many times smaller."""
EDGE = 0.04
"""Share of the width at each side that is taken for background."""
FOREIGN = 0.12
"""Weight of a pixel's distance from the background of its row: a product may be smooth, and is not to be covered all the same."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in output pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Sampled instants of the video without its overlays."""

    samples: tuple[tuple[float, Any], ...] = ()
    """Seconds on the video's clock, and integrals of the picture's busyness and of its colours: float64 (h + 1, w + 1, 4)."""

    def busy(self, box: Box, start: float, end: float) -> float:
        """How much there is under a box while something stands there, in the worst sample: 0 for plain ground, 20 for a label."""
        near = [table for time, table in self.samples if start - 0.3 <= time <= end + 0.3]
        return max((float(_mean(table, box)[0]) for table in near), default=0.0)

    def colour(self, box: Box, start: float, end: float) -> str | None:
        """Mean colour under a box as #rrggbb; None when nothing was sampled while something stands there."""
        near = [_mean(table, box)[1:] for time, table in self.samples if start - 0.3 <= time <= end + 0.3]
        if not near:
            return None
        red, green, blue = (round(float(part)) for part in np.mean(near, axis=0))
        return f"#{red:02x}{green:02x}{blue:02x}"

    def calmest(self, boxes: Sequence[tuple[Box, float]], start: float, end: float) -> int:
        """Choose among boxes with a handicap each (earlier ones are preferred where nothing speaks against them)."""
        scores = [self.busy(box, start, end) + handicap for box, handicap in boxes]
        return scores.index(min(scores))


def survey(instants: Sequence[float], frame_at: Callable[[float], Pixels]) -> Ground:
    """Look at a video at some instants."""
    return Ground(tuple((time, _look(frame_at(time))) for time in instants))


def _look(frame: Pixels) -> Any:
    """Integrals of gradient and foreignness, and of red, green and blue."""
    import cv2

    size = (max(8, frame.shape[1] // REDUCED), max(8, frame.shape[0] // REDUCED))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)) / 4
    busy = np.minimum(strength, 60.0) + FOREIGN * _foreign(small.astype(np.float32))
    return cv2.integral(np.dstack([busy, small.astype(np.float32)]))


def _foreign(small: Any) -> Any:
    """Distance of every pixel from what lies at the sides of its row: float32 (h, w)."""
    edge = max(1, round(small.shape[1] * EDGE))
    left, right = np.median(small[:, :edge], axis=1), np.median(small[:, -edge:], axis=1)
    share = np.linspace(0, 1, small.shape[1], dtype=np.float32)[None, :, None]
    return np.abs(small - (left[:, None] * (1 - share) + right[:, None] * share)).mean(axis=2)


def _mean(table: Any, box: Box) -> Any:
    """Means inside a box: gradient, red, green, blue."""
    height, width = table.shape[0] - 1, table.shape[1] - 1
    x0, x1 = (int(np.clip(side / REDUCED, 0, width)) for side in (box[0], box[2]))
    y0, y1 = (int(np.clip(side / REDUCED, 0, height)) for side in (box[1], box[3]))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    if x1 > width or y1 > height:
        return np.zeros(table.shape[2])
    return (table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]) / ((x1 - x0) * (y1 - y0))
