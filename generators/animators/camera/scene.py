"""A scene draws the frame of one view: product before a backdrop, or the whole photo as a single plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from generators.animators.camera import shadows
from generators.animators.camera.backdrops import Backdrop
from generators.animators.camera.geometry import Similarity
from generators.animators.camera.light import Sweep
from generators.animators.camera.moves import View
from generators.animators.camera.product import Plane, draw


class Scene(Protocol):
    """Something that can be drawn at every view; drawing changes nothing, so several threads may draw at once."""

    def draw(self, view: View) -> Any:
        """Return the frame, `uint8 (h, w, 3)` RGB."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The product's plane over what ties it to the ground, over a backdrop."""

    width: int
    height: int
    backdrop: Backdrop
    product: Plane
    rest: Similarity
    """From the plane's pixels to the frame's, at rest."""
    under: shadows.Under
    base: float
    """The line on which the product stands, at rest."""
    sweep: Sweep

    def draw(self, view: View) -> Any:
        """Return the frame, `uint8 (h, w, 3)` RGB."""
        canvas = self._ground(view)
        shadows.lay(canvas, self.under, view.near)
        light = self.sweep.at(view.light) if view.light is not None else None
        draw(canvas, self.product, view.near.after(self.rest), light)
        return canvas

    def _ground(self, view: View) -> Any:
        far = view.near.damped(self.backdrop.depth).moved(view.orbit, 0)
        if self.backdrop.floor is None:
            return _warped(self.backdrop.wall, _between_centres(far, self.backdrop.margin), self.width, (0, self.height))
        edge = far.apply(0, self.backdrop.horizon - self.backdrop.margin)[1]
        split = int(np.clip(np.ceil(edge), 0, self.height))
        canvas = np.empty((self.height, self.width, 3), np.uint8)
        if split:
            canvas[:split] = _warped(self.backdrop.wall, _between_centres(far, self.backdrop.margin), self.width, (0, split))
        if split < self.height:
            canvas[split:] = _warped(self.backdrop.floor, self._floor(far, view.near), self.width, (split, self.height))
        if 0 < split < self.height:
            share = split - edge
            floor = _warped(self.backdrop.floor, self._floor(far, view.near), self.width, (split - 1, split))
            canvas[split - 1 : split] = np.round(canvas[split - 1 : split] * (1 - share) + floor * share).astype(np.uint8)
        return canvas

    def _floor(self, far: Similarity, near: Similarity) -> Any:
        """Return the map from frame to floor, between centres: the floor hangs on the far plane at the horizon and moves with
        the product at its base, as a plane in perspective does.
        """
        import cv2

        margin, horizon = self.backdrop.margin, self.backdrop.horizon - self.backdrop.margin
        at_rest = [(0.0, horizon), (self.width, horizon), (0.0, self.base), (self.width, self.base)]
        moved = [far.apply(*at_rest[0]), far.apply(*at_rest[1]), near.apply(*at_rest[2]), near.apply(*at_rest[3])]
        texture = [(x + margin - 0.5, y - horizon - 0.5) for x, y in at_rest]
        return cv2.getPerspectiveTransform(np.array(moved, np.float32) - np.float32(0.5), np.array(texture, np.float32))


def _between_centres(place: Similarity, margin: int) -> Any:
    """Return the map from frame to canvas as cv2 counts, with pixel centres at whole numbers."""
    back = place.inverse()
    return np.array(
        [[back.scale, 0, back.scale * 0.5 + back.x + margin - 0.5], [0, back.scale, back.scale * 0.5 + back.y + margin - 0.5], [0, 0, 1.0]]
    )


def _warped(picture: Any, matrix: Any, width: int, rows: tuple[int, int]) -> Any:
    """Return those rows of the frame, drawn bilinearly: backdrops are soft by design."""
    import cv2

    start, stop = rows
    matrix = matrix @ np.array([[1, 0, 0], [0, 1, start], [0, 0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if abs(matrix[2, 0]) + abs(matrix[2, 1]) < 1e-12:
        return cv2.warpAffine(picture, matrix[:2], (width, stop - start), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return cv2.warpPerspective(picture, matrix, (width, stop - start), flags=flags, borderMode=cv2.BORDER_REFLECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """The whole photo, extended to the frame's shape, as one plane."""

    width: int
    height: int
    plane: Plane
    rest: Similarity
    sweep: Sweep

    def draw(self, view: View) -> Any:
        """Return the frame, `uint8 (h, w, 3)` RGB."""
        canvas = np.empty((self.height, self.width, 3), np.uint8)
        light = self.sweep.at(view.light) if view.light is not None else None
        draw(canvas, self.plane, view.near.after(self.rest), light)
        return canvas
