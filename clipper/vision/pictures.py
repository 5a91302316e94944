"""Catalogue pictures made ready for recognition: the product cut from its plain background, and its local features.

Features are ORB (Rublee et al., 2011): binary, quick, indifferent to rotation and size. Each picture is described at two
sizes, so that a product that fills a seventh of the frame's width is met at its own size.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipper.values import Product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

CANVAS_PX = 256
"""Longer side of the product in the canvas that transforms refer to."""
SIZES_PX = (256, 128)
FEATURES = (360, 160)
LEVELS = 5
"""Sizes at which features are found, each a fifth smaller. Coarser ones, and Harris' ranking, cost time and recall (0.86 against 0.71)."""
PAD_PX = 32
PER_PRODUCT = 4
"""Pictures used of each product."""
PLAIN_LAB = 9.0
"""Pixels this near to the border's colour belong to a plain background."""
PALE_LAB = 3.0
COLOUR_LAB = 15.0
"""Chroma from which a pixel counts as coloured."""
LEAST_FEATURES = 12
"""With fewer, a match proves nothing."""
READ_PX = 512
"""Pictures are read no larger than this."""
MAX_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One catalogue picture, ready to be met in a frame."""

    sku: str
    canvas: NDArray[np.uint8]
    """uint8 (h, w, 3) BGR, longer side 256: the product, background greyed out by `mask`."""
    mask: NDArray[np.uint8]
    """uint8 (h, w): 255 where the product is."""
    points: NDArray[np.float32]
    """float32 (n, 4): x, y on the canvas, size of the feature on the canvas, angle in degrees."""
    descriptors: NDArray[np.uint8]
    """uint8 (n, 32)."""
    colourful: float
    """Share of the product that has a colour, in [0, 1]."""


def prepare(products: Iterable[Product]) -> tuple[tuple[Template, ...], tuple[str, ...]]:
    """Make templates of the products' pictures; returns them and a warning for each product that has no usable picture."""
    templates: list[Template] = []
    warnings: list[str] = []
    for product in products:
        made: list[Template] = []
        reasons: list[str] = []
        for path in product.images[:PER_PRODUCT]:
            try:
                template = template_of(product.sku, read_picture(path))
            except (OSError, ValueError) as error:
                reasons.append(f"{path}: {error}")
                continue
            if len(template.descriptors) >= LEAST_FEATURES:
                made.append(template)
            else:
                reasons.append(f"{path}: too plain to be recognised")
        if reasons and not made:
            warnings.append(f"{product.sku} cannot be recognised in the picture ({'; '.join(reasons)})")
        templates += made
    return tuple(templates), tuple(warnings)


