"""Pixel lock: put the product's own pixels back into generated frames, so that a label is exact while scene and light are generated.

The product is placed in some frames, its way is smoothed over time (a jittering label would be worse than a soft one), and the
photo is warped once per frame from its full size. Slow changes of light are taken over from the generated frames, within limits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from generators.fidelity.align import find, follow
from generators.fidelity.compare import Look, look
from generators.fidelity.options import FidelityOptions
from generators.fidelity.pose import Pose, grey, place, rectify
from generators.fidelity.reference import Reference, build_reference, scaling
from generators.values import Cutout, Footage, Photo

log = logging.getLogger(__name__)

EVERY = 3
"""The product is placed in every third frame; its way is smooth in between."""
LEAST_CONFIDENCE = 0.7
"""Of a cut-out: a product with a piece of background around it must not be pasted into another scene."""
WINDOW = 6.0
"""Frames over which the way is smoothed (standard deviation of the local fit)."""
MOST_JITTER = 0.02
"""Largest distance between the found and the smoothed place, as a share of the product's long edge."""
MOST_ELSEWHERE = 0.22
"""Largest share of the outline that is out of place: a product that grew or shrank would show around the one put back."""
LEAST_SCORE = 0.3
"""Least correlation of the edges: a molten label lowers it, the outline keeps it up."""
MOST_GAIN, MOST_LOCAL_GAIN = 0.07, 0.06
"""How far light may be taken over, for the whole product and from place to place; more would fail the gate's colour."""
FEATHER_PX = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class Lock:
    """What became of an attempt to lock."""

    footage: Footage | None
    reason: str
    """Why there is none; empty when there is."""


def pixel_lock(photo: Photo, cutout: Cutout, footage: Footage, options: FidelityOptions | None = None) -> Footage | None:
    """Return the shot with the product's own pixels put back; None where they do not fit in every frame (`try_lock` says why).

    The footage returned is made frame by frame as it is read: it needs the one it came from.
    """
    return try_lock(photo, cutout, footage, options).footage


def try_lock(photo: Photo, cutout: Cutout, footage: Footage, options: FidelityOptions | None = None) -> Lock:
    """Like `pixel_lock`, with the reason when there is none."""
    options = options or FidelityOptions()
    if not cutout.is_layer(LEAST_CONFIDENCE):
        return _refused(
            f"the cut-out is not sure enough: {cutout.confidence:.2f} ({cutout.method}), at least {LEAST_CONFIDENCE:g} is needed"
        )
    reference = build_reference(photo, cutout)
    if reference.is_whole:
        return _refused("the product fills its picture: there is nothing around it that could be generated")
    poses, looks, gains = _follow_all(reference, footage)
    problem = _problem(looks, poses, options)
    if problem:
        return _refused(problem)
    times = sorted(index for index, pose in poses.items() if pose is not None)
    corners = [place(pose.matrix, reference.corners()) for index in times if (pose := poses[index]) is not None]
    smooth, jitter = _smoothed(times, corners, footage.count)
    if jitter > MOST_JITTER:
        return _refused(f"the product does not move smoothly: it jumps by {jitter:.1%} of its size")
    gain = _local_fit(times, [[gains[index]] for index in times], footage.count)[:, 0]
    size = (footage.width_px, footage.height_px, footage.fps, footage.count)
    return Lock(LockedFootage(footage, photo, cutout, reference, smooth, gain, *size), "")


def _refused(reason: str) -> Lock:
    log.info("no pixel lock: %s", reason)
    return Lock(None, reason)


def _follow_all(reference: Reference, footage: Footage) -> tuple[dict[int, Pose | None], list[Look], dict[int, float]]:
    """Place the product in every third frame and the last one."""
    poses: dict[int, Pose | None] = {}
    looks, gains = [], {}
    before: Pose | None = None
    for index, frame in enumerate(footage.frames()):
        if index % EVERY and index != footage.count - 1:
            continue
        pose = find(reference, frame) if before is None else follow(reference, frame, before)
        poses[index], before = pose, pose or before
        if pose is not None:
            looks.append(look(reference, frame, pose, index))
            gains[index] = _gain(reference, frame, pose)
    return poses, looks, gains


def _problem(looks: list[Look], poses: dict[int, Pose | None], options: FidelityOptions) -> str:
    """Say why the product's pixels do not fit, if they do not."""
    for index, pose in poses.items():
        if pose is None or pose.score < LEAST_SCORE:
            return f"the product was not found in frame {index + 1}"
    for one in looks:
        if one.stretch > options.max_stretch:
            return f"the product is stretched by {one.stretch - 1:.0%} in frame {one.index + 1}"
        if one.outline > MOST_ELSEWHERE:
            return f"{one.outline:.0%} of the outline is out of place in frame {one.index + 1}"
    return ""


def _gain(reference: Reference, frame: Any, pose: Pose) -> float:
    """Return how much lighter the product is in a frame than in its photo."""
    import numpy as np

    image, inside = rectify(frame, pose.matrix, reference)
    area = (reference.mask > 200) & (inside > 0)
    if int(area.sum()) < 50:
        return 1.0
    ours, theirs = grey(reference.image)[area].astype(float), grey(image)[area].astype(float)
    return float(np.clip(np.median((theirs + 8) / (ours + 8)), 1 - MOST_GAIN, 1 + MOST_GAIN))


