"""Compare a frame, brought to the reference's view, with the reference: structure, detail, key points, fine structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generators.fidelity.colour import compare_colours
from generators.fidelity.outline import compare_outline
from generators.fidelity.pose import Pose, grey, jacobian, rectify, view_matrix
from generators.fidelity.reference import Reference
from generators.fidelity.search import sift

SSIM_SIGMA = 1.5
"""Of the window, as Wang et al. 2004 use it."""
EVEN_SIGMA = 0.7
"""Both pictures are softened by this many pixels first: photo and frame were resampled differently, which fine weave shows."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
TILE = 0.07
"""Side of the patch whose worst mean is `detail`, as a share of the product's long edge: the height of a line on a label."""
FOUND, POINT_SIGMA = 0.75, 3.0
"""Correlation from which on a key point is the same one, in a Gaussian window of this many pixels."""
NORMAL_SPREAD = 1.4826
"""Standard deviation of normal noise over the median of its size."""
SHARPENED = 1.25
"""By how much fine structure may be stronger than the photo's: models and encoders sharpen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one frame compares with the reference."""

    index: int
    visible: float
    """Share of the product that lies inside the frame."""
    ssim: float
    detail: float
    """Mean SSIM of the worst patch that has structure."""
    inliers: float
    points: int
    """Key points that were looked for."""
    colour: float
    """ΔE 2000 of the mean colours."""
    patch_colour: float
    """ΔE 2000 of the worst patch, the product's overall change of lightness taken out."""
    sharpness: float
    """Energy of the frame's fine edges over the reference's: inside, or along the outline of goods that have none inside."""
    noise: float
    """Spread of the fine differences from the reference, in 8-bit steps."""
    added: float
    """Fine structure of the worst patch beyond what the reference has near it, in 8-bit steps."""
    outline: float
    """Share of the outline that is seen elsewhere than in its place."""
    stretch: float
    """Ratio of the axes of the alignment, 1 when nothing is stretched."""


def look(reference: Reference, frame: Any, pose: Pose, index: int) -> Look:
    """Compare one frame with the reference."""
    import cv2
    import numpy as np

    scale = pose.scale(reference)
    view = reference.at(min(1.0, max(0.1, scale)))
    matrix = pose.matrix @ np.linalg.inv(view_matrix(reference, view))
    image, inside = rectify(frame, matrix, view)
    border = max(1, round(0.012 * view.long_px))
    product = cv2.erode(view.mask, np.ones((2 * border + 1, 2 * border + 1), np.uint8), borderValue=0) > 127
    if not product.any():
        product = view.mask > 127
    area = product & (inside > 0)
    visible = float(area.sum() / product.sum())
    if int(area.sum()) < 64:
        return Look(
            index=index,
            visible=visible,
            ssim=0,
            detail=0,
            inliers=0,
            points=0,
            colour=0,
            patch_colour=0,
            sharpness=1,
            noise=0,
            added=0,
            outline=0,
            stretch=1,
        )
    ssim, structure = ssim_map(*(cv2.GaussianBlur(grey(picture), (0, 0), EVEN_SIGMA) for picture in (view.image, image)))
    inliers, points = _key_points(view, image, area)
    colour, patch_colour = compare_colours(view, image, area, TILE)
    outline = compare_outline(view, image, inside)
    noise, added = _fine_structure(view, image, area)
    sharpness = _sharpness(view.image, image, area)
    return Look(
        index=index,
        visible=visible,
        ssim=float(ssim[area].mean()),
        detail=_worst_patch(structure, view, image, area),
        inliers=inliers,
        points=points,
        colour=colour,
        patch_colour=patch_colour,
        sharpness=next((value for value in (sharpness, outline.sharpness) if value is not None), 1.0),
        noise=noise,
        added=added,
        outline=outline.displaced,
        stretch=stretch(pose, reference),
    )


def stretch(pose: Pose, reference: Reference) -> float:
    """Return the ratio of the longer to the shorter axis that the alignment gives the product at its centre."""
    import numpy as np

    large, small = np.linalg.svd(jacobian(pose.matrix, *reference.centre), compute_uv=False)
    return float(large / max(small, 1e-9))


