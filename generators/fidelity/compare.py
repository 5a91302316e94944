"""Compare a frame, brought to the reference's view, with the reference: structure, detail, colour, sharpness, outline, key points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generators.fidelity.align import Pose, grey, jacobian, rectify, sift, view_matrix
from generators.fidelity.reference import Reference

SSIM_SIGMA = 1.5
"""Of the window, as Wang et al. 2004 use it."""
EVEN_SIGMA = 0.7
"""Both pictures are softened by this many pixels first: photo and frame were resampled differently, which fine weave shows."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
TILE = 0.07
"""Side of the patch whose worst mean is `detail`, as a share of the product's long edge: the height of a line on a label."""
STEP_LEAST = 6.0
"""Difference in luma across a contour from which on the reference's outline can be seen, in 8-bit steps."""
REACH = 0.06
"""How far from its place an outline is looked for, as a share of the product's long edge."""
FOUND, POINT_SIGMA = 0.75, 3.0
"""Correlation from which on a key point is the same one, in a Gaussian window of this many pixels."""
NORMAL_SPREAD = 1.4826
"""Standard deviation of normal noise over the median of its size."""


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
    """Edge energy of the frame over that of the reference."""
    noise: float
    """Spread of the fine differences from the reference, in 8-bit steps."""
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
            outline=0,
            stretch=1,
        )
    ssim, structure = ssim_map(*(cv2.GaussianBlur(grey(picture), (0, 0), EVEN_SIGMA) for picture in (view.image, image)))
    inliers, points = _key_points(view, image, area)
    colour, patch_colour = _colours(view, image, area)
    return Look(
        index=index,
        visible=visible,
        ssim=float(ssim[area].mean()),
        detail=_worst_patch(structure, view, image, area),
        inliers=inliers,
        points=points,
        colour=colour,
        patch_colour=patch_colour,
        sharpness=_sharpness(view.image, image, area),
        noise=_noise(view.image, image, area),
        outline=_outline(view, image, inside),
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


# --- colour ---------------------------------------------------------------------------------------


def lab(image: Any) -> Any:
    """Return CIE L*a*b* of an RGB picture: `float32 (h, w, 3)`."""
    import cv2
    import numpy as np

    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _colours(view: Reference, image: Any, area: Any) -> tuple[float, float]:
    import cv2
    import numpy as np

    size = (max(4, area.shape[1] // 2), max(4, area.shape[0] // 2))
    ours, theirs = (lab(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)) for picture in (view.image, image))
    area = cv2.resize(area.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    mean = float(delta_e(ours[area].mean(0), theirs[area].mean(0)))
    side = max(3, round(TILE * view.long_px / 2)) | 1
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


# --- sharpness and outline ------------------------------------------------------------------------


def _sharpness(ours: Any, theirs: Any, area: Any) -> float:
    """Compare the energy of fine edges where the reference has them."""
    import cv2
    import numpy as np

    def fine(image: Any) -> Any:
        luma = cv2.GaussianBlur(grey(image).astype(np.float32), (0, 0), 0.8)
        return np.abs(cv2.Laplacian(luma, cv2.CV_32F))

    energy = fine(ours)
    strong = area & (energy > max(4.0, float(np.percentile(energy[area], 85))))
    if int(strong.sum()) < 40:
        return 1.0
    return float(fine(theirs)[strong].mean() / energy[strong].mean())


def _noise(ours: Any, theirs: Any, area: Any) -> float:
    """Return how far fine structure differs all over the product: the median, which edges a little out of place do not move."""
    import cv2
    import numpy as np

    def fine(image: Any) -> Any:
        luma = grey(image).astype(np.float32)
        return cv2.GaussianBlur(luma, (0, 0), 0.8) - cv2.GaussianBlur(luma, (0, 0), 3)

    return float(NORMAL_SPREAD * np.median(np.abs(fine(theirs) - fine(ours))[area]))


def _outline(view: Reference, image: Any, inside: Any) -> float:
    """Follow the product's contour; return the share of it whose edge is somewhere else than in the reference."""
    import cv2
    import numpy as np

    contours, _ = cv2.findContours((view.mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    reach = max(4, round(REACH * view.long_px))
    spots = np.concatenate([contour[:, 0, :] for contour in contours if len(contour) > 0.2 * view.long_px] or [np.zeros((0, 2), int)])
    if len(spots) < 20:
        return 0.0
    depth = cv2.GaussianBlur(view.mask.astype(np.float32), (0, 0), 3.0)
    normal = np.stack([cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1)], -1)[spots[:, 1], spots[:, 0]]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    xs = (spots[:, 0, None] + normal[:, 0, None] * offsets).astype(np.float32)
    ys = (spots[:, 1, None] + normal[:, 1, None] * offsets).astype(np.float32)
    ours, theirs = _steps(view.image, xs, ys), _steps(image, xs, ys)
    reached = cv2.remap(inside, xs, ys, cv2.INTER_NEAREST, borderValue=0).min(axis=1) > 0
    near = np.abs(offsets) <= max(2.0, 0.012 * view.long_px)
    clear = reached & (ours[:, near].max(1) > STEP_LEAST)
    clear &= ours[:, near].max(1) > 0.8 * ours.max(1)
    here, anywhere = theirs[:, near].max(1), theirs.max(1)
    elsewhere = clear & (here < 0.5 * anywhere) & (anywhere > 2 * STEP_LEAST)
    if int(clear.sum()) < 20:
        return 0.0
    return float(elsewhere.sum() / clear.sum())


def _steps(image: Any, xs: Any, ys: Any) -> Any:
    """Strength of the colour edge along profiles: `float32 (points, offsets)`."""
    import cv2
    import numpy as np

    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
    profile = cv2.remap(smooth, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.abs(np.gradient(profile, axis=1)).max(axis=2)
