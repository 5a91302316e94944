"""What lies under the overlays: how dark and how light the shots are where a text is to stand, and how busy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.layout import Area
from generators.values import Pixels

REDUCED = 8
"""The shots are looked at this many times smaller."""
EDGE = 0.04
"""Share of the width at each side that is taken for background."""
FOREIGN = 0.12
"""Weight of a pixel's distance from the background of its row: a product may be smooth, and is not to be covered all the same."""
OUTLIERS = 2.0
"""Per cent of the pixels at either end of the scale that are left out of an area's tones."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One instant of the video without its overlays, made small."""

    time: float
    """Seconds on the video's clock."""
    busy: Any
    """`float32 (h, w)`: gradient and foreignness."""
    colours: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Sampled instants of the video."""

    looks: tuple[Look, ...] = ()

    def busy(self, area: Area, start: float, end: float) -> float:
        """How much there is in an area while something stands there, in the worst sample: 0 for plain ground, 20 for a label."""
        return max((float(_part(look.busy, area).mean()) for look in self._near(start, end)), default=0.0)

    def tones(self, area: Area, start: float, end: float) -> tuple[str, ...]:
        """Return the darkest and the lightest colour of an area in each sample as #rrggbb; nothing where nothing was sampled."""
        found: list[str] = []
        for look in self._near(start, end):
            part = _part(look.colours, area).reshape(-1, 3)
            light = part @ np.array([0.2126, 0.7152, 0.0722])
            for share in (OUTLIERS, 100 - OUTLIERS):
                red, green, blue = (int(value) for value in part[int(np.argmin(np.abs(light - np.percentile(light, share))))])
                found.append(f"#{red:02x}{green:02x}{blue:02x}")
        return tuple(found)

    def calmest(self, areas: Sequence[tuple[Area, float]], start: float, end: float) -> int:
        """Choose among areas with a handicap each (earlier ones are preferred where nothing speaks against them)."""
        scores = [self.busy(area, start, end) + handicap for area, handicap in areas]
        return scores.index(min(scores))

    def _near(self, start: float, end: float) -> list[Look]:
        inside = [look for look in self.looks if start <= look.time <= end]
        return inside or [look for look in self.looks if start - 0.5 <= look.time <= end + 0.5]


def survey(instants: Sequence[float], frame_at: Callable[[float], Pixels]) -> Ground:
    """Look at a video at some instants."""
    return Ground(tuple(_look(time, frame_at(time)) for time in instants))


def _look(time: float, frame: Pixels) -> Look:
    import cv2

    size = (max(8, frame.shape[1] // REDUCED), max(8, frame.shape[0] // REDUCED))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)) / 4
    return Look(time, np.minimum(strength, 60.0) + FOREIGN * _foreign(small.astype(np.float32)), small)


def _foreign(small: Any) -> Any:
    """Distance of every pixel from what lies at the sides of its row: float32 (h, w)."""
    edge = max(1, round(small.shape[1] * EDGE))
    left, right = np.median(small[:, :edge], axis=1), np.median(small[:, -edge:], axis=1)
    share = np.linspace(0, 1, small.shape[1], dtype=np.float32)[None, :, None]
    return np.abs(small - (left[:, None] * (1 - share) + right[:, None] * share)).mean(axis=2)


def _part(picture: Any, area: Area) -> Any:
    """Cut an area out, at least a pixel of it."""
    height, width = picture.shape[:2]
    x0, y0 = (min(int(max(side, 0) / REDUCED), limit - 1) for side, limit in ((area.left, width), (area.top, height)))
    x1, y1 = (min(int(np.ceil(side / REDUCED)), limit) for side, limit in ((area.right, width), (area.bottom, height)))
    return picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
