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

LEAST_AREA, MOST_AREA = 0.01, 0.92
"""Share of the picture that a product covers."""
EDGE_LAB = 1.1
"""Slope in ΔE a pixel (at 1024 px) from which an outline counts as seen in the picture."""


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
