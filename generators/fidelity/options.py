"""Limits of the gate, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from clipper.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityOptions:
    """When a shot still counts as showing the product. The limits come from the calibration set (`docs/fidelity.md`)."""

    frames: int = 9
    """Frames that are compared, spread evenly, first and last included; 2 to 60. The worst one counts."""
    min_ssim: float = 0.75
    """Least structural similarity on the product, camera motion undone; 0 to 1. Decent H.264 keeps above 0.95."""
    min_detail: float = 0.4
    """Least similarity of the worst patch as high as a line of a label; 0 to 1. A logo that melts loses it while the mean stays high."""
    min_inliers: float = 0.5
    """Least share of key points found again in place; 0 to 1. Not asked of products with fewer than 20."""
    max_colour: float = 5.0
    """Largest ΔE 2000 of the product's mean colour, or of a middle grey in its change of light. 2 is just visible side by side; mild
    changes of light stay below 4."""
    max_patch_colour: float = 8.0
    """Largest ΔE 2000 of a patch, the overall change of lightness taken out: parts that were painted over or erased."""
    min_sharpness: float = 0.5
    """Least share of the fine edges' energy; 0 to 1. Halved edges are seen as blur on a phone."""
    max_noise: float = 3.0
    """Largest spread of fine differences all over the product, in 8-bit steps: the grain of film stays below 1, boiling pixels above 5."""
    max_added: float = 2.0
    """Largest fine structure of a patch beyond what the picture has near it, in 8-bit steps: letters or marks drawn on what was plain."""
    max_outline: float = 0.08
    """Largest share of the outline that is seen out of place; 0 to 1. True shapes stay below 0.02, a dent moves a tenth."""
    max_stretch: float = 1.08
    """Largest ratio by which the product may be longer in one direction; turning it by 20° gives 1.06."""
    max_flicker: float = 3.5
    """Largest second difference of the product's mean luma, in 8-bit steps: above it light is seen to jump."""
    max_background: float = 5.0
    """Largest ΔE 2000 by which a white background may drift between frames."""
    min_motion: float = 0.008
    """Least travel of camera or product, as a share of the frame's short edge; below it, and when nothing else moves, a shot is frozen."""
    is_still: bool = False
    """The shot is meant to stand still: no motion is asked of it."""
    min_text: float = 0.7
    """Least share of the picture's characters that are still read; 0 to 1. Recognition itself loses about one in ten."""
    read_text: bool = True
    """Read the product's text before and after, when a reader is there: about a second a frame."""

    def __post_init__(self) -> None:
        if not 2 <= self.frames <= 60:
            raise InputError(f"could not use fidelity.frames = {self.frames}: it must be from 2 to 60")
        for name in ("min_ssim", "min_detail", "min_inliers", "min_sharpness", "max_outline", "min_motion", "min_text"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"could not use fidelity.{name} = {getattr(self, name)}: it must be from 0 to 1")
        for name in ("max_colour", "max_patch_colour", "max_noise", "max_added", "max_flicker", "max_background"):
            if not 0 < getattr(self, name) <= 100:
                raise InputError(f"could not use fidelity.{name} = {getattr(self, name)}: it must be above 0 and at most 100")
        if not 1 <= self.max_stretch <= 2:
            raise InputError(f"could not use fidelity.max_stretch = {self.max_stretch}: it must be from 1 to 2")
