"""The product's outline in a frame: is it where it was, and as sharp?

Profiles across the contour of the reference are laid over both pictures. Plain goods have nothing else that could tell a dent
or a blur.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generators.fidelity.reference import Reference

STEP_LEAST = 6.0
"""Difference in luma across a contour from which on the reference's outline can be seen, in 8-bit steps."""
REACH = 0.06
"""How far from its place an outline is looked for, as a share of the product's long edge."""
CONTRAST = 20.0
"""Difference between inside and outside from which on the sharpness of the step between them is compared, in 8-bit steps."""
FEWEST = 20
"""Places on the outline below which nothing is said of it."""
KNOWN_PX = 3
"""An edge of the photo may be seen this far from its place."""
SEEN = 12.0
"""Difference in luma across an edge of the frame from which on it counts, in 8-bit steps."""
ASTRAY = 0.015
"""How far alignment may be out, as a share of the product's long edge."""
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Outline:
    """How a frame's outline compares with the reference's."""

    displaced: float
    """Share of it that is seen elsewhere than in its place, in [0, 1]."""
    sharpness: float | None
    """Energy of its edge over the reference's; None where too little of it can be compared."""


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Where the profiles run, from outside to inside, one for each place on the outline."""

    xs: Any
    """`float32 (places, offsets)`."""
    ys: Any
    offsets: Any
    """From the outline, in pixels inwards."""
    turns: Any
    """How far each place goes inwards when the product is shifted, grown or turned: `float64 (places, 4)`."""
    slack_px: float
    """This far from its place an outline is in its place."""


def compare_outline(view: Reference, image: Any, inside: Any) -> Outline:
    """Compare the outline in a frame brought to the reference's view; `inside` is 255 where the frame reaches."""
    import cv2
    import numpy as np

    across = _profiles(view)
    if across is None:
        return Outline(0.0, None)
    ours, theirs = _steps(view.image, across), _steps(image, across)
    reached = cv2.remap(inside, across.xs, across.ys, cv2.INTER_NEAREST, borderValue=0).min(axis=1) > 0
    near = np.abs(across.offsets) <= across.slack_px
    clear = reached & (ours[:, near].max(1) > STEP_LEAST) & (ours[:, near].max(1) > 0.8 * ours.max(1))
    if int(clear.sum()) < FEWEST:
        return Outline(0.0, None)
    strange = _strange(ours, theirs, near)
    there = np.abs(across.offsets - _settled(strange, clear, across, view)[:, None]) <= across.slack_px
    here, elsewhere = np.where(there, theirs, 0).max(1), np.where(there, 0, strange).max(1)
    moved = clear & (here < 0.5 * elsewhere) & (elsewhere > SEEN)
    return Outline(float(np.count_nonzero(moved) / np.count_nonzero(clear)), _sharpness(view, image, across, clear & ~moved))


def _strange(ours: Any, theirs: Any, near: Any) -> Any:
    """Edges of the frame, without those that the photo has beside the outline.

    Where the outline fades before a backdrop of its colour, the edges that the product has near it, as a lid's, are the strongest.
    """
    import cv2
    import numpy as np

    known = cv2.dilate(np.where(near, 0, ours).astype(np.float32), np.ones((1, 2 * KNOWN_PX + 1), np.uint8))
    return np.where(theirs > 2 * known, theirs, 0)


def _settled(strange: Any, clear: Any, across: _Profiles, view: Reference) -> Any:
    """Say how far inwards each place lies when the whole outline is laid over the frame's as well as it goes.

    Plain goods are aligned to a few pixels only. A shift of the whole is that; a dent stays one.
    """
    import numpy as np

    seen = clear & (strange.max(1) > SEEN)
    none = np.zeros(len(clear))
    if np.count_nonzero(seen) < FEWEST:
        return none
    turns, wanted = across.turns[seen], across.offsets[strange[seen].argmax(1)].astype(float)
    found = np.zeros(turns.shape[1])
    for _ in range(ROUNDS):
        weight = 1 / (1 + (turns @ found - wanted) ** 2)
        weighted = turns * weight[:, None]
        found = np.linalg.solve(weighted.T @ turns + 1e-3 * len(turns) * np.eye(len(found)), weighted.T @ wanted)
    most = ASTRAY * view.long_px
    return np.clip(across.turns @ found, -most, most)


def _sharpness(view: Reference, image: Any, across: _Profiles, places: Any) -> float | None:
    """Compare how steep the step across the outline is for its height; squared, as the energy of edges inside goes."""
    import numpy as np

    (rise, height), (rise_seen, height_seen) = (_steepest(picture, across) for picture in (view.image, image))
    places = places & (height > CONTRAST) & (height_seen > CONTRAST) & (rise > 0)
    if np.count_nonzero(places) < FEWEST:
        return None
    return float(np.median((rise_seen[places] / height_seen[places]) / (rise[places] / height[places])) ** 2)


def _steepest(image: Any, across: _Profiles) -> tuple[Any, Any]:
    """Steepest rise and whole height of the step across each place, in the channel where it is highest."""
    import cv2
    import numpy as np

    profile = cv2.remap(image.astype(np.float32), across.xs, across.ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    half = across.offsets.max() / 2
    step = profile[:, across.offsets > half].mean(1) - profile[:, across.offsets < -half].mean(1)
    channel, places = np.abs(step).argmax(1), np.arange(len(step))
    return np.abs(np.gradient(profile, axis=1))[places, :, channel].max(1), np.abs(step[places, channel])


def _steps(image: Any, across: _Profiles) -> Any:
    """Strength of the colour edge along profiles: `float32 (n, offsets)`."""
    import cv2
    import numpy as np

    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
    profile = cv2.remap(smooth, across.xs, across.ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.abs(np.gradient(profile, axis=1)).max(axis=2)


@lru_cache(maxsize=16)
def _profiles(view: Reference) -> _Profiles | None:
    """Lay profiles across the contours that are long enough; None without any."""
    import cv2
    import numpy as np

    contours, _ = cv2.findContours((view.mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    spots = np.concatenate([contour[:, 0, :] for contour in contours if len(contour) > 0.2 * view.long_px] or [np.zeros((0, 2), int)])
    if len(spots) < FEWEST:
        return None
    depth = cv2.GaussianBlur(view.mask.astype(np.float32), (0, 0), 3.0)
    normal = np.stack([cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1)], -1)[spots[:, 1], spots[:, 0]]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    reach = max(4, round(REACH * view.long_px))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    xs, ys = ((spots[:, axis, None] + normal[:, axis, None] * offsets).astype(np.float32) for axis in (0, 1))
    away = (spots - np.array(view.centre)) / (view.long_px / 2)
    turns = np.column_stack([normal, (normal * away).sum(1), normal[:, 1] * away[:, 0] - normal[:, 0] * away[:, 1]]).astype(float)
    return _Profiles(xs, ys, offsets, turns, max(2.0, 0.012 * view.long_px))
