"""Pictures in a model's size: one scale for both directions, the product whole, the background continued."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from clipper.values import Box
from generators.prefit import prefit, prefit_last
from generators.values import Cutout, Photo
from tests.tiny_pipelines import shot_request


def disc(width: int, height: int, centre: tuple[int, int], radius: int) -> tuple[Photo, Cutout]:
    y, x = np.mgrid[:height, :width]
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
    pixels = np.full((height, width, 3), 240, np.uint8)
    pixels[inside] = (200, 30, 30)
    box = Box((centre[0] - radius) / width, (centre[1] - radius) / height, 2 * radius / width, 2 * radius / height)
    mask = np.where(inside, 255, 0).astype(np.uint8)
    return Photo(path="disc.png", sha256="0" * 64, pixels=pixels), Cutout(mask=mask, box=box, confidence=0.9, method="key")


def red(picture: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(picture[..., 1] < 130)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("size", [(64, 112), (112, 64), (96, 96), (480, 832), (720, 480)])
@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (240, 240)])
@pytest.mark.parametrize("at", [0.3, 0.5, 0.75])
def test_a_round_product_stays_round_and_whole(size: tuple[int, int], shape: tuple[int, int], at: float) -> None:
    photo, cutout = disc(*shape, (int(shape[0] * at), shape[1] // 2), 45)
    picture = prefit(photo, cutout, *size)
    assert picture.shape == (size[1], size[0], 3)
    left, top, right, bottom = red(picture)
    assert abs((right - left) - (bottom - top)) <= 2
    assert left > 0
    assert top > 0
    assert right < size[0]
    assert bottom < size[1]


def test_a_picture_of_the_right_shape_is_only_scaled() -> None:
    photo, cutout = disc(200, 300, (100, 150), 60)
    assert np.array_equal(prefit(photo, cutout, 200, 300), photo.pixels)


def test_a_plain_background_is_continued_without_a_seam() -> None:
    photo, cutout = disc(300, 100, (150, 50), 40)
    picture = prefit(photo, cutout, 60, 120)
    assert np.abs(picture[[0, -1]].astype(int) - 240).max() <= 1


def test_what_touches_an_edge_leaves_no_streak() -> None:
    photo, cutout = disc(200, 200, (100, 100), 60)
    pixels = photo.pixels.copy()
    pixels[-40:, 90:104] = (30, 30, 160)  # a foot that the photo's edge cuts
    picture = prefit(dataclasses.replace(photo, pixels=pixels), cutout, 200, 400).astype(int)
    assert np.abs(picture[-30:] - 240).max() <= 6, "the foot goes on as a streak"
    assert np.abs(picture[:30] - 240).max() <= 2


def test_nothing_is_cropped_where_the_product_is_not_known() -> None:
    photo, cutout = disc(300, 100, (20, 50), 15)
    unsure = dataclasses.replace(cutout, confidence=0.1)
    assert red(prefit(photo, unsure, 64, 64))[0] > 0


def test_transparent_parts_show_the_style() -> None:
    photo, cutout = disc(100, 100, (50, 50), 30)
    cut = dataclasses.replace(photo, alpha=cutout.mask)
    picture = prefit(cut, cutout, 100, 100, "#102030")
    assert tuple(picture[0, 0]) == (16, 32, 48)
    assert tuple(picture[50, 50]) == (200, 30, 30)


def test_the_last_picture_is_not_cropped() -> None:
    assert prefit_last(shot_request(last=True), 64, 112).shape == (112, 64, 3)


def test_a_shot_that_ends_where_it_began_has_one_picture() -> None:
    request = shot_request()
    request = dataclasses.replace(request, last=request.photo)
    assert np.array_equal(prefit_last(request, 64, 112), prefit(request.photo, request.cutout, 64, 112))
