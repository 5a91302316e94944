"""What is surely product, surely background, and open: from a plain backdrop's key, or from what stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generators.cutout.backdrop import Backdrop, find_backdrop
from generators.cutout.confidence import judge_key, judge_shape, overlap, ramp, seen_edge
from generators.cutout.openings import close_holes, disc, without_shade
from generators.cutout.refine import MAYBE_BACK, MAYBE_PRODUCT, SURE_BACK, SURE_PRODUCT, grab

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLAIN = 0.72
"""Share of the border that has to be backdrop before the key is tried."""
BAND = 0.012
"""Width of what GrabCut decides along the key's outline, as a share of the longer side."""
LEAST_PIECE = 0.004
"""Parts smaller than this share of the largest are specks."""


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """A hard mask at working size, and how it was come by."""

    mask: NDArray[np.uint8]
    confidence: float
    method: Literal["key", "grabcut", "none"]
    reasons: tuple[str, ...]


def find_product(rgb: NDArray[np.uint8], *, lived_in: bool = True) -> Guess:
    """Find the product in a picture uint8 (h, w, 3) RGB of working size."""
    import numpy as np

    backdrop = find_backdrop(rgb)
    if backdrop.uniform >= PLAIN:
        return _keyed(rgb, backdrop)
    if lived_in:
        return _salient(rgb, backdrop)
    reason = f"{backdrop.uniform:.0%} of the border is one backdrop"
    return Guess(np.full(rgb.shape[:2], 255, np.uint8), 0.0, "none", (reason,))


def _keyed(rgb: NDArray[np.uint8], backdrop: Backdrop) -> Guess:
    import numpy as np

    key = _without_specks(np.where(backdrop.outside > 0, 0, 255).astype(np.uint8))
    if not key.any():
        return Guess(np.full(key.shape, 255, np.uint8), 0.0, "none", ("nothing stands out from the backdrop",))
    grabbed = without_shade(_without_specks(grab(rgb, _seed_of_key(key, backdrop))), backdrop)
    found, doubtful = close_holes(_without_specks(grabbed), backdrop)
    confidence, reasons = judge_key(key, found, doubtful, backdrop)
    return Guess(found, confidence, "key", reasons)


def _seed_of_key(key: NDArray[np.uint8], backdrop: Backdrop) -> NDArray[np.uint8]:
    """Believe the key away from its outline; shadows are open, and rather background."""
    import cv2
    import numpy as np

    band = max(3, round(BAND * max(key.shape)))
    seed = np.full(key.shape, SURE_BACK, np.uint8)
    seed[cv2.dilate(key, disc(2)) > 0] = MAYBE_BACK
    seed[key > 0] = MAYBE_PRODUCT
    seed[(key > 0) & (backdrop.shadow > 0)] = MAYBE_BACK
    core = (cv2.erode(key, disc(band)) > 0) & (backdrop.shadow == 0) & (backdrop.distance > 1.5 * backdrop.reach)
    seed[core] = SURE_PRODUCT
    return seed


def _salient(rgb: NDArray[np.uint8], backdrop: Backdrop) -> Guess:
    """Look for what differs from everything near the border, in the middle and sharp; never very sure."""
    import cv2
    import numpy as np

    stands = standing_out(rgb)
    height, width = stands.shape
    seed = np.full(stands.shape, MAYBE_BACK, np.uint8)
    high, low = np.quantile(stands, 0.82), np.quantile(stands, 0.45)
    seed[stands > high] = MAYBE_PRODUCT
    seed[stands < low * 0.6] = SURE_BACK
    edge = max(2, round(0.015 * min(height, width)))
    for side in (seed[:edge], seed[-edge:], seed[:, :edge], seed[:, -edge:]):
        side[:] = SURE_BACK
    first = np.where(seed == MAYBE_PRODUCT, 255, 0).astype(np.uint8)
    found = _without_specks(np.asarray(cv2.morphologyEx(grab(rgb, seed), cv2.MORPH_OPEN, disc(3)), np.uint8), 0.15)
    if not found.any():
        return Guess(np.full(found.shape, 255, np.uint8), 0.0, "none", ("no region stands out",))
    agreement = overlap(first, found)
    seen = seen_edge(found, backdrop.steep)
    factor, reasons = judge_shape(found)
    confidence = 0.62 * factor * ramp(seen, 0.5, 0.95) * ramp(agreement, 0.2, 0.7)
    told = ("the background is not plain", f"outline seen along {seen:.0%}")
    return Guess(found, round(float(confidence), 3), "grabcut", (*told, *reasons))


def standing_out(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Map how far each pixel differs from the border's colours, weighted to the middle and to what is sharp; float32 in [0, 1]."""
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (96, max(8, round(96 * height / width))), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    deep = 5
    border = np.concatenate([part.reshape(-1, 3) for part in (lab[:deep], lab[-deep:], lab[:, :deep], lab[:, -deep:])])
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    _, _, centres = cv2.kmeans(border.astype(np.float32), 6, np.zeros((len(border), 1), np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)
    away = np.min(np.linalg.norm(lab[:, :, None] - centres[None, None], axis=3), axis=2)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.resize(
        np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1), cv2.CV_32F)), (away.shape[1], away.shape[0]), interpolation=cv2.INTER_AREA
    )
    sharp = cv2.GaussianBlur(fine, (0, 0), 2)
    y, x = np.mgrid[-1 : 1 : away.shape[0] * 1j, -1 : 1 : away.shape[1] * 1j]
    middle = np.exp(-(x**2 + y**2) / 0.7)
    mixed = (away / (np.quantile(away, 0.95) + 1e-3) + 0.6 * sharp / (np.quantile(sharp, 0.95) + 1e-3)) * middle
    mixed = cv2.GaussianBlur(mixed.astype(np.float32), (0, 0), 1.5)
    return np.asarray(cv2.resize(np.clip(mixed / (mixed.max() + 1e-6), 0, 1), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _without_specks(mask: NDArray[np.uint8], least: float = LEAST_PIECE) -> NDArray[np.uint8]:
    """Keep the parts of a mask that are not tiny beside the largest."""
    import cv2
    import numpy as np

    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(mask)
    sizes = stats[:, cv2.CC_STAT_AREA].copy()
    sizes[0] = 0
    keep = np.where(sizes >= least * sizes.max(), 255, 0).astype(np.uint8)
    keep[0] = 0
    return np.asarray(keep[labels], np.uint8)
