"""The camera on the sample's real-looking pictures: every frame still shows the product, and its label reads the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from clipper.values import Box
from generators.cutout import cut_out
from generators.images import read_picture
from generators.styles import style_named
from generators.values import Cutout, Move, Photo
from tests.camera import film, request

IMAGES = Path(__file__).parent.parent.parent / "samples" / "images"
SIZE = (1080, 1920)
LABEL = Box(0.39, 0.39, 0.2, 0.13)
"""Where the tea's name stands in its picture."""
SHOTS: tuple[tuple[str, str, Move, bool], ...] = (
    ("L001-white", "luxury-dark", "reveal", True),
    ("L001-white", "bright-home", "parallax", True),
    ("L001-white", "tech-blue", "detail", True),
    ("L002-white", "clean-studio", "push_in", False),
    ("L003-white", "soft-beauty", "sweep", True),
    ("L003-home", "bright-home", "pull_out", False),
)


def pair(name: str, layered: bool) -> tuple[Photo, Cutout]:
    """Read a picture and cut it out, as a layer or as one plane whatever the cut-out's confidence is."""
    photo = read_picture(IMAGES / f"{name}.jpg")
    found = cut_out(photo)
    return photo, replace(found, confidence=0.9 if layered else 0.1)


@pytest.mark.parametrize(("name", "style", "move", "layered"), SHOTS)
def test_the_worst_frame_still_shows_the_product(name: str, style: str, move: Move, layered: bool) -> None:
    photo, cut = pair(name, layered)
    focus = LABEL if name == "L001-white" else None
    footage, _ = film(request((photo, cut), move, size=SIZE, focus=focus, look=replace(style_named(style), light_sweep=0.06)))
    inside = cv2.erode(cut.mask, np.ones((7, 7))) > 250
    worst, colour = 1.0, 0.0
    for index in (0, 13, 29):
        back, seen = undone(footage, index, photo)
        product = inside & seen
        assert product.any()
        worst = min(worst, float(similarity(photo.pixels, back)[product].mean()))
        mean = np.uint8([[photo.pixels[product].mean(0)], [back[product].mean(0)]])
        lab = cv2.cvtColor(np.float32(mean) / 255, cv2.COLOR_RGB2Lab)
        colour = max(colour, float(np.linalg.norm(lab[0] - lab[1])))
    assert worst >= 0.97
    assert colour < (2.5 if move in ("sweep", "reveal") else 0.6)


def undone(footage: Any, index: int, photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame with the camera's movement undone, on the photo's pixels, and which of them the frame shows."""
    scene = footage._scene
    plane = scene.plane if hasattr(scene, "plane") else scene.product
    place = footage._path(footage.instant(index)).near.after(scene.rest)
    # Between pixel centres, as cv2 counts: photo to plane, plane to frame.
    scale = place.scale / plane.factor
    x, y = place.x - scale * plane.x, place.y - scale * plane.y
    matrix = np.array([[scale, 0, 0.5 * scale + x - 0.5], [0, scale, 0.5 * scale + y - 0.5]])
    size = (photo.width_px, photo.height_px)
    frame = footage.frame(index)
    back = cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    seen = cv2.warpAffine(np.full(frame.shape[:2], 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return back, cv2.erode(seen, np.ones((15, 15))) > 0


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the structural similarity of two pictures' lightness, per pixel (Wang et al., 2004; 11×11 Gaussian)."""
    a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (one, other))

    def mean(picture: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(picture, (11, 11), 1.5)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    return ((2 * ma * mb + 6.5025) * (2 * both + 58.5225)) / ((ma * ma + mb * mb + 6.5025) * (va + vb + 58.5225))


@pytest.mark.slow
def test_the_label_reads_the_same() -> None:
    from generators.fidelity import RapidReader

    reader = RapidReader()
    photo, cut = pair("L001-white", True)
    wanted = {word for word in words(reader, photo.pixels) if word}
    assert any("茉莉花茶" in word for word in wanted)
    for style, move, index in (("luxury-dark", "sweep", 13), ("festival-red", "parallax", 29)):
        footage, _ = film(request((photo, cut), move, size=(1080, 1920), look=style_named(style)))
        assert words(reader, footage.frame(index)) >= wanted


def words(reader: Any, picture: np.ndarray) -> set[str]:
    return {"".join(line.text.split()) for line in reader.read(picture) if line.score >= 0.8}
