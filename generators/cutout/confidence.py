"""How far a mask may be trusted: its shape, its outline, and whether two ways of finding it agree.

The factors multiply; each is 1 for what is usual of a product on a plain ground. They are calibrated on drawn pictures with
known outlines so that a confidence of 0.7 means an overlap (IoU) of 0.95 or better; see docs/why/cutout-confidence.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipper.values import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generators.cutout.backdrop import Backdrop

LEAST_AREA, MOST_AREA = 0.01, 0.92
"""Share of the picture that a product covers."""
EDGE_LAB = 1.1
"""Slope in ΔE a pixel (at 1024 px) from which an outline counts as seen in the picture."""


LETTER_LAB = 25.0
"""Contrast of print to paper."""


def box_of(mask: NDArray[np.uint8]) -> Box:
    """Bound the product (mask above 10 %), as fractions of the picture."""
    import cv2
    import numpy as np

    height, width = mask.shape
    x, y, w, h = cv2.boundingRect((mask > 25).astype(np.uint8))
    return Box(
        round(x / width, 5), round(y / height, 5), round(float(np.maximum(w, 1)) / width, 5), round(float(np.maximum(h, 1)) / height, 5)
    )


def judge_shape(mask: NDArray[np.uint8]) -> tuple[float, tuple[str, ...]]:
    """Doubt masks that are too small, too large, cut off by the border or torn to pieces: a factor in [0, 1], and why."""
    import numpy as np

    inside = mask > 127
    area = float(np.mean(inside))
    if area < LEAST_AREA / 4 or area > 0.995:
        return 0.0, (f"covers {area:.1%} of the picture",)
    factor, reasons = 1.0, []
    if not LEAST_AREA <= area <= MOST_AREA:
        factor *= 0.5
        reasons.append(f"covers {area:.1%} of the picture")
    touching = share_of_border(inside)
    if touching > 0.02:
        factor *= float(np.clip(1.0 - 0.9 * touching, 0.3, 1))
        reasons.append(f"touches {touching:.0%} of the border")
    pieces = pieces_of(inside)
    if pieces > 4:
        factor *= 0.8
        reasons.append(f"{pieces} pieces")
    return factor, tuple(reasons)


def judge_key(key: NDArray[np.uint8], found: NDArray[np.uint8], doubtful: float, backdrop: Backdrop) -> tuple[float, tuple[str, ...]]:
    """Say how sure a cut-out from a plain backdrop is: `key` is the first guess, `found` the result, `doubtful` the share of
    it that may be an opening."""
    import numpy as np

    agreement = overlap(np.where((backdrop.plain > 0) & (found == 0), 0, key).astype(np.uint8), found)
    edge = seen_edge(found, backdrop.steep)
    steady = steadiness(found, backdrop)
    factor, reasons = judge_shape(found)
    factor *= ramp(backdrop.uniform, 0.7, 0.95) * ramp(edge, 0.6, 0.93) * ramp(agreement, 0.6, 0.9)
    factor *= (1 - ramp(doubtful, 0.0, 0.05)) * ramp(steady, 0.85, 0.97) * (1 - ramp(backdrop.noise, 5.0, 10.0))
    told = [f"backdrop on {backdrop.uniform:.0%} of the border", f"outline seen along {edge:.0%}", f"key and GrabCut agree {agreement:.0%}"]
    if doubtful > 0.005:
        told.append(f"{doubtful:.0%} of it may be an opening")
    if steady < 0.97:
        told.append(f"{1 - steady:.0%} hardly differs from the backdrop")
    letters = lone_letters(backdrop)
    if letters >= 3:
        factor *= 0.5
        told.append(f"{letters} marks like print stand alone beside it")
    if crosses(key):
        factor *= 0.4
        told.append("something runs from one side of the picture to the other")
    return round(float(factor), 3), (*told, *reasons)


def steadiness(found: NDArray[np.uint8], backdrop: Backdrop) -> float:
    """Say what share of the product would be left if the key were stricter: parts that hardly differ may have been lost."""
    import cv2
    import numpy as np

    halo = 2 * round(9 * max(found.shape) / 1024) + 1  # JPEG spreads colour over blocks of 16
    strict = max(1.25 * backdrop.noise + 0.2, 0.5 * backdrop.reach)
    differs = ((backdrop.distance > strict) & (backdrop.shaded == 0)).astype(np.uint8)
    differs[cv2.dilate(found, np.ones((halo, halo), np.uint8)) > 0] = 0
    lost = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    product = int(np.sum(found > 127))
    return product / max(1, product + int(lost.sum()))


def lone_letters(backdrop: Backdrop) -> int:
    """Count small dark marks that stand alone on plain backdrop within the product's hull: print of a label taken for paper."""
    import cv2
    import numpy as np

    inside = np.where(backdrop.outside > 0, 0, 1).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if areas.size < 4:
        return 0
    large = np.isin(labels, 1 + np.flatnonzero(areas > 0.1 * areas.max())).astype(np.uint8)
    hull = np.zeros_like(large)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.asarray(cv2.findNonZero(large), np.int32)), 1)
    letters = 0
    for row in 1 + np.flatnonzero((areas >= 8) & (areas < 0.02 * areas.max()))[:300]:
        x, y, w, h = (int(stats[row, at]) for at in range(4))
        around = np.s_[max(0, y - 5) : y + h + 5, max(0, x - 5) : x + w + 5]
        mark = labels[around] == row
        alone = float(np.mean(backdrop.outside[around][~mark] > 0))
        dark = float(np.max(backdrop.distance[around][mark]))
        letters += bool(hull[around][mark].mean() > 0.9 and dark > LETTER_LAB and alone > 0.8)
    return letters


def crosses(mask: NDArray[np.uint8]) -> bool:
    """Say whether what was found touches two opposite sides: a table's edge, a horizon, a picture cropped too closely."""
    inside = mask > 127
    return bool((inside[:, 0].any() and inside[:, -1].any()) or (inside[0].any() and inside[-1].any()))


def ramp(value: float, low: float, high: float) -> float:
    """Rise from 0 at `low` to 1 at `high`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def share_of_border(inside: NDArray[np.bool_]) -> float:
    """Share of the picture's border that the product touches."""
    import numpy as np

    return float(np.mean(np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])))


def pieces_of(inside: NDArray[np.bool_]) -> int:
    """Count the parts that are at least a hundredth of the whole."""
    import cv2
    import numpy as np

    _, _, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    return int(np.sum(sizes > 0.01 * max(1, int(inside.sum()))))


def seen_edge(mask: NDArray[np.uint8], steep: NDArray[np.float32]) -> float:
    """Share of the outline that lies on an edge of the picture, in [0, 1]; the picture's own border is not counted."""
    import cv2
    import numpy as np

    inside = (mask > 127).astype(np.uint8)
    outline = inside - cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=1)
    strongest = cv2.dilate(steep, np.ones((5, 5), np.uint8))
    there = strongest[outline > 0]
    limit = EDGE_LAB * min(1.6, 1024 / max(mask.shape))
    return float(np.mean(there > limit)) if there.size else 0.0


def overlap(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Intersection over union of two masks."""
    import numpy as np

    one, two = a > 127, b > 127
    union = int(np.sum(one | two))
    return float(np.sum(one & two) / union) if union else 0.0
