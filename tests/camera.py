"""Builders of camera tests: drawn products with a known outline, styles, requests; and how a drawn product is found again."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from clipper.values import Box
from generators.animators.camera import Camera, CameraOptions
from generators.animators.camera.footage import Drawn
from generators.values import Cutout, Move, Origin, Palette, Photo, Shot, ShotRequest, Style

RED = (196, 40, 52)
PALETTE = Palette(background="#dfe8ee", background_end="#b9c9d6", ink="#10202c", accent="#1f7ac2", on_accent="#ffffff")
DARK = Palette(background="#15120f", background_end="#2a221a", ink="#f3e6cc", accent="#d0a45a", on_accent="#1a1510")


def disc_photo(size: int = 400, radius: float = 0.3, colour: tuple[int, int, int] = RED) -> tuple[Photo, Cutout]:
    """A round product in the middle of white, drawn at eight times the size so that its edge is exact."""
    fine = np.full((size * 8, size * 8, 3), 255, np.uint8)
    cover = np.zeros((size * 8, size * 8), np.uint8)
    middle = (size * 4, size * 4)
    cv2.circle(fine, middle, round(radius * size * 8), colour, -1)
    cv2.circle(cover, middle, round(radius * size * 8), 255, -1)
    pixels = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA)
    return Photo(path="disc.png", sha256="d" * 64, pixels=pixels), cutout(mask)


def textured_photo(size: int = 480) -> tuple[Photo, Cutout]:
    """A box with a lively surface: text-like strokes in many colours, for features to be found on."""
    rng = np.random.default_rng(5)
    pixels = np.full((size, size, 3), 250, np.uint8)
    mask = np.zeros((size, size), np.uint8)
    top, bottom, left, right = round(0.15 * size), round(0.85 * size), round(0.28 * size), round(0.74 * size)
    mask[top:bottom, left:right] = 255
    noise = cv2.GaussianBlur(rng.normal(0, 1, (bottom - top, right - left, 3)).astype(np.float32), (0, 0), 2.2)
    pixels[top:bottom, left:right] = np.clip(120 + 260 * noise, 0, 255)
    for _ in range(40):
        x, y = int(rng.integers(left + 8, right - 30)), int(rng.integers(top + 8, bottom - 16))
        cv2.rectangle(
            pixels, (x, y), (x + int(rng.integers(4, 22)), y + int(rng.integers(3, 9))), tuple(int(v) for v in rng.integers(0, 255, 3)), -1
        )
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)
    return Photo(path="box.png", sha256="b" * 64, pixels=pixels), cutout(mask)


def cutout(mask: Any, confidence: float = 0.95) -> Cutout:
    rows, columns = np.nonzero(mask > 127)
    height, width = mask.shape
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    box = Box(left / width, top / height, (right - left) / width, (bottom - top) / height)
    return Cutout(mask=mask, box=box, confidence=confidence, method="key")


def style(**changes: Any) -> Style:
    words = {"prompt": "", "negative": "", "camera": (), "light": "", "background": "", "motion": ""}
    return Style(**{"name": "plain", "label": "素", "label_en": "plain", "palette": PALETTE, **words, **changes})


def request(
    pair: tuple[Photo, Cutout],
    move: Move = "push_in",
    *,
    size: tuple[int, int] = (270, 480),
    seconds: float = 1.0,
    seed: int = 3,
    focus: Box | None = None,
    loop: bool = False,
    look: Style | None = None,
) -> ShotRequest:
    photo, cut = pair
    shot = Shot(id="s1", photo=0, seconds=seconds, move=move, focus=focus, seed=seed)
    return ShotRequest(
        shot=shot, photo=photo, cutout=cut, style=look or style(), width_px=size[0], height_px=size[1], fps=Fraction(30), loop=loop
    )


def film(wanted: ShotRequest, options: CameraOptions | None = None) -> tuple[Drawn, Origin]:
    footage, origin = Camera(options).animate(wanted, Path("unused"), progress=lambda _: None, cancelled=lambda: False)
    assert isinstance(footage, Drawn)
    return footage, origin


def redness(frame: Any) -> Any:
    """Return how much of each pixel is the red disc, `float64 (h, w)`, on a ground without red."""
    red, green, blue = (frame[..., i].astype(np.float64) for i in range(3))
    return np.clip((red - (green + blue) / 2) / (RED[0] - (RED[1] + RED[2]) / 2), 0, 1)


def place(frame: Any) -> tuple[float, float, float, float]:
    """Return the disc's middle and its extent along both axes as standard deviations, in pixels."""
    weight = redness(frame)
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]] + 0.5
    total = weight.sum()
    x, y = (weight * columns).sum() / total, (weight * rows).sum() / total
    return x, y, math.sqrt((weight * (columns - x) ** 2).sum() / total), math.sqrt((weight * (rows - y) ** 2).sum() / total)