def ssim_map(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Return the SSIM of two grey pictures at each pixel, and its part that ignores the mean (contrast and structure)."""
    import cv2
    import numpy as np

    def blur(image: Any) -> Any:
        return cv2.GaussianBlur(image, (11, 11), SSIM_SIGMA)

    a, b = ours.astype(np.float32), theirs.astype(np.float32)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    cross = blur(a * b) - mean_a * mean_b
    structure = (2 * cross + C2) / (var_a + var_b + C2)
    return (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1) * structure, structure


def _worst_patch(structure: Any, view: Reference, image: Any, area: Any) -> float:
    import cv2
    import numpy as np

    side = max(5, round(TILE * view.long_px)) | 1
    weight = area.astype(np.float32)
    share = cv2.boxFilter(weight, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    mean = cv2.boxFilter(structure * weight, -1, (side, side), borderType=cv2.BORDER_CONSTANT) / np.maximum(share, 1e-3)
    full = share > 0.6
    return float(np.percentile(mean[full], 0.5)) if full.any() else float(structure[area].mean())


@lru_cache(maxsize=16)
def _spots(view: Reference) -> Any:
    """Key points inside the product: `int (n, 2)`, x and y."""
    import cv2
    import numpy as np

    inner = cv2.erode(view.mask, np.ones((5, 5), np.uint8), borderValue=0)
    found = sift().detect(grey(view.image), inner)
    return np.array([(round(point.pt[0]), round(point.pt[1])) for point in found], int).reshape(-1, 2)


def _key_points(view: Reference, image: Any, area: Any) -> tuple[float, int]:
    """Correlate the surroundings of the reference's key points; return the share that is found again, and how many were looked for."""
    import cv2
    import numpy as np

    spots = _spots(view)
    xs, ys = spots[:, 0], spots[:, 1]
    shown = area[ys, xs]
    if not shown.any():
        return 1.0, 0

    def blur(picture: Any) -> Any:
        return cv2.GaussianBlur(picture, (0, 0), POINT_SIGMA)

    a, b = grey(view.image).astype(np.float32), grey(image).astype(np.float32)
    mean_a, mean_b = blur(a), blur(b)
    spread = np.sqrt(np.maximum(blur(a * a) - mean_a**2, 0) * np.maximum(blur(b * b) - mean_b**2, 0))
    alike = (blur(a * b) - mean_a * mean_b) / np.maximum(spread, 1e-3)
    return float((alike[ys, xs][shown] > FOUND).mean()), int(shown.sum())


# --- fine structure --------------------------------------------------------------------------------


def _sharpness(ours: Any, theirs: Any, area: Any) -> float | None:
    """Compare the energy of fine edges where the reference has them; None where it has hardly any."""
    import cv2
    import numpy as np

    def fine(image: Any) -> Any:
        luma = cv2.GaussianBlur(grey(image).astype(np.float32), (0, 0), 0.8)
        return np.abs(cv2.Laplacian(luma, cv2.CV_32F))

    energy = fine(ours)
    strong = area & (energy > max(4.0, float(np.percentile(energy[area], 85))))
    if int(strong.sum()) < 40:
        return None
    return float(fine(theirs)[strong].mean() / energy[strong].mean())


def _fine_structure(view: Reference, image: Any, area: Any) -> tuple[float, float]:
    """Return how far fine structure differs all over the product, and how much of it the worst patch has too much.

    The first is a median, which edges a little out of place do not move. The second is the energy of a patch beyond that of
    the reference's strongest patch around it: letters on what is plain in the photo, which leave the rest as it was.
    """
    import cv2
    import numpy as np

    def fine(picture: Any) -> Any:
        luma = grey(picture).astype(np.float32)
        return cv2.GaussianBlur(luma, (0, 0), 0.8) - cv2.GaussianBlur(luma, (0, 0), 3)

    ours, theirs = fine(view.image), fine(image)
    noise = float(NORMAL_SPREAD * np.median(np.abs(theirs - ours)[area]))
    side = max(5, round(TILE * view.long_px)) | 1
    square = np.ones((side, side), np.uint8)
    inner = cv2.erode(area.astype(np.uint8), square, borderValue=0) > 0
    if not inner.any():
        return noise, 0.0
    energy, seen = (np.sqrt(np.maximum(cv2.boxFilter(picture * picture, -1, (side, side)), 0)) for picture in (ours, theirs))
    excess = seen - SHARPENED * cv2.dilate(energy, square)
    return noise, max(0.0, float(np.percentile(excess[inner], 99.5)))
