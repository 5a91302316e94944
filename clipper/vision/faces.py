"""Faces by CenterFace, a detector without anchors that is small enough to run on every sampled frame.

Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019. The network gives, on a grid a quarter
of its input, how much each cell is a face's centre, the face's size, the centre's offset inside the cell, and where in the
face the eyes, the nose and the corners of the mouth are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipper.errors import ModelError
from clipper.values import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INPUT_PX = 288
"""Longer side of the network's input; a face of 3 % of it is still found."""
STRIDE = 4
OUTPUTS = ("537", "538", "539", "540")
OVERLAP = 0.3
"""Boxes that share more than this of their union are one face."""
EYE = (0.12, -0.10, 0.05)
"""Half the width of an eye and its reach above and below the eye's point, as shares of the face."""
CHEEK = (0.10, 0.22)
"""Skin below an eye, the measure of what is dark in this light: its reach below the eye's point."""
SMALLEST_PX = 48
"""The eyes of a smaller face are a few pixels."""
DARK = 0.55
"""Lashes, iris and pupil are darker than this share of the cheek; skin in shadow is not."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in one frame."""

    box: Box
    score: float
    eyes: tuple[tuple[float, float], tuple[float, float]]
    """Where the eyes are, (x, y) as fractions of the frame."""


class FaceFinder:
    """Finds faces in single frames; one instance belongs to one thread."""

    def __init__(self, model: Path, *, threshold: float = 0.5) -> None:
        import cv2

        if not model.is_file():
            raise ModelError(f"could not load the face model {model}: no such file; run livecut models fetch")
        try:
            self._net: Any = cv2.dnn.readNetFromONNX(str(model))
        except cv2.error as error:
            raise ModelError(f"could not load the face model {model}: {error}; run livecut models fetch") from error
        self._threshold = threshold

    def find(self, image: NDArray[np.uint8]) -> tuple[Seen, ...]:
        """Find faces in a picture uint8 (h, w, 3) BGR, the surest first."""
        import cv2

        height, width = image.shape[:2]
        scale = INPUT_PX / max(height, width)
        size = tuple(max(32, round(side * scale / 32) * 32) for side in (width, height))
        self._net.setInput(cv2.dnn.blobFromImage(image, 1.0, size, (0, 0, 0), swapRB=True, crop=False))
        heat, sizes, offsets, points = self._net.forward(OUTPUTS)
        return decode(heat[0, 0], sizes[0], offsets[0], points[0], self._threshold)


def decode(
    heat: NDArray[np.float32], sizes: NDArray[np.float32], offsets: NDArray[np.float32], points: NDArray[np.float32], threshold: float
) -> tuple[Seen, ...]:
    """Turn the network's grids (h, w), (2, h, w), (2, h, w), (10, h, w) into faces, as fractions of the input, without overlaps."""
    import numpy as np

    rows, columns = np.nonzero(heat > threshold)
    grid_h, grid_w = heat.shape
    tall, wide = (np.exp(sizes[axis, rows, columns]) * STRIDE for axis in (0, 1))
    middle_y = (rows + offsets[0, rows, columns] + 0.5) * STRIDE
    middle_x = (columns + offsets[1, rows, columns] + 0.5) * STRIDE
    boxes = np.stack([middle_x - wide / 2, middle_y - tall / 2, middle_x + wide / 2, middle_y + tall / 2], axis=1)
    boxes /= np.array([grid_w, grid_h, grid_w, grid_h]) * STRIDE
    scores = heat[rows, columns]
    found = []
    for index in surest(np.clip(boxes, 0.0, 1.0), scores, OVERLAP):
        x, y, right, bottom = (round(float(value), 4) for value in np.clip(boxes[index], 0.0, 1.0))
        box = Box(x, y, round(right - x, 4), round(bottom - y, 4))
        found.append(Seen(box, round(float(scores[index]), 3), _eyes(boxes[index], points[:, rows[index], columns[index]])))
    return tuple(found)


def _eyes(box: NDArray[np.floating[Any]], points: NDArray[np.float32]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Place the eyes: the network gives points as y, x in shares of the face's box (left, top, right, bottom)."""
    left, top, right, bottom = (float(side) for side in box)
    one, other = (
        (round(left + (right - left) * float(points[at + 1]), 4), round(top + (bottom - top) * float(points[at]), 4)) for at in (0, 2)
    )
    return one, other


def openness(image: NDArray[np.uint8], face: Seen) -> float | None:
    """Measure how far the eyes of a face are open, in a picture uint8 (h, w, 3) BGR.

    The share of dark pixels (lashes, iris, pupil) around both eyes, against the skin below them; the less open eye counts.
    It depends on the face: compare it within one recording. None when the face is smaller than 48 px or leaves the picture.
    """
    import cv2
    import numpy as np

    height, width = image.shape[:2]
    wide, tall = face.box.w * width, face.box.h * height
    if min(wide, tall) < SMALLEST_PX:
        return None
    half, above, below = EYE[0] * wide, EYE[1] * tall, EYE[2] * tall
    shares = []
    for x, y in ((x * width, y * height) for x, y in face.eyes):
        left, right = round(x - half), round(x + half) + 1
        rows = [round(y + part) for part in (above, below, CHEEK[0] * tall, CHEEK[1] * tall)]
        if left < 0 or right > width or rows[0] < 0 or rows[3] > height:
            return None
        grey = cv2.cvtColor(np.ascontiguousarray(image[rows[0] : rows[3], left:right]), cv2.COLOR_BGR2GRAY)
        skin = float(np.median(grey[rows[2] - rows[0] :]))
        shares.append(float(np.mean(grey[: rows[1] - rows[0]] < DARK * skin)))
    return round(min(shares), 3)


def surest(boxes: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], overlap: float) -> list[int]:
    """Keep the surest of boxes (n, 4: left, top, right, bottom) that overlap by more than a share of their union."""
    import numpy as np

    order = list(np.argsort(-scores, kind="stable"))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for index in order:
        shared = [_shared(boxes[index], boxes[other]) for other in kept]
        if all(area <= overlap * max(areas[index] + areas[other] - area, 1e-12) for area, other in zip(shared, kept, strict=True)):
            kept.append(int(index))
    return kept


def _shared(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return float(max(width, 0.0) * max(height, 0.0))
