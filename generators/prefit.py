"""A product picture in the exact size that a model works at, never stretched.

Diffusers' processors squeeze whatever they get into the wanted size, which makes a round tin oval. So the picture is scaled
by one factor here, cropped where the product allows it, and extended with its own background where it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generators.values import Cutout, Photo, Pixels, ShotRequest

MARGIN = 0.06
"""Air that is kept around the product, as a share of its own size."""
TRUSTED = 0.3
"""Below that confidence the product's box is not believed, and nothing is cropped away."""
SEAM_PX = 10
"""Width of the blend between the picture and its extension, inside the picture's edge."""
FOREIGN = 28.0
"""Difference to an edge's middle colour, in 8-bit steps, from which something else touches the edge."""
MOSTLY = 0.3
"""Share of an edge up to which what is foreign to it is left out."""
GRAIN = 0.25
"""Noise of the extension, in 8-bit steps: eight bits show no steps then."""


def prefit(photo: Photo, cutout: Cutout, width_px: int, height_px: int, background: str = "#ffffff") -> Pixels:
    """Return the picture as `uint8 (height, width, 3)` RGB: scaled by one factor, cropped, extended.

    Transparent parts show `background`, #rrggbb.
    """
    import cv2

    picture = _opaque(photo, background)
    rows, columns = picture.shape[:2]
    left, top, right, bottom = _product(cutout, columns, rows)
    cover, contain = max(width_px / columns, height_px / rows), min(width_px / columns, height_px / rows)
    scale = max(contain, min(cover, width_px / (right - left), height_px / (bottom - top)))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4)
    x = _start((left + right) / 2 * scale, size[0], width_px)
    y = _start((top + bottom) / 2 * scale, size[1], height_px)
    seen = scaled[max(y, 0) : max(y, 0) + height_px, max(x, 0) : max(x, 0) + width_px]
    return _extend(seen, max(-x, 0), max(-y, 0), width_px, height_px)


def prefit_last(request: ShotRequest, width_px: int, height_px: int) -> Pixels:
    """Return the picture that a shot ends on in the model's size.

    Nothing of it is cropped, as nobody looked for its product, unless it is the first picture again.
    """
    from generators.values import Cutout

    assert request.last is not None
    if request.last.sha256 == request.photo.sha256:
        return prefit(request.photo, request.cutout, width_px, height_px, request.style.palette.background)
    whole = Cutout(mask=None, box=request.cutout.box, confidence=0.0, method="none")
    return prefit(request.last, whole, width_px, height_px, request.style.palette.background)


def _opaque(photo: Photo, background: str) -> Pixels:
    import numpy as np

    if photo.alpha is None:
        return photo.pixels
    share = photo.alpha[..., None].astype(np.float32) / 255
    colour = np.array([int(background[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return np.rint(photo.pixels * share + colour * (1 - share)).astype(np.uint8)


def _product(cutout: Cutout, columns: int, rows: int) -> tuple[float, float, float, float]:
    """The box that has to stay inside, with its air, in pixels; the whole picture where the box is not believed."""
    if cutout.method == "none" or cutout.confidence < TRUSTED:
        return 0, 0, columns, rows
    box = cutout.box
    left, right = max(0.0, box.x - MARGIN * box.w), min(1.0, box.x + box.w * (1 + MARGIN))
    top, bottom = max(0.0, box.y - MARGIN * box.h), min(1.0, box.y + box.h * (1 + MARGIN))
    return left * columns, top * rows, max(right * columns, left * columns + 1), max(bottom * rows, top * rows + 1)


def _start(centre: float, length: int, wanted: int) -> int:
    """Where the window starts on one axis: centred on the product, inside the picture; negative where it is extended."""
    if length <= wanted:
        return -((wanted - length) // 2)
    return round(min(max(centre - wanted / 2, 0), length - wanted))


def _extend(seen: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    """Continue the background beyond the picture's edges: each edge's own colour, ever softer along it, without streaks or a seam."""
    import cv2
    import numpy as np

    rows, columns = seen.shape[:2]
    if (rows, columns) == (height, width):
        return np.ascontiguousarray(seen)
    right, bottom = width - columns - left, height - rows - top
    calm = _calm(seen.astype(np.float32))
    wide = cv2.copyMakeBorder(calm, top, bottom, left, right, cv2.BORDER_REPLICATE)
    far = max(left, right, top, bottom)
    little = cv2.GaussianBlur(wide, (0, 0), max(2.0, far / 16), borderType=cv2.BORDER_REPLICATE)
    much = cv2.GaussianBlur(wide, (0, 0), max(3.0, far / 5), borderType=cv2.BORDER_REPLICATE)
    inside = cv2.copyMakeBorder(np.ones((rows, columns), np.uint8), top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)[..., None]
    soft = little + (much - little) * np.clip(away / max(1.0, 0.5 * far), 0, 1)
    noise = np.random.default_rng(0).normal(0, GRAIN, (height, width, 1)).astype(np.float32)
    made = np.clip(np.rint(soft + noise), 0, 255).astype(np.uint8)
    made[top : top + rows, left : left + columns] = _joined(seen, made[top : top + rows, left : left + columns], (left, top, right, bottom))
    return made


def _calm(picture: Pixels) -> Pixels:
    """Return the picture with every border line smoothed along itself: what touches an edge leaves a tone there, and no streak."""
    import cv2
    import numpy as np

    calm = picture.copy()
    for line in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        edge = picture[line]
        middle = np.median(edge.reshape(-1, 3), axis=0)
        away = np.abs(edge - middle).max(axis=2, keepdims=True)
        # A few pixels of something else give way to the edge's own tone; an edge of many tones keeps them.
        touched = away > FOREIGN
        plain = np.where(touched, middle, edge).astype(np.float32) if touched.mean() < MOSTLY else edge
        calm[line] = cv2.GaussianBlur(plain, (0, 0), max(edge.shape[:2]) / 24, borderType=cv2.BORDER_REPLICATE)
    return calm


def _joined(seen: Pixels, made: Pixels, sides: tuple[int, int, int, int]) -> Pixels:
    """Blend the picture into its continuation over a narrow strip inside the edges that were continued."""
    import numpy as np

    rows, columns = seen.shape[:2]
    strip = max(1, min(SEAM_PX, rows // 8, columns // 8))
    x, y = np.arange(columns), np.arange(rows)
    left, top, right, bottom = (length if there else 0 for length, there in zip((strip,) * 4, sides, strict=True))
    across = np.minimum(np.clip((x + 0.5) / left, 0, 1) if left else 1.0, np.clip((columns - x - 0.5) / right, 0, 1) if right else 1.0)
    down = np.minimum(np.clip((y + 0.5) / top, 0, 1) if top else 1.0, np.clip((rows - y - 0.5) / bottom, 0, 1) if bottom else 1.0)
    share = np.minimum(np.broadcast_to(across, (columns,))[None, :], np.broadcast_to(down, (rows,))[:, None])[..., None]
    return np.rint(made + (seen.astype(np.float32) - made) * share).astype(np.uint8)
