"""Is the catalogue's product in this frame, and where? Better a sighting missed than a false one.

Three steps, each more certain and more costly than the last. Local features of the catalogue picture look for their like
in the frame; matches that agree on place, size and turn make a hypothesis (a Hough vote, as in Lowe 2004); a transform is
fitted robustly, and the frame, warped back onto the catalogue picture, is compared with it block by block, in structure
and colour. Only the last step decides, so a hand in front costs some blocks and a like pack of another sort loses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipper.values import Box
from clipper.vision.pictures import CANVAS_PX, LEVELS, Template

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = 600
TILE_PX = 48
PER_TILE = 16
"""Features kept in each tile of the frame, so that one busy corner does not use them all up."""
CHANGE_PX = 16
CHANGED = 6
"""A block whose grey values moved by more than this on average is new; coding noise stays below 3."""
RATIO = 0.86
NEAREST_BITS = 72
"""Descriptors that differ in more of their 256 bits are no match."""
LEAST_VOTES = 4
FIRST_VOTES = 3
FIRST_PART = 4
"""Agreeing matches among every fourth of a template's features that make it worth trying the rest."""
LEAST_INLIERS = 5
CHECK_PX = 96
"""Longer side of the picture on which the last step compares."""
BLOCK_PX = 12
MARGIN = 0.06
"""Products whose strength differs by less cannot be told apart."""
WIDEST, NARROWEST = 0.95, 0.05
"""A product's longer side as a share of the frame's shorter one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A product met in a frame."""

    sku: str
    box: Box
    score: float
    strength: float = 0.0
    """By which products that claim one place are compared; not bounded by 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Local features of a frame."""

    points: NDArray[np.float32]
    """float32 (n, 4): x, y, size, angle in degrees."""
    descriptors: NDArray[np.uint8]


