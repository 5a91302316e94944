"""Where the product is in a picture, and how sure that is.

    file's alpha ──────────────────────────────────────────────┐
    matting model, when one is plugged in ──────────────────────┤
    plain backdrop → key → GrabCut in the unsure band ─┐        ├─ soft edge → Cutout with confidence and reasons
    lived-in backdrop → salient region → GrabCut ──────┴────────┘

A sure cut-out becomes a layer that moves in front of a new backdrop; an unsure one never does: the picture is then shown whole.
Work happens at 1024 px; the outline is brought to the picture's own size along its edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from clipper.errors import InputError
from clipper.values import Box
from generators.values import Cutout, Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CutoutOptions", "Matting", "cut_out", "foreground", "nothing_cut"]


class Matting(Protocol):
    """A model that tells the product from its background."""

    def alpha(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return uint8 (h, w), 255 on the product, for a picture uint8 (h, w, 3) RGB."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutOptions:
    """How products are cut out."""

    work_px: int = 1024
    """Longer side at which the outline is found, 256 to 2048."""
    edge_px: float = 5.0
    """Half width of the soft edge's search band at working size, 2 to 16."""
    matting_confidence: float = 0.85
    """Confidence given to a matting model's answer when its shape is sound, 0 to 1."""
    lived_in: bool = True
    """Look for the product on backgrounds that are not plain, too."""

    def __post_init__(self) -> None:
        bounds = {"work_px": (256, 2048), "edge_px": (2, 16), "matting_confidence": (0, 1)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}")


def cut_out(photo: Photo, options: CutoutOptions = CutoutOptions(), *, matting: Matting | None = None) -> Cutout:
    """Find the product in a picture: by the file's own transparency, a matting model, or the background.

    Never fails on a sound photo: where nothing can be told the method is "none", the mask covers everything and the
    confidence is 0.
    """
    if photo.alpha is not None:
        return _by_alpha(photo.alpha)
    if matting is not None:
        return _by_matting(photo, options, matting)
    return _by_background(photo, options)


def nothing_cut(photo: Photo, *reasons: str) -> Cutout:
    """Take the whole picture as the product."""
    import numpy as np

    mask = np.full((photo.height_px, photo.width_px), 255, np.uint8)
    return Cutout(mask=mask, box=Box(0.0, 0.0, 1.0, 1.0), confidence=0.0, method="none", reasons=reasons)


def foreground(photo: Photo, cutout: Cutout, reach_px: int = 6) -> NDArray[np.uint8]:
    """Return the photo with the product's own colours drawn out over its soft edge, uint8 (h, w, 3).

    Composited with the cut-out's mask it carries no rim of the old background. Pixels that the mask covers fully are
    untouched; only pixels on the edge, and up to `reach_px` beyond it, change.
    """
    from generators.cutout.refine import bleed

    return bleed(photo.pixels, cutout.mask, reach_px)


def _by_alpha(alpha: NDArray[np.uint8]) -> Cutout:
    from generators.cutout.confidence import box_of, judge_shape

    factor, reasons = judge_shape(alpha)
    told = ("the file's own transparency", *reasons)
    return Cutout(mask=alpha, box=box_of(alpha), confidence=round(0.98 * factor, 3), method="alpha", reasons=told)


def _by_matting(photo: Photo, options: CutoutOptions, matting: Matting) -> Cutout:
    import numpy as np

    from generators.cutout.confidence import box_of, judge_shape

    mask = np.asarray(matting.alpha(photo.pixels))
    if mask.shape != photo.pixels.shape[:2] or mask.dtype != np.uint8:
        raise InputError(
            f"could not cut out {photo.path}: the matting model returned {mask.dtype} {mask.shape}, expected uint8 {photo.pixels.shape[:2]}"
        )
    factor, reasons = judge_shape(mask)
    if factor == 0:
        return nothing_cut(photo, *reasons)
    return Cutout(
        mask=mask,
        box=box_of(mask),
        confidence=round(options.matting_confidence * factor, 3),
        method="matting",
        reasons=("matting model", *reasons),
    )


def _by_background(photo: Photo, options: CutoutOptions) -> Cutout:
    import cv2
    import numpy as np

    from generators.cutout.confidence import box_of
    from generators.cutout.refine import enlarge
    from generators.cutout.seeds import find_product

    scale = min(1.0, options.work_px / max(photo.width_px, photo.height_px))
    size = (max(16, round(photo.width_px * scale)), max(16, round(photo.height_px * scale)))
    small = np.ascontiguousarray(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else photo.pixels, np.uint8)
    guess = find_product(small, lived_in=options.lived_in)
    if guess.method == "none":
        return nothing_cut(photo, *guess.reasons)
    mask = enlarge(photo.pixels, guess.mask, options.edge_px)
    return Cutout(mask=mask, box=box_of(mask), confidence=guess.confidence, method=guess.method, reasons=guess.reasons)
