"""Find the product in a frame: where each pixel of the reference went, as a homography, so that the camera's motion can be undone.

Key points (SIFT) find it anywhere in the frame; plain products, which have too few, are found by the shape of their edges over
scales. Both are then refined by a robust Lucas-Kanade alignment (inverse compositional, Baker & Matthews 2004, with gain and bias
normalised and Cauchy weights), which also follows the product from one frame to the next at a tenth of the cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generators.fidelity.reference import KEYPOINTS, Matrix, Reference, scaling, shifting

SEARCH_PX = 480
"""Short edge of the frame in which key points are looked for."""
COARSE, FINE = 0.25, 0.5
"""Sizes at which an alignment is refined, as shares of the reference."""
NEAR, SURE = 0.6, 0.9
"""Score from which on a place near the last one, or any place, needs no other candidate."""
DRIFT = 0.002
"""By how much a homography must fit better than a similarity to be believed."""
RATIO = 0.8
"""Lowe's ratio: the second nearest key point must be this much further away."""
FEWEST = 4
"""Matches below which key points prove no place."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the product is in a frame."""

    matrix: Matrix
    """From reference pixels to pixels of the frame."""
    score: float
    """Correlation of the edges on and around the product, less where colours differ or little is seen, in [-1, 1]."""

    def scale(self, reference: Reference) -> float:
        """Return frame pixels per reference pixel at the product's centre."""
        import numpy as np

        return float(np.sqrt(max(np.linalg.det(jacobian(self.matrix, *reference.centre)), 1e-12)))


def jacobian(matrix: Matrix, x: float, y: float) -> Any:
    """Differentiate a homography at a point: `float64 (2, 2)`."""
    import numpy as np

    u, v, w = matrix @ np.array([x, y, 1.0])
    return np.array([matrix[0, :2] * w - matrix[2, :2] * u, matrix[1, :2] * w - matrix[2, :2] * v]) / w**2


