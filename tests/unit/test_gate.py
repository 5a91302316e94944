"""How closely a run looks at a shot: text of a camera's first shot alone, stillness where it was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from generators.fidelity import FidelityOptions
from pipelines import gate


class Shot:
    def __init__(self, id: str, move: str) -> None:
        self.id, self.move = id, move


class Request:
    photo = cutout = None

    def __init__(self, id: str = "s1", move: str = "push_in") -> None:
        self.shot = Shot(id, move)


class Frames:
    width_px, height_px, count, fps = 10, 10, 30, 30


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FidelityOptions, Any]]:
    seen: list[tuple[FidelityOptions, Any]] = []
    monkeypatch.setattr("generators.fidelity.measure", lambda photo, cutout, footage, options, reader=None: seen.append((options, reader)))
    monkeypatch.setattr(gate, "_reader", lambda: "a reader")
    return seen


@pytest.mark.parametrize(
    ("id", "is_camera", "read_text", "reads"),
    [
        ("s1", True, True, True),
        ("s2", True, True, False),
        ("s2", False, True, True),
        ("s1", True, False, False),
        ("s1", False, False, False),
    ],
)
def test_text_is_read_of_every_generated_shot_and_once_of_the_cameras(
    asked: list[tuple[FidelityOptions, Any]], id: str, is_camera: bool, read_text: bool, reads: bool
) -> None:
    gate.judge(Request(id), Frames(), is_camera, FidelityOptions(read_text=read_text))  # type: ignore[arg-type]
    ((options, reader),) = asked
    assert (options.read_text and reader == "a reader") is reads
    assert (reader is None) is not reads


@pytest.mark.parametrize("is_camera", [True, False])
def test_a_shot_that_is_to_stand_still_may(asked: list[tuple[FidelityOptions, Any]], is_camera: bool) -> None:
    gate.judge(Request(move="still"), Frames(), is_camera, FidelityOptions())  # type: ignore[arg-type]
    gate.judge(Request(move="pan"), Frames(), is_camera, FidelityOptions())  # type: ignore[arg-type]
    assert [options.is_still for options, _ in asked] == [True, False]
