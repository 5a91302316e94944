"""Where the window of a clip's shape stands."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper.errors import InputError
from clipper.reframe import ReframeOptions, frame_path
from clipper.values import Box, CropKey, Face, Picture, Recording, Sighting, Span

WIDTH = 9 / 16 * 9 / 16


def landscape(recording: Recording) -> Recording:
    return replace(recording, width_px=1280, height_px=720)


def picture(faces: list[tuple[float, float]], cuts: tuple[float, ...] = (), sightings: tuple[Sighting, ...] = ()) -> Picture:
    """Faces as (time, middle), a twelfth of the picture wide."""
    seen = tuple(Face(time, Box(middle - 1 / 24, 0.2, 1 / 12, 0.2), 0.9) for time, middle in faces)
    return Picture(looks=(), cuts=cuts, faces=seen, sightings=sightings)


def value(keys: tuple[CropKey, ...], time: float) -> float:
    before = [key for key in keys if key.time <= time][-1]
    after = next((key for key in keys if key.time > time), before)
    share = (time - before.time) / (after.time - before.time) if after.time > before.time else 0.0
    return before.x + (after.x - before.x) * share


def test_a_picture_of_the_outputs_shape_is_shown_whole(recording: Recording) -> None:
    assert frame_path(picture([(1, 0.2)]), recording, (Span(0, 10),), None, ReframeOptions()) == ("crop", ())


def test_without_a_face_or_product_a_landscape_picture_is_shown_over_its_blur(recording: Recording) -> None:
    for seen in (None, picture([])):
        assert frame_path(seen, landscape(recording), (Span(0, 10),), None, ReframeOptions()) == ("blur", ())


def test_a_picture_of_nearly_the_shape_loses_its_edges_and_needs_no_face(recording: Recording) -> None:
    assert frame_path(None, replace(recording, width_px=720, height_px=1150), (Span(0, 10),), None, ReframeOptions()) == ("crop", ())


def test_the_window_rests_on_a_face_that_sways_a_little(recording: Recording) -> None:
    seen = picture([(time, 0.6 + 0.02 * math.sin(time)) for time in range(0, 40, 2)])
    framing, keys = frame_path(seen, landscape(recording), (Span(0, 40),), None, ReframeOptions())
    assert framing == "crop"
    assert len({key.x for key in keys}) == 1
    assert keys[0].x + WIDTH / 2 == pytest.approx(0.6, abs=0.02)
    assert (keys[0].time, keys[0].y, keys[0].h) == (0, 0, 1)
    assert keys[0].w == pytest.approx(WIDTH, abs=1e-4)


def test_the_window_glides_after_a_face_that_walks(recording: Recording) -> None:
    seen = picture([(time, 0.3) for time in range(0, 11, 2)] + [(time, 0.7) for time in range(14, 31, 2)])
    _, keys = frame_path(seen, landscape(recording), (Span(0, 30),), None, ReframeOptions())
    assert value(keys, 5) + WIDTH / 2 == pytest.approx(0.3, abs=0.03)
    assert value(keys, 25) + WIDTH / 2 == pytest.approx(0.7, abs=0.03)
    speeds = [abs(after.x - before.x) / (after.time - before.time) for before, after in pairwise(keys)]
    assert max(speeds) < 0.5
    assert [key.x for key in keys] == sorted(key.x for key in keys)


def test_one_stray_face_moves_nothing(recording: Recording) -> None:
    seen = picture([(time, 0.1 if time == 10 else 0.6) for time in range(0, 30, 2)])
    _, keys = frame_path(seen, landscape(recording), (Span(0, 30),), None, ReframeOptions())
    assert len({key.x for key in keys}) == 1


def test_the_window_jumps_at_a_cut(recording: Recording) -> None:
    seen = picture([(time, 0.3) for time in range(0, 10, 2)] + [(time, 0.8) for time in range(10, 20, 2)], cuts=(9.96,))
    _, keys = frame_path(seen, landscape(recording), (Span(2, 18),), None, ReframeOptions())
    assert value(keys, 9.95) + WIDTH / 2 == pytest.approx(0.3, abs=0.01)
    assert value(keys, 9.96) + WIDTH / 2 == pytest.approx(0.8, abs=0.01)


def test_face_and_product_are_both_inside_when_they_fit(recording: Recording) -> None:
    product = Box(0.55, 0.5, 0.1, 0.3)
    sightings = tuple(Sighting(float(time), "A", product, 0.9) for time in range(0, 20, 4))
    seen = picture([(time, 0.45) for time in range(0, 20, 4)], sightings=sightings)
    _, keys = frame_path(seen, landscape(recording), (Span(0, 20),), "A", ReframeOptions())
    assert all(key.x <= 0.45 - 1 / 24 and key.x + key.w >= 0.65 for key in keys)


def test_the_face_stays_whole_when_the_product_is_far_away(recording: Recording) -> None:
    sightings = tuple(Sighting(float(time), "A", Box(0.85, 0.5, 0.1, 0.3), 0.9) for time in range(0, 20, 4))
    seen = picture([(time, 0.3) for time in range(0, 20, 4)], sightings=sightings)
    _, keys = frame_path(seen, landscape(recording), (Span(0, 20),), "A", ReframeOptions())
    assert all(key.x <= 0.3 - 1 / 24 + 1e-6 and key.x + key.w >= 0.3 + 1 / 24 for key in keys)
    _, other = frame_path(seen, landscape(recording), (Span(0, 20),), "B", ReframeOptions())
    assert other[0].x + WIDTH / 2 == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("width", "height"), [(960, 720), (720, 720), (1080, 1350), (1280, 720), (720, 1600), (2000, 1000)])
@settings(max_examples=40, deadline=None)
@given(
    middles=st.lists(st.floats(0, 1), min_size=1, max_size=120),
    cuts=st.lists(st.floats(0, 240), max_size=4),
    sources=st.lists(st.tuples(st.floats(0, 200), st.floats(0.5, 60)), min_size=1, max_size=4),
)
def test_the_path_is_always_inside_short_and_in_order(
    width: int, height: int, middles: list[float], cuts: list[float], sources: list[tuple[float, float]]
) -> None:
    recording = replace(_recording(), width_px=width, height_px=height)
    seen = picture([(2.0 * index, middle) for index, middle in enumerate(middles)], cuts=tuple(sorted(cuts)))
    spans = tuple(Span(start, start + length) for start, length in sources)
    options = ReframeOptions()
    _, keys = frame_path(seen, recording, spans, None, options)
    assert len(keys) <= max(options.max_keys, 2 * len(spans) * (len(cuts) + 1))
    assert len({(key.w, key.h) for key in keys}) <= 1
    for key in keys:
        assert key.x >= 0 and key.x + key.w <= 1 + 1e-5 and key.y >= 0 and key.y + key.h <= 1 + 1e-5
        assert key.w * width / (key.h * height) == pytest.approx(9 / 16, rel=0.001)
    for span in spans:
        assert not keys or any(abs(key.time - span.start) < 0.0015 for key in keys)


def _recording() -> Recording:
    from tests import conftest

    return conftest.recording.__wrapped__()  # type: ignore[attr-defined]


def test_options_say_their_range() -> None:
    with pytest.raises(InputError, match=r"reframe\.move_s = 0: expected 0\.2 to 10"):
        ReframeOptions(move_s=0)
