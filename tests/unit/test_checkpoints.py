"""The table of checkpoints, and how wishes are rounded or refused by it; nothing is loaded."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper.errors import InputError, ModelError
from generators.checkpoints import PRESETS, check_licence, fit, named, table
from generators.diffusion import DiffusersOptions
from tests.tiny_pipelines import shot_request

ROWS = tuple(table().checkpoints)


def fitted(name: str, request: object, preset: str = "balanced") -> object:
    row = table().checkpoints[name]
    return fit(row, row.presets[preset], request)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_complete(name: str) -> None:
    row = table().checkpoints[name]
    assert tuple(row.presets) == PRESETS
    assert row.revision == "" or (len(row.revision) == 40 and set(row.revision) <= set("0123456789abcdef"))
    assert all((count - 1) % row.frame_step == 0 for count in row.frames)
    for preset in row.presets.values():
        assert preset.size[0] <= preset.size[1]
        assert not preset.loras or len(table().loras[preset.loras].timesteps) == preset.steps
    if row.fixed_size:
        assert all(edge % row.size_multiple == 0 for edge in row.fixed_size)


def test_presets_need_no_licence_to_be_accepted() -> None:
    for preset in PRESETS:
        row = named("", preset)
        assert row.licence.free
        assert row.revision
        check_licence(row, ())


@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=40, deadline=None)
@given(width=st.integers(64, 4000), height=st.integers(64, 4000), seconds=st.floats(0.1, 30), fps=st.integers(5, 60))
def test_whatever_is_wanted_fits_the_rules(name: str, width: int, height: int, seconds: float, fps: int) -> None:
    row = table().checkpoints[name]
    request = shot_request(width, height, seconds=seconds, fps=fps)
    for preset in row.presets.values():
        made = fit(row, preset, request)
        assert made.frames == row.frames[0] or (made.frames - 1) % row.frame_step == 0
        assert row.frames[0] <= made.frames <= row.frames[1]
        assert row.fps[0] <= made.fps <= row.fps[1]
        assert (made.width_px % row.size_multiple, made.height_px % row.size_multiple) == (0, 0)
        if row.fixed_size is None and max(width, height) <= 3 * min(width, height):
            assert made.width_px * made.height_px <= 1.06 * preset.size[0] * preset.size[1]
            assert 0.8 < (made.width_px / made.height_px) / (width / height) < 1.25 or min(made.width_px, made.height_px) <= 128
        if (made.width_px, made.height_px) != (width, height):
            assert any(note.startswith("made at ") and f"for {width}x{height}" in note for note in made.notes)


@pytest.mark.parametrize(
    ("name", "wanted", "made"),
    [
        ("wan2.2-i2v-a14b", 8, 9),  # diffusers warns and rounds to 9
        ("wan2.2-i2v-a14b", 10, 13),  # diffusers warns and drops to 9: shorter than asked
        ("ltx-video-2b", 12, 17),  # diffusers truncates to 9 without a word
        ("cogvideox-5b-i2v", 10, 13),
        ("svd-xt-1.1", 10, 10),
    ],
)
def test_frames_are_rounded_up_and_it_is_said(name: str, wanted: int, made: int) -> None:
    row = table().checkpoints[name]
    got = fitted(name, shot_request(512, 512, seconds=wanted / row.fps[0], fps=row.fps[0]))
    assert got.frames == made  # type: ignore[attr-defined]
    said = f"made {made} frames for {wanted}: frames are {row.frame_step}k + 1"
    assert (said in got.notes) == (made != wanted)  # type: ignore[attr-defined]


def test_sizes_are_rounded_where_diffusers_would_floor() -> None:
    # TI2V-5B floors 80 to 64 without a word
    got = fitted("wan2.2-ti2v-5b", shot_request(80, 144))
    assert (got.width_px, got.height_px) == (96, 160)  # type: ignore[attr-defined]
    assert "made at 96x160 for 80x144: edges are multiples of 32" in got.notes  # type: ignore[attr-defined]


def test_portraits_of_a_phone_stay_portraits() -> None:
    got = fitted("wan2.2-ti2v-5b", shot_request(1080, 1920, seconds=5.0))
    assert (got.width_px, got.height_px) == (704, 1248)  # type: ignore[attr-defined]
    assert got.frames == 121  # type: ignore[attr-defined]


def test_a_shot_that_is_too_long_is_shortened_and_it_is_said() -> None:
    got = fitted("wan2.2-i2v-a14b", shot_request(480, 832, seconds=6.0, fps=16))
    assert got.frames == 81  # type: ignore[attr-defined]
    assert "made 81 frames for 96: wan2.2-i2v-a14b makes at most 81, which is 5.06 s" in got.notes  # type: ignore[attr-defined]


def test_a_rate_that_can_be_told_is_lowered_before_the_shot_is_shortened() -> None:
    got = fitted("svd-xt-1.1", shot_request(1024, 576, seconds=2.5, fps=30))
    assert (got.frames, got.fps) == (25, Fraction(10))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wan2.2-ti2v-5b", "it would ignore the picture without saying so"),
        ("wan2.1-i2v-14b-480p", "it stops with an error when it is given two pictures"),
        ("svd-xt-1.1", "it has no place for a second picture"),
    ],
)
def test_a_last_picture_is_refused_where_it_would_be_lost(name: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"could not end shot s1 on mug.png with {name}: {why}; use one of wan2.2-i2v-a14b, "):
        fitted(name, shot_request(last=True))


@pytest.mark.parametrize("name", [name for name in ROWS if table().checkpoints[name].last_image == "yes"])
def test_a_last_picture_is_taken_where_it_is_used(name: str) -> None:
    assert fitted(name, shot_request(last=True))


def test_the_rule_of_a_licence_is_shown() -> None:
    with pytest.raises(InputError) as caught:
        check_licence(table().checkpoints["svd-xt-1.1"], ("cogvideox",))
    assert "Stability AI Community License (https://stability.ai/license): commercial use is tied to yearly revenue" in str(caught.value)
    assert "--accept-license stability-community" in str(caught.value)
    check_licence(table().checkpoints["svd-xt-1.1"], ("stability-community",))
    with pytest.raises(InputError, match=r"no model here is under it; did you mean stability-community\?"):
        check_licence(table().checkpoints["svd-xt-1.1"], ("stability-comunity",))


def test_the_page_of_models_tells_every_row() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
    lines = {cells[1].strip(): cells for line in page.splitlines() if len(cells := line.split("|")) == 9}
    for row in table().checkpoints.values():
        _, _, frames, edges, rate, last, download, licence, _ = (cell.strip() for cell in lines[row.name])
        rule = "" if row.frame_step == 1 else f"{row.frame_step}k + 1, "
        assert frames == f"{rule}{row.frames[0]} to {row.frames[1]}"
        assert edges == ("{}x{} only".format(*row.fixed_size) if row.fixed_size else f"× {row.size_multiple}")
        assert rate == " to ".join(str(value) for value in dict.fromkeys(row.fps))
        assert last == row.last_image
        assert download == f"{row.download_gb} GB" + ("" if row.revision else ", folder only")
        assert licence.strip("`").lower() == row.licence.name
    for licence in table().licences.values():
        assert licence.free or f"| `{licence.name}` |" in page


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'wan3' is neither a folder nor one of wan2.2-i2v-a14b, "):
        named("wan3", "balanced")


@pytest.mark.parametrize(
    ("field", "value"), [("steps", 999), ("guidance", 0.5), ("tile_px", 8), ("lora_strength", 0.0), ("loras", ("a", "b", "c"))]
)
def test_options_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"diffusers\.{field} "):
        dataclasses.replace(DiffusersOptions(), **{field: value})