def place(matrix: Matrix, points: Any) -> Any:
    """Map points `(n, 2)` by a homography."""
    import numpy as np

    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def rectify(frame: Any, matrix: Matrix, reference: Reference) -> tuple[Any, Any]:
    """Bring a frame to the reference's view: RGB of its size, and a mask that is 255 where the frame reaches."""
    import cv2
    import numpy as np

    scale = Pose(matrix, 0).scale(reference)
    if scale > 1.1:
        small = 1 / scale
        frame = cv2.resize(frame, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        matrix = scaling(small) @ matrix
    height, width = reference.mask.shape
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    image = cv2.warpPerspective(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    full = np.full(frame.shape[:2], 255, np.uint8)
    inside = cv2.warpPerspective(full, matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return image, inside


# --- finding and following ------------------------------------------------------------------------


def find(reference: Reference, frame: Any) -> Pose | None:
    """Look for the product anywhere in a frame; None when nothing there resembles it."""
    best: Pose | None = None
    for matrix in _candidates(reference, frame):
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
        found = _lucas_kanade(view, frame, matrix @ np.linalg.inv(to_view), model, rounds)
        if found is None or not np.isfinite(found).all():
            return None
        matrix = found @ to_view
    view = reference.at(FINE)
    return Pose(matrix, _score(view, frame, matrix @ np.linalg.inv(view_matrix(reference, view))))


def view_matrix(reference: Reference, view: Reference) -> Matrix:
    """Return the matrix from a reference to a reduced view of it."""
    import numpy as np

    return np.linalg.inv(view.to_photo) @ reference.to_photo


def _candidates(reference: Reference, frame: Any) -> Iterator[Matrix]:
    import cv2

    factor = min(1.0, SEARCH_PX / min(frame.shape[:2]))
    small = frame if factor == 1 else cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    back = scaling(1 / factor)
    for matrix in _by_key_points(reference, small):
        yield back @ matrix
    for matrix in _by_edges(reference, small):
        yield back @ matrix


def grey(image: Any) -> Any:
    """Return luma: `uint8 (h, w)`."""
    import cv2

    luma: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return luma


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


# --- edges ----------------------------------------------------------------------------------------


def edges(image: Any) -> Any:
    """Return the strength of the edges of an RGB or grey picture, compressed: `float32 (h, w)`."""
    import cv2
    import numpy as np

    luma = cv2.GaussianBlur((image if image.ndim == 2 else grey(image)).astype(np.float32), (0, 0), 1.0)
    dx, dy = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.125)
    return np.sqrt(cv2.magnitude(dx, dy))


TEMPLATE_PX = 120
"""Short edge of the frame in which edges are searched."""
SCALES = 22
STEEPNESS = 1.14
"""Ratio between two sizes that are tried."""
BEST_PLACES = 4
COLOUR_SLACK = 90.0
"""Root mean square difference of colour, in 8-bit steps, that weighs as much as having no edge in common."""
COLOUR_SPREAD = 60.0
"""Median difference of colour, in 8-bit steps, at which a place loses most of its score."""


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


# --- Lucas-Kanade ---------------------------------------------------------------------------------


def _lucas_kanade(view: Reference, frame: Any, matrix: Matrix, model: int, rounds: int) -> Matrix | None:
    """Refine a pose of a reference by its luma and its edges; `model` 4 is a similarity, 8 a homography.

    Both pictures are stacks of two channels, luma and edge strength: luma for textured goods, edges (which survive another
    background) for the outline of plain ones.
    """
    import cv2
    import numpy as np

    scale = Pose(matrix, 0).scale(view)
    if not 0.02 < scale < 50:
        return None
    if scale > 1.1:
        small = 1 / scale
        frame = cv2.resize(frame, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        matrix, back = scaling(small) @ matrix, scaling(scale)
    else:
        back = np.eye(3)
    target = _stack(frame)
    wanted, steepest, weights = _template(view, model)
    height, width = view.mask.shape
    ones = np.ones(frame.shape[:2], np.float32)
    for _ in range(rounds):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = np.stack([cv2.warpPerspective(channel, matrix, (width, height), flags=flags) for channel in target])
        reach = cv2.warpPerspective(ones, matrix, (width, height), flags=flags) > 0.99
        step = _step(wanted, seen, weights & reach, steepest)
        if step is None:
            return None
        change = _update(step, view, model)
        matrix = matrix @ np.linalg.inv(change)
        matrix = matrix / matrix[2, 2]
        moved = np.abs(place(change, view.corners()) - view.corners()).max()
        if moved < 0.02:
            break
        if not 0.3 < Pose(matrix, 0).scale(view) / min(scale, 1.1) < 3:
            return None
    return back @ matrix


@lru_cache(maxsize=16)
def _template(view: Reference, model: int) -> tuple[Any, Any, Any]:
    """Channels, their derivatives by the parameters, and where each channel counts."""
    import cv2
    import numpy as np

    wanted = _stack(view.image)
    inner = cv2.erode(view.mask, np.ones((3, 3), np.uint8)) > 127
    outer = cv2.dilate(view.mask, np.ones((5, 5), np.uint8)) > 127
    some = np.zeros_like(inner)
    some[:: 2 if view.long_px > 120 else 1, :: 2 if view.long_px > 120 else 1] = True
    return wanted, _steepest(wanted, view, model), np.stack([inner & some, outer & some])


def _stack(image: Any) -> Any:
    import cv2
    import numpy as np

    luma = cv2.GaussianBlur(grey(image).astype(np.float32), (0, 0), 0.8)
    return np.stack([luma, 12 * edges(image)])


def _steepest(wanted: Any, view: Reference, model: int) -> Any:
    """Derivatives of the reference's channels by the parameters of a warp: `float32 (2, h, w, model)`."""
    import numpy as np

    height, width = view.mask.shape
    radius = view.long_px / 2
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    x, y = (xs - view.centre[0]) / radius, (ys - view.centre[1]) / radius
    out = np.empty((2, height, width, model), np.float32)
    for channel in range(2):
        gy, gx = np.gradient(wanted[channel])
        turns = [gx, gy, gx * x + gy * y, gy * x - gx * y]
        if model == 8:
            turns = [gx, gx * x, gx * y, gy, gy * x, gy * y, (gx * x + gy * y) * x, (gx * x + gy * y) * y]
        out[channel] = np.stack(turns, axis=-1)
    return out


def _step(wanted: Any, seen: Any, areas: Any, steepest: Any) -> Any:
    import numpy as np

    model = steepest.shape[-1]
    hessian, right = np.zeros((model, model)), np.zeros(model)
    for channel in range(2):
        area = areas[channel]
        if int(area.sum()) < 60:
            return None
        ours, theirs = wanted[channel][area], seen[channel][area]
        spread = float(theirs.std())
        gain = float(np.clip(ours.std() / spread, 0.5, 2.0)) if spread > 1e-3 else 1.0
        error = (theirs - theirs.mean()) * gain - (ours - ours.mean())
        limit = max(2.0, 2.0 * float(np.median(np.abs(error))))
        weight = 1 / (1 + (error / limit) ** 2)
        slopes = steepest[channel][area]
        hessian += (slopes * weight[:, None]).T @ slopes
        right += slopes.T @ (weight * error)
    ridge = 1e-4 * np.trace(hessian) / model + 1e-3
    tame = np.ones(model) if model == 4 else np.array([1, 3, 3, 1, 3, 3, 30, 30])
    return np.linalg.solve(hessian + ridge * np.diag(tame), right)


def _update(step: Any, view: Reference, model: int) -> Matrix:
    """Turn a step, in pixels at the product's edge, into a matrix in reference pixels."""
    import numpy as np

    radius = view.long_px / 2
    p = step / radius
    if model == 4:
        change = np.array([[1 + p[2], -p[3], p[0]], [p[3], 1 + p[2], p[1]], [0, 0, 1]])
    else:
        change = np.array([[1 + p[1], p[2], p[0]], [p[4], 1 + p[5], p[3]], [-p[6], -p[7], 1]])
    into = np.array([[1 / radius, 0, -view.centre[0] / radius], [0, 1 / radius, -view.centre[1] / radius], [0, 0, 1]])
    return np.linalg.inv(into) @ change @ into