def read_picture(path: str) -> NDArray[np.uint8]:
    """Read a picture, upright, as uint8 (h, w, 4) BGRA; raises OSError or ValueError for what is no sane picture."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            if file.width * file.height > MAX_PIXELS:
                raise ValueError(f"{file.width}×{file.height} pixels are more than a product picture needs")
            file.draft("RGB", (2 * READ_PX, 2 * READ_PX))
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    except (Image.DecompressionBombError, SyntaxError) as error:
        raise ValueError(str(error)) from error
    picture.thumbnail((READ_PX, READ_PX), Image.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(picture)[:, :, [2, 1, 0, 3]])


def template_of(sku: str, picture: NDArray[np.uint8]) -> Template:
    """Cut the product from a picture uint8 (h, w, 4) BGRA and describe it."""
    import cv2
    import numpy as np

    mask = product_mask(picture)
    x, y, w, h = cv2.boundingRect(mask)
    alpha = picture[:, :, 3:4].astype(np.float32) / 255
    colour = (picture[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)[y : y + h, x : x + w]
    scale = CANVAS_PX / max(w, h)
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    canvas = np.asarray(cv2.resize(colour, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8)
    small_mask = np.asarray(cv2.resize(mask[y : y + h, x : x + w], size, interpolation=cv2.INTER_NEAREST), np.uint8)
    points, descriptors = _describe(canvas, small_mask)
    lab = cv2.cvtColor(canvas.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    colourful = float(np.mean(np.linalg.norm(lab[:, :, 1:], axis=2)[small_mask > 0] > COLOUR_LAB))
    return Template(sku, canvas, small_mask, points, descriptors, colourful)


def product_mask(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the product in a picture uint8 (h, w, 4) BGRA: by its alpha, else what a plain border does not reach, else all."""
    import cv2
    import numpy as np

    height, width = picture.shape[:2]
    everything = np.full((height, width), 255, np.uint8)
    alpha = picture[:, :, 3]
    if np.mean(alpha < 32) > 0.02:
        mask = np.where(alpha >= 32, 255, 0).astype(np.uint8)
        return mask if np.mean(mask > 0) > 0.01 else everything
    lab = cv2.cvtColor(np.ascontiguousarray(picture[:, :, :3]).astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    edge = max(1, min(height, width) // 100)
    border = np.concatenate([part.reshape(-1, 3) for part in (lab[:edge], lab[-edge:], lab[:, :edge], lab[:, -edge:])])
    usual = np.median(border, axis=0)
    away = np.linalg.norm(border - usual, axis=1)
    if np.mean(away < PLAIN_LAB) < 0.8:
        return everything
    # a clean background may be told from a pale product; a photographed one needs room for its shades
    reach = float(np.clip(3.0 * np.quantile(away, 0.8), PALE_LAB, PLAIN_LAB))
    plain = (np.linalg.norm(lab - usual, axis=2) < reach).astype(np.uint8)
    _, labels = cv2.connectedComponents(plain, connectivity=4)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.isin(labels, touching[touching > 0]) & (plain > 0)
    mask = _solid(np.where(outside, 0, 255).astype(np.uint8))
    return mask if 0.02 < np.mean(mask > 0) < 0.98 else everything


def _solid(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop specks, and close what a white label opened."""
    import cv2
    import numpy as np

    size = max(3, round(0.04 * max(mask.shape)) | 1)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(
        cv2.copyMakeBorder(opened, size, size, size, size, cv2.BORDER_CONSTANT), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)
    )
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(closed)
    cv2.drawContours(filled, outlines, -1, 255, cv2.FILLED)
    return np.asarray(filled[size:-size, size:-size], np.uint8)


def _describe(canvas: NDArray[np.uint8], mask: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Find and describe features of the canvas at two sizes; positions and sizes are the canvas'."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)
    near = cv2.dilate(mask, np.ones((9, 9), np.uint8))
    points: list[Any] = []
    found: list[NDArray[np.uint8]] = []
    for size, count in zip(SIZES_PX, FEATURES, strict=True):
        scale = size / CANVAS_PX
        # patches reach beyond the product's outline: pad, so that features near the border are described too
        small, area = (cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for picture in (grey, near))
        small = cv2.copyMakeBorder(small, PAD_PX, PAD_PX, PAD_PX, PAD_PX, cv2.BORDER_REPLICATE)
        area = cv2.copyMakeBorder(area, PAD_PX, PAD_PX, PAD_PX, PAD_PX, cv2.BORDER_CONSTANT)
        orb = cv2.ORB.create(nfeatures=count, nlevels=LEVELS, edgeThreshold=16, scoreType=cv2.ORB_FAST_SCORE, fastThreshold=8)
        keys, descriptors = orb.detectAndCompute(small, area)
        if descriptors is None:
            continue
        points += [((key.pt[0] - PAD_PX) / scale, (key.pt[1] - PAD_PX) / scale, key.size / scale, key.angle) for key in keys]
        found.append(np.asarray(descriptors, np.uint8))
    if not found:
        return np.zeros((0, 4), np.float32), np.zeros((0, 32), np.uint8)
    return np.array(points, np.float32), np.concatenate(found)
