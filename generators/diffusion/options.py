"""The options of making shots with a diffusion model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clipper.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """How shots are made with a diffusion model."""

    model: str = ""
    """Name of a checkpoint (docs/models.md lists them), path of a folder in the layout of diffusers, or owner/name@commit; empty takes
    the preset's own."""
    preset: Literal["fast", "balanced", "quality", "lowvram"] = "balanced"
    """fast: four steps with a LoRA pair; balanced: for 16 to 24 GB cards; quality: for 80 GB; lowvram: for 8 to 12 GB."""
    steps: int = 0
    """Denoising steps, 1 to 200; 0 takes the preset's."""
    guidance: float = 0.0
    """Weight of the prompt, 1 to 30, where 1 leaves the negative prompt out; 0 takes the preset's."""
    memory: Literal["auto", "resident", "model-offload", "group-offload", "fp8-model-offload", "fp8-group-offload"] = "auto"
    """How the model is laid over card and memory; auto chooses from what is free."""
    tile_px: int = 0
    """Edge of the tiles that frames are decoded in, 32 to 2048; 0 decides from what is free."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """What to compute on."""
    force_cpu: bool = False
    """Run a model of real size on a processor all the same; a shot takes hours."""
    accept_licenses: tuple[str, ...] = ()
    """Names of licences other than Apache and MIT that were read and accepted."""
    loras: tuple[str, ...] = ()
    """LoRA files in safetensors: one, or two for a model with two experts (high noise first). They take the place of the
    preset's."""
    lora_strength: float = 1.0
    """Weight of the LoRAs, above 0 to 2."""
    cache: str = ""
    """Folder for encoded prompts; empty is the user's cache."""

    def __post_init__(self) -> None:
        for name, low, high in (("steps", 1, 200), ("guidance", 1, 30), ("tile_px", 32, 2048)):
            value = getattr(self, name)
            if value and not low <= value <= high:
                raise InputError(f"diffusers.{name} is {value}; it has to be 0 or {low} to {high}")
        if not 0 < self.lora_strength <= 2:
            raise InputError(f"diffusers.lora_strength is {self.lora_strength}; it has to be above 0 and at most 2")
        if len(self.loras) > 2:
            raise InputError(f"diffusers.loras has {len(self.loras)} files; give one, or two for a model with two experts")
