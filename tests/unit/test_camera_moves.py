"""Camera moves as pure paths."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.animators.camera.geometry import Similarity, around, between, inside
from generators.animators.camera.moves import CLOSE, Stage, path
from generators.layout import Area, layout
from generators.values import Move

MOVES: tuple[Move, ...] = get_args(Move)
BOX = (200.0, 620.0, 880.0, 1340.0)
STAGE = Stage(width=1080, height=1920, box=BOX, focus=(400, 800, 640, 960), scale=1.2, flat=False)
STEPS = np.linspace(0, 1, 91)

similarities = st.builds(Similarity, st.floats(0.4, 2.5), st.floats(-500, 500), st.floats(-500, 500))


def track(move: Move, *, loop: bool = False, seed: int = 4, flat: bool = False) -> np.ndarray:
    """Return scale and product's middle and orbit at 91 instants."""
    stage = Stage(width=1080, height=1920, box=BOX, focus=STAGE.focus, scale=1.2, flat=flat)
    route = path(move, stage, seed=seed, loop=loop, swept=True)
    views = [route(float(t)) for t in STEPS]
    return np.array([(view.near.scale, *view.near.apply(540, 980), view.orbit) for view in views])


@given(similarities, similarities, st.floats(-100, 100), st.floats(-100, 100))
def test_similarities_compose_and_undo(one: Similarity, other: Similarity, x: float, y: float) -> None:
    assert one.after(other).apply(x, y) == pytest.approx(one.apply(*other.apply(x, y)), abs=1e-6)
    assert one.inverse().apply(*one.apply(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(similarities, similarities)
def test_a_journey_begins_and_ends_where_it_should(start: Similarity, end: Similarity) -> None:
    for share, wanted in ((0.0, start), (1.0, end)):
        found = between(start, end, share)
        assert (found.scale, found.x, found.y) == pytest.approx((wanted.scale, wanted.x, wanted.y), rel=1e-6, abs=1e-5)


def test_a_plane_farther_away_zooms_around_the_same_point() -> None:
    near = around(1.3, 540, 900, 540, 900)
    assert near.damped(0.4).apply(540, 900) == pytest.approx((540, 900))
    assert near.damped(0.4).scale == pytest.approx(1.3**0.4)
    assert Similarity(1.0, 30, -8).damped(0.5) == Similarity(1.0, 15, -4)


@pytest.mark.parametrize("move", [move for move in MOVES if move != "still"])
@pytest.mark.parametrize("flat", [False, True])
def test_moves_are_smooth_and_never_stand_still(move: Move, flat: bool) -> None:
    route = track(move, flat=flat)
    speed = np.abs(np.diff(route * [540, 1, 1, 1], axis=0)).max(axis=1)
    assert speed.min() > 0.1 * speed.mean(), "the camera stands still somewhere"
    assert np.abs(np.diff(route, n=2, axis=0)).max() < 1.6, "a jerk of more than 1.6 px per frame per frame"


@pytest.mark.parametrize("move", MOVES)
def test_closed_moves_close(move: Move) -> None:
    route = track(move, loop=True)
    assert route[0] == pytest.approx(route[-1], abs=1e-9)
    seam = np.vstack([route[-3:-1], route[:3]])
    assert np.abs(np.diff(seam, n=2, axis=0)).max() <= 1.05 * np.abs(np.diff(route, n=2, axis=0)).max() + 1e-9


@pytest.mark.parametrize("move", [move for move in MOVES if move not in ("detail", "reveal")])
@pytest.mark.parametrize("seed", range(6))
def test_the_whole_product_stays_in_the_frame(move: Move, seed: int) -> None:
    route = path(move, STAGE, seed=seed, loop=False, swept=False)
    for t in STEPS:
        near = route(float(t)).near
        left, top = near.apply(BOX[0], BOX[1])
        right, bottom = near.apply(BOX[2], BOX[3])
        assert left >= 0 and top >= 0 and right <= 1080 and bottom <= 1920


def test_details_end_on_the_focus_enlarged_within_bounds() -> None:
    last = path("detail", STAGE, seed=1, loop=False, swept=False)(1.0).near
    x, _ = last.apply(520, 880)
    assert x == pytest.approx(540, abs=20)
    assert 1.18 <= last.scale <= 2.4
    assert last.scale * STAGE.scale <= 2.0 + 1e-9
    small = Stage(width=1080, height=1920, box=BOX, focus=STAGE.focus, scale=2.4, flat=False)
    assert path("detail", small, seed=1, loop=False, swept=False)(1.0).near.scale == pytest.approx(1.18)


def test_parallax_keeps_the_product_and_moves_the_far_plane() -> None:
    route = track("parallax")
    product = np.ptp(route[:, 1])
    far = np.ptp(route[:, 3])
    assert far > 3 * product
    assert np.sign(route[-1, 3] - route[0, 3]) == -np.sign(route[-1, 1] - route[0, 1])


def test_light_passes_only_in_moves_that_carry_it() -> None:
    lit = {move for move in MOVES if path(move, STAGE, seed=1, loop=False, swept=True)(0.5).light is not None}
    assert lit == {"sweep", "reveal", "still"}
    assert path("sweep", STAGE, seed=1, loop=False, swept=False)(0.5).light is None


def test_the_seed_alone_chooses_the_side() -> None:
    ends = {round(path("pan", STAGE, seed=seed, loop=False, swept=False)(1.0).near.x, 6) for seed in range(8)}
    assert len(ends) == 8
    assert track("pan", seed=7) == pytest.approx(track("pan", seed=7))


@pytest.mark.parametrize("size", [(1080, 1920), (1080, 1080), (1080, 1350), (1920, 1080)])
@pytest.mark.parametrize("title_at", ["top", "bottom", "left"])
def test_words_and_product_have_areas_of_their_own(size: tuple[int, int], title_at: str) -> None:
    grid = layout(title_at, *size)
    frame = Area(0, 0, *size)
    for area in (grid.words, grid.product, grid.free):
        assert area.within(frame) == area and area.width > 0.3 * size[0] and area.height > 0.15 * size[1]
    assert not grid.words.meets(grid.product) and not grid.words.meets(grid.free)
    assert grid.product.within(grid.free) == grid.product
    if size == (1080, 1920):
        assert grid.words.bottom <= 0.65 * 1920 and grid.words.right <= 940, "apps cover the foot and the right edge"


@pytest.mark.parametrize("move", [move for move in MOVES if move not in CLOSE])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loop", [False, True])
def test_wide_moves_keep_the_product_where_it_is_free_to_go(move: Move, seed: int, loop: bool) -> None:
    grid = layout("top", 1080, 1920)
    box = (100.0, 760.0, 980.0, 1560.0)
    stage = Stage(width=1080, height=1920, box=box, focus=STAGE.focus, scale=1.2, flat=False, free=grid.free)
    route = path(move, stage, seed=seed, loop=loop, swept=False)
    for t in STEPS:
        near = route(float(t)).near
        seen = Area(*near.apply(*box[:2]), *near.apply(*box[2:]))
        assert not seen.meets(grid.words)
        assert seen.left >= grid.free.left - 1e-6 and seen.right <= grid.free.right + 1e-6


@given(similarities, st.floats(10, 500), st.floats(10, 900))
def test_what_is_brought_inside_is_inside_and_never_larger(view: Similarity, wide: float, tall: float) -> None:
    area = Area(50, 100, 700, 1200)
    box = (100.0, 200.0, 100 + wide, 200 + tall)
    held = inside(view, box, area)
    seen = Area(*held.apply(*box[:2]), *held.apply(*box[2:]))
    assert held.scale <= view.scale * (1 + 1e-9)
    assert seen.left >= 50 - 1e-6 and seen.top >= 100 - 1e-6 and seen.right <= 700 + 1e-6 and seen.bottom <= 1200 + 1e-6


def test_a_print_covers_the_frame_when_it_is_looked_at_closely() -> None:
    box = (150.0, 740.0, 930.0, 1520.0)
    stage = Stage(width=1080, height=1920, box=box, focus=(160, 750, 300, 880), scale=0.78, flat=False, covers=True)
    last = path("detail", stage, seed=1, loop=False, swept=False)(1.0).near
    left, top = last.apply(*box[:2])
    right, bottom = last.apply(*box[2:])
    assert left <= 1e-6 and top <= 1e-6 and right >= 1080 - 1e-6 and bottom >= 1920 - 1e-6
