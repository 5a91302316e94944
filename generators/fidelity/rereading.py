"""The text on the product, read on the photo once and in frames again."""

from __future__ import annotations

from typing import Any

from generators.fidelity.compare import Look
from generators.fidelity.pose import Pose, rectify
from generators.fidelity.reference import Reference, scaling
from generators.fidelity.text import LEAST_HEIGHT_PX, LEAST_SURE, TextLine, TextReader, agreement, find_reader, plain_text
from generators.values import Photo

TEXT_PX = 960
"""Long edge of the product when its text is read."""


def read_again(
    photo: Photo,
    reference: Reference,
    sampled: dict[int, Any],
    poses: dict[int, Pose | None],
    looks: list[Look],
    reader: TextReader | None,
    *,
    in_place: bool,
) -> tuple[float | None, tuple[str, ...]]:
    """Return the least share of the photo's characters that is read in a frame, or None and why text was not read.

    Read are the first and the last frame, and the one whose worst patch is the worst.
    """
    reader = reader or find_reader()
    if reader is None:
        return None, ("text was not read: rapidocr is not installed",)
    large = _enlarged(photo, reference)
    lines = [line for line in reader.read(large.image) if line.score >= LEAST_SURE and len(plain_text(line.text)) >= 2]
    lines = [line for line in lines if _lies_on(line, large.mask)]
    if not lines:
        return None, ("text was not read: the picture has none",)
    worst = sorted(looks, key=lambda one: one.detail)[:1]
    shares = []
    for index in sorted({one.index for one in (*looks[:1], *looks[-1:], *worst)}):
        pose = poses[index]
        assert pose is not None
        image, wanted = _in_view(large, reference, sampled[index], pose, lines)
        seen = reader.read_lines(image, wanted) if in_place else _read_around(image, wanted, reader)
        share = agreement(wanted, seen)
        if share is not None:
            shares.append(share)
    if not shares:
        return None, ("text was not read: it is too small in the frames",)
    return min(shares), ()


def _enlarged(photo: Photo, reference: Reference) -> Reference:
    """The product's crop as sharp as the photo has it, at most 960 px long."""
    import cv2
    import numpy as np

    full = float(np.sqrt(np.linalg.det(reference.to_photo[:2, :2])))
    factor = min(full, TEXT_PX / reference.long_px)
    height, width = reference.mask.shape
    size = (round(width * factor), round(height * factor))
    into_photo = reference.to_photo @ scaling(1 / factor)
    reduce = factor / full
    pixels = cv2.resize(photo.pixels, None, fx=reduce, fy=reduce, interpolation=cv2.INTER_AREA) if reduce < 0.95 else photo.pixels
    matrix = (scaling(reduce) if reduce < 0.95 else np.eye(3)) @ into_photo
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    image = cv2.warpPerspective(pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.resize(reference.mask, size, interpolation=cv2.INTER_LINEAR)
    return Reference(
        image=image,
        mask=mask,
        to_photo=into_photo,
        long_px=reference.long_px * factor,
        centre=(size[0] / 2 - 0.5, size[1] / 2 - 0.5),
        is_whole=reference.is_whole,
    )


def _lies_on(line: TextLine, mask: Any) -> bool:
    x, y = (round(value) for value in line.centre)
    return bool(0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] > 127)


def _in_view(large: Reference, reference: Reference, frame: Any, pose: Pose, lines: list[TextLine]) -> tuple[Any, list[TextLine]]:
    """Bring a frame to the photo's view; return it and the lines that it shows large enough."""
    import numpy as np

    from_large = pose.matrix @ np.linalg.inv(reference.to_photo) @ large.to_photo
    image, inside = rectify(frame, from_large, large)
    scale = Pose(from_large, 0).scale(large)
    height, width = inside.shape
    wanted = []
    for line in lines:
        spots = [(min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)) for x, y in line.corners]
        if line.height_px * scale >= LEAST_HEIGHT_PX and all(inside[y, x] for x, y in spots):
            wanted.append(line)
    return image, wanted


def _read_around(image: Any, wanted: list[TextLine], reader: TextReader) -> list[TextLine]:
    """Read only the part of a picture that holds the wanted lines: half the time is spent on looking for text."""
    import numpy as np

    if not wanted:
        return []
    spots = np.array([corner for line in wanted for corner in line.corners])
    room = 1.5 * max(line.height_px for line in wanted)
    left, top = (max(0, int(value - room)) for value in spots.min(axis=0))
    right, bottom = (int(value + room) for value in spots.max(axis=0))
    part = np.ascontiguousarray(image[top:bottom, left:right])
    return [TextLine(line.text, tuple((x + left, y + top) for x, y in line.corners), line.score) for line in reader.read(part)]
