"""Faces by CenterFace, a detector without anchors that is small enough to run on every sampled frame.

Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019. The network gives, on a grid a quarter
of its input, how much each cell is a face's centre, the face's size and the centre's offset inside the cell.
"""

from __future__ import annotations

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

    def find(self, image: NDArray[np.uint8]) -> tuple[tuple[Box, float], ...]:
        """Find faces in a picture uint8 (h, w, 3) BGR: boxes as fractions of it, with scores, the surest first."""
        import cv2

        height, width = image.shape[:2]
        scale = INPUT_PX / max(height, width)
        size = tuple(max(32, round(side * scale / 32) * 32) for side in (width, height))
        self._net.setInput(cv2.dnn.blobFromImage(image, 1.0, size, (0, 0, 0), swapRB=True, crop=False))
        heat, sizes, offsets, _ = self._net.forward(OUTPUTS)
        return decode(heat[0, 0], sizes[0], offsets[0], self._threshold)


def decode(
    heat: NDArray[np.float32], sizes: NDArray[np.float32], offsets: NDArray[np.float32], threshold: float
) -> tuple[tuple[Box, float], ...]:
    """Turn the network's grids (h, w), (2, h, w), (2, h, w) into boxes as fractions of the input, without overlaps."""
    import numpy as np

    rows, columns = np.nonzero(heat > threshold)
    grid_h, grid_w = heat.shape
    tall, wide = (np.exp(sizes[axis, rows, columns]) * STRIDE for axis in (0, 1))
    middle_y = (rows + offsets[0, rows, columns] + 0.5) * STRIDE
    middle_x = (columns + offsets[1, rows, columns] + 0.5) * STRIDE
    boxes = np.stack([middle_x - wide / 2, middle_y - tall / 2, middle_x + wide / 2, middle_y + tall / 2], axis=1)
    boxes /= np.array([grid_w, grid_h, grid_w, grid_h]) * STRIDE
    boxes = np.clip(boxes, 0.0, 1.0)
    scores = heat[rows, columns]
    found = []
    for index in surest(boxes, scores, OVERLAP):
        x, y, right, bottom = (round(float(value), 4) for value in boxes[index])
        found.append((Box(x, y, round(right - x, 4), round(bottom - y, 4)), round(float(scores[index]), 3)))
    return tuple(found)


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
