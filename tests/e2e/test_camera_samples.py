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
    ("L002-home", "clean-studio", "push_in", False),
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
        picture, shown, product = compared(footage, index, photo, inside)
        assert product.any()
        worst = min(worst, float(similarity(picture, shown)[product].mean()))
        mean = np.uint8([[picture[product].mean(0)], [shown[product].mean(0)]])
        lab = cv2.cvtColor(np.float32(mean) / 255, cv2.COLOR_RGB2Lab)
        colour = max(colour, float(np.linalg.norm(lab[0] - lab[1])))
    assert worst >= 0.97
    assert colour < (2.5 if move in ("sweep", "reveal") else 0.6)


def test_a_picture_that_is_shown_smaller_loses_no_more_than_it_must() -> None:
    """Knitwear in which every pixel differs from the next, at 0.965 of its size and brought back to it: what is missing then is
    missing after the best reduction there is, and after the way back."""
    photo, cut = pair("L002-home", False)
    footage, _ = film(request((photo, cut), "still", size=SIZE))
    product = cv2.erode(cut.mask, np.ones((7, 7))) > 250
    back, seen = undone(footage, 0, photo)
    size = round(matrix_of(footage, 0)[0, 0] * photo.width_px)
    ideal = cv2.resize(reduced(photo.pixels, size), (photo.width_px, photo.height_px), interpolation=cv2.INTER_CUBIC)
    camera, best = (float(similarity(photo.pixels, picture)[product & seen].mean()) for picture in (back, ideal))
    assert size < photo.width_px and best < 0.96
    assert camera > best - 0.002


def reduced(picture: np.ndarray, size: int) -> np.ndarray:
    """Make a square picture smaller by leaving out its highest frequencies, and nothing else."""
    skip = (picture.shape[0] - size) // 2
    spectrum = np.fft.fftshift(np.fft.fft2(picture.astype(float), axes=(0, 1)), axes=(0, 1))[skip : skip + size, skip : skip + size]
    values = np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(0, 1)), axes=(0, 1)).real * (size / picture.shape[0]) ** 2
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def compared(footage: Any, index: int, photo: Photo, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the photo, what a frame shows of it, and where the product is, on the coarser of their two grids: what is shown
    smaller than it is has fewer pixels, and what is shown larger has no more detail."""
    matrix = matrix_of(footage, index)
    if matrix[0, 0] >= 1:
        back, seen = undone(footage, index, photo)
        return photo.pixels, back, inside & seen
    frame = footage.frame(index)
    size = (frame.shape[1], frame.shape[0])
    picture = cv2.warpAffine(photo.pixels, matrix, size, flags=cv2.INTER_CUBIC)
    product = cv2.warpAffine(inside.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR)
    return picture, frame, product == 255


def matrix_of(footage: Any, index: int) -> np.ndarray:
    """Return the way from the photo to a frame, between pixel centres, as cv2 counts."""
    scene = footage._scene
    plane = scene.plane if hasattr(scene, "plane") else scene.product
    place = footage._path(footage.instant(index)).near.after(scene.rest)
    scale = place.scale / plane.factor
    x, y = place.x - scale * plane.x, place.y - scale * plane.y
    return np.array([[scale, 0, 0.5 * scale + x - 0.5], [0, scale, 0.5 * scale + y - 0.5]])


def undone(footage: Any, index: int, photo: Photo) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame with the camera's movement undone, on the photo's pixels, and which of them the frame shows."""
    matrix = matrix_of(footage, index)
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
