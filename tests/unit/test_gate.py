"""How closely a run looks at a shot: text always, in known places where the camera made it, stillness where it was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from generators.fidelity import FidelityOptions
from pipelines import gate
from tests.fidelity_clips import Frames as Shown
from tests.fidelity_clips import Scene, film, pose
from tests.fidelity_products import DRAWINGS, draw


class Shot:
    def __init__(self, id: str, move: str) -> None:
        self.id, self.move = id, move


class Request:
    photo = cutout = last = last_cutout = None

    def __init__(self, id: str = "s1", move: str = "push_in") -> None:
        self.shot = Shot(id, move)


class Frames:
    width_px, height_px, count, fps = 10, 10, 30, 30


Seen = list[tuple[FidelityOptions, Any, bool]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Seen:
    seen: Seen = []

    def measure(photo: Any, cutout: Any, footage: Any, options: FidelityOptions, *, reader: Any = None, in_place: bool = False) -> None:
        seen.append((options, reader, in_place))

    monkeypatch.setattr("generators.fidelity.measure", measure)
    monkeypatch.setattr(gate, "_reader", lambda: "a reader")
    return seen


@pytest.mark.parametrize("shot", ["s1", "s2"])
@pytest.mark.parametrize("is_camera", [True, False])
def test_text_is_read_of_every_shot(asked: Seen, shot: str, is_camera: bool) -> None:
    gate.judge(Request(shot), Frames(), is_camera, FidelityOptions())  # type: ignore[arg-type]
    ((options, reader, in_place),) = asked
    assert options.read_text and reader == "a reader" and in_place is is_camera


@pytest.mark.parametrize("is_camera", [True, False])
def test_text_is_not_read_where_that_is_asked(asked: Seen, is_camera: bool) -> None:
    gate.judge(Request(), Frames(), is_camera, FidelityOptions(read_text=False))  # type: ignore[arg-type]
    ((options, reader, _),) = asked
    assert not options.read_text and reader is None


@pytest.mark.parametrize("is_camera", [True, False])
def test_a_shot_that_is_to_stand_still_may(asked: Seen, is_camera: bool) -> None:
    gate.judge(Request(move="still"), Frames(), is_camera, FidelityOptions())  # type: ignore[arg-type]
    gate.judge(Request(move="pan"), Frames(), is_camera, FidelityOptions())  # type: ignore[arg-type]
    assert [options.is_still for options, _, _ in asked] == [True, False]


def test_a_shot_between_two_pictures_is_judged_by_each_at_its_end() -> None:
    """From a jar of balm to a carton of soap: right at both ends, then with the ends swapped."""
    balm, soap = (draw(drawing) for drawing in DRAWINGS if drawing.name in ("balm", "soap"))
    shown = [
        film(Scene(product=lambda t, one=one: (one.photo.pixels, one.cutout.mask), pose=lambda t, one=one: pose(one), count=2))
        for one in (balm, soap)
    ]
    there = Shown((*shown[0].pictures, *shown[1].pictures))
    request = Request()
    request.photo, request.cutout, request.last, request.last_cutout = balm.photo, balm.cutout, soap.photo, soap.cutout  # type: ignore[assignment]
    found = gate.judge(request, there, False, FidelityOptions(read_text=False))  # type: ignore[arg-type]
    assert found.passed and "only the first and the last frame were compared" in found.notes[-1], found.reasons
    back = gate.judge(request, Shown(there.pictures[::-1]), False, FidelityOptions(read_text=False))  # type: ignore[arg-type]
    assert not back.passed
    assert {reason.partition(":")[0] for reason in back.reasons} == {"as it begins", "as it ends"}
    assert gate.lock(request, there, FidelityOptions())[1] == "the shot goes from one picture to another"  # type: ignore[arg-type]
