"""How a model is laid over the memory of this machine: chosen before anything is loaded, and shown as text.

The weights are counted from the files' headers, the working memory of the denoiser is 40 activations of `tokens x hidden`
(fitted to the published peaks of Wan 2.2: 41 GB at 480p and 59.7 GB at 720p for 81 frames, 22.8 GB for TI2V-5B), and plans
are tried from the fastest to the smallest. Nothing here has run on real weights yet; the plans themselves have, on tiny ones.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipper.errors import InputError, ModelError

if TYPE_CHECKING:
    from generators.checkpoint_folder import Found
    from generators.checkpoints import Checkpoint, Fitted

Placement = Literal["resident", "model-offload", "group-offload"]
MEMORY = ("auto", "resident", "model-offload", "group-offload", "fp8-model-offload", "fp8-group-offload")

GB = 1e9
USABLE = 0.92
"""Share of a card that can be filled before its allocator's fragments overflow it."""
ACTIVATIONS = 40
GROUP_GB = 1.5
"""What group offload keeps on the card at a time: the leaves in use and those on their way."""
DECODE_BYTES_PER_PIXEL = 4500
"""Peak of decoding one pixel column without tiles, per latent frame in flight; measured by others on Wan's autoencoder."""
TILE_PX = 256
CPU_PARAMETERS = 50_000_000
"""A processor takes minutes a step beyond that; tiny pipelines have 0.1 million, the smallest real one 1500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a machine has to compute on."""

    device: Literal["cuda", "mps", "cpu"]
    name: str
    vram_gb: float
    """Free memory of the card; 0 without one."""
    ram_gb: float
    """Free memory of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one run needs at 2 bytes (on a card) or 4 bytes (on a processor) a weight."""

    denoiser_gb: float
    """One expert."""
    experts: int
    encoder_gb: float
    vae_gb: float
    working_gb: float
    """Activations of one step."""
    decode_gb: float
    """Peak of decoding without tiles."""
    parameters: int
    """Of one expert."""

    @property
    def weights_gb(self) -> float:
        """Everything together."""
        return self.denoiser_gb * self.experts + self.encoder_gb + self.vae_gb


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """One way to lay a model over a machine."""

    device: Literal["cuda", "mps", "cpu"]
    placement: Placement
    dtype: Literal["bfloat16", "float32"]
    fp8: bool
    """Weights of the denoisers are stored in 8 bits and computed in `dtype`."""
    tile_px: int
    """Edge of the tiles that frames are decoded in; 0 decodes them whole."""
    keep_encoder: bool
    """The text encoder stays in memory between shots; otherwise it is freed once the prompts are encoded."""
    vram_gb: float
    ram_gb: float
    why: str
    pinned: bool = False
    """Weights on their way to the card are copied from pinned memory, which is faster and takes as much again."""

    @property
    def name(self) -> str:
        """As `memory` names it."""
        return f"fp8-{self.placement}" if self.fp8 else self.placement

    def text(self) -> str:
        """Say in one line what will be done, for people to read before it starts."""
        words = {
            "resident": f"everything stays on the {self.device}",
            "model-offload": "one part at a time on the card, the others in memory",
            "group-offload": "a few layers at a time on the card, the others in memory",
        }[self.placement]
        parts = [words, self.dtype + (", weights stored in fp8" if self.fp8 else "")]
        parts.append(f"decoded in tiles of {self.tile_px} px" if self.tile_px else "decoded whole")
        parts.append("text encoder kept" if self.keep_encoder else "text encoder freed after use")
        room = f"{self.vram_gb:.1f} GB of the card and " if self.device == "cuda" else ""
        return f"{self.name}: {'; '.join(parts)}; about {room}{self.ram_gb:.1f} GB of memory ({self.why})"


def look_at_machine(wanted: str = "auto") -> Card:
    """Find the device to compute on: CUDA, else Apple's MPS, else the processor; raises ModelError when the wanted one is missing."""
    import torch

    ram = _free_ram_gb()
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return Card(device="cuda", name=torch.cuda.get_device_name(), vram_gb=free / GB, ram_gb=ram)
    if wanted in ("auto", "mps") and torch.backends.mps.is_available():
        return Card(device="mps", name="Apple GPU", vram_gb=0.0, ram_gb=ram)
    if wanted in ("auto", "cpu"):
        return Card(device="cpu", name="processor", vram_gb=0.0, ram_gb=ram)
    raise ModelError(
        f"could not use {wanted}: PyTorch finds no such device here; leave diffusers.device out, or install a build of PyTorch for it"
    )


