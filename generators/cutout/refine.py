"""From a rough guess to a clean, soft mask: GrabCut where the guess is unsure, then the share of product in each edge pixel.

GrabCut: Rother, Kolmogorov & Blake, SIGGRAPH 2004. The soft edge solves each edge pixel for its mixture of the product's and
the background's colours nearby; where the two look alike it falls back on the guided filter (He, Sun & Tang, 2013).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generators.cutout.backdrop import to_lab

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRABCUT_PX = 448
"""Longer side at which GrabCut runs: its time grows with the square."""
ROUNDS = 3
MARGIN = 0.12
"""Background around the product that GrabCut may look at, as a share of the product's longer side."""
ALIKE_LAB = 9.0
"""Product and background nearer than this cannot be unmixed."""

SMOOTH_PX = 4.0
"""Reach up to which colours are spread at the picture's own size."""

SURE_BACK, SURE_PRODUCT, MAYBE_BACK, MAYBE_PRODUCT = 0, 1, 2, 3
"""What a seed says of a pixel: cv2.GC_BGD and so on."""


def grab(rgb: NDArray[np.uint8], seed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decide the pixels that a seed leaves open; `seed` uint8 (h, w) of the four values above, returns 255 on the product.

    Works on the part of the picture around what may be product, made small; outside of it the seed is believed.
    """
    import cv2
    import numpy as np

    whole = np.where((seed == SURE_PRODUCT) | (seed == MAYBE_PRODUCT), 255, 0).astype(np.uint8)
    if not np.any(seed >= MAYBE_BACK):
        return whole
    x0, y0, x1, y1 = _window(seed)
    scale = min(1.0, GRABCUT_PX / max(x1 - x0, y1 - y0))
    size = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))
    small = cv2.resize(np.ascontiguousarray(rgb[y0:y1, x0:x1, ::-1]), size, interpolation=cv2.INTER_AREA)
    marks = np.ascontiguousarray(cv2.resize(np.ascontiguousarray(seed[y0:y1, x0:x1]), size, interpolation=cv2.INTER_NEAREST))
    has_product, has_back = np.isin(marks, (SURE_PRODUCT, MAYBE_PRODUCT)), np.isin(marks, (SURE_BACK, MAYBE_BACK))
    if min(int(has_product.sum()), int(has_back.sum())) < 12 or not np.any(marks >= MAYBE_BACK):
        return whole
    cv2.setRNGSeed(7)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, marks, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.where((marks == SURE_PRODUCT) | (marks == MAYBE_PRODUCT), 255, 0).astype(np.uint8)
    grown = cv2.resize(found, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    part = seed[y0:y1, x0:x1]
    decided = np.where(part == SURE_PRODUCT, 255, np.where(part == SURE_BACK, 0, np.where(grown > 127, 255, 0))).astype(np.uint8)
    whole[y0:y1, x0:x1] = decided
    return whole


def _window(seed: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Bound what may be product, with a margin."""
    import numpy as np

    height, width = seed.shape
    ys, xs = np.nonzero(seed != SURE_BACK)
    more = max(8, round(MARGIN * max(np.ptp(xs) + 1, np.ptp(ys) + 1)))
    left, right = max(0, int(xs.min()) - more), min(width, int(xs.max()) + 1 + more)
    return left, max(0, int(ys.min()) - more), right, min(height, int(ys.max()) + 1 + more)


def soften(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], band_px: float) -> NDArray[np.uint8]:
    """Give a hard mask (255 on the product) its soft edge: within `band_px` of the outline every pixel gets its share of product.

    `rgb` uint8 (h, w, 3) and `mask` uint8 (h, w) are of one size; the result is a mask of that size.
    """
    import cv2
    import numpy as np

    inside = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((mask <= 127).astype(np.uint8), cv2.DIST_L2, 3)
    band = (inside <= band_px) & (outside <= band_px)
    lab = to_lab(rgb)
    product = _nearby(lab, inside > band_px * 0.75, band_px)
    back = _nearby(lab, outside > band_px * 0.75, band_px)
    way = product - back
    length = np.sum(way**2, axis=2)
    share = np.clip(np.sum((lab - back) * way, axis=2) / np.maximum(length, 1e-3), 0, 1)
    step = np.clip(0.5 + (inside - outside) / 2.0, 0, 1)
    trust = np.clip((np.sqrt(length) - ALIKE_LAB) / ALIKE_LAB, 0, 1) * (
        1 - np.clip(np.abs(inside - outside) / (band_px + 1e-6) - 0.6, 0, 0.4) / 0.4
    )
    mixed = trust * share + (1 - trust) * step
    soft = np.where(band, mixed, (mask > 127).astype(np.float32))
    return np.asarray(np.round(soft * 255), np.uint8)


