"""The cover: which frame, and a title that stays inside the safe box."""

from __future__ import annotations

import io

import numpy as np
import pytest

from clipper.captions import load_style
from clipper.captions.style import style_names
from clipper.cover import choose_cover, draw_cover
from clipper.fonts import Face
from clipper.values import Box, Look, Picture, Sighting, Span
from clipper.values import Face as Seen

SPANS = (Span(10, 30),)


def picture(
    *looks: Look, cuts: tuple[float, ...] = (), faces: tuple[Seen, ...] = (), sightings: tuple[Sighting, ...] | None = None
) -> Picture:
    return Picture(looks=looks, cuts=cuts, faces=faces, sightings=sightings)


def test_nothing_seen_means_no_choice() -> None:
    assert choose_cover(SPANS, None, None) is None
    assert choose_cover(SPANS, picture(Look(5.0, 100, 0.5), Look(30.0, 100, 0.5)), None) is None


def test_the_sharp_frame_wins() -> None:
    assert choose_cover(SPANS, picture(Look(15, 20, 0.5), Look(18, 300, 0.5), Look(21, 40, 0.5)), None) == 18


def test_darkness_and_glare_lose() -> None:
    assert choose_cover(SPANS, picture(Look(15, 300, 0.03), Look(18, 200, 0.5), Look(21, 300, 0.97)), None) == 18


def test_a_cut_and_the_edges_are_kept_away_from() -> None:
    looks = (Look(10.1, 300, 0.5), Look(15, 300, 0.5), Look(20, 250, 0.5))
    assert choose_cover(SPANS, picture(*looks, cuts=(15.2,)), None) == 20


def test_the_product_and_a_face_count() -> None:
    looks = tuple(Look(float(time), 200, 0.5) for time in (14, 18, 22))
    box = Box(0.3, 0.3, 0.3, 0.3)
    assert choose_cover(SPANS, picture(*looks, sightings=(Sighting(22.0, "A1", box, 0.9),)), "A1") == 22
    assert choose_cover(SPANS, picture(*looks, sightings=(Sighting(18.0, "B2", box, 0.9),)), "A1") != 18
    assert choose_cover(SPANS, picture(*looks, faces=(Seen(22.0, box, 0.95),)), None) == 22


def test_shut_eyes_are_passed_over_though_the_frame_is_sharper() -> None:
    looks = (Look(14.0, 200, 0.5), Look(18.0, 400, 0.5), Look(22.0, 210, 0.5))
    box = Box(0.3, 0.3, 0.3, 0.3)
    faces = tuple(Seen(time, box, 0.9, eyes) for time, eyes in ((14.0, None), (18.0, 0.03), (22.0, 0.16), (40.0, 0.15), (50.0, 0.17)))
    assert choose_cover(SPANS, picture(*looks, faces=faces), None) == 22


HOSTILE = [
    "",
    "｜",
    "锅",
    "厨见麦饭石色不粘炒锅三十二厘米家用平底少油烟｜三层涂层随便铲电磁炉燃气灶通用",
    "W" * 120,
    "\x00{\\b1}\n🔥%d",
    "a | b",
]


@pytest.mark.parametrize("name", style_names())
@pytest.mark.parametrize("title", HOSTILE)
def test_titles_stay_inside_the_safe_box(title: str, name: str, face: Face) -> None:
    from PIL import Image

    frame = np.full((320, 180, 3), 127, np.uint8)
    style = load_style(name)
    drawn = np.asarray(Image.open(io.BytesIO(draw_cover(frame, title, style, face, size=(360, 640)))).convert("RGB")).astype(int)
    assert drawn.shape == (640, 360, 3)
    columns = drawn.max(axis=0).max(axis=1) - drawn.min(axis=0).min(axis=1)
    plain = np.asarray(Image.open(io.BytesIO(draw_cover(frame, "", style, face, size=(360, 640)))).convert("RGB")).astype(int)
    if title in ("", "｜"):
        assert np.abs(drawn - plain).max() < 4
        return
    edges = np.concatenate([drawn[:, :14], drawn[:, 346:]], axis=1)
    assert (edges.max(axis=1) - edges.min(axis=1)).max() < 24, "type reaches the edge"
    assert columns.max() > 60, "no type to be seen"


def test_a_cover_is_a_jpeg_in_the_clips_size(face: Face) -> None:
    data = draw_cover(np.zeros((64, 64, 3), np.uint8), "标题", load_style("pop"), face, price="¥129")
    from PIL import Image

    opened = Image.open(io.BytesIO(data))
    assert (opened.format, opened.size) == ("JPEG", (1080, 1920))
