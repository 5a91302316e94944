"""What a plain background looks like, and which pixels belong to it: the first guess of a cut-out.

The backdrop is modelled from the picture's border as f(x) + g(y) (a Coons patch: studio sweeps, gradients and vignettes are of
that form) and made local once the outside is known. A shadow is the backdrop made darker by one factor in all channels of
linear light; it is told from a grey product by its softness: the outside flows into it without crossing an edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BORDER = 0.02
"""Width of the border that is looked at, as a share of the shorter side."""
FAR_LAB = 10.0
"""Border pixels this far from a smooth backdrop belong to something else."""
LEAST_LAB, MOST_LAB = 3.0, 11.0
"""Reach of the key: pixels nearer than this to the backdrop are backdrop; in between it follows the border's own noise."""
DARKEST = 0.22
"""A shadow keeps at least this share of the backdrop's light."""
TINT = 0.10
"""How far a shadow's factor may differ between the channels."""
BOUNCE_LAB = 7.0
"""Chroma that light reflected by the product may add to its shadow."""
STEEP_LAB = 1.0
"""Steepest slope inside a shadow, ΔE a pixel at 1024 px; edges of products are steeper."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """The guess, at working size."""

    colour: NDArray[np.float32]
    """float32 (h, w, 3) Lab: the backdrop, seen through the product."""
    distance: NDArray[np.float32]
    """float32 (h, w): ΔE of each pixel from it."""
    reach: float
    """ΔE up to which a pixel counts as backdrop."""
    uniform: float
    """Share of the border that is backdrop, in [0, 1]."""
    noise: float
    """ΔE that 90 % of the backdrop's border stays within."""
    plain: NDArray[np.uint8]
    """255 where a pixel is within reach of the backdrop, connected to the border or not."""
    outside: NDArray[np.uint8]
    """255 where backdrop and shadow reach the border."""
    shadow: NDArray[np.uint8]
    """255 where the picture looks like the backdrop in shade, reached or not, and is not plain."""
    shaded: NDArray[np.uint8]
    """As `shadow`, with the faint shade that still counts as plain."""
    steep: NDArray[np.float32]
    """float32 (h, w): slope in ΔE a pixel."""


def find_backdrop(rgb: NDArray[np.uint8]) -> Backdrop:
    """Model the backdrop of a picture uint8 (h, w, 3) RGB and mark what belongs to it."""
    import numpy as np

    lab = to_lab(rgb)
    colour, uniform, noise = _from_border(lab)
    reach = float(np.clip(2.2 * noise + 1.0, LEAST_LAB, MOST_LAB))
    outside = touching_border(np.linalg.norm(lab - colour, axis=2) < reach)
    if np.mean(outside > 0) > 0.05:
        colour = _local(lab, outside, colour)
    distance = np.linalg.norm(lab - colour, axis=2).astype(np.float32)
    plain = distance < reach
    steep = steepness(lab)
    shaded = _shaded(rgb, lab, colour)
    shadow = shaded & ~plain
    lit = touching_border(plain)
    flow = touching_border(plain | (shadow & ~_barrier(steep, noise)))
    outside = _without_leaks(lit, flow, steep)
    return Backdrop(
        plain=np.where(plain, 255, 0).astype(np.uint8),
        colour=colour,
        distance=distance,
        reach=reach,
        uniform=uniform,
        noise=noise,
        outside=outside,
        shadow=np.where(shadow, 255, 0).astype(np.uint8),
        shaded=np.where(shaded, 255, 0).astype(np.uint8),
        steep=steep,
    )


def _barrier(steep: NDArray[np.float32], noise: float) -> NDArray[np.bool_]:
    """Mark edges that no shadow crosses, small gaps closed."""
    import cv2
    import numpy as np

    limit = STEEP_LAB * min(1.6, 1024 / max(steep.shape)) + 0.3 * noise
    edges = (steep > limit).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)) > 0, np.bool_)


def _without_leaks(lit: NDArray[np.uint8], flow: NDArray[np.uint8], steep: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Add shadows to the lit outside, but not what lies behind an edge: there the flow leaked into a product of the backdrop's own tone.

    Each part that the flow won is a shadow when its border to the product is steeper than its border to the lit outside.
    """
    import cv2
    import numpy as np

    won = cv2.morphologyEx(((flow > 0) & (lit == 0)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(won, connectivity=4)
    near_lit = cv2.dilate(lit, np.ones((5, 5), np.uint8)) > 0
    product = np.where((lit == 0) & (won == 0), 255, 0).astype(np.uint8)
    near_product = cv2.dilate(product, np.ones((5, 5), np.uint8)) > 0
    outside = lit.copy()
    rows = np.arange(1, count)
    for row in rows[np.argsort(-stats[1:, cv2.CC_STAT_AREA])][:60]:
        part = labels == row
        outer, inner = steep[part & near_lit], steep[part & near_product]
        if inner.size and (not outer.size or float(np.mean(inner)) > float(np.mean(outer))):
            outside[part] = 255
    return np.asarray(outside, np.uint8)


def to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring uint8 RGB to float32 CIE Lab."""
    import cv2
    import numpy as np

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb).astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def _from_border(lab: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, float]:
    """Span a surface between the four border lines; says how much of the border it explains, and how well."""
    import numpy as np

    height, width = lab.shape[:2]
    deep = max(2, round(BORDER * min(height, width)))
    lines = [np.median(part, axis=axis) for part, axis in ((lab[:deep], 0), (lab[-deep:], 0), (lab[:, :deep], 1), (lab[:, -deep:], 1))]
    usual = _mode(np.concatenate(lines))
    smooth = [_smooth_line(line, usual) for line in lines]
    top, bottom, left, right = (line[0] for line in smooth)
    kept = np.concatenate([line[1] for line in smooth])
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    corners = [(a + b) / 2 for a, b in ((top[0], left[0]), (top[-1], right[0]), (bottom[0], left[-1]), (bottom[-1], right[-1]))]
    flat = (1 - y) * ((1 - x) * corners[0] + x * corners[1]) + y * ((1 - x) * corners[2] + x * corners[3])
    colour = (1 - y) * top[None] + y * bottom[None] + (1 - x) * left[:, None] + x * right[:, None] - flat
    colour = np.clip(colour, np.array([0, -128, -128]), np.array([100, 128, 128])).astype(np.float32)
    away = np.linalg.norm(lab - colour, axis=2)
    ring = np.concatenate([away[:deep].ravel(), away[-deep:].ravel(), away[:, :deep].ravel(), away[:, -deep:].ravel()])
    near = ring[ring < FAR_LAB]
    noise = float(np.quantile(near, 0.9)) if near.size else FAR_LAB
    return colour, float(np.mean(kept)) * float(near.size / ring.size), noise


