"""Plans for cards of every size, without one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from clipper.errors import InputError, ModelError
from generators.checkpoints import Fitted, table
from generators.memory_layout import is_out_of_memory, tile
from generators.memory_plan import Card, MemoryPlan, Need, choose, need


def card(vram: float, ram: float = 64.0) -> Card:
    return Card(device="cuda", name=f"card of {vram:g}", vram_gb=vram, ram_gb=ram)


def asked(name: str, size: tuple[int, int] = (480, 832), frames: int = 81) -> Need:
    row = table().checkpoints[name]
    return need(row, Fitted(width_px=size[0], height_px=size[1], frames=frames, fps=Fraction(16), notes=()), "cuda")


def plan(name: str, vram: float, ram: float = 64.0, **more: object) -> MemoryPlan:
    return choose(asked(name), card(vram, ram), **more)  # type: ignore[arg-type]


def test_working_memory_agrees_with_published_peaks() -> None:
    # Wan 2.2 on H100, one expert on the card: 41.0 GB at 480p, 59.7 GB at 720p
    small, large = asked("wan2.2-i2v-a14b"), asked("wan2.2-i2v-a14b", (720, 1280))
    assert small.denoiser_gb + small.working_gb == pytest.approx(41.0, rel=0.06)
    assert large.denoiser_gb + large.working_gb == pytest.approx(59.7, rel=0.06)


@pytest.mark.parametrize(
    ("name", "vram", "ram", "expected"),
    [
        ("wan2.2-ti2v-5b", 80, 64, "resident"),
        ("wan2.2-ti2v-5b", 24, 64, "model-offload"),
        ("wan2.2-ti2v-5b", 12, 64, "group-offload"),
        ("wan2.2-i2v-a14b", 80, 128, "model-offload"),
        ("wan2.2-i2v-a14b", 24, 128, "group-offload"),
        ("wan2.2-i2v-a14b", 24, 56, "fp8-group-offload"),
        ("ltx-video-0.9.5", 24, 32, "resident"),
    ],
)
def test_larger_cards_get_faster_plans(name: str, vram: float, ram: float, expected: str) -> None:
    made = plan(name, vram, ram)
    assert made.name == expected
    assert made.vram_gb <= vram
    assert made.dtype == "bfloat16"
    assert f"card of {vram:g}: {vram:.1f} GB free" in made.text()


def test_a_card_that_is_too_small_is_said_with_the_smallest_need() -> None:
    with pytest.raises(ModelError, match=r"could not fit the model on card of 4: it has 4.0 GB free.*fp8|group.*--preset lowvram"):
        plan("wan2.2-i2v-a14b", 4)


def test_an_encoder_that_does_not_fit_beside_the_rest_is_freed() -> None:
    assert plan("wan2.2-ti2v-5b", 24, 64).keep_encoder
    assert not plan("wan2.2-ti2v-5b", 24, 26).keep_encoder


def test_frames_are_decoded_in_tiles_where_whole_ones_do_not_fit() -> None:
    assert plan("wan2.2-ti2v-5b", 80).tile_px == 0
    assert plan("wan2.2-ti2v-5b", 8, memory="group-offload").tile_px == 256
    assert plan("wan2.2-ti2v-5b", 8, memory="group-offload", tile_px=128).tile_px == 128


def test_a_plan_that_was_asked_for_is_made() -> None:
    assert plan("wan2.2-ti2v-5b", 80, memory="fp8-model-offload").fp8
    with pytest.raises(InputError, match="'tiny' is not one of auto, resident"):
        plan("wan2.2-ti2v-5b", 80, memory="tiny")


def test_real_models_do_not_run_on_a_processor_unless_insisted() -> None:
    processor = Card(device="cpu", name="processor", vram_gb=0.0, ram_gb=256.0)
    with pytest.raises(ModelError, match=r"will not run a model of 5.0 billion parameters on a processor: .*force_cpu=true"):
        choose(asked("wan2.2-ti2v-5b"), processor)
    insisted = choose(asked("wan2.2-ti2v-5b"), processor, force_cpu=True)
    assert (insisted.device, insisted.dtype, insisted.placement) == ("cpu", "float32", "resident")
    with pytest.raises(InputError, match="model-offload needs a CUDA card"):
        choose(asked("wan2.2-ti2v-5b"), processor, memory="model-offload", force_cpu=True)


def test_errors_of_full_devices_are_told_from_others() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 8.80 GB)"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))


class Tiler:
    """Takes what an autoencoder of diffusers takes."""

    def __init__(self) -> None:
        self.sizes: tuple[int, int] | None = None

    def enable_tiling(self, tile_sample_min_width: int = 0, tile_sample_stride_width: int = 0) -> None:
        self.sizes = (tile_sample_min_width, tile_sample_stride_width)

    def disable_tiling(self) -> None:
        self.sizes = None


@pytest.mark.parametrize("side", [8, 16, 32])
@pytest.mark.parametrize("edge", range(256, 1313, 32))
def test_tiles_are_whole_latents_and_the_last_one_is_wider_than_one(side: int, edge: int) -> None:
    vae = Tiler()
    tile(vae, 256, side, (edge, edge))
    assert vae.sizes is not None
    size, stride = vae.sizes
    assert (size % side, stride % side) == (0, 0)
    assert stride < size <= 256
    assert edge <= size or (edge // side - 1) % (stride // side) > 0
    tile(vae, 0, side, (edge, edge))
    assert vae.sizes is None
