"""Inside the outline: openings through which the backdrop is seen, and shade that was taken for product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generators.cutout.backdrop import Backdrop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_HOLE = 0.01
"""Holes smaller than this share of the product are filled without a second thought."""
LINE = 0.012
"""Half the height of a line of print, as a share of the picture's longer side."""
GENTLE_LAB = 2.0
"""Steepest slope within such a patch, ΔE a pixel."""
MOST_SHADED = 0.15
"""Shaded patches larger than this share of the product are its own faces."""
PRINTED = 0.005
"""A hole with this share of something else in it is a label with print on it."""
TELLING_CHROMA, TELLING_L = 9.0, 80.0
"""No label has a backdrop's colour by chance when that is coloured, or darker than paper."""
SHADE_RATIO = 0.6
"""Shade meets the backdrop more softly than it meets the product, at most by this ratio of slopes."""


def close_holes(mask: NDArray[np.uint8], backdrop: Backdrop) -> tuple[NDArray[np.uint8], float]:
    """Fill what the outside does not reach, but for openings through which the backdrop itself is seen.

    A white label on a product before white paper looks just like an opening, and a label must never be lost: before white an
    empty hole is filled, and counted as doubtful. Returns the mask and the doubtful share of the product.
    """
    import cv2
    import numpy as np

    hollow = np.where((mask <= 127) | (_plain_inside(mask, backdrop) > 0), 255, 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(hollow, connectivity=4)
    outer = set(np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])).tolist())
    product = max(1, int(np.sum(mask > 127)))
    groups = _grouped(np.where(np.isin(labels, list(outer)), 0, hollow).astype(np.uint8))
    filled, doubtful = mask.copy(), 0
    for row in range(1, len(stats)):
        if row in outer:
            continue
        part = labels == row
        area = int(stats[row, cv2.CC_STAT_AREA])
        filled[part] = 255
        if area > LEAST_HOLE * product and _is_bare(part, backdrop):
            if _is_telling(part, backdrop):
                rim = cv2.dilate(part.astype(np.uint8), disc(5)) > 0
                filled[part | (rim & ((backdrop.plain > 0) | (backdrop.shadow > 0)))] = 0
            elif not _is_printed((groups == groups[part][0]) & (hollow > 0), backdrop):
                doubtful += area
    return filled, (doubtful + _shaded_inside(mask, backdrop, product)) / product


def _grouped(holes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number holes so that those a line of print apart have one number: a label that its print divides."""
    import cv2
    import numpy as np

    _, groups = cv2.connectedComponents(cv2.dilate(holes, disc(max(3, round(LINE * max(holes.shape))))), connectivity=8)
    return np.asarray(groups, np.int32)


def _plain_inside(mask: NDArray[np.uint8], backdrop: Backdrop) -> NDArray[np.uint8]:
    """Mark solid patches of the backdrop's colour within the mask, away from its outline."""
    import cv2
    import numpy as np

    inner = cv2.erode(mask, disc(4))
    patches = np.where((inner > 127) & (backdrop.plain > 0), 255, 0).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(patches, cv2.MORPH_OPEN, disc(4)), np.uint8)


def _shaded_inside(mask: NDArray[np.uint8], backdrop: Backdrop, product: int) -> int:
    """Count pixels of small enclosed patches that look like backdrop in the product's own shade: perhaps a handle's opening."""
    import cv2
    import numpy as np

    shaded = np.where((mask > 127) & (backdrop.shaded > 0) & (backdrop.steep < GENTLE_LAB), 255, 0).astype(np.uint8)
    like = np.asarray(cv2.morphologyEx(shaded, cv2.MORPH_OPEN, disc(3)), np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
    near_edge = cv2.dilate((mask <= 127).astype(np.uint8), disc(4)) > 0
    groups = _grouped(like)
    found = 0
    for row in range(1, len(stats)):
        area = int(stats[row, cv2.CC_STAT_AREA])
        part = labels == row
        if (
            LEAST_HOLE * product < area < MOST_SHADED * product
            and not near_edge[part].any()
            and not _is_printed((groups == groups[part][0]) & (like > 0), backdrop)
        ):
            found += area
    return found


def _is_bare(part: NDArray[np.bool_], backdrop: Backdrop) -> bool:
    """Say whether a hole has the backdrop's colour, lit or in shade."""
    import cv2
    import numpy as np

    core = cv2.erode(part.astype(np.uint8), disc(3)) > 0
    return bool(core.any() and float(np.mean((backdrop.plain[core] > 0) | (backdrop.shaded[core] > 0))) > 0.7)


def _is_printed(part: NDArray[np.bool_], backdrop: Backdrop) -> bool:
    """Say whether something stands written in a hole or beside it: then it is a label."""
    import cv2
    import numpy as np

    hull = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.asarray(cv2.findNonZero(part.astype(np.uint8)), np.int32)), 1)
    inner = cv2.erode(hull, disc(2)) > 0
    return bool(inner.any() and float(np.mean(backdrop.distance[inner] > 4 * backdrop.reach)) > PRINTED)


def _is_telling(part: NDArray[np.bool_], backdrop: Backdrop) -> bool:
    """Say whether the backdrop here has a colour that nothing else would have by chance."""
    import numpy as np

    colour = backdrop.colour[part].mean(axis=0)
    return bool(np.hypot(colour[1], colour[2]) > TELLING_CHROMA or colour[0] < TELLING_L)


def without_shade(mask: NDArray[np.uint8], backdrop: Backdrop) -> NDArray[np.uint8]:
    """Take shade off the outline: patches like the backdrop, lit or not, that meet it more softly than they meet the product."""
    import cv2
    import numpy as np

    inside = mask > 127
    alike = np.where(inside & ((backdrop.shadow > 0) | (backdrop.plain > 0)), 255, 0).astype(np.uint8)
    like = cv2.morphologyEx(alike, cv2.MORPH_OPEN, disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
    near_outside = cv2.dilate((~inside).astype(np.uint8), disc(3)) > 0
    product = int(inside.sum())
    kept = mask.copy()
    rows = np.arange(1, count)
    for row in rows[np.argsort(-stats[1:, cv2.CC_STAT_AREA])][:40]:
        if not 0.001 * product < stats[row, cv2.CC_STAT_AREA] < 0.6 * product:
            continue
        part = labels == row
        rest = cv2.dilate((inside & ~part).astype(np.uint8), disc(3)) > 0
        outer, inner = backdrop.steep[part & near_outside], backdrop.steep[part & rest & ~near_outside]
        if outer.size >= 12 and inner.size >= 12 and float(np.mean(outer)) < SHADE_RATIO * float(np.mean(inner)):
            kept[part] = 0
    return np.asarray(cv2.morphologyEx(kept, cv2.MORPH_OPEN, disc(2)), np.uint8)


def disc(radius: int) -> Any:
    """A round structuring element."""
    import cv2

    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
