"""Backdrops: one set per style, no banding, a floor that holds to wall and product, shadows that end in nothing."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pytest

from generators.animators.camera import Camera, shadows
from generators.animators.camera.backdrops import BACKDROPS, Backdrop, Ground, Look, paint
from generators.animators.camera.footage import Drawn
from generators.animators.camera.geometry import Similarity
from generators.values import Style
from tests.camera import DARK, PALETTE, disc_photo, film, request, style

GROUND = Ground(width=374, height=584, margin=52, x=187, base=380, product_width=180, product_height=190, frame_width=270, frame_height=480)
MOTIFS = get_args(get_type_hints(Style)["motif"])


def test_every_backdrop_a_style_may_name_is_there() -> None:
    assert set(BACKDROPS) == set(get_args(get_type_hints(Style)["backdrop"]))


@pytest.mark.parametrize("kind", BACKDROPS)
@pytest.mark.parametrize("palette", [PALETTE, DARK], ids=["light", "dark"])
def test_painting_is_repeatable_and_fills_the_canvas(kind: str, palette: object) -> None:
    one, other = (paint(kind, GROUND, Look(palette=palette), 5) for _ in range(2))
    assert isinstance(one, Backdrop)
    assert np.array_equal(one.wall, other.wall)
    assert one.wall.shape == (584, 374, 3) and one.wall.dtype == np.uint8
    if one.floor is not None:
        assert one.floor.shape == (584 - one.horizon, 374, 3)
        assert one.horizon < GROUND.base


@pytest.mark.parametrize("motif", MOTIFS)
def test_motifs_show(motif: str) -> None:
    kind = "gradient" if motif in ("plain", "leaves", "hills", "concrete") else "pattern"
    plain = paint(kind, GROUND, Look(palette=PALETTE), 5).wall
    shown = paint(kind, GROUND, Look(palette=PALETTE, motif=motif), 5).wall
    alike = np.abs(plain.astype(int) - shown).mean() < 0.2
    assert alike == (motif in ("plain", "rays"))


def test_gradients_do_not_band() -> None:
    wall = paint("gradient", GROUND, Look(palette=DARK), 5).wall
    column = wall[:, 20, 1].astype(int)
    runs = np.diff(np.flatnonzero(np.concatenate([[True], np.diff(column) != 0, [True]])))
    assert runs.max() < 24, "a band of one value"


def test_all_shots_of_a_style_are_filmed_on_one_set() -> None:
    camera = Camera()
    walls = []
    for seed in (1, 2):
        footage, _ = camera.animate(request(disc_photo(), seed=seed), None, progress=lambda _: None, cancelled=lambda: False)
        assert isinstance(footage, Drawn)
        walls.append(footage._scene.backdrop.wall)
    assert walls[0] is walls[1]
    camera.close()


def test_the_floor_holds_to_the_wall_and_to_the_product() -> None:
    footage, _ = film(request(disc_photo(), look=style(backdrop="table")))
    scene = footage._scene
    near, far = Similarity(1.2, -40, -60), Similarity(1.06, 12, -20)
    matrix = scene._floor(far, near)
    horizon = scene.backdrop.horizon - scene.backdrop.margin
    for place, (x, y) in ((far, (70.0, horizon)), (far, (210.0, horizon)), (near, (50.0, scene.base)), (near, (230.0, scene.base))):
        seen = np.array([*place.apply(x, y), 1.0]) - [0.5, 0.5, 0]
        u, v, w = matrix @ seen
        assert u / w + 0.5 == pytest.approx(x + scene.backdrop.margin, abs=0.05)
        assert v / w + 0.5 == pytest.approx(y - horizon, abs=0.05)


@pytest.mark.parametrize("backdrop", ["studio", "pattern", "bokeh"])
def test_shadows_lie_under_the_product_and_end_softly(backdrop: str) -> None:
    footage, _ = film(request(disc_photo(), "still", look=style(backdrop=backdrop, shadow=0.6)))
    layer: shadows.Under = footage._scene.under
    let = layer.let[..., 0].astype(int)
    assert let.min() < 150
    for edge in (let[-1], let[:, 0], let[:, -1]):
        assert edge.min() >= 253
    if backdrop == "pattern":
        return  # a thing before a wall has its shadow all around
    deepest = np.unravel_index(let.argmin(), let.shape)
    _, y = layer.place.apply(deepest[1], deepest[0])
    assert y > footage._scene.base - 0.5 * 0.7 * 270, "darkest where the product stands"


@pytest.mark.parametrize("size", [(64, 64), (64, 220), (220, 64)])
@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_small_frames_of_any_shape_are_drawn(size: tuple[int, int], backdrop: str) -> None:
    footage, _ = film(request(disc_photo(), "parallax", size=size, look=style(backdrop=backdrop)))
    assert footage.frame(5).shape == (size[1], size[0], 3)
