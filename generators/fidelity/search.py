"""Places in a frame where the product may be: by its key points, and by the shape of its edges where it is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generators.fidelity.pose import edges, grey
from generators.fidelity.reference import KEYPOINTS, Matrix, Reference, scaling, shifting

SEARCH_PX = 480
"""Short edge of the frame in which key points are looked for."""
RATIO = 0.8
"""Lowe's ratio: the second nearest key point must be this much further away."""
FEWEST = 4
"""Matches below which key points prove no place."""
TEMPLATE_PX = 120
"""Short edge of the frame in which edges are searched."""
SCALES = 22
STEEPNESS = 1.14
"""Ratio between two sizes that are tried."""
BEST_PLACES = 4
COLOUR_SLACK = 90.0
"""Root mean square difference of colour, in 8-bit steps, that weighs as much as having no edge in common."""


def candidates(reference: Reference, frame: Any) -> Iterator[Matrix]:
    """Yield matrices from the reference to a frame, the likeliest first."""
    import cv2

    factor = min(1.0, SEARCH_PX / min(frame.shape[:2]))
    small = frame if factor == 1 else cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    back = scaling(1 / factor)
    for matrix in _by_key_points(reference, small):
        yield back @ matrix
    for matrix in _by_edges(reference, small):
        yield back @ matrix


# --- key points ----------------------------------------------------------------------------------


def sift() -> Any:
    """Return the key-point detector: a low contrast limit, so that plain goods give some too."""
    return _sift(KEYPOINTS)


def search_points(luma: Any, mask: Any = None) -> tuple[Any, Any]:
    """Find the key points of a frame, many of them; return them with their descriptors, None when there are none."""
    points, described = _sift(3 * KEYPOINTS).detectAndCompute(luma, mask)
    return points, described


def _sift(most: int) -> Any:
    import cv2

    create: Any = cv2.SIFT_create  # type: ignore[attr-defined] # the stubs of OpenCV 5 leave it out
    return create(most, contrastThreshold=0.025)


def _by_key_points(reference: Reference, frame: Any) -> Iterator[Matrix]:
    import cv2
    import numpy as np

    ours, wanted = sift().detectAndCompute(grey(reference.image), reference.mask)
    theirs, seen = search_points(grey(frame))
    if wanted is None or seen is None or len(ours) < FEWEST or len(theirs) < 2:
        return
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(wanted, seen, k=2)
    kept = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    if len(kept) < FEWEST:
        return
    start = np.array([ours[match.queryIdx].pt for match in kept], np.float64)
    end = np.array([theirs[match.trainIdx].pt for match in kept], np.float64)
    cv2.setRNGSeed(1)
    similar, inliers = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=4.0, maxIters=2000)
    if similar is not None and int(inliers.sum()) >= FEWEST:
        yield np.vstack([similar, [0, 0, 1]])


# --- edges ---------------------------------------------------------------------------------------


def _by_edges(reference: Reference, frame: Any) -> Iterator[Matrix]:
    """Slide the reference's edges and colours over the frame at many sizes; yield the best places, best first."""
    import cv2

    factor = TEMPLATE_PX / min(frame.shape[:2])
    small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    room = max(small.shape) // 3
    outline = cv2.copyMakeBorder(edges(small), room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    colours = cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_REPLICATE)
    found = []
    for step in range(SCALES):
        share = 2.2 * max(frame.shape[:2]) * factor / STEEPNESS**step / max(reference.mask.shape)
        size = (round(reference.mask.shape[1] * share), round(reference.mask.shape[0] * share))
        if min(size) < 8 or size[0] >= outline.shape[1] or size[1] >= outline.shape[0]:
            continue
        for score, x, y in _slide(reference, outline, colours, size):
            found.append((score, share, x - room, y - room))
    for _, share, x, y in sorted(found, reverse=True)[:BEST_PLACES]:
        yield scaling(1 / factor) @ shifting(x, y) @ scaling(share)


def _slide(reference: Reference, outline: Any, colours: Any, size: tuple[int, int]) -> list[tuple[float, int, int]]:
    """Try every place at one size; return the best by edges, less what the colours differ."""
    import cv2
    import numpy as np

    picture = cv2.resize(reference.image, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(reference.mask, size, interpolation=cv2.INTER_AREA)
    around = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 127
    alike = cv2.matchTemplate(outline, edges(picture) * around, cv2.TM_CCOEFF_NORMED)
    inner = np.dstack([(mask > 200).astype(np.float32)] * 3)
    apart = cv2.matchTemplate(colours.astype(np.float32), picture.astype(np.float32), cv2.TM_SQDIFF, mask=inner)
    apart = np.sqrt(np.maximum(apart, 0) / max(1.0, float(inner.sum())))
    _, score, _, (x, y) = cv2.minMaxLoc(alike - apart / COLOUR_SLACK)
    return [(score, x, y)]
