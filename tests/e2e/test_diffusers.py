"""What happens around a diffusion pipeline: LoRA pairs, memory plans, full devices, many products, hostile folders."""

from __future__ import annotations

import dataclasses
import json
import logging
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipper.errors import InputError, ModelError
from generators.animators import animator
from generators.checkpoints import table
from generators.diffusion import DiffusersOptions, choose, family_of
from tests import tiny_pipelines
from tests.tiny_pipelines import ACCEPTED, shot_request

pytestmark = pytest.mark.filterwarnings(
    # torch 2.13 tensors given to numpy 2.4 by diffusers' schedulers
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def build(name: str, cache: Path, **more: Any) -> Any:
    given: dict[str, Any] = {"model": str(tiny_pipelines.folder(name)), "steps": 2, "accept_licenses": ACCEPTED, "cache": str(cache)}
    options = DiffusersOptions(**(given | more))
    return animator(family_of(options), options)


def make(maker: Any, work: Path, request: Any = None) -> Any:
    return maker.animate(request or shot_request(), work, progress=lambda done: None, cancelled=lambda: False)


def pixels(footage: Any) -> Any:
    return np.stack(list(footage.frames()))


def seen_timesteps(maker: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Note which expert ran at which time step."""
    seen: list[tuple[str, float]] = []
    for name in ("transformer", "transformer_2"):
        expert = getattr(maker.model.pipe, name)
        inner = expert.forward

        def forward(*args: Any, name: str = name, inner: Any = inner, **kwargs: Any) -> Any:
            seen.append((name, float(kwargs["timestep"].flatten()[0])))
            return inner(*args, **kwargs)

        monkeypatch.setattr(expert, "forward", forward)
    return seen


# --- LoRA pairs ------------------------------------------------------------------------------------


@pytest.fixture
def few_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The fast preset's LoRA pair, as tiny files where the hub would have put them."""
    from generators import checkpoint_source

    pair = tiny_pipelines.save_lora_pair(tmp_path / "loras")
    monkeypatch.setattr(checkpoint_source, "fetch_loras", lambda row: pair)
    return pair


def test_a_lora_pair_walks_the_grid_it_was_trained_on(
    few_steps: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = build("wan2.2-a14b", tmp_path / "cache", preset="fast", steps=0)
    _, origin = make(maker, tmp_path / "a")
    seen = seen_timesteps(maker, monkeypatch)
    make(maker, tmp_path / "b", shot_request(seed=3))
    assert [name for name, _ in seen] == ["transformer", "transformer", "transformer_2", "transformer_2"]
    grid = table().loras["wan2.2-a14b-4step"].timesteps
    assert [at for _, at in seen] == pytest.approx(grid, abs=1.5)
    settings = dict(origin.settings)
    assert (settings["steps"], settings["guidance"], settings["shift"]) == ("4", "1 1", "5.0")
    assert len(settings["loras"].split()) == 2


def test_each_lora_changes_its_own_expert(tmp_path: Path) -> None:
    high, low = tiny_pipelines.save_lora_pair(tmp_path / "loras")
    plain = build("wan2.2-a14b", tmp_path / "cache")
    both = build("wan2.2-a14b", tmp_path / "cache", loras=(str(high), str(low)))
    one = build("wan2.2-a14b", tmp_path / "cache", loras=(str(high),))
    for maker in (plain, both, one):
        make(maker, tmp_path / "work")

    def weights(maker: Any, expert: str) -> Any:
        return getattr(maker.model.pipe, expert).blocks[0].attn1.to_q.weight

    assert not weights(both, "transformer").equal(weights(plain, "transformer"))
    assert not weights(both, "transformer_2").equal(weights(plain, "transformer_2"))
    assert weights(one, "transformer").equal(weights(both, "transformer"))
    assert weights(one, "transformer_2").equal(weights(plain, "transformer_2"))
    change = weights(both, "transformer") - weights(plain, "transformer")
    assert not change.equal(weights(both, "transformer_2") - weights(plain, "transformer_2"))


def test_another_count_of_steps_is_no_use_to_a_lora_pair(few_steps: tuple[Path, Path], tmp_path: Path) -> None:
    maker = build("wan2.2-a14b", tmp_path / "cache", preset="fast", steps=6)
    with pytest.raises(ModelError, match=r"it was trained on the time steps .* leave diffusers.steps out \(it needs 4\)"):
        make(maker, tmp_path / "work")


def test_lora_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    high, low = tiny_pipelines.save_lora_pair(tmp_path / "loras")
    with pytest.raises(ModelError, match=r"could not use 2 LoRA files: .* has one expert"):
        make(build("ltx", tmp_path / "cache", loras=(str(high), str(low))), tmp_path / "work")
    with pytest.raises(ModelError, match=r"could not use the LoRA .*high.safetensors: it does not fit ltx-video-2b"):
        make(build("ltx", tmp_path / "cache", loras=(str(high),)), tmp_path / "work")
    pickled = tmp_path / "lora.bin"
    pickled.write_bytes(b"x")
    with pytest.raises(ModelError, match="only safetensors files are loaded"):
        make(build("wan2.2-a14b", tmp_path / "cache", loras=(str(pickled),)), tmp_path / "work")
    with pytest.raises(InputError, match="there are none for it"):
        build("svd", tmp_path / "cache", loras=(str(high),))


# --- last picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wan2.2-a14b", "ltx-condition"])
def test_a_last_picture_changes_the_shot(name: str, tmp_path: Path) -> None:
    maker = build(name, tmp_path / "cache")
    without = pixels(make(maker, tmp_path / "work")[0])
    footage, origin = make(maker, tmp_path / "work", shot_request(last=True))
    assert not np.array_equal(pixels(footage), without)
    assert dict(origin.settings)["last_sha256"].startswith("2828c8")


# --- memory ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wan2.2-a14b", "wan2.1", "ltx", "svd", "cogvideox", "ltx2"])
def test_group_offload_gives_the_same_pixels(name: str, tmp_path: Path) -> None:
    resident = pixels(make(build(name, tmp_path / "cache"), tmp_path / "a")[0])
    maker = build(name, tmp_path / "other", memory="group-offload")
    footage, origin = make(maker, tmp_path / "b")
    assert dict(origin.settings)["memory"] == "group-offload"
    assert np.array_equal(pixels(footage), resident)


@pytest.mark.parametrize("name", ["wan2.2-ti2v", "ltx-condition", "svd", "cogvideox"])
def test_fp8_stores_the_denoiser_in_eight_bits(name: str, tmp_path: Path) -> None:
    import torch

    maker = build(name, tmp_path / "cache", memory="fp8-group-offload")
    footage, origin = make(maker, tmp_path / "work")
    denoiser = getattr(maker.model.pipe, "unet", None) or maker.model.pipe.transformer
    assert torch.float8_e4m3fn in {parameter.dtype for parameter in denoiser.parameters()}
    assert dict(origin.settings)["memory"] == "fp8-group-offload"
    assert pixels(footage).std() > 0


@pytest.mark.parametrize("name", ["wan2.2-a14b", "wan2.2-ti2v", "ltx", "cogvideox", "ltx2"])
def test_tiles_are_decoded_and_joined(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = build(name, tmp_path / "cache", tile_px={"wan2.2-ti2v": 64, "ltx": 128, "ltx2": 128}.get(name, 32))
    request = shot_request(96, 160, seconds=0.2)
    make(maker, tmp_path / "first", request)
    vae, calls = maker.model.pipe.vae, []
    inner = type(vae).tiled_decode

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(self.use_tiling)
        return inner(self, *args, **kwargs)

    monkeypatch.setattr(type(vae), "tiled_decode", counted)
    footage, origin = make(maker, tmp_path / "second", dataclasses.replace(request, shot=dataclasses.replace(request.shot, seed=2)))
    assert calls
    assert all(calls)
    assert dict(origin.settings)["decoded"].startswith("tiles of ")
    assert pixels(footage).shape[1:3] == (footage.height_px, footage.width_px)


def full_device(times: int, inner: Any, after: list[str]) -> Any:
    """Raise what a full card raises, a few times, then decode."""
    import torch

    def decode(self: Any, *args: Any, **kwargs: Any) -> Any:
        after.append("full" if len(after) < times else "decoded")
        if after[-1] == "full":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7.25 GiB")
        return inner(self, *args, **kwargs)

    return decode


@pytest.mark.parametrize("name", ["wan2.2-a14b", "ltx-condition", "svd", "cogvideox", "ltx2"])
def test_a_device_that_fills_up_while_decoding_costs_no_denoising(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    maker = build(name, tmp_path / "cache")
    make(maker, tmp_path / "warm")
    vae, after = type(maker.model.pipe.vae), []
    monkeypatch.setattr(vae, "decode", full_device(2 if name != "svd" else 1, vae.decode, after))
    with caplog.at_level(logging.WARNING):
        footage, origin = make(maker, tmp_path / "work", shot_request(64, 128, seed=4))
    assert after[-1] == "decoded"
    assert "the device is full decoding" in caplog.text
    assert dict(origin.settings)["decoded"] in ("tiles of 128 px", "2 frames at a time")
    assert pixels(footage).std() > 0


def test_a_device_that_stays_full_keeps_the_latents_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = build("wan2.2-ti2v", tmp_path / "cache")
    make(maker, tmp_path / "warm")
    vae = type(maker.model.pipe.vae)
    with monkeypatch.context() as context:
        context.setattr(vae, "decode", full_device(99, vae.decode, []))
        with pytest.raises(ModelError, match=r"full even with tiles of 128 px; the finished latents are kept.*denoising is not repeated"):
            make(maker, tmp_path / "work", shot_request(seed=5))
    assert [path.name.partition("-")[0] for path in (tmp_path / "work").iterdir()] == ["latents"]
    again = build("wan2.2-ti2v", tmp_path / "cache", tile_px=64)
    monkeypatch.setattr(type(again), "_denoise", lambda *_: pytest.fail("the shot was denoised again"))
    assert pixels(make(again, tmp_path / "work", shot_request(seed=5))[0]).std() > 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_frames_that_are_not_finite_are_not_shown(bad: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = build("wan2.2-ti2v", tmp_path / "cache")
    make(maker, tmp_path / "warm")
    vae = type(maker.model.pipe.vae)
    inner = vae.decode

    def spoiled(*args: Any, **kwargs: Any) -> Any:
        video = inner(*args, **kwargs)[0]
        video[0, 1, 3, 2, 1] = bad
        return (video,)

    monkeypatch.setattr(vae, "decode", spoiled)
    with pytest.raises(ModelError, match=r"frame 3 is not made of finite numbers"):
        make(maker, tmp_path / "work", shot_request(seed=5))
    assert not list((tmp_path / "work").glob("footage*"))


def test_a_device_that_fills_up_while_denoising_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    maker = build("wan2.2-ti2v", tmp_path / "cache")
    make(maker, tmp_path / "warm")

    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(maker.model.pipe.transformer, "forward", full)
    with pytest.raises(ModelError, match=r"failed while denoising: CUDA out of memory; use a smaller plan .* or --preset lowvram"):
        make(maker, tmp_path / "work", shot_request(seed=6))


# --- many products ---------------------------------------------------------------------------------


def count_loads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note which components every load brought in."""
    import diffusers

    loads: list[list[str]] = []
    inner = diffusers.WanImageToVideoPipeline.from_pretrained.__func__

    def counted(kind: Any, *args: Any, **kwargs: Any) -> Any:
        pipe = inner(kind, *args, **kwargs)
        loads.append(sorted(name for name, part in pipe.components.items() if part is not None))
        return pipe

    monkeypatch.setattr(diffusers.WanImageToVideoPipeline, "from_pretrained", classmethod(counted))
    return loads


def test_twenty_products_load_the_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = count_loads(monkeypatch)
    maker = build("wan2.2-ti2v", tmp_path / "cache")
    shots = [
        make(maker, tmp_path / str(index), shot_request(seed=index, prompt=f"product {index}", colour=(200, 10 * index, 40)))
        for index in range(20)
    ]
    assert loads == [["scheduler", "text_encoder", "tokenizer"], ["scheduler", "transformer", "vae"]]
    assert len({footage.path for footage, _ in shots}) == 20
    make(build("wan2.2-ti2v", tmp_path / "cache"), tmp_path / "again", shot_request(seed=99, prompt="product 3"))
    assert loads[2:] == [["scheduler", "transformer", "vae"]], "a prompt that was encoded before needs no encoder"


@pytest.mark.parametrize("keeps", [True, False])
def test_an_encoder_is_freed_before_the_denoiser_comes_when_memory_is_short(
    keeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generators.diffusion import choosing

    plan = choosing.plan_memory
    monkeypatch.setattr(choosing, "plan_memory", lambda *args: dataclasses.replace(plan(*args), keep_encoder=keeps))
    maker = build("wan2.2-ti2v", tmp_path / "cache")
    loads = count_loads(monkeypatch)
    make(maker, tmp_path / "work")
    make(maker, tmp_path / "work", shot_request(seed=2, prompt="another"))
    assert maker.model.text.is_loaded == keeps
    encoders = [index for index, parts in enumerate(loads) if "text_encoder" in parts]
    assert encoders == ([0] if keeps else [0, 2])


def test_a_damaged_cache_of_prompts_is_made_again(tmp_path: Path) -> None:
    shown = pixels(make(build("wan2.2-ti2v", tmp_path / "cache"), tmp_path / "a")[0])
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"\x08")
    assert np.array_equal(pixels(make(build("wan2.2-ti2v", tmp_path / "cache"), tmp_path / "b")[0]), shown)


# --- folders that must not be trusted ---------------------------------------------------------------


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return shutil.copytree(tiny_pipelines.folder("wan2.2-ti2v"), tmp_path / "model")


@pytest.mark.parametrize("where", ["transformer/diffusion_pytorch_model.bin", "extra/notes.pt", "weights.ckpt"])
def test_pickled_weights_are_refused_and_never_opened(copied: Path, where: str, tmp_path: Path) -> None:
    (copied / where).parent.mkdir(exist_ok=True)
    (copied / where).write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(ModelError, match=rf"refused .*{where} may be pickled, and a pickle runs code when it is loaded"):
        build("wan2.2-ti2v", tmp_path / "cache", model=str(copied))
    assert not (tmp_path / "ran").exists()


def test_a_pickle_that_calls_itself_safetensors_is_refused(copied: Path, tmp_path: Path) -> None:
    (copied / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(ModelError, match="it is not a safetensors file"):
        build("wan2.2-ti2v", tmp_path / "cache", model=str(copied))
    assert not (tmp_path / "ran").exists()


def test_code_that_comes_with_a_model_is_never_run(copied: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\nclass Evil: pass\n"
    for part in (".", "transformer", "text_encoder"):
        (copied / part / "modeling.py").write_text(code)
    config = json.loads((copied / "text_encoder" / "config.json").read_text())
    (copied / "text_encoder" / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Evil"}}))
    make(build("wan2.2-ti2v", tmp_path / "cache", model=str(copied)), tmp_path / "work")
    assert not (tmp_path / "ran").exists()
    index = json.loads((copied / "model_index.json").read_text())
    (copied / "model_index.json").write_text(json.dumps(index | {"transformer": ["modeling", "WanTransformer3DModel"]}))
    with pytest.raises(ModelError, match=r"takes transformer from modeling.WanTransformer3DModel.*is never run"):
        build("wan2.2-ti2v", tmp_path / "cache", model=str(copied))
    assert not (tmp_path / "ran").exists()


def test_a_copy_of_a_folder_is_the_same_model_and_another_training_is_not(copied: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from generators.checkpoint_folder import inspect

    before = inspect(tiny_pipelines.folder("wan2.2-ti2v"))
    assert inspect(copied).revision == before.revision
    weights = copied / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor + 0.01 * torch.ones_like(tensor) for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    assert inspect(copied).revision != before.revision
    assert inspect(copied).fingerprints["text_encoder"] == before.fingerprints["text_encoder"]


def test_a_card_that_is_full_before_anything_began_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from diffusers import WanImageToVideoPipeline

    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    make(build("wan2.2-ti2v", tmp_path / "cache"), tmp_path / "work")
    monkeypatch.setattr(WanImageToVideoPipeline, "to", full)
    with pytest.raises(ModelError, match=r"could not place the model as planned \(resident\): the cpu is full"):
        make(build("wan2.2-ti2v", tmp_path / "cache"), tmp_path / "work", shot_request(seed=2))


def test_the_class_is_named_here_and_not_by_the_folder(copied: Path, tmp_path: Path) -> None:
    index = json.loads((copied / "model_index.json").read_text())
    for foreign in ("WanPipeline", "WanDMDPipeline"):
        (copied / "model_index.json").write_text(json.dumps(index | {"_class_name": foreign}))
        _, origin = make(build("wan2.2-ti2v", tmp_path / "cache", model=str(copied)), tmp_path / foreign)
        assert dict(origin.settings)["pipeline"] == "WanImageToVideoPipeline"


def test_a_download_that_is_not_whole_is_said(copied: Path, tmp_path: Path) -> None:
    weights = copied / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"bytes where its header says .*; download it again"):
        build("wan2.2-ti2v", tmp_path / "cache", model=str(copied))


def test_without_a_network_it_is_said_what_to_download_and_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    maker = build("wan2.2-ti2v", tmp_path / "cache", model="", memory="resident", force_cpu=True)
    with pytest.raises(ModelError) as caught:
        make(maker, tmp_path / "work")
    row = table().checkpoints["wan2.2-ti2v-5b"]
    assert f"hf download {row.repository} --revision {row.revision} --local-dir FOLDER" in str(caught.value)
    assert "give it as --model FOLDER" in str(caught.value)


def test_lora_files_are_verified_by_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from generators import checkpoint_source

    high, _ = tiny_pipelines.save_lora_pair(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *args, **kwargs: str(high))
    with pytest.raises(ModelError, match=r"refused .*high.safetensors: its SHA-256 is"):
        checkpoint_source.fetch_loras(table().loras["wan2.2-a14b-4step"])


def test_a_licence_with_rules_has_to_be_accepted_by_name(tmp_path: Path) -> None:
    for name in ("ltx", "svd", "cogvideox", "ltx2"):
        options = DiffusersOptions(model=str(tiny_pipelines.folder(name)))
        with pytest.raises(InputError, match=r"it is under the .*; if that fits you, add --accept-license \S+, or choose"):
            choose(options)
    choose(DiffusersOptions(model=str(tiny_pipelines.folder("wan2.1"))))