class ProductFinder:
    """Finds catalogue products in frames; one instance belongs to one thread, and to one recording in order of time.

    What has not changed since it was last searched is not searched again, except where a product was met: a camera that
    stands still costs little.
    """

    def __init__(self, templates: Sequence[Template], *, threshold: float = 0.5) -> None:
        import cv2
        import numpy as np

        self._templates = tuple(templates)
        self._threshold = threshold
        self._orb: Any = cv2.ORB.create(
            nfeatures=FEATURES + FEATURES // 2, nlevels=LEVELS, edgeThreshold=16, scoreType=cv2.ORB_FAST_SCORE, fastThreshold=14
        )
        firsts = [template.descriptors[::FIRST_PART] for template in self._templates]
        self._first = np.concatenate(firsts) if firsts else np.zeros((0, 32), np.uint8)
        self._owner = np.repeat(np.arange(len(firsts)), [len(first) for first in firsts])
        self._searched: NDArray[np.uint8] | None = None
        self._met: tuple[Found, ...] = ()

    def find(self, image: NDArray[np.uint8]) -> tuple[Found, ...]:
        """Find products in a frame uint8 (h, w, 3) BGR; boxes are fractions of it, the surest first."""
        import cv2
        import numpy as np

        features = self._features(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8))
        found: list[Found] = []
        for template, matches in self._promising(features):
            fitted = fit(template, matches)
            if fitted is None:
                continue
            transform, corners = fitted
            structure, colour = compare(template, image, transform)
            score = judge(corners, structure, colour, template.colourful)
            box = _box(template, transform, image.shape)
            if score >= self._threshold and box is not None:
                found.append(Found(template.sku, box, round(score, 3), structure + colour + 0.02 * min(corners, 30)))
        self._met = tuple(found)
        return settle(found)

    def _features(self, grey: NDArray[np.uint8]) -> Features:
        import numpy as np

        keys, descriptors = self._orb.detectAndCompute(grey, self._fresh(grey))
        if descriptors is None:
            return Features(np.zeros((0, 4), np.float32), np.zeros((0, 32), np.uint8))
        room: dict[tuple[int, int], int] = {}
        kept = []
        for index in np.argsort([-key.response for key in keys], kind="stable"):
            x, y = keys[index].pt
            tile = (int(x) // TILE_PX, int(y) // TILE_PX)
            room[tile] = room.get(tile, 0) + 1
            if room[tile] <= PER_TILE:
                kept.append(index)
        kept = kept[:FEATURES]
        return Features(np.array([(*keys[i].pt, keys[i].size, keys[i].angle) for i in kept], np.float32), descriptors[kept])

    def _fresh(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Mark what has to be searched: what changed since it was searched, and where products were met; None for all."""
        import cv2
        import numpy as np

        if self._searched is None or self._searched.shape != grey.shape:
            self._searched = grey.copy()
            return None
        height, width = grey.shape
        blocks = (max(1, width // CHANGE_PX), max(1, height // CHANGE_PX))
        moved = cv2.resize(cv2.absdiff(grey, self._searched), blocks, interpolation=cv2.INTER_AREA) > CHANGED
        reach = 2 * (TILE_PX // CHANGE_PX) + 1
        near = cv2.dilate(moved.astype(np.uint8) * 255, np.ones((reach, reach), np.uint8))
        fresh = np.asarray(cv2.resize(near, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
        for one in self._met:
            left, top = int((one.box.x - 0.05) * width), int((one.box.y - 0.05) * height)
            right, bottom = int((one.box.x + one.box.w + 0.05) * width), int((one.box.y + one.box.h + 0.05) * height)
            fresh[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 255
        np.copyto(self._searched, grey, where=fresh > 0)
        return fresh

    def _promising(self, features: Features) -> Iterator[tuple[Template, NDArray[np.float32]]]:
        """Yield templates with their matches, float32 (n, 8): the template's four numbers, then the frame's.

        A quarter of each template is tried first, all in one go: most frames do not show most products.
        """
        import numpy as np

        if len(features.descriptors) < LEAST_VOTES:
            return
        matched, theirs = _nearest(self._first, features.descriptors)
        for number, template in enumerate(self._templates):
            own = matched & (self._owner == number)
            points = template.points[::FIRST_PART]
            first = np.concatenate([points[own[self._owner == number]], features.points[theirs[own]]], axis=1)
            if len(_agreeing(template, first)) < FIRST_VOTES:
                continue
            parts = [first]
            for start in range(1, FIRST_PART):
                good, where = _nearest(template.descriptors[start::FIRST_PART], features.descriptors)
                parts.append(np.concatenate([template.points[start::FIRST_PART][good], features.points[where[good]]], axis=1))
            yield template, np.concatenate(parts)


def _nearest(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Find for each of our descriptors the nearest of theirs, and whether it is near, and much nearer than the second."""
    import cv2
    import numpy as np

    distances, indexes = (np.asarray(part) for part in cv2.batchDistance(ours, theirs, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2))
    good = (distances[:, 0] <= NEAREST_BITS) & (distances[:, 0] < RATIO * distances[:, 1])
    return good, indexes[:, 0].astype(np.int32)


def fit(template: Template, matches: NDArray[np.float32]) -> tuple[NDArray[np.float64], int] | None:
    """Fit the homography (3, 3) from the canvas to the frame that most matches agree on, and count the corners that do.

    None when too few agree.
    """
    import numpy as np

    chosen = _agreeing(template, matches)
    if len(chosen) < LEAST_VOTES:
        return None
    ours, theirs = chosen[:, 0:2].astype(np.float64), chosen[:, 4:6].astype(np.float64)
    reach = max(2.5, 0.03 * float(np.median(chosen[:, 6] / chosen[:, 2])) * max(template.canvas.shape[:2]))
    best: tuple[NDArray[np.float64], int] | None = None
    for kind in _KINDS[: 1 + (len(chosen) >= 7) + (len(chosen) >= 12)]:
        transform, inside = _robust(kind, ours, theirs, reach)
        if transform is None or not _is_sane(transform):
            continue
        count = _distinct(ours[inside], theirs[inside])
        if count >= LEAST_INLIERS and (best is None or count > 1.15 * best[1]):
            best = (transform, count)
    return best


_KINDS = ("similar", "affine", "perspective")


def _robust(
    kind: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Fit one kind of transform by consensus, as a homography (3, 3), with the matches that agree."""
    import cv2
    import numpy as np

    cv2.setRNGSeed(7)
    if kind == "perspective":
        transform, inside = cv2.findHomography(ours, theirs, cv2.USAC_MAGSAC, reach, maxIters=500)
    else:
        estimate = cv2.estimateAffinePartial2D if kind == "similar" else cv2.estimateAffine2D
        transform, inside = estimate(ours, theirs, method=cv2.RANSAC, ransacReprojThreshold=reach, maxIters=500)
        transform = None if transform is None else np.vstack([transform, [0, 0, 1]])
    if transform is None or not np.isfinite(transform).all():
        return None, np.zeros(len(ours), bool)
    return np.asarray(transform, np.float64), inside.ravel() > 0


def _agreeing(template: Template, matches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep the matches that agree with one of them on the product's turn, size and place."""
    import numpy as np

    if len(matches) < FIRST_VOTES:
        return matches[:0]
    height, width = template.canvas.shape[:2]
    turn = np.radians(matches[:, 7] - matches[:, 3])
    size = matches[:, 6] / matches[:, 2]
    arm = np.array([width / 2, height / 2], np.float32) - matches[:, 0:2]
    rotated = np.stack([arm[:, 0] * np.cos(turn) - arm[:, 1] * np.sin(turn), arm[:, 0] * np.sin(turn) + arm[:, 1] * np.cos(turn)], axis=1)
    middle = matches[:, 4:6] + rotated * size[:, None]
    far = np.linalg.norm(middle[:, None] - middle[None], axis=2) / (np.sqrt(size[:, None] * size[None]) * max(height, width))
    bent = np.abs((turn[:, None] - turn[None] + np.pi) % (2 * np.pi) - np.pi)
    grown = np.abs(np.log2(size[:, None] / size[None]))
    agree = (far < 0.3) & (bent < 0.6) & (grown < 0.8)
    votes = agree @ np.ones(len(matches))
    best: NDArray[np.float32] = matches[agree[int(np.argmax(votes))]]
    return best


def judge(corners: int, structure: float, colour: float, colourful: float) -> float:
    """Weigh what speaks for a product: corners that agree, shares of blocks alike in structure and colour; 0.5 is just believed.

    Measured on warped, lit, covered and compressed packs, other packs reach at most structure 0.82 with 5 corners or 0.66
    with 7; packs that share a word in the same type reach more, but not in colour. Where the product is colourful, others
    reach 0.25 in colour, and sister packs of another colour 0.12; most of the right ones have 0.5 and more.
    """
    shape = structure + 0.07 * (min(corners, 13) - 6) - 0.46 + 0.24 * colourful
    held = min(1.0, max(0.0, (structure - 0.35) / 0.25)) * min(1.0, colour / 0.5)
    return max(0.0, min(1.0, shape * held))


def _distinct(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> int:
    """Count corners, not the same corner found at several sizes."""
    import numpy as np

    return min(len(np.unique(np.round(points / step), axis=0)) for points, step in ((ours, 8), (theirs, 3)))


def _is_sane(transform: NDArray[np.float64]) -> bool:
    """A product is not mirrored, not seen from the edge, not folded, and not upside down."""
    import numpy as np

    across = np.array([(0.0, 0.0, 1.0), (CANVAS_PX, 0.0, 1.0), (CANVAS_PX, CANVAS_PX, 1.0), (0.0, CANVAS_PX, 1.0)]) @ transform.T
    if across[:, 2].min() < 0.6 * across[:, 2].max() or across[:, 2].min() <= 0:
        return False
    corners = across[:, :2] / across[:, 2:]
    right, down = corners[1] - corners[0] + corners[2] - corners[3], corners[3] - corners[0] + corners[2] - corners[1]
    linear = np.stack([right, down], axis=1)
    long, short = np.linalg.svd(linear, compute_uv=False)
    return bool(np.linalg.det(linear) > 0 and short > 0.35 * long and right[0] + down[1] > 0)


def compare(template: Template, image: NDArray[np.uint8], transform: NDArray[np.float64]) -> tuple[float, float]:
    """Compare the frame, warped back onto the catalogue picture, with it: shares of its blocks that agree in structure and colour."""
    import cv2
    import numpy as np

    scale = CHECK_PX / max(template.canvas.shape[:2])
    size = (max(8, round(template.canvas.shape[1] * scale)), max(8, round(template.canvas.shape[0] * scale)))
    ours = cv2.resize(template.canvas, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(template.mask, size, interpolation=cv2.INTER_AREA) > 127
    back = transform @ np.diag([1 / scale, 1 / scale, 1.0])
    seen = cv2.warpPerspective(image, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return likeness(np.asarray(ours, np.uint8), np.asarray(seen, np.uint8), mask)


def likeness(ours: NDArray[np.uint8], seen: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Say how alike two aligned pictures uint8 (h, w, 3) are where the mask holds: shares in structure and in colour, in [0, 1].

    Each block with structure of its own votes by the correlation of its grey values, within a small shift; each block by
    its colour, after the light's common tint is taken out.
    """
    import cv2
    import numpy as np

    weight = mask.astype(np.float32)
    one, other = (
        np.asarray(cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1.2), np.float32)
        for picture in (ours, seen)
    )
    count = np.maximum(_blocks(weight), 1e-6)
    whole = count > 0.5
    mean, power = _moments(one, weight, count)
    structured = whole & (power > 30.0)
    if structured.sum() < 4:
        return 0.0, 0.0
    best = np.full(mean.shape, -1.0, np.float32)
    for dy, dx in _SHIFTS:
        moved = np.roll(other, (dy, dx), axis=(0, 1))
        its_mean, its_power = _moments(moved, weight, count)
        cross = _blocks(one * moved * weight) / count - mean * its_mean
        best = np.maximum(best, cross / np.sqrt(power * its_power + 40.0))
    return float(np.mean(best[structured] > 0.5)), _colour(ours, seen, weight, whole)


_SHIFTS = tuple((dy, dx) for dy in (-2, 0, 2) for dx in (-2, 0, 2))


def _moments(
    picture: NDArray[np.float32], weight: NDArray[np.float32], count: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and variance of each block."""
    import numpy as np

    mean = _blocks(picture * weight) / count
    return mean, np.maximum(_blocks(picture * picture * weight) / count - mean * mean, 0.0)


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each block."""
    import cv2
    import numpy as np

    height, width = values.shape[:2]
    size = (max(1, width // BLOCK_PX), max(1, height // BLOCK_PX))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _colour(ours: NDArray[np.uint8], seen: NDArray[np.uint8], weight: NDArray[np.float32], whole: NDArray[np.bool_]) -> float:
    """Share of blocks whose colour agrees, once the median difference (the light) is taken out."""
    import cv2
    import numpy as np

    lab = [np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2Lab), np.float32) for picture in (ours, seen)]
    count = np.maximum(_blocks(weight), 1e-6)
    tints = [_blocks((lab[1][:, :, axis] - lab[0][:, :, axis]) * weight) / count for axis in (1, 2)]
    difference = np.stack(tints, axis=2)[whole]
    light = np.clip(np.median(difference, axis=0), -12, 12)
    return float(np.mean(np.linalg.norm(difference - light, axis=1) < 14.0))


def _box(template: Template, transform: NDArray[np.float64], shape: tuple[int, ...]) -> Box | None:
    """Bound the product in the frame; None when its size or place makes no sense."""
    import numpy as np

    height, width = shape[:2]
    rows, columns = np.nonzero(template.mask)
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    corners = np.array([(left, top, 1), (right, top, 1), (left, bottom, 1), (right, bottom, 1)]) @ transform.T
    corners = corners[:, :2] / corners[:, 2:]
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = float(max(high - low)) / min(height, width)
    if not NARROWEST <= side <= WIDEST * 1.6:
        return None
    low, high = np.clip(low / (width, height), 0, 1), np.clip(high / (width, height), 0, 1)
    if min(high - low) <= 0.01:
        return None
    return Box(*(round(float(value), 4) for value in (*low, *(high - low))))


def settle(found: Sequence[Found]) -> tuple[Found, ...]:
    """Let products that claim one place contend: the strongest wins, and nobody when two are as strong."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda item: (-item.strength, item.sku)):
        rivals = [other.strength for other in found if other.sku != one.sku and _share(one.box, other.box) > 0.3]
        if all(strength < one.strength - MARGIN for strength in rivals) and all(_share(one.box, other.box) <= 0.3 for other in kept):
            kept.append(one)
    return tuple(kept)


def _share(one: Box, other: Box) -> float:
    """Shared area as a part of the smaller box."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0) / max(min(one.w * one.h, other.w * other.h), 1e-9)
