"""A memory plan carried out: parts placed, offloaded, stored in eight bits, tiled; and what to do when a device is full."""

from __future__ import annotations

from typing import Any

from clipper.errors import ModelError
from generators.memory_plan import MemoryPlan


def torch_dtype(plan: MemoryPlan) -> Any:
    """Return the plan's number format as PyTorch names it."""
    import torch

    return getattr(torch, plan.dtype)


def lay_out(pipe: Any, plan: MemoryPlan, denoisers: tuple[str, ...]) -> None:
    """Place a loaded pipeline as the plan says; LoRAs have to be in it already.

    Raises ModelError when the device is out of memory.
    """
    parts = [getattr(pipe, name) for name in denoisers if getattr(pipe, name, None) is not None]
    try:
        _place(pipe, plan, parts)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f"could not place the model as planned ({plan.name}): the {plan.device} is full; "
            "close what else uses it, or choose a smaller plan: --set generate.diffusers.memory=fp8-group-offload"
        ) from error


def _place(pipe: Any, plan: MemoryPlan, parts: list[Any]) -> None:
    import torch

    if plan.fp8:
        for part in parts:
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch_dtype(plan))
    if plan.placement == "model-offload":
        pipe.enable_model_cpu_offload(device=plan.device)
    elif plan.placement == "group-offload":
        _offload_groups(pipe, parts, plan)
    else:
        pipe.to(plan.device)


def _offload_groups(pipe: Any, parts: list[Any], plan: MemoryPlan) -> None:
    import torch

    device = torch.device(plan.device)
    for part in parts:
        part.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=plan.device == "cuda",
            low_cpu_mem_usage=plan.device == "cuda" and not plan.pinned,
        )
    for component in pipe.components.values():
        if isinstance(component, torch.nn.Module) and not any(component is part for part in parts):
            component.to(device)


def tile(vae: Any, tile_px: int, side_px: int, frame: tuple[int, int]) -> None:
    """Let an autoencoder work in overlapping tiles of about that edge; 0 lets it take whole frames.

    `side_px` is the edge of one latent: tiles that are no whole number of latents are joined shifted. `frame` is width and
    height in pixels: a last tile of a single latent breaks the padding of LTX, so the step is chosen to leave none.
    """
    import inspect

    if not hasattr(vae, "enable_tiling"):
        return
    if not tile_px:
        vae.disable_tiling()
        return
    latents = max(4, tile_px // side_px // 4 * 4)
    step = _step(latents, [edge // side_px for edge in frame])
    sizes: dict[str, float] = dict.fromkeys(("tile_sample_min_height", "tile_sample_min_width"), latents * side_px)
    sizes |= dict.fromkeys(("tile_sample_stride_height", "tile_sample_stride_width"), step * side_px)
    sizes |= dict.fromkeys(("tile_overlap_factor_height", "tile_overlap_factor_width"), 1 - step / latents)
    known = inspect.signature(vae.enable_tiling).parameters
    vae.enable_tiling(**{name: value for name, value in sizes.items() if name in known})


def _step(latents: int, edges: list[int]) -> int:
    """Latents from one tile to the next: three quarters of a tile, or less where that leaves a last tile of one."""
    usual = latents * 3 // 4
    fitting = (step for step in range(usual, 0, -1) if all(edge <= latents or (edge - 1) % step for edge in edges))
    return next(fitting, usual)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a device's memory is full, whichever device it is."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def give_back() -> None:
    """Return freed memory to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