def _free_ram_gb() -> float:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123 - not a file of ours
            available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
        return available * 1024 / GB
    except (OSError, StopIteration, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB


def need(checkpoint: Checkpoint, fitted: Fitted, device: str, found: Found | None = None) -> Need:
    """Work out what a run needs, from the files where they are here, else from the table."""
    size = 4 if device == "cpu" else 2
    denoiser, encoder, vae = (checkpoint.denoiser_b * 1e9, checkpoint.encoder_b * 1e9, checkpoint.vae_b * 1e9)
    if found is not None:
        denoiser = found.denoiser_parameters / checkpoint.denoisers
        vae = sum(count for name, count in found.parameters.items() if "vae" in name)
        encoder = sum(found.parameters.values()) - found.denoiser_parameters - vae
    side = checkpoint.latent[1] * checkpoint.patch
    tokens = _latent_frames(checkpoint, fitted) * (fitted.width_px // side) * (fitted.height_px // side)
    return Need(
        denoiser_gb=denoiser * size / GB,
        experts=checkpoint.denoisers,
        encoder_gb=encoder * size / GB,
        vae_gb=vae * 4 / GB,
        working_gb=tokens * checkpoint.hidden * size * ACTIVATIONS / GB,
        decode_gb=fitted.width_px * fitted.height_px * DECODE_BYTES_PER_PIXEL * min(checkpoint.latent[0], fitted.frames) / GB,
        parameters=round(denoiser),
    )


def _latent_frames(checkpoint: Checkpoint, fitted: Fitted) -> int:
    return (fitted.frames - 1) // checkpoint.latent[0] + 1


def choose(need: Need, card: Card, *, memory: str = "auto", tile_px: int = 0, force_cpu: bool = False) -> MemoryPlan:
    """Choose the fastest plan that fits, or check the one that was asked for.

    Raises ModelError when none fits, and when a model of real size would have to run on a processor and nobody insisted.
    """
    if memory not in MEMORY:
        raise InputError(f"could not plan memory: {memory!r} is not one of {', '.join(MEMORY)}")
    if card.device != "cuda":
        return _without_card(need, card, memory, tile_px, force_cpu)
    plans = [_on_card(need, card, placement, fp8, tile_px) for placement, fp8 in _ORDER]
    if memory != "auto":
        return next(plan for plan in plans if plan.name == memory)
    for plan in plans:
        if plan.vram_gb <= card.vram_gb * USABLE and plan.ram_gb <= card.ram_gb:
            return plan
    smallest = min(plans, key=lambda plan: plan.vram_gb)
    raise ModelError(
        f"could not fit the model on {card.name}: it has {card.vram_gb:.1f} GB free, and {card.ram_gb:.0f} GB of memory; "
        f"the smallest plan, {smallest.name}, needs about {smallest.vram_gb:.1f} GB and {smallest.ram_gb:.0f} GB; "
        "choose a smaller model (--preset lowvram), free the card, or use --backend camera"
    )


_ORDER: tuple[tuple[Placement, bool], ...] = (
    ("resident", False),
    ("model-offload", False),
    ("model-offload", True),
    ("group-offload", False),
    ("group-offload", True),
)


def _on_card(need: Need, card: Card, placement: Placement, fp8: bool, tile_px: int) -> MemoryPlan:
    half = 0.5 if fp8 else 1.0
    experts = need.denoiser_gb * half * need.experts
    resting = experts + need.encoder_gb + need.vae_gb
    biggest = max(need.denoiser_gb * half + need.working_gb, need.encoder_gb)
    vram = {
        "resident": resting + need.working_gb,
        "model-offload": biggest,
        "group-offload": GROUP_GB + need.vae_gb + need.working_gb,
    }[placement]
    # weights pass through memory on their way to the card; streams copy from a second, pinned set of them
    ram = max(experts + need.vae_gb, need.encoder_gb) if placement == "resident" else resting
    pinned = placement == "group-offload" and ram + experts <= 0.8 * card.ram_gb
    keeps = placement == "resident" or ram <= 0.8 * card.ram_gb
    room = card.vram_gb * USABLE - (resting if placement == "resident" else need.vae_gb)
    return MemoryPlan(
        device="cuda",
        placement=placement,
        dtype="bfloat16",
        fp8=fp8,
        tile_px=tile_px or (0 if need.decode_gb <= room else TILE_PX),
        keep_encoder=keeps,
        pinned=pinned,
        vram_gb=vram,
        ram_gb=ram + (experts if pinned else 0.0) - (0.0 if keeps else need.encoder_gb),
        why=f"{card.name}: {card.vram_gb:.1f} GB free, memory {card.ram_gb:.0f} GB",
    )


def _without_card(need: Need, card: Card, memory: str, tile_px: int, force_cpu: bool) -> MemoryPlan:
    if card.device == "cpu" and need.parameters > CPU_PARAMETERS and not force_cpu:
        raise ModelError(
            f"will not run a model of {need.parameters / 1e9:.1f} billion parameters on a processor: a single shot would take hours "
            f"and about {need.weights_gb + need.working_gb:.0f} GB of memory; use a machine with a CUDA card, --backend camera, "
            "or insist: --set generate.diffusers.force_cpu=true"
        )
    fp8 = memory.startswith("fp8-")
    placement: Placement = "group-offload" if memory.endswith("group-offload") else "resident"
    if memory.endswith("model-offload"):
        raise InputError(f"could not plan memory: {memory} needs a CUDA card; on a {card.device} use resident or group-offload")
    ram = need.weights_gb + need.working_gb
    if ram > card.ram_gb and not force_cpu:
        raise ModelError(f"could not fit the model: it needs about {ram:.1f} GB, and {card.ram_gb:.1f} GB of memory are free")
    return MemoryPlan(
        device=card.device,
        placement=placement,
        dtype="float32" if card.device == "cpu" else "bfloat16",
        fp8=fp8,
        tile_px=tile_px or (TILE_PX if need.decode_gb > 0.5 * card.ram_gb else 0),
        keep_encoder=True,
        vram_gb=0.0,
        ram_gb=ram,
        why=f"{card.name}, memory {card.ram_gb:.0f} GB",
    )
