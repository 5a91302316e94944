"""Where the camera's view changes, from frames that lie seconds apart.

Two views of one camera share most of the room: whatever moves in front, blocks of the background stay as they are. So
what decides is the share of blocks that stayed, and only then colour. A product held up, or a host who walks, leaves
enough of the room in place; another camera, or another room, leaves nothing. A camera that is carried about never keeps
its blocks; there, only a change of colour far above the usual one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRID = 24
"""Blocks along the longer side."""
STAYED_LAB = 6.0
"""Blocks whose mean colour moved less than this (CIE Lab) stayed as they were."""
KEPT_SHARE = 0.3
"""One view keeps at least this share of its blocks."""
COLOUR_FLOOR = 0.18
"""Least distance of the colour histograms (Hellinger, in [0, 1]) between two views."""
ABOVE_USUAL = 3.0
"""A change of view is this many times the usual distance of neighbouring frames."""
NEIGHBOURS = 6
"""Frames before and after that say what is usual."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the comparison keeps of a frame: a few hundred numbers."""

    blocks: NDArray[np.float32]
    """float32 (rows, columns, 3): mean Lab colour of each block."""
    colours: NDArray[np.float32]
    """float32 (n,): square roots of the colour histogram's shares."""


def summarise(image: NDArray[np.uint8]) -> View:
    """Boil a frame uint8 (h, w, 3) BGR down to its view."""
    import cv2
    import numpy as np

    height, width = image.shape[:2]
    scale = 4 * GRID / max(height, width)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2Lab)
    blocks = cv2.resize(lab, (max(1, size[0] // 4), max(1, size[1] // 4)), interpolation=cv2.INTER_AREA)
    counts = cv2.calcHist([lab], [0, 1, 2], None, [8, 12, 12], [0, 100, -60, 60, -60, 60])
    counts = cv2.GaussianBlur(counts.reshape(8, 144), (1, 3), 0).reshape(-1)
    return View(np.asarray(blocks, np.float32), np.sqrt(counts / max(float(counts.sum()), 1e-9)).astype(np.float32))


def distance(before: View, after: View) -> tuple[float, float]:
    """Return the share of blocks that stayed, and the distance of the colours in [0, 1]."""
    import numpy as np

    moved = np.linalg.norm(before.blocks - after.blocks, axis=2)
    alike = float(np.clip(np.dot(before.colours, after.colours), 0.0, 1.0))
    return float(np.mean(moved < STAYED_LAB)), float(np.sqrt(1.0 - alike))


def find_changes(steps: list[tuple[float, float]]) -> list[int]:
    """Name the steps (share that stayed, distance of colours) between neighbouring frames that change the view."""
    found = []
    for index, (kept, colour) in enumerate(steps):
        around = sorted(steps[max(0, index - NEIGHBOURS) : index] + steps[index + 1 : index + 1 + NEIGHBOURS])
        usual_kept = around[len(around) // 2][0] if around else 1.0
        usual = sorted(other for _, other in around)[len(around) // 2] if around else 0.0
        if kept > min(KEPT_SHARE, 0.6 * usual_kept + 0.05):
            continue
        if colour > max(COLOUR_FLOOR, min(ABOVE_USUAL * usual, 0.75)):
            found.append(index)
    return found