def _nearby(lab: NDArray[np.float32], known: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """Spread the colours of known pixels to their neighbours: a blur that sees only them, first narrow, then wide.

    The result is smooth, so that a wide reach is worked out on a smaller picture.
    """
    import cv2
    import numpy as np

    height, width = known.shape
    factor = max(1.0, reach / SMOOTH_PX)
    size = (max(4, round(width / factor)), max(4, round(height / factor)))
    full = known.astype(np.float32)
    values, seen = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (lab * full[..., None], full))
    found, weight = np.zeros((size[1], size[0], 3), np.float32), np.zeros((size[1], size[0]), np.float32)
    for sigma, gain in ((0.6 * reach / factor, 1.0), (2.5 * reach / factor, 0.02)):
        found = found + gain * cv2.GaussianBlur(values, (0, 0), sigma)
        weight = weight + gain * cv2.GaussianBlur(seen, (0, 0), sigma)
    spread = found / np.maximum(weight, 1e-5)[..., None]
    return np.asarray(cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR) if factor > 1 else spread, np.float32)


def enlarge(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], edge_px: float) -> NDArray[np.uint8]:
    """Bring a hard mask of working size to the picture's own size and soften it along the picture's edges.

    `edge_px` is the half width of the band at working size. Only the part around the product is worked on.
    """
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    scale = max(height, width) / max(mask.shape)
    grown = mask
    if scale > 1:
        soft = cv2.GaussianBlur(mask, (0, 0), 0.8)
        grown = np.where(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC) > 127, 255, 0).astype(np.uint8)
    band = edge_px * max(1.0, scale) * min(1.0, max(height, width) / 1024 + 0.3)
    x, y, w, h = cv2.boundingRect(grown)
    more = round(4 * band) + 2
    part = np.s_[max(0, y - more) : y + h + more, max(0, x - more) : x + w + more]
    out = np.zeros((height, width), np.uint8)
    out[part] = soften(rgb[part], grown[part], band)
    return out


def bleed(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], reach_px: int) -> NDArray[np.uint8]:
    """Replace the colours of soft and nearby outside pixels by those of the solid product next to them."""
    import cv2
    import numpy as np

    solid = (mask >= 250).astype(np.float32)
    ring = (mask < 250) & (cv2.dilate(mask, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)) > 8)
    if not ring.any() or not solid.any():
        return np.asarray(rgb)
    colour = np.zeros(rgb.shape, np.float32)
    weight = np.zeros(mask.shape, np.float32)
    values = rgb.astype(np.float32) * solid[..., None]
    for sigma, gain in ((1.2, 1.0), (reach_px / 2 + 1.0, 1e-3), (reach_px * 2.0, 1e-6)):
        colour += gain * cv2.GaussianBlur(values, (0, 0), sigma)
        weight += gain * cv2.GaussianBlur(solid, (0, 0), sigma)
    known = ring & (weight > 1e-9)
    out = rgb.copy()
    out[known] = np.clip(np.round(colour[known] / weight[known][:, None]), 0, 255).astype(np.uint8)
    return out
