"""Every diffusion family, as a tiny pipeline of its real class, through one suite."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipper.errors import Cancelled, InputError, ModelError
from generators.animators import ANIMATORS, animator
from generators.checkpoints import table
from generators.diffusion import DiffusersOptions, family_of, outline
from tests import tiny_pipelines
from tests.tiny_pipelines import ACCEPTED, shot_request

pytestmark = pytest.mark.filterwarnings(
    # torch 2.13 tensors given to numpy 2.4 by diffusers' schedulers
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

DENOISER = {"svd": "unet"}


def options(name: str, cache: Path, **more: Any) -> DiffusersOptions:
    return DiffusersOptions(model=str(tiny_pipelines.folder(name)), cache=str(cache), accept_licenses=ACCEPTED, **({"steps": 2} | more))


def build(name: str, cache: Path, **more: Any) -> Any:
    chosen = options(name, cache, **more)
    return animator(family_of(chosen), chosen)


def make(maker: Any, work: Path, request: Any = None, **hooks: Any) -> Any:
    seen: list[float] = []
    hooks = {"progress": seen.append, "cancelled": lambda: False} | hooks
    footage, origin = maker.animate(request or shot_request(), work, **hooks)
    assert seen == sorted(seen)
    assert not seen or (seen[0] > 0 and seen[-1] == 1)
    return footage, origin


def pixels(footage: Any) -> Any:
    return np.stack(list(footage.frames()))


@pytest.fixture(params=tiny_pipelines.NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_picture_becomes_a_shot(name: str, tmp_path: Path) -> None:
    maker = build(name, tmp_path / "cache")
    footage, origin = make(maker, tmp_path / "work")
    row = maker.choice.checkpoint
    assert footage.width_px % row.size_multiple == 0
    assert footage.height_px % row.size_multiple == 0
    assert row.frame_step == 1 or footage.count % row.frame_step == 1
    assert footage.count / footage.fps >= 0.3 - 1e-9
    shown = pixels(footage)
    assert shown.shape == (footage.count, footage.height_px, footage.width_px, 3)
    assert shown.std() > 0
    settings = dict(origin.settings)
    assert origin.is_generated
    assert origin.seed == 7
    assert (origin.backend, origin.licence) == (row.family, row.licence.name)
    assert origin.revision.startswith("sha256:")
    assert (settings["steps"], settings["device"], settings["dtype"]) == ("2", "cpu", "float32")
    assert {"livecut", "diffusers", "torch"} <= dict(origin.versions).keys()
    maker.close()
    assert maker.model is None


def test_equal_seeds_make_equal_pixels_and_others_do_not(name: str, tmp_path: Path) -> None:
    maker = build(name, tmp_path / "cache")
    first = pixels(make(maker, tmp_path / "a")[0])
    again = pixels(make(build(name, tmp_path / "cache"), tmp_path / "b")[0])
    other = pixels(make(maker, tmp_path / "c", shot_request(seed=8))[0])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_finished_shot_is_taken_up_without_loading(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    footage, origin = make(build(name, tmp_path / "cache"), tmp_path / "work")
    maker = build(name, tmp_path / "cache")
    monkeypatch.setattr(type(maker), "_load", lambda *_: pytest.fail("the model was loaded"))
    assert make(maker, tmp_path / "work") == (footage, origin)


def test_kept_latents_are_decoded_without_denoising(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = build(name, tmp_path / "cache")
    footage, _ = make(maker, tmp_path / "work")
    shown = pixels(footage)
    footage.path.unlink()
    monkeypatch.setattr(type(maker), "_denoise", lambda *_: pytest.fail("the shot was denoised again"))
    assert np.array_equal(pixels(make(maker, tmp_path / "work")[0]), shown)


def test_stopping_between_steps_leaves_nothing_that_looks_finished(name: str, tmp_path: Path) -> None:
    maker, asked = build(name, tmp_path / "cache", steps=3), []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) == 2

    with pytest.raises(Cancelled):
        maker.animate(shot_request(), tmp_path / "work", progress=lambda done: None, cancelled=cancelled)
    assert len(asked) == 2, "no step is made after the wish to stop"
    assert not list((tmp_path / "work").glob("*"))
    stopped = pixels(make(maker, tmp_path / "work")[0])
    whole = pixels(make(build(name, tmp_path / "cache", steps=3), tmp_path / "other")[0])
    assert np.array_equal(stopped, whole)


def test_numbers_that_are_not_finite_stop_the_shot(name: str, tmp_path: Path) -> None:
    import torch

    maker = build(name, tmp_path / "cache")
    make(maker, tmp_path / "work")
    denoiser = getattr(maker.model.pipe, DENOISER.get(maker.choice.checkpoint.family, "transformer"))
    with torch.no_grad():
        next(denoiser.parameters()).fill_(float("nan"))
    with pytest.raises(ModelError, match=r"stopped being finite numbers at step 1 of 2; use a plan without fp8"):
        make(maker, tmp_path / "work", shot_request(seed=9))


def test_what_a_model_cannot_do_is_said_before_it_is_loaded(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = build(name, tmp_path / "cache")
    monkeypatch.setattr(type(maker), "_load", lambda *_: pytest.fail("the model was loaded"))
    row, asked = maker.choice.checkpoint, shot_request(100, 70, last=True)
    if row.last_image != "yes":
        with pytest.raises(InputError, match=rf"could not end shot s1 on mug.png with {row.name}: "):
            make(maker, tmp_path / "work", asked)
    text = outline(options(name, tmp_path / "cache"), dataclasses.replace(asked, last=None))
    assert "note    made at " in text
    assert "memory  resident" in text
    assert ("takes no prompt" in text) == (not row.prompt)


def test_pictures_of_several_sizes_share_one_loaded_model(name: str, tmp_path: Path) -> None:
    maker = build(name, tmp_path / "cache")
    sizes = {
        (footage.width_px, footage.height_px)
        for footage in (make(maker, tmp_path / str(edge), shot_request(64, edge))[0] for edge in (64, 128))
    }
    assert len(sizes) == (1 if maker.choice.checkpoint.fixed_size else 2)


def test_half_precision_as_on_a_card_goes_through(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from generators.diffusion import choosing

    plan = choosing.plan_memory
    monkeypatch.setattr(choosing, "plan_memory", lambda *args: dataclasses.replace(plan(*args), dtype="bfloat16"))
    maker = build(name, tmp_path / "cache")
    footage, origin = make(maker, tmp_path / "work")
    pipe, family = maker.model.pipe, maker.choice.checkpoint.family
    assert getattr(pipe, DENOISER.get(family, "transformer")).dtype == torch.bfloat16
    assert pipe.vae.dtype == (torch.float32 if family == "wan" else torch.bfloat16)
    assert dict(origin.settings)["dtype"] == "bfloat16"
    assert pixels(footage).std() > 0


def test_every_family_of_the_table_has_an_animator() -> None:
    assert {row.family for row in table().checkpoints.values()} <= set(ANIMATORS)
    assert {family_of(DiffusersOptions(preset=preset)) for preset in ("fast", "balanced", "quality", "lowvram")} == {"wan"}


def test_wanted_seconds_decide_the_rate_where_it_can_be_told(tmp_path: Path) -> None:
    footage, origin = make(build("svd", tmp_path / "cache"), tmp_path / "work", shot_request(seconds=1.2, fps=30))
    assert (footage.count, footage.fps) == (24, Fraction(20))
    assert ("note", "made at 20 frames a second for 30: svd-xt-1.1 was trained at 5 to 30") in origin.settings
