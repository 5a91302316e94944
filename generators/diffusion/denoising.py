"""The pipeline called up to its latents, every step watched: finite numbers, progress, and the wish to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clipper.errors import Cancelled, LivecutError, ModelError
from generators import memory_layout
from generators.diffusion.foreign import first_line, quiet, remedy

Progress = Callable[[float], None]
Tensor = Any


def seeded(seed: int) -> Any:
    """Return a generator on the processor, so that a seed gives the same noise whatever the card."""
    import torch

    return torch.Generator("cpu").manual_seed(seed % 2**63)


def denoise(pipe: Any, arguments: Mapping[str, Any], *, steps: int, progress: Progress, cancelled: Callable[[], bool]) -> Tensor:
    """Call a pipeline up to its latents, watching every step; `progress` gets 0 to 1.

    Raises Cancelled, and ModelError when numbers stop being finite or the device is full.
    """
    import torch

    stopped = False
    if cancelled():
        raise Cancelled("stopped before denoising")

    def after_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        nonlocal stopped
        if not bool(torch.isfinite(tensors["latents"]).all()):
            raise ModelError(
                f"could not make the shot: its latents stopped being finite numbers at step {step + 1} of {steps}; "
                "use a plan without fp8 (--set generate.diffusers.memory=…), another seed, fewer LoRAs, or download the model again"
            )
        progress((step + 1) / steps)
        if cancelled():
            stopped = True
            pipe._interrupt = True
            if not hasattr(type(pipe), "interrupt"):
                raise Cancelled("stopped while denoising")
        return tensors

    try:
        with quiet():
            latents = pipe(**arguments, output_type="latent", return_dict=False, callback_on_step_end=after_step)
    except LivecutError:
        pipe.maybe_free_model_hooks()
        raise
    except (RuntimeError, ValueError) as error:
        pipe.maybe_free_model_hooks()
        memory_layout.give_back()
        hint = remedy(error, "report this with the settings in the manifest")
        raise ModelError(f"could not make the shot: {type(pipe).__name__} failed while denoising: {first_line(error)}; {hint}") from error
    if stopped:
        raise Cancelled("stopped while denoising")
    return latents[0] if isinstance(latents, tuple) else latents
