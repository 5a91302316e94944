"""Cuts, faces' boxes, sharpness and brightness."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from clipper.errors import InputError, ModelError
from clipper.values import Box
from clipper.vision import LookOptions, cuts
from clipper.vision.faces import FaceFinder, Seen, decode, openness, surest
from clipper.vision.looking import measure


def room(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (480, 270), interpolation=cv2.INTER_CUBIC))


def with_host(scene: np.ndarray, x: int, size: int = 110) -> np.ndarray:
    picture = scene.copy()
    cv2.circle(picture, (x, 150), size, (90, 120, 200), -1)
    return picture


def changes(images: list[np.ndarray]) -> list[int]:
    views = [cuts.summarise(image) for image in images]
    return cuts.find_changes([cuts.distance(before, after) for before, after in itertools.pairwise(views)])


def test_another_view_is_a_cut_and_a_walking_host_is_none() -> None:
    first, second = room(1), room(2)
    shown = [with_host(first, 150 + 20 * step) for step in range(8)] + [with_host(second, 200)] * 6 + [with_host(first, 200)] * 5
    assert changes(shown) == [7, 13]


def test_a_product_held_up_to_the_lens_is_no_cut() -> None:
    scene = room(1)
    near = scene.copy()
    cv2.rectangle(near, (120, 40), (380, 270), (30, 200, 240), -1)
    assert changes([scene] * 5 + [near] * 3 + [scene] * 5) == []


def test_a_lamp_that_is_switched_is_no_cut_of_a_room_in_grey() -> None:
    grey = np.repeat(room(3).mean(axis=2, keepdims=True), 3, axis=2)
    dim, bright = (grey * 0.94).astype(np.uint8), grey.astype(np.uint8)
    assert changes([dim] * 5 + [bright] * 5) == []


def test_a_camera_that_is_carried_about_makes_no_cuts() -> None:
    wide = np.asarray(
        cv2.resize(np.random.default_rng(5).integers(0, 255, (9, 60, 3)).astype(np.uint8), (1800, 270), interpolation=cv2.INTER_CUBIC)
    )
    assert changes([wide[:, 60 * step : 60 * step + 480] for step in range(20)]) == []


def test_grids_become_boxes_without_overlaps() -> None:
    heat = np.zeros((48, 80), np.float32)
    sizes = np.zeros((2, 48, 80), np.float32)
    offsets = np.zeros((2, 48, 80), np.float32)
    for row, column, score in ((20, 40, 0.9), (20, 41, 0.8), (10, 5, 0.7), (30, 60, 0.3)):
        heat[row, column] = score
        sizes[:, row, column] = math.log(40 / 4), math.log(32 / 4)
    points = np.zeros((10, 48, 80), np.float32)
    points[:4, 20, 40] = 0.4, 0.25, 0.4, 0.75
    found = decode(heat, sizes, offsets, points, 0.5)
    assert [face.score for face in found] == pytest.approx([0.9, 0.7])
    box = found[0].box
    assert found[0].eyes[0] == pytest.approx((box.x + box.w / 4, box.y + 0.4 * box.h), abs=1e-3)
    assert found[0].eyes[1] == pytest.approx((box.x + 3 * box.w / 4, box.y + 0.4 * box.h), abs=1e-3)
    assert (box.x + box.w / 2, box.y + box.h / 2) == pytest.approx((40.5 / 80, 20.5 / 48), abs=1e-3)
    assert (box.w, box.h) == pytest.approx((32 / 320, 40 / 192), abs=1e-3)
    assert found[1].box.x >= 0


def drawn_face(lid: float, light: float = 1.0) -> np.ndarray:
    """A face of 120 × 150 px at (100, 60) with eyes of which the lids cover a share."""
    image = np.full((300, 320, 3), 90, np.uint8)
    cv2.ellipse(image, (160, 135), (60, 75), 0, 0, 360, (150, 170, 200), -1)
    for x in (135, 185):
        cv2.ellipse(image, (x, 115), (12, 7), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(image, (x, 115), 6, (30, 30, 30), -1)
        cv2.rectangle(image, (x - 14, 106), (x + 14, 106 + round(16 * lid)), (140, 160, 190), -1)
    return np.clip(image * light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [0.5, 1.0, 1.25])
def test_shut_eyes_are_told_from_open_ones_in_any_light(light: float) -> None:
    face = Seen(Box(100 / 320, 60 / 300, 120 / 320, 150 / 300), 0.9, ((135 / 320, 118 / 300), (185 / 320, 118 / 300)))
    wide = openness(drawn_face(0.0, light), face)
    shut = openness(drawn_face(1.0, light), face)
    assert wide is not None and shut is not None and shut < 0.3 * wide


def test_a_small_face_or_one_at_the_edge_tells_nothing_of_its_eyes() -> None:
    image = drawn_face(0.0)
    assert openness(image, Seen(Box(0.1, 0.1, 0.1, 0.1), 0.9, ((0.12, 0.15), (0.17, 0.15)))) is None
    assert openness(image, Seen(Box(0.0, 0.0, 0.4, 0.5), 0.9, ((0.001, 0.1), (0.2, 0.1)))) is None


def test_of_overlapping_boxes_the_surest_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], float)
    assert surest(boxes, np.array([0.6, 0.9, 0.5]), 0.3) == [1, 2]
    assert surest(np.zeros((0, 4)), np.zeros(0), 0.3) == []


def test_a_missing_or_broken_face_model_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        FaceFinder(tmp_path / "none.onnx")


def test_blur_lowers_sharpness_and_light_raises_brightness() -> None:
    sharp = np.random.default_rng(1).integers(0, 255, (640, 360, 3)).astype(np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3))
    assert measure(1.0, sharp).sharpness > 10 * measure(1.0, blurred).sharpness
    assert measure(1.0, np.full((640, 360, 3), 255, np.uint8)).brightness == 1.0
    assert measure(2.5, sharp).time == 2.5


def test_options_say_their_range() -> None:
    with pytest.raises(InputError, match=r"vision\.width_px = 100: expected 240 to 1080"):
        LookOptions(width_px=100)
