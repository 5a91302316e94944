"""Robust Lucas-Kanade alignment of the product: inverse compositional, gain and bias normalised, Cauchy weights.

After Baker & Matthews 2004, "Lucas-Kanade 20 years on".
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from generators.fidelity.pose import Pose, edges, grey, place
from generators.fidelity.reference import Matrix, Reference, scaling


def improve_matrix(view: Reference, frame: Any, matrix: Matrix, model: int, rounds: int) -> Matrix | None:
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
