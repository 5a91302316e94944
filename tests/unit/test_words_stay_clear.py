"""No word lies on a product, and every word can be read: measured on the product's own mask and on the pixels behind the words."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from generators.animators.camera import Camera, CameraOptions
from generators.animators.camera.moves import CLOSE
from generators.compose.sight import ground_of, views_of
from generators.compose.timeline import place, wanted_seconds
from generators.layout import Area
from generators.overlays import Canvas, draw_overlays
from generators.overlays.canvas import box_in, contrast, legible, quiet
from generators.overlays.motion import Layer
from generators.overlays.typeset import type_of
from generators.sprites import lay
from generators.storyboard import StoryboardOptions, plan_video
from generators.styles import style_named, style_names, styles
from generators.values import Cutout, Overlay, Photo, ShotRequest, Storyboard, Style, Subject
from tests.camera import disc_photo, textured_photo

SAFE = (65, 270, 940, 1248)
SIZES = [(270, 480), (360, 360), (480, 270)]
TITLES = ("果岭人家 冰糖心苹果 新鲜现摘", "Tarnfell Ridge Ultralight 38L Hiking Backpack with Rain Cover")
PANELS, END = 10, 30
"""Layers below the one are grounds; from the other on it is the end card."""


def subject(pair: tuple[Photo, Cutout], title: str) -> Subject:
    photo, cut = pair
    return Subject(name="p", sku="p", title=title, price="¥1,299", list_price="¥2,599", photos=(photo,), cutouts=(cut,))


def canvas_of(board: Storyboard, look: Style) -> Canvas:
    """Make the canvas of a style, with nothing known of the shots."""
    return Canvas(
        width_px=board.width_px,
        height_px=board.height_px,
        box=box_in(board, SAFE),
        palette=look.palette,
        type=type_of(look.type),
        title_at=look.title_at,
    )


def filmed(thing: Subject, look: Style, size: tuple[int, int]) -> tuple[Storyboard, list[Any], list[Layer]]:
    """Plan a video, film its shots, and draw its overlays."""
    options = StoryboardOptions(seconds=7, width_px=size[0], height_px=size[1], fps=12, backend="camera")
    board = plan_video(thing, look, options)
    camera, shots = Camera(CameraOptions(threads=1)), []
    for shot, seconds in zip(board.shots, wanted_seconds(board), strict=True):
        asked = ShotRequest(
            shot=replace(shot, seconds=seconds),
            photo=thing.photos[0],
            cutout=thing.cutouts[0],
            style=look,
            width_px=size[0],
            height_px=size[1],
            fps=Fraction(12),
        )
        shots.append(camera.animate(asked, Path("unused"), progress=lambda _: None, cancelled=lambda: False)[0])
    placed = place(board)
    seen = {"ground": ground_of(board, placed, shots), "views": views_of(board, placed, shots)}
    canvas = replace(canvas_of(board, look), **seen, hero=(thing.photos[0], thing.cutouts[0]))
    return board, shots, [layer for layer in draw_overlays(board, look, canvas) if layer.order < END]


def product_mask(footage: Any, index: int) -> np.ndarray:
    """Return where the product is in a frame, by the plane that is drawn."""
    scene = footage._scene
    spot = footage._path(footage.instant(index)).near.after(scene.rest)
    matrix = np.array([[spot.scale, 0, spot.x], [0, spot.scale, spot.y]])
    return cv2.warpAffine(np.asarray(scene.product.alpha), matrix, (footage.width_px, footage.height_px)) > 127


def words_mask(layers: list[Layer], size: tuple[int, int], time: float) -> np.ndarray:
    """Return where words and their shapes stand, without their soft shadows."""
    white = np.full((size[1], size[0], 3), 255, np.uint8)
    black = np.zeros_like(white)
    for layer in layers:
        if layer.start <= time < layer.end and layer.order > PANELS:
            lay(white, layer.sprite, layer.pose(time - layer.start))
            lay(black, layer.sprite, layer.pose(time - layer.start))
    return (white.astype(int) - black).max(axis=2) < 120


@pytest.mark.parametrize("name", style_names())
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_word_lies_on_the_product_and_all_can_be_read(name: str, size: tuple[int, int]) -> None:
    number = style_names().index(name)
    pair = textured_photo() if number % 2 else disc_photo(colour=(40, 90, 70))
    if number % 5 == 4:
        pair = (pair[0], replace(pair[1], confidence=0.1))  # a print
    board, shots, layers = filmed(subject(pair, TITLES[number % 3 == 2]), style_named(name), size)
    seen = 0
    for placed, footage in zip(place(board), shots, strict=True):
        for share in (0.3, 0.6, 0.95):
            at = placed.lead + int(share * (placed.count - 1 - placed.lead))
            time = (placed.first + at + 0.5) / board.fps
            words = words_mask(layers, size, time)
            if placed.shot.move not in CLOSE or words.any():
                assert not (words & product_mask(footage, at)).any(), f"words on the product in {placed.shot.move} at {time:.1f} s"
            seen += int(words.any())
            assert_readable(layers, footage.frame(at), time)
    assert seen >= 2, "nothing was written"


def assert_readable(layers: list[Layer], frame: np.ndarray, time: float) -> None:
    """Hold every line of type that has no shape of its own to 4.5:1 against the pixels around its letters."""
    canvas = frame.copy()
    for layer in sorted(layers, key=lambda one: one.order):
        if not layer.start <= time < layer.end:
            continue
        pose = layer.pose(time - layer.start)
        bare = float((layer.sprite.keep.min(axis=2) > 250).mean()) > 0.45
        settled = time - layer.start > 1.0
        if layer.order in (12, 14) and bare and settled and pose.opacity > 0.99 and pose.scale == 1.0:
            assert line_contrast(layer, pose, canvas) >= 4.45
        lay(canvas, layer.sprite, pose)


def line_contrast(layer: Layer, pose: Any, canvas: np.ndarray) -> float:
    """Contrast of a line's ink to the darkest and the lightest of what lies behind it."""
    x, y = round(pose.x), round(pose.y)
    sprite = layer.sprite
    solid = sprite.keep.max(axis=2) < 12
    if not solid.any():
        return 21.0
    rows, columns = np.nonzero(solid)
    behind = canvas[y + rows.min() : y + rows.max() + 1, x + columns.min() : x + columns.max() + 1].reshape(-1, 3)
    ink = hexed(np.median(sprite.colour[solid], axis=0))
    light = behind @ np.array([0.2126, 0.7152, 0.0722])
    ends = [behind[int(np.argmin(np.abs(light - np.percentile(light, share))))] for share in (3, 97)]
    return min(contrast(ink, hexed(end)) for end in ends)


