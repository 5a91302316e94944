"""Overlays: drawn inside the safe box, readable, and never failing on what people write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image

from clipper.captions.breaks import tokens
from clipper.errors import InputError
from generators.layout import Area, layout
from generators.overlays import Canvas, draw_overlays
from generators.overlays.canvas import box_in, contrast, legible
from generators.overlays.ground import survey
from generators.overlays.head import set_head
from generators.overlays.motion import Layer, out_back, out_cubic, out_quint
from generators.overlays.small import point_picture
from generators.overlays.title import title_rows
from generators.overlays.typeset import rows_in, type_of, width_of
from generators.overlays.views import View, clear_spans, close_spans
from generators.sprites import lay
from generators.styles import styles
from generators.values import Overlay, Storyboard, Style
from tests import films

SAFE = (65, 270, 940, 1248)
KINDS = ("modern", "bold", "serif", "rounded")


def canvas(look: Style, board: Storyboard, **more: object) -> Canvas:
    one = films.photo()
    return Canvas(
        width_px=board.width_px,
        height_px=board.height_px,
        box=box_in(board, SAFE),
        palette=look.palette,
        type=type_of(look.type),
        hero=(one, films.cutout(one)),
        **more,  # type: ignore[arg-type]
    )


def covered(layers: list[Layer], size: tuple[int, int], time: float) -> np.ndarray:
    """Which pixels the layers change at an instant: they are laid over black and over white."""
    black, white = np.zeros((size[1], size[0], 3), np.uint8), np.full((size[1], size[0], 3), 255, np.uint8)
    for layer in layers:
        if layer.start <= time < layer.end:
            lay(black, layer.sprite, layer.pose(time - layer.start))
            lay(white, layer.sprite, layer.pose(time - layer.start))
    return (black.max(axis=2) > 0) | (white.min(axis=2) < 255)


@pytest.mark.parametrize("look", styles(), ids=lambda look: look.name)
@pytest.mark.parametrize("size", [(360, 640), (400, 400), (640, 360)], ids=str)
def test_type_stays_inside_the_safe_box(look: Style, size: tuple[int, int]) -> None:
    board = films.board(6.0, size=size, overlays=films.overlays(6.0))
    layers = list(draw_overlays(board, look, canvas(look, board)))
    left, top, right, bottom = box_in(board, SAFE)
    blur = 30 * min(size) / 1080  # shadows may reach out
    type_alone = [layer for layer in layers if layer.order not in (2, 30, 32)]  # grounds and the product may cover the frame
    for time in (1.0, 2.4, 3.5, 5.5):
        rows, columns = np.nonzero(covered(type_alone, size, time))
        assert len(rows), f"nothing is drawn at {time}"
        assert columns.min() >= left - blur and columns.max() <= right + blur
        assert rows.min() >= top - blur and rows.max() <= bottom + blur


@pytest.mark.parametrize("look", styles(), ids=lambda look: look.name)
def test_words_stand_out_from_their_ground(look: Style) -> None:
    assert contrast(legible(look.palette.ink, look.palette.background), look.palette.background) >= 3
    assert contrast(legible(look.palette.on_accent, look.palette.accent), look.palette.accent) >= 3


def test_a_title_leaves_room_for_the_label() -> None:
    look = replace(styles()[0], title_at="top")
    board = films.board(6.0, size=(540, 960), overlays=(Overlay(kind="title", text="红盒", start=0, end=5),))
    plain = covered(list(draw_overlays(board, look, canvas(look, board))), (540, 960), 2.0)
    lowered = covered(list(draw_overlays(board, look, canvas(look, board, taken_px=80.0))), (540, 960), 2.0)
    dense = [np.nonzero(seen)[0] for seen in (plain, lowered)]
    assert dense[0].min() < 135 + 80 <= dense[1].min(), "the label's own height is not kept free"


def test_points_that_are_seen_together_do_not_cover_each_other() -> None:
    look = styles()[0]
    points = tuple(Overlay(kind="point", text=f"卖点{number}", start=1, end=4) for number in range(3))
    board = films.board(6.0, size=(540, 960), overlays=points)
    layers = list(draw_overlays(board, look, canvas(look, board)))
    heights = sorted(layer.pose(2.0).y for layer in layers)
    assert len(heights) == 3
    assert min(np.diff(heights)) > 30


def view(product: Area | None, start: float = 0.0, end: float = 6.0) -> View:
    return View(start=start, end=end, cut=start, products=((start, product), (end, product)))


def test_over_footage_whose_product_nobody_knows_words_have_panels_where_least_is_covered() -> None:
    frame = np.full((960, 540, 3), 245, np.uint8)
    frame[430:640] = np.random.default_rng(0).integers(0, 255, (210, 540, 3), np.uint8)
    look = replace(styles()[0], type="modern")
    shown = (Overlay(kind="title", text="小满山房 茉莉花茶", start=0, end=5), Overlay(kind="price", text="¥49", start=1, end=5))
    board = films.board(6.0, size=(540, 960), overlays=shown)
    ground = survey([2.0], lambda _time: frame)
    layers = list(draw_overlays(board, look, canvas(look, board, ground=ground, views=(view(None),))))
    rows, _ = np.nonzero(covered(layers, (540, 960), 2.0))
    assert rows.max() < 430, "the label in the lower half is covered"
    plates = [layer.sprite.keep.min() for layer in layers]
    assert max(plates) < 40, "words without a ground of their own"


def test_words_wait_for_the_product_to_leave_their_area() -> None:
    look = replace(styles()[0], title_at="top")
    board = films.board(6.0, size=(540, 960), overlays=(Overlay(kind="title", text="红盒", start=0.2, end=5),))
    area = layout("top", 540, 960).words
    products = ((0.0, area), (1.0, area), (2.0, Area(0, 500, 540, 900)), (3.0, Area(0, 500, 540, 900)), (6.0, Area(0, 500, 540, 900)))
    seen = View(start=0, end=6, cut=0, products=products)
    layers = list(draw_overlays(board, look, canvas(look, board, views=(seen,))))
    assert {layer.start for layer in layers} == {2.0}
    assert {layer.end for layer in layers} == {5}


def test_a_close_shot_belongs_to_the_product_alone() -> None:
    look = styles()[0]
    shown = (Overlay(kind="title", text="红盒", start=0.2, end=5.5), Overlay(kind="price", text="¥49", start=0.7, end=5.5))
    board = films.board(6.0, size=(540, 960), overlays=shown)
    wide, whole = Area(60, 500, 480, 800), Area(0, 0, 540, 960)
    seen = (view(wide, 0, 2.5), view(whole, 2.5, 4.0), view(wide, 4.0, 6.0))
    layers = list(draw_overlays(board, look, canvas(look, board, views=seen)))
    assert not covered(layers, (540, 960), 3.0).any()
    assert covered(layers, (540, 960), 1.8).any() and covered(layers, (540, 960), 5.0).any()


def test_spans_of_wide_shots_join_and_end_at_a_close_one() -> None:
    head, wide, close = Area(0, 0, 100, 30), Area(0, 50, 100, 90), Area(0, 0, 100, 100)
    shots = (view(wide, 0, 2), view(wide, 2, 4), view(close, 4, 6), view(wide, 6, 9))
    assert clear_spans(shots, head, (0.5, 8.0)) == [(0.5, 4), (6, 8.0)]
    assert close_spans(shots, head, (0.5, 8.0)) == [(4, 6)]
    assert clear_spans((), head, (0.5, 8.0)) == [(0.5, 8.0)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("title", ["果岭人家 冰糖心苹果", "北巷 羊毛围巾", "小满山房茉莉花茶", "Tarnfell Ridge 38L Hiking Backpack"])
def test_titles_break_between_names_and_leave_no_character_alone(kind: str, title: str) -> None:
    look = replace(styles()[0], type=kind)  # type: ignore[arg-type]
    board = films.board(6.0, size=(540, 960))
    for room in (400.0, 300.0, 240.0, 200.0):
        rows = [row.text for row in title_rows(Overlay(kind="title", text=title, start=0, end=5), canvas(look, board), room)]
        assert all(len(row) > 1 for row in rows)
        whole = title.replace(" ", "")
        ends = np.cumsum([len(row.replace(" ", "")) for row in rows])
        spaces = {len(title[:at].replace(" ", "")) for at, char in enumerate(title) if char == " "} | {len(whole)}
        words = spaces if " " in title else {4, len(whole)}
        assert set(ends.tolist()) <= words, rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=some.text(max_size=60), price=some.text(max_size=20), kind=some.sampled_from(KINDS))
def test_whatever_people_write_can_be_drawn(text: str, price: str, kind: str) -> None:
    look = replace(styles()[0], type=kind)  # type: ignore[arg-type]
    shown = (
        Overlay(kind="title", text=text, detail=text[::-1], start=0, end=2),
        Overlay(kind="price", text=price, detail=text[:8], start=0, end=2),
        Overlay(kind="point", text=text, start=0, end=2),
        Overlay(kind="call", text=price, start=0, end=2),
        Overlay(kind="end_card", text=text, detail=price, start=2, end=3),
    )
    board = films.board(3.0, size=(180, 320), overlays=shown)
    for layer in draw_overlays(board, look, canvas(look, board)):
        frame = np.zeros((320, 180, 3), np.uint8)
        lay(frame, layer.sprite, layer.pose(0.5))


def test_a_logo_that_is_no_picture_is_named(tmp_path: object) -> None:
    look = styles()[0]
    board = films.board(3.0, overlays=(Overlay(kind="logo", text="", image="/nowhere/logo.png", start=0, end=3),))
    with pytest.raises(InputError, match=r"could not read logo /nowhere/logo\.png"):
        draw_overlays(board, look, canvas(look, board))


def test_curves_begin_and_end_where_they_should() -> None:
    for curve in (out_cubic, out_quint, out_back):
        assert curve(0) == pytest.approx(0, abs=1e-9) and curve(1) == pytest.approx(1)
        assert curve(-1) == pytest.approx(0, abs=1e-9) and curve(2) == pytest.approx(1)
    assert max(out_back(share / 50) for share in range(51)) > 1.02


@pytest.mark.parametrize("kind", KINDS)
def test_lines_fit_and_are_even(kind: str) -> None:
    setting = type_of(kind)
    size, rows = rows_in("小满山房茉莉花茶浓香型七窨", 92.0, setting, 700.0, rows=2)
    assert 1 <= len(rows) <= 2
    widths = [width_of(row, size, setting) for row in rows]
    assert max(widths) <= 700
    assert min(widths) > 0.5 * max(widths)


def test_what_lasts_through_a_loop_neither_comes_nor_goes(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGBA", (80, 40), (200, 30, 30, 255)).save(logo)
    looped = films.board(2.0, loop=True, overlays=(Overlay(kind="logo", text="", start=0.0, end=2.0, image=str(logo)),))
    for board, still in ((looped, True), (replace(looped, loop=False), False)):
        (layer,) = draw_overlays(board, styles()[0], canvas(styles()[0], board))
        opacities = {round(layer.pose(time).opacity, 3) for time in (0.0, 1.0, 1.99)}
        assert (len(opacities) == 1) is still


@pytest.mark.parametrize(
    "name", ["小满山房 新疆阿克苏冰糖心苹果新鲜脆甜当季水果整箱包邮", "不锈钢保温杯男女士大容量便携水杯2024新款高档办公室泡茶杯子"]
)
@pytest.mark.parametrize("size", [(1080, 1920), (1080, 1080), (1920, 1080)], ids=str)
def test_a_long_name_is_set_smaller_before_anything_is_cut(name: str, size: tuple[int, int]) -> None:
    look = next(style for style in styles() if style.name == "street-fashion")  # its type is the widest, its column the narrowest
    board = films.board(3.0, size=size)
    title = Overlay(kind="title", text=name, start=0.2, end=2.0)
    rows = set_head([title], None, canvas(look, board), look.price_badge).titles[0]
    assert "".join(row.text for row in rows) == name.replace(" ", "")
    assert min(row.size_px for row in rows if not row.is_small) >= 0.035 * 1080
    ends = {"".join(tokens(name)[:number]).replace(" ", "") for number in range(1, len(tokens(name)) + 1)}
    assert {"".join(row.text for row in rows[: number + 1]) for number in range(len(rows))} <= ends, "lines end between words"


def test_points_and_calls_take_two_lines_before_they_are_cut() -> None:
    look = styles()[0]
    board = films.board(3.0, size=(1080, 1080))
    narrow, wide = (point_picture("鲜花七窨明前茶坯小罐锁香四字", canvas(look, board), room) for room in (390, 900))
    assert narrow is not None and wide is not None
    assert narrow.height > 1.3 * wide.height and narrow.width <= 390
