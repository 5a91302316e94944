"""How one shot gives way to the next: functions of two frames and the share that is done. Frames are uint8 (h, w, 3) RGB.

The share is eased by the caller's clock alone here: 0 shows the old shot, 1 the new one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from generators.values import Pixels, Transition

SOFT = 0.16
"""Width of a wipe's soft edge, as a share of the frame's width."""
FLASH = 0.9
"""How white a flash gets: fully white reads as a fault."""

Blend = Callable[[Pixels, Pixels, float], Pixels]


def blend(kind: Transition, old: Pixels, new: Pixels, share: float) -> Pixels:
    """Blend two frames of one size; returns a frame of its own, or one of the two at the ends."""
    if share <= 0:
        return old
    if share >= 1:
        return new
    return BLENDS[kind](old, new, share)


def ease(share: float) -> float:
    """Start and end softly (smoothstep)."""
    return share * share * (3 - 2 * share)


def _cut(old: Pixels, new: Pixels, share: float) -> Pixels:
    return new


def _dissolve(old: Pixels, new: Pixels, share: float) -> Pixels:
    return _mix(old, new, ease(share))


def _mix(old: Pixels, new: Pixels, share: float) -> Pixels:
    import cv2

    return cv2.addWeighted(old, 1 - share, new, share, 0)


def _flash(old: Pixels, new: Pixels, share: float) -> Pixels:
    """Up to white over the old shot in a third of the time, down over the new one in the rest."""
    import cv2

    base = old if share < 1 / 3 else new
    white = FLASH * (ease(share * 3) if share < 1 / 3 else 1 - ease((share - 1 / 3) * 1.5))
    return cv2.addWeighted(base, 1 - white, base, 0, 255 * white)


def _wipe(old: Pixels, new: Pixels, share: float) -> Pixels:
    """A soft edge that runs from left to right."""
    width = old.shape[1]
    soft = max(2, round(width * SOFT))
    edge = round(-soft + ease(share) * (width + soft))
    left, right = max(0, edge), min(width, edge + soft)
    out = np.empty_like(old)
    out[:, :left] = new[:, :left]
    out[:, right:] = old[:, right:]
    if right > left:
        fade = 1 - ease_row(np.arange(left, right, dtype=np.float32) - edge, soft)
        weights = (fade * 256).astype(np.uint16)[None, :, None]
        band = new[:, left:right].astype(np.uint16) * weights + old[:, left:right].astype(np.uint16) * (256 - weights)
        out[:, left:right] = (band >> 8).astype(np.uint8)
    return out


def ease_row(at: Pixels, soft: int) -> Pixels:
    """The soft edge's profile: 0 at its left, 1 at its right."""
    share = np.clip((at + 0.5) / soft, 0, 1)
    return share * share * (3 - 2 * share)


def _slide(old: Pixels, new: Pixels, share: float) -> Pixels:
    """The new shot pushes the old one out to the left: quickly at first, coming softly to rest."""
    width = old.shape[1]
    shown = round(width * (1 - (1 - share) ** 3))
    out = np.empty_like(old)
    out[:, : width - shown] = old[:, shown:]
    out[:, width - shown :] = new[:, :shown]
    return out


BLENDS: dict[Transition, Blend] = {"cut": _cut, "dissolve": _dissolve, "wipe": _wipe, "flash": _flash, "slide": _slide}
