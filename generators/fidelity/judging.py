"""From what was measured to a verdict: every limit that is broken, in words."""

from __future__ import annotations

from dataclasses import dataclass

from generators.fidelity.compare import Look
from generators.fidelity.options import FidelityOptions
from generators.values import Fidelity

FEW_POINTS = 20
SCENE_STEP = 1.5
"""Mean difference between two frames, in 8-bit steps at 96 px, from which on something moves although the product does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was measured of a shot."""

    looks: tuple[Look, ...]
    lost: tuple[int, ...]
    flicker: float
    motion: float
    scene: float
    background: float | None
    is_doubled: bool
    text: float | None


def judge(found: Findings, options: FidelityOptions, notes: tuple[str, ...]) -> Fidelity:
    """Hold findings against the limits."""
    looks = found.looks
    reasons = []
    if found.lost or not looks:
        reasons.append("the product was not found in " + (f"frame {found.lost[0] + 1}" if found.lost else "any frame"))
    ssim = min((one.ssim for one in looks), default=0.0)
    detail = min((one.detail for one in looks), default=0.0)
    judged = [one for one in looks if one.points >= FEW_POINTS]
    inliers = min((one.inliers for one in judged), default=1.0 if looks else 0.0)
    colour = max((one.colour for one in looks), default=0.0)
    patch = max((one.patch_colour for one in looks), default=0.0)
    sharpness = min((one.sharpness for one in looks), default=1.0)
    noise = max((one.noise for one in looks), default=0.0)
    added = max((one.added for one in looks), default=0.0)
    outline = max((one.outline for one in looks), default=0.0)
    stretched = max((one.stretch for one in looks), default=1.0)
    below = [
        (ssim < options.min_ssim, f"the product looks different: similarity {ssim:.2f}, at least {options.min_ssim:g} is asked"),
        (
            detail < options.min_detail,
            f"a part of the product has changed: similarity {detail:.2f} there, at least {options.min_detail:g} is asked",
        ),
        (
            inliers < options.min_inliers,
            f"only {inliers:.0%} of the product's details are in their place, at least {options.min_inliers:.0%} are asked",
        ),
        (colour > options.max_colour, f"the product's colour has shifted: ΔE {colour:.1f}, at most {options.max_colour:g} is allowed"),
        (
            patch > options.max_patch_colour,
            f"a part of the product has another colour: ΔE {patch:.1f}, at most {options.max_patch_colour:g} is allowed",
        ),
        (
            sharpness < options.min_sharpness,
            f"the product is blurred: {sharpness:.0%} of its fine edges are left, at least {options.min_sharpness:.0%} is asked",
        ),
        (
            noise > options.max_noise,
            f"the product is covered with noise of {noise:.1f} steps, at most {options.max_noise:g} are allowed",
        ),
        (
            added > options.max_added,
            f"something is drawn on the product that its picture lacks: {added:.1f} steps, at most {options.max_added:g} are allowed",
        ),
        (
            outline > options.max_outline,
            f"{outline:.0%} of the product's outline is out of place, at most {options.max_outline:.0%} is allowed",
        ),
        (
            stretched > options.max_stretch,
            f"the product is stretched by {stretched - 1:.0%}, at most {options.max_stretch - 1:.0%} is allowed",
        ),
        (
            found.flicker > options.max_flicker,
            f"the light flickers by {found.flicker:.1f} steps, at most {options.max_flicker:g} are allowed",
        ),
        (
            found.background is not None and found.background > options.max_background,
            f"the white background has drifted: ΔE {found.background or 0:.1f}, at most {options.max_background:g} is allowed",
        ),
        (
            not options.is_still and bool(looks) and found.motion < options.min_motion and found.scene < SCENE_STEP,
            f"nothing moves: the product travels {found.motion:.1%} of the frame, at least {options.min_motion:.1%} is asked",
        ),
        (
            found.text is not None and found.text < options.min_text,
            f"only {found.text or 0:.0%} of the text on the product can be read, at least {options.min_text:.0%} is asked",
        ),
    ]
    if found.is_doubled:
        reasons.append("the product, or a part of it, is seen a second time beside itself")
    reasons += [words for broken, words in below if broken]
    return Fidelity(
        passed=not reasons,
        ssim=round(ssim, 4),
        inliers=round(inliers, 4),
        colour=round(colour, 3),
        flicker=round(found.flicker, 3),
        motion=round(found.motion, 4),
        text=None if found.text is None else round(found.text, 4),
        reasons=tuple(reasons),
        detail=round(detail, 4),
        patch_colour=round(patch, 3),
        sharpness=round(sharpness, 4),
        noise=round(noise, 3),
        added=round(added, 3),
        outline=round(outline, 4),
        stretch=round(stretched, 4),
        background=None if found.background is None else round(found.background, 3),
        is_doubled=found.is_doubled,
        notes=notes,
    )
