"""Find the product in a frame: where each pixel of the reference went, as a homography, so that the camera's motion can be undone.

Candidates come from key points, and from the shape of the edges of plain products, which have too few. Both are then refined by a
robust Lucas-Kanade alignment, which also follows the product from one frame to the next at a tenth of the cost.
"""

from __future__ import annotations

from typing import Any

from generators.fidelity.lucas_kanade import improve_matrix
from generators.fidelity.pose import Pose, edges, rectify, view_matrix
from generators.fidelity.reference import Matrix, Reference
from generators.fidelity.search import candidates

COARSE, FINE = 0.25, 0.5
"""Sizes at which an alignment is refined, as shares of the reference."""
NEAR, SURE = 0.6, 0.9
"""Score from which on a place near the last one, or any place, needs no other candidate."""
DRIFT = 0.002
"""By how much a homography must fit better than a similarity to be believed."""
COLOUR_SPREAD = 60.0
"""Median difference of colour, in 8-bit steps, at which a place loses most of its score."""


def find(reference: Reference, frame: Any) -> Pose | None:
    """Look for the product anywhere in a frame; None when nothing there resembles it."""
    best: Pose | None = None
    for matrix in candidates(reference, frame):
        pose = refine(reference, frame, matrix)
        if pose is not None and (best is None or pose.score > best.score):
            best = pose
        if best is not None and best.score >= SURE:
            break
    return best


def follow(reference: Reference, frame: Any, before: Pose) -> Pose | None:
    """Find the product near the place it had in an earlier frame, or anywhere when it is not there."""
    near = refine(reference, frame, before.matrix)
    if near is not None and near.score >= NEAR:
        return near
    far = find(reference, frame)
    return max((pose for pose in (near, far) if pose is not None), key=lambda pose: pose.score, default=None)


def refine(reference: Reference, frame: Any, matrix: Matrix) -> Pose | None:
    """Improve an alignment from coarse to fine; None when it runs away.

    A homography is kept only where it fits better than the similarity it came from: on plain goods it may drift.
    """
    similar = _improve(reference, frame, matrix, ((COARSE, 4, 12), (FINE, 4, 5)))
    if similar is None:
        return None
    plain = _improve(reference, frame, similar.matrix, ((1.0, 4, 2),)) or similar
    tilted = _improve(reference, frame, similar.matrix, ((FINE, 8, 5), (1.0, 8, 3)))
    return tilted if tilted is not None and tilted.score > plain.score + DRIFT else plain


def _improve(reference: Reference, frame: Any, matrix: Matrix, stages: tuple[tuple[float, int, int], ...]) -> Pose | None:
    """Refine in stages: size of the reference, parameters of the warp, rounds."""
    import numpy as np

    for share, model, rounds in stages:
        view = reference.at(share)
        to_view = view_matrix(reference, view)
        found = improve_matrix(view, frame, matrix @ np.linalg.inv(to_view), model, rounds)
        if found is None or not np.isfinite(found).all():
            return None
        matrix = found @ to_view
    view = reference.at(FINE)
    return Pose(matrix, _score(view, frame, matrix @ np.linalg.inv(view_matrix(reference, view))))


def _score(view: Reference, frame: Any, matrix: Matrix) -> float:
    """Correlate the edges on and just around the product; other colours, and showing little of it, prove less."""
    import cv2
    import numpy as np

    image, inside = rectify(frame, matrix, view)
    product, reached = view.mask > 127, inside > 0
    area = (cv2.dilate(view.mask, np.ones((5, 5), np.uint8)) > 127) & reached
    if int(area.sum()) < 100 or not (product & reached).any():
        return -1.0
    ours, theirs = edges(view.image)[area], edges(image)[area]
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    spread = float(np.sqrt((ours**2).sum() * (theirs**2).sum()))
    alike = float((ours * theirs).sum() / spread) if spread > 1e-6 else 0.0
    apart = float(np.median(np.abs(view.image.astype(np.int16) - image)[product & reached].max(axis=1)))
    visible = min(1.0, float((product & reached).sum() / product.sum()))
    return alike * float(visible**0.25) * float(np.exp(-((apart / COLOUR_SPREAD) ** 2)))
