"""The table of animators."""

from __future__ import annotations

import pytest

from clipper.errors import InputError, ModelError
from generators import animators
from generators.animators.camera import Camera, CameraOptions


def test_camera_is_built_with_its_options() -> None:
    made = animators.animator("camera", CameraOptions(threads=1))
    assert isinstance(made, Camera)
    assert made.options.threads == 1


def test_an_unknown_name_meets_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match="no animator camra; did you mean camera"):
        animators.animator("camra")
    with pytest.raises(InputError, match="known: camera, wan"):
        animators.animator("zzz")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(animators.ANIMATORS, "wan", "generators.animators.not_installed:Nothing")
    with pytest.raises(ModelError, match="could not load the animator wan"):
        animators.animator("wan")


@pytest.mark.parametrize(("name", "value"), [("threads", 0), ("layer_confidence", 1.5), ("largest_scale", 0.2)])
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"camera.{name}"):
        CameraOptions(**{name: value})
