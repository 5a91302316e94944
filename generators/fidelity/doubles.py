"""Is the product, or a part of it, seen a second time beside itself? Generated video likes to grow copies."""

from __future__ import annotations

from typing import Any

from generators.fidelity.align import find
from generators.fidelity.pose import Pose, grey
from generators.fidelity.reference import Reference, scaling
from generators.fidelity.search import RATIO, SEARCH_PX, search_points, sift
from generators.values import Photo

FEWEST = 8
"""Key points in one arrangement that prove a copy."""
SHARE = 0.12
"""The same, as a share of the product's key points: a texture repeats by itself, a label does not."""
PLAIN = 40
"""Products with fewer key points are looked for by shape and colour."""
TWIN, SMALLEST = 0.85, 0.25
"""Score and size, against the product's, from which on something is its twin."""
AROUND_PX = 9
"""Room around the product that is not looked at: its shadow and its edge."""


def is_doubled(reference: Reference, photo: Photo, frames: list[tuple[Any, Pose]]) -> bool:
    """Say whether a frame shows a copy that the photo does not."""
    if reference.is_whole or not frames:
        return False
    ours, wanted = sift().detectAndCompute(grey(reference.image), reference.mask)
    if wanted is None or len(ours) < PLAIN:
        return _has_twin(reference, *frames[-1]) and not _has_twin(reference, photo.pixels, Pose(reference.to_photo, 1.0))
    if not any(_has_copy(reference, ours, wanted, frame, pose) for frame, pose in frames):
        return False
    return not _has_copy(reference, ours, wanted, photo.pixels, Pose(reference.to_photo, 1.0))


def _has_twin(reference: Reference, frame: Any, pose: Pose) -> bool:
    """Hide a plain product and look for it again, by its shape and colour."""
    import cv2
    import numpy as np

    factor = min(1.0, SEARCH_PX / min(frame.shape[:2]))
    small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    covered = cv2.warpPerspective(reference.mask, scaling(factor) @ pose.matrix, small.shape[1::-1])
    hidden = cv2.dilate(covered, np.ones((AROUND_PX, AROUND_PX), np.uint8)) > 30
    if hidden.mean() > 0.8:
        return False
    small = small.copy()
    small[hidden] = np.median(small[~hidden], axis=0)
    found = find(reference, small)
    return found is not None and found.score >= TWIN and found.scale(reference) >= SMALLEST * pose.scale(reference) * factor


def _has_copy(reference: Reference, ours: Any, wanted: Any, frame: Any, pose: Pose) -> bool:
    import cv2
    import numpy as np

    factor = min(1.0, SEARCH_PX / min(frame.shape[:2]))
    small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    covered = cv2.warpPerspective(reference.mask, scaling(factor) @ pose.matrix, small.shape[1::-1])
    free = (cv2.dilate(covered, np.ones((AROUND_PX, AROUND_PX), np.uint8)) < 30).astype(np.uint8) * 255
    theirs, seen = search_points(grey(small), free)
    if seen is None or len(theirs) < FEWEST:
        return False
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(seen, wanted, k=2)
    kept = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    if len(kept) < FEWEST:
        return False
    start = np.array([ours[match.trainIdx].pt for match in kept], np.float64)
    end = np.array([theirs[match.queryIdx].pt for match in kept], np.float64)
    cv2.setRNGSeed(1)
    _, inliers = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if inliers is None:
        return False
    places = {tuple(np.round(end[i] / 3)) for i in np.nonzero(inliers.ravel())[0]}
    return len(places) >= max(FEWEST, SHARE * len(ours))