# --- over time ------------------------------------------------------------------------------------


def _smoothed(times: list[int], corners: list[Any], count: int) -> tuple[Any, float]:
    """Smooth the way of the corners; return them for every frame `(count, 4, 2)`, and the largest correction over the size."""
    import numpy as np

    way = np.array(corners).reshape(len(times), 8)
    smooth = _local_fit(times, way, count).reshape(count, 4, 2)
    size = float(np.linalg.norm(np.ptp(np.array(corners[0]), axis=0)))
    jitter = float(np.abs(smooth[times].reshape(len(times), 8) - way).max()) / max(size, 1.0)
    return smooth, jitter


def _local_fit(times: list[int], values: Any, count: int) -> Any:
    """Fit a parabola around each frame by weighted least squares: `float64 (count, …)` from samples `(len(times), …)`."""
    import numpy as np

    at, seen = np.array(times, float), np.asarray(values, float)
    order = min(2, len(times) - 1)
    out = np.empty((count, seen.shape[1]))
    for index in range(count):
        weight = np.exp(-0.5 * ((at - index) / WINDOW) ** 2)
        basis = np.vander((at - index) / WINDOW, order + 1, increasing=True)
        left = (basis * weight[:, None]).T @ basis + 1e-9 * np.eye(order + 1)
        out[index] = np.linalg.solve(left, (basis * weight[:, None]).T @ seen)[0]
    return out


# --- drawing --------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class LockedFootage:
    """Footage with the product's own pixels on top."""

    source: Footage
    photo: Photo
    cutout: Cutout
    reference: Reference
    corners: Any
    """Place of the product's corners: `float64 (count, 4, 2)`."""
    gain: Any
    """Lightness of the product: `float64 (count,)`."""
    width_px: int
    height_px: int
    fps: Fraction
    count: int
    _sizes: dict[int, tuple[Any, Any, float]] = field(default_factory=dict)

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Any]:
        """Yield every `step`-th frame of the half-open range."""
        stop = self.count if stop is None else stop
        for index, frame in zip(range(start, stop, step), self.source.frames(start, stop, step), strict=False):
            yield self._draw(index, frame)

    def _draw(self, index: int, frame: Any) -> Any:
        import cv2
        import numpy as np

        from_reference = cv2.getPerspectiveTransform(self.reference.corners().astype(np.float32), self.corners[index].astype(np.float32))
        matrix = from_reference.astype(float) @ np.linalg.inv(self.reference.to_photo)
        pixels, mask, size = self._reduced(Pose(from_reference.astype(float), 0).scale(self.reference) / _photo_scale(self.reference))
        matrix = matrix @ scaling(1 / size)
        shape = (frame.shape[1], frame.shape[0])
        product = cv2.warpPerspective(pixels, matrix, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpPerspective(mask, matrix, shape, flags=cv2.INTER_LINEAR)
        alpha = _feathered(alpha)[..., None]
        lit = product.astype(np.float32) * _light(frame, product, alpha[..., 0], float(self.gain[index]))[..., None]
        return np.clip(frame * (1 - alpha) + lit * alpha + 0.5, 0, 255).astype(np.uint8)

    def _reduced(self, scale: float) -> tuple[Any, Any, float]:
        """Photo and mask reduced for a frame, in steps of 5 %, so that the warp hardly has to shrink them."""
        import math

        import cv2

        step = 0 if scale >= 1 else math.floor(math.log(scale) / math.log(0.95))
        if step not in self._sizes:
            factor = 0.95**step
            resized = [
                picture if step == 0 else cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
                for picture in (self.photo.pixels, self.cutout.mask)
            ]
            if len(self._sizes) > 4:
                self._sizes.clear()
            self._sizes[step] = (resized[0], resized[1], factor)
        return self._sizes[step]


def _photo_scale(reference: Reference) -> float:
    """Photo pixels per reference pixel."""
    return float(reference.to_photo[0, 0])


def _feathered(alpha: Any) -> Any:
    """Draw the edge in by a pixel and soften it: `float32 (h, w)` in [0, 1]."""
    import cv2
    import numpy as np

    soft = cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), FEATHER_PX)
    return np.minimum(soft, alpha).astype(np.float32) / 255


def _light(frame: Any, product: Any, alpha: Any, gain: float) -> Any:
    """Return the light on the product at each pixel: the smoothed overall gain, and what wide changes the frame shows."""
    import cv2
    import numpy as np

    factor = 64 / max(frame.shape[:2])
    small = [cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for picture in (frame, product, alpha)]
    weight = np.maximum(small[2].astype(np.float32), 1e-3)
    sigma = max(1.5, 0.12 * float(np.sqrt(weight.sum())) * 1.5)
    seen, own = (cv2.GaussianBlur((grey(picture).astype(np.float32) + 8) * weight, (0, 0), sigma) for picture in small[:2])
    ratio = seen / np.maximum(own, 1e-3)
    mean = float((ratio * weight).sum() / weight.sum())
    local = np.clip(ratio / max(mean, 1e-3), 1 - MOST_LOCAL_GAIN, 1 + MOST_LOCAL_GAIN)
    return gain * cv2.resize(local.astype(np.float32), (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_CUBIC)