def hexed(colour: Any) -> str:
    return "#" + "".join(f"{round(float(part)):02x}" for part in colour)


@pytest.mark.parametrize("look", styles(), ids=lambda look: look.name)
def test_colours_on_shapes_can_be_read(look: Style) -> None:
    colours = look.palette
    ink = legible(colours.on_accent, colours.accent)
    assert contrast(ink, colours.accent) >= 4.5
    assert contrast(quiet(ink, colours.accent), colours.accent) >= 4.5, "the old price"
    assert contrast(legible(colours.ink, colours.background), colours.background) >= 4.5


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_areas_of_a_whole_set_of_prices_and_titles_hold(size: tuple[int, int]) -> None:
    from generators.overlays.head import set_head

    for look in {look.price_badge: look for look in styles()}.values():
        board = Storyboard(id="b", sku=None, title="", style="", backend="", pictures=(), shots=(), width_px=size[0], height_px=size[1])
        canvas = canvas_of(board, look)
        for title in (TITLES[1], "纯手工陶瓷大容量带盖勺马克杯"):
            for price in ("", "¥12,999.00"):
                texts = [Overlay(kind="title", text=title, detail="秋冬加厚", start=0, end=5)]
                shown = Overlay(kind="price", text=price, detail="¥19,999", start=0, end=5) if price else None
                area, room = set_head(texts, shown, canvas, look.price_badge).area, canvas.words
                assert Area(room.left - 1, room.top - 1, room.right + 1, room.bottom + 1).within(area) == area, (look.name, title, price)
