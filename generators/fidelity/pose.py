"""Where the product is in a frame, and the frame brought back to the product's own view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generators.fidelity.reference import Matrix, Reference, scaling


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the product is in a frame."""

    matrix: Matrix
    """From reference pixels to pixels of the frame."""
    score: float
    """Correlation of the edges on and around the product, less where colours differ or little is seen, in [-1, 1]."""

    def scale(self, reference: Reference) -> float:
        """Return frame pixels per reference pixel at the product's centre."""
        import numpy as np

        return float(np.sqrt(max(np.linalg.det(jacobian(self.matrix, *reference.centre)), 1e-12)))


def jacobian(matrix: Matrix, x: float, y: float) -> Any:
    """Differentiate a homography at a point: `float64 (2, 2)`."""
    import numpy as np

    u, v, w = matrix @ np.array([x, y, 1.0])
    return np.array([matrix[0, :2] * w - matrix[2, :2] * u, matrix[1, :2] * w - matrix[2, :2] * v]) / w**2


def place(matrix: Matrix, points: Any) -> Any:
    """Map points `(n, 2)` by a homography."""
    import numpy as np

    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def rectify(frame: Any, matrix: Matrix, reference: Reference) -> tuple[Any, Any]:
    """Bring a frame to the reference's view: RGB of its size, and a mask that is 255 where the frame reaches."""
    import cv2
    import numpy as np

    scale = Pose(matrix, 0).scale(reference)
    if scale > 1.1:
        small = 1 / scale
        frame = cv2.resize(frame, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        matrix = scaling(small) @ matrix
    height, width = reference.mask.shape
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    image = cv2.warpPerspective(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    full = np.full(frame.shape[:2], 255, np.uint8)
    inside = cv2.warpPerspective(full, matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return image, inside


def view_matrix(reference: Reference, view: Reference) -> Matrix:
    """Return the matrix from a reference to a reduced view of it."""
    import numpy as np

    return np.linalg.inv(view.to_photo) @ reference.to_photo


def grey(image: Any) -> Any:
    """Return luma: `uint8 (h, w)`."""
    import cv2

    luma: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return luma


def edges(image: Any) -> Any:
    """Return the strength of the edges of an RGB or grey picture, compressed: `float32 (h, w)`."""
    import cv2
    import numpy as np

    luma = cv2.GaussianBlur((image if image.ndim == 2 else grey(image)).astype(np.float32), (0, 0), 1.0)
    dx, dy = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.125)
    return np.sqrt(cv2.magnitude(dx, dy))
