"""A model's pipeline from its folder: the named class, safetensors only, no code that came with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clipper.errors import ModelError
from generators import memory_layout
from generators.checkpoint_folder import Found
from generators.checkpoints import Fitted
from generators.diffusion.foreign import first_line, quiet, remedy
from generators.diffusion.text import TextEncoder
from generators.memory_plan import MemoryPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model in memory, used for every shot of a run."""

    found: Found
    plan: MemoryPlan
    pipe: Any
    """Without its text encoder."""
    text: TextEncoder | None = None
    """None for a model that takes no words."""
    loras: tuple[str, ...] = ()
    """SHA-256 of the LoRA files melted into it."""

    def words(self, *texts: str) -> list[dict[str, Any]]:
        """Encode texts; raises ModelError."""
        assert self.text is not None
        return self.text(*texts)

    def free(self) -> None:
        """Give the text encoder's memory back."""
        if self.text is not None:
            self.text.free()

    def tile(self, tile_px: int, fitted: Fitted) -> None:
        """Let the autoencoder work in tiles of that edge, or on whole frames for 0."""
        memory_layout.tile(self.pipe.vae, tile_px, self.found.checkpoint.latent[1], (fitted.width_px, fitted.height_px))

    def placed(self, tensor: Any) -> Any:
        """Bring a tensor to where and how the pipeline computes."""
        return tensor.to(self.plan.device, memory_layout.torch_dtype(self.plan))


def load_pipeline(found: Found, plan: MemoryPlan, *, without: Sequence[str], fp32: Sequence[str] = ()) -> Any:
    """Load the family's pipeline by its class, leaving some components out; safetensors only, no code from the folder.

    `fp32` names components that are kept in full precision. Raises ModelError.
    """
    import diffusers
    import torch

    name = found.checkpoint.pipeline
    with quiet():
        kind = getattr(diffusers, name, None)
    if kind is None:
        raise ModelError(
            f"could not load {found.folder}: diffusers {diffusers.__version__} has no {name}; upgrade it: pip install -U diffusers"
        )
    dtypes = {
        "default": memory_layout.torch_dtype(plan),
        **{part: torch.float32 for part in fp32 if part in found.parameters and part not in without},
    }
    try:
        with quiet():
            pipe = kind.from_pretrained(
                str(found.folder),
                dtype=dtypes,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                **dict.fromkeys(without),
            )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, AttributeError) as error:
        raise ModelError(f"could not load {found.folder}: {first_line(error)}; {remedy(error, 'download the model again')}") from error
    pipe.set_progress_bar_config(disable=True)
    return pipe