def _mode(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find the colour around which most of the border lies (mean shift from the median of the commonest lightness)."""
    import numpy as np

    counts, edges = np.histogram(points[:, 0], bins=20, range=(0, 100))
    low = edges[int(np.argmax(np.convolve(counts, [1, 2, 1], "same")))]
    near = points[(points[:, 0] > low - 6) & (points[:, 0] < low + 11)]
    centre = np.median(near, axis=0)
    for _ in range(5):
        close = points[np.linalg.norm(points - centre, axis=1) < 25]
        centre = np.mean(close, axis=0) if len(close) else centre
    return np.asarray(centre, np.float32)


def _smooth_line(line: NDArray[np.float32], usual: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Smooth one border line (n, 3), bridging what is not backdrop; says which of its pixels were kept."""
    import cv2
    import numpy as np

    count = len(line)
    at = np.arange(count)
    kept = np.linalg.norm(line - usual, axis=1) < 25
    for _ in range(3):
        if kept.sum() < 0.2 * count:
            return np.repeat(usual[None], count, 0), kept
        fit = np.stack([np.polynomial.Polynomial.fit(at[kept], line[kept, c], 2)(at) for c in range(3)], -1)
        away = np.linalg.norm(line - fit, axis=1)
        kept = away < max(FAR_LAB, 2.5 * float(np.median(away[kept])))
    filled = np.stack([np.interp(at, at[kept], line[kept, c]) for c in range(3)], -1).astype(np.float32)
    blurred = cv2.GaussianBlur(filled, (1, 0), sigmaX=0.1, sigmaY=max(1.0, count / 60), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32), kept


def _local(lab: NDArray[np.float32], outside: NDArray[np.uint8], colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correct the model by what the outside really looks like nearby: a blur that only sees the outside."""
    import cv2
    import numpy as np

    height, width = outside.shape
    small = (max(8, width // 8), max(8, height // 8))
    seen = cv2.erode(outside, np.ones((5, 5), np.uint8)).astype(np.float32) / 255
    rest = cv2.resize((lab - colour) * seen[..., None], small, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(seen, small, interpolation=cv2.INTER_AREA)
    sigma = max(small) / 14
    rest = cv2.GaussianBlur(rest, (0, 0), sigma)
    weight = cv2.GaussianBlur(weight, (0, 0), sigma)
    local = rest / (weight + 0.02)[..., None]
    return np.asarray(colour + cv2.resize(local, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _shaded(rgb: NDArray[np.uint8], lab: NDArray[np.float32], colour: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark pixels that are the backdrop times one factor below 1, in linear light."""
    import cv2
    import numpy as np

    back = np.clip(cv2.cvtColor(colour, cv2.COLOR_Lab2RGB), 0.004, 1) ** 2.2
    here = np.maximum(rgb.astype(np.float32) / 255, 0.004) ** 2.2
    factor = here / back
    mean = factor.mean(axis=2)
    spread = factor.max(axis=2) - factor.min(axis=2)
    drift = np.linalg.norm(lab[..., 1:] - colour[..., 1:] * np.sqrt(np.clip(mean, 0, 1))[..., None], axis=2)
    return np.asarray((mean > DARKEST) & (mean < 1.0) & ((spread < TINT * np.maximum(mean, 0.3)) | (drift < BOUNCE_LAB)), np.bool_)


def steepness(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Slope of the colour, ΔE a pixel, after a slight blur."""
    import cv2
    import numpy as np

    soft = cv2.GaussianBlur(lab, (0, 0), 1.2)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, dx, dy, scale=1 / 8) for dx, dy in ((1, 0), (0, 1)))
    return np.asarray(np.sqrt(np.sum(across**2 + down**2, axis=2)), np.float32)


def touching_border(area: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Keep the parts of an area that reach the picture's border, 255 inside."""
    import cv2
    import numpy as np

    _, labels = cv2.connectedComponents(area.astype(np.uint8), connectivity=4)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    found = np.zeros(int(labels.max()) + 1, np.uint8)
    found[edge[edge > 0]] = 255
    return np.asarray(found[labels], np.uint8)
