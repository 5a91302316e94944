"""The product's colours in a frame against its photo's, as people see differences: CIEDE2000 over the whole and over patches."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from generators.fidelity.pose import grey
from generators.fidelity.reference import Reference

MIDDLE = 119.0
"""The grey of L* 50, in 8-bit steps."""
BLACK = 4.0
"""Light that is always there, in 8-bit steps: what happens to black says little."""


def lab(image: Any) -> Any:
    """Return CIE L*a*b* of an RGB picture: `float32 (h, w, 3)`."""
    import cv2
    import numpy as np

    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def compare_colours(view: Reference, image: Any, area: Any, patch: float) -> tuple[float, float]:
    """Return how far the whole has shifted, and the worst patch, `patch` of the long edge wide, its change of lightness taken out.

    The whole: ΔE of the mean colours, or what the change of light would be on a middle grey where that is more. A dark product
    in four fifths of its light is as wrong as a bright one, and hardly changes its own colour.
    """
    import cv2
    import numpy as np

    size = (max(4, area.shape[1] // 2), max(4, area.shape[0] // 2))
    ours, theirs = (lab(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)) for picture in (view.image, image))
    light = _change_of_light(view.image, image, area)
    area = cv2.resize(area.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    mean = max(light, float(delta_e(ours[area].mean(0), theirs[area].mean(0))))
    side = max(3, round(patch * view.long_px / 2)) | 1
    weight = area.astype(np.float32)
    share = cv2.boxFilter(weight, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    full = share > 0.6
    if not full.any():
        return mean, mean
    patches = [
        cv2.boxFilter(picture * weight[..., None], -1, (side, side), borderType=cv2.BORDER_CONSTANT) / np.maximum(share, 1e-3)[..., None]
        for picture in (ours, theirs)
    ]
    lift = float(np.median((ours - theirs)[..., 0][area]))
    patches[1][..., 0] += lift
    some = full & _grid(full.shape, max(1, side // 4))
    some = some if some.any() else full
    return mean, float(np.percentile(delta_e(patches[0][some], patches[1][some]), 99.5))


def _change_of_light(ours: Any, theirs: Any, area: Any) -> float:
    """Return what the change of the mean luma would be on a middle grey, as ΔE."""
    import numpy as np

    before, after = (float(grey(picture)[area].mean()) + BLACK for picture in (ours, theirs))
    greys = np.array([MIDDLE, min(255.0, MIDDLE * after / before)], np.float32)
    one, other = lab(np.repeat(greys[:, None, None], 3, axis=2))[:, 0]
    return float(delta_e(one, other))


@lru_cache(maxsize=16)
def _grid(shape: tuple[int, int], step: int) -> Any:
    """Every `step`-th pixel both ways: means of patches change slowly."""
    import numpy as np

    grid = np.zeros(shape, bool)
    grid[::step, ::step] = True
    return grid


def delta_e(one: Any, other: Any) -> Any:
    """Return CIEDE2000 between L*a*b* colours `(…, 3)` (Sharma, Wu & Dalal 2005)."""
    import numpy as np

    one, other = np.asarray(one, float), np.asarray(other, float)
    l1, l2 = one[..., 0], other[..., 0]
    c_mean = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    g = 0.5 * (1 - np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)))
    a1, a2 = (1 + g) * one[..., 1], (1 + g) * other[..., 1]
    c1, c2 = np.hypot(a1, one[..., 2]), np.hypot(a2, other[..., 2])
    h1, h2 = np.degrees(np.arctan2(one[..., 2], a1)) % 360, np.degrees(np.arctan2(other[..., 2], a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    grey_pair = c1 * c2 == 0
    turn = np.where(grey_pair, 0, turn)
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    h_mean = np.where(grey_pair, h1 + h2, (h1 + turn / 2) % 360)
    t = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    r_t = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h_mean - 275) / 25) ** 2))))
    lightness, chroma, hue = d_l / s_l, d_c / s_c, d_h / s_h
    return np.sqrt(np.maximum(lightness**2 + chroma**2 + hue**2 + r_t * chroma * hue, 0))
