"""The gate on clips made for it, one of each kind; the whole set with its rates is `tests/bench/bench_fidelity.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from clipper.errors import InputError
from generators.fidelity import FidelityOptions, TextLine, measure, pixel_lock, survives, try_lock
from generators.fidelity.align import find
from generators.fidelity.colour import delta_e
from generators.fidelity.compare import ssim_map
from generators.fidelity.pose import place
from generators.fidelity.reference import build_reference, scaling
from generators.fidelity.text import agreement
from generators.values import Cutout, Fidelity
from tests.fidelity_clips import GOOD, SPOILED, Clip, Frames, Scene, film, pose
from tests.fidelity_products import DRAWINGS, Thing, draw

QUIET = FidelityOptions(read_text=False, frames=3)
BY_NAME = {drawing.name: drawing for drawing in DRAWINGS}


def thing(name: str) -> Thing:
    return draw(BY_NAME[name])


@lru_cache(maxsize=64)
def clip(name: str, kind: str, seed: int = 3) -> Frames:
    shot = Clip(thing(name), (thing("balm"), thing("juice")), kind, kind in GOOD, seed).shoot()
    assert shot is not None
    return shot


def judge(name: str, kind: str, options: FidelityOptions = QUIET) -> Fidelity:
    one = thing(name)
    return measure(one.photo, one.cutout, clip(name, kind), options)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("noodles", "push in"),
        ("tea", "detail, partly out of frame"),
        ("ball", "parallax"),
        ("mug", "still product, living scene"),
        ("chips", "H.264 at CRF 28"),
        ("soap", "orbit up to 14°"),
        ("balm", "still product, living scene"),
    ],
)
def test_good_clips_pass(name: str, kind: str) -> None:
    found = judge(name, kind)
    assert found.passed, found.reasons


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("noodles", "part of the label melts", "a part of the product has changed"),
        ("tea", "text replaced", "a part of the product has changed"),
        ("soap", "product swapped", "looks different"),
        ("ball", "stretched", "stretched|outline"),
        ("noodles", "darkens", "colour has shifted"),
        ("flask", "darkens", "colour has shifted"),
        ("tea", "flicker", "flickers"),
        ("serum", "blur", "blurred"),
        ("ball", "blur", "blurred"),
        ("mug", "local warp", "outline"),
        ("flask", "text replaced", "drawn on the product that its picture lacks"),
        ("chips", "noise boils", "covered with noise"),
        ("noodles", "frozen", "nothing moves"),
        ("chips", "white goes grey", "white background"),
        ("soap", "second product", "second time"),
        ("ball", "part erased", "another colour"),
    ],
)
def test_spoiled_clips_fail_for_the_right_reason(name: str, kind: str, says: str) -> None:
    found = judge(name, kind)
    assert not found.passed
    assert any(re.search(says, reason) for reason in found.reasons), found.reasons


def test_every_kind_has_a_name() -> None:
    assert len(GOOD) >= 12 and len(SPOILED) >= 20


def test_a_shot_that_is_meant_to_stand_still_may() -> None:
    one = thing("noodles")
    frozen = clip("noodles", "frozen")
    assert measure(one.photo, one.cutout, frozen, replace(QUIET, is_still=True)).passed


def test_numbers_are_in_their_ranges() -> None:
    found = judge("noodles", "push in")
    assert 0.9 < found.ssim <= 1 and 0.9 < found.inliers <= 1 and 0 <= found.colour < 1.5
    assert 0 <= found.flicker < 1.5 and 0.02 < found.motion < 1 and found.text is None
    assert found.notes == ("text was not read: fidelity.read_text is off",)


def test_a_frame_without_the_product_fails() -> None:
    one = thing("noodles")
    rng = np.random.default_rng(1)
    empty = Frames(tuple(rng.integers(0, 255, (240, 160, 3), np.uint8) for _ in range(3)))
    assert not measure(one.photo, one.cutout, empty, QUIET).passed


def test_a_cutout_that_knows_nothing_means_the_whole_picture() -> None:
    one = thing("noodles")
    nothing = Cutout(mask=None, box=one.cutout.box, confidence=0.0, method="none")
    assert build_reference(one.photo, nothing).is_whole


def test_a_first_frame_survives_or_not() -> None:
    import cv2

    one = thing("noodles")
    good = clip("noodles", "push in").pictures[0]
    assert survives(one.photo, one.cutout, good, QUIET).passed
    assert not survives(one.photo, one.cutout, cv2.GaussianBlur(good, (0, 0), 4), QUIET).passed


@pytest.mark.parametrize("name", ["noodles", "ball"])
def test_the_product_is_found_to_the_pixel(name: str) -> None:
    one = thing(name)
    matrix = pose(one, fill=0.6, dx=0.08, dy=-0.05, turn=3 if name == "noodles" else 0)
    scene = Scene(product=lambda t: (one.photo.pixels, one.cutout.mask), pose=lambda t: matrix, crf=None, count=2)
    reference = build_reference(one.photo, one.cutout)
    found = find(reference, film(scene).pictures[0])
    assert found is not None
    off = place(found.matrix, reference.corners()) - place(matrix @ reference.to_photo, reference.corners())
    assert np.abs(off).max() < (0.6 if name == "noodles" else 2.5)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_colour_difference_agrees_with_its_authors(one: Any, other: Any, expected: float) -> None:
    """Pairs of the supplementary data of Sharma, Wu & Dalal 2005."""
    assert float(delta_e(one, other)) == pytest.approx(expected, abs=2e-4)


def test_similarity_of_a_picture_with_itself_and_with_noise() -> None:
    rng = np.random.default_rng(2)
    one = rng.integers(0, 255, (40, 40), np.uint8)
    assert ssim_map(one, one)[0].min() == pytest.approx(1, abs=1e-4)
    assert abs(ssim_map(one, rng.integers(0, 255, (40, 40), np.uint8))[0].mean()) < 0.2


# --- text -----------------------------------------------------------------------------------------


class Reader:
    """Reads what it is told to."""

    def __init__(self, *readings: tuple[TextLine, ...]) -> None:
        self.readings = list(readings)
        self.asked: list[tuple[int, ...]] = []

    def read(self, pixels: Any) -> tuple[TextLine, ...]:
        self.asked.append(pixels.shape)
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]

    def read_lines(self, pixels: Any, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
        self.asked.append(pixels.shape)
        return self.readings[0]


def line(text: str, x: float = 100, y: float = 100, height: float = 60, score: float = 0.99) -> TextLine:
    return TextLine(text, ((x, y), (x + 200, y), (x + 200, y + height), (x, y + height)), score)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((line("ACME coffee"),), 1.0),
        ((line("acme"), line("COFFEE", 205)), 1.0),
        ((line("ACMF coffee"),), 0.9),
        ((), 0.0),
        ((line("ACME coffee", y=500),), 0.0),
    ],
    ids=["same", "in two", "one letter", "nothing", "elsewhere"],
)
def test_characters_are_matched_where_they_stand(seen: tuple[TextLine, ...], expected: float) -> None:
    assert agreement([line("ACME Coffee")], seen) == pytest.approx(expected, abs=0.02)


def test_nothing_wanted_is_no_agreement() -> None:
    assert agreement([], [line("x")]) is None


@pytest.mark.parametrize(("after", "passes"), [("红油拌面", True), ("红汕伴面", False)])
def test_text_decides(after: str, passes: bool) -> None:
    one = thing("noodles")
    reader = Reader((line("红油拌面", 300, 330, 90),), (line(after, 90, 90, 90),))
    found = measure(one.photo, one.cutout, clip("noodles", "push in"), FidelityOptions(frames=3), reader=reader)
    assert found.text == (1.0 if passes else 0.5)
    assert found.passed is passes and len(reader.asked) >= 3


def test_a_picture_without_text_is_not_read_again() -> None:
    one, reader = thing("mug"), Reader(())
    found = measure(one.photo, one.cutout, clip("mug", "push in"), FidelityOptions(frames=3), reader=reader)
    assert found.passed and found.text is None and found.notes == ("text was not read: the picture has none",)
    assert len(reader.asked) == 1


def test_without_a_reader_text_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generators.fidelity.rereading.find_reader", lambda: None)
    one = thing("noodles")
    found = measure(one.photo, one.cutout, clip("noodles", "push in"), FidelityOptions(frames=3))
    assert found.passed and found.text is None and found.notes == ("text was not read: rapidocr is not installed",)


# --- the lock -------------------------------------------------------------------------------------


def test_locked_footage_passes_where_the_label_melted() -> None:
    one = thing("noodles")
    molten = clip("noodles", "label melts")
    assert not measure(one.photo, one.cutout, molten, QUIET).passed
    locked = pixel_lock(one.photo, one.cutout, molten)
    assert locked is not None and (locked.width_px, locked.height_px, locked.count) == (molten.width_px, molten.height_px, molten.count)
    found = measure(one.photo, one.cutout, locked, QUIET)
    assert found.passed and found.detail > 0.7, found.reasons
    before, after = molten.pictures[-1], list(locked.frames())[-1]
    assert np.abs(before[:20].astype(int) - after[:20]).max() == 0, "what is not product stays as it was generated"
    assert np.array_equal(next(iter(locked.frames(4, 9, 2))), list(locked.frames())[4])


def test_a_lock_does_not_jitter() -> None:
    one = thing("noodles")
    locked = try_lock(one.photo, one.cutout, clip("noodles", "label melts")).footage
    assert locked is not None
    second = np.abs(np.diff(locked.corners, 2, axis=0))  # type: ignore[attr-defined]
    assert second.max() < 1.0


@pytest.mark.parametrize(("kind", "says"), [("bent", "stretched|outline|not found"), ("product swapped", "outline|not found|stretched")])
def test_no_lock_where_the_pixels_do_not_fit(kind: str, says: str) -> None:
    one = thing("serum")
    found = try_lock(one.photo, one.cutout, clip("serum", kind))
    assert found.footage is None and re.search(says, found.reason)


def test_no_lock_without_a_sure_cutout() -> None:
    one = thing("noodles")
    found = try_lock(one.photo, replace(one.cutout, confidence=0.4), clip("noodles", "label melts"))
    assert found.footage is None and "0.40" in found.reason


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"frames": 1}, {"min_ssim": 1.5}, {"max_colour": 0}, {"max_stretch": 0.9}, {"min_text": -0.1}, {"max_flicker": 200}]
)
def test_options_are_checked(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"fidelity.{next(iter(change))}"):
        FidelityOptions(**change)


def test_scaling_keeps_pixel_centres() -> None:
    assert np.allclose(scaling(0.5) @ scaling(2.0), np.eye(3))
    assert np.allclose(scaling(2.0) @ [0, 0, 1], [0.5, 0.5, 1])
