"""Stable Video Diffusion: one picture, no words; motion is a number.

It was trained on 14 or 25 frames whose rate it is told, so a longer shot is made at a lower rate. Its frames are decoded in
chunks, and smaller chunks are what helps when a card is full.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper.errors import InputError
from generators import memory_layout
from generators.checkpoints import Fitted, fit
from generators.diffusion import (
    DiffusersOptions,
    Loaded,
    choose,
    decode,
    denoise,
    kept,
    load_pipeline,
    origin,
    ready,
    save_tensors,
    seeded,
    write,
)
from generators.footage import FileFootage
from generators.prefit import prefit
from generators.values import Move, Origin, ShotRequest

NOISE = 0.02
"""Noise on the picture; more gives more motion, and less of the product."""
MOTION: dict[Move, int] = {"still": 20, "detail": 50, "sweep": 50, "push_in": 90, "pull_out": 90, "rise": 110, "pan": 110, "reveal": 110}
"""The bucket of motion, 1 to 255: how much the shot's move asks for."""
USUAL_MOTION = 100
CHUNKS = (8, 2, 1)
"""Frames decoded together: fewer flicker more and need less."""


class Svd:
    """Turns a picture into a shot with Stable Video Diffusion; loaded once, used for every shot of a run."""

    def __init__(self, options: DiffusersOptions) -> None:
        """Choose the checkpoint and check its licence; nothing is loaded. Raises ModelError and InputError."""
        self.options = options
        self.choice = choose(options)
        self.model: Loaded | None = None
        if options.loras:
            raise InputError(
                f"could not use LoRA files with {self.choice.checkpoint.name}: there are none for it; leave diffusers.loras out"
            )

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[FileFootage, Origin]:
        """Make the shot, or take up what is left of it in `work`. Raises ModelError, InputError, ToolError and Cancelled."""
        fitted = fit(self.choice.checkpoint, self.choice.preset, request)
        files = kept(work, self.choice, fitted, request, self.options)
        if finished := files.finished():
            return finished
        model = self._load(fitted)
        latents = files.read_latents()
        if latents is None:
            latents = self._denoise(model, request, fitted, lambda done: progress(0.05 + 0.8 * done), cancelled)
            save_tensors(files.latents, {"latents": latents.cpu().contiguous()})
        told: list[str] = []
        frames = decode(_ways_to_decode(model, latents), files.latents, told=told.append)
        footage = write(frames, files, fitted, lambda done: progress(0.86 + 0.14 * done), cancelled)
        model.pipe.maybe_free_model_hooks()
        came_from = origin(self.choice, model, fitted, request, more={"decoded": told[-1], "motion": _motion(request), "noise": NOISE})
        files.save_origin(came_from)
        progress(1.0)
        return footage, came_from

    def close(self) -> None:
        """Give memory and card back."""
        if self.model is not None:
            self.model = None
            memory_layout.give_back()

    def _load(self, fitted: Fitted) -> Loaded:
        if self.model is None:
            found, plan = ready(self.choice, fitted, self.options)
            pipe = load_pipeline(found, plan, without=())
            memory_layout.lay_out(pipe, plan, ("unet",))
            self.model = Loaded(found=found, plan=plan, pipe=pipe)
        return self.model

    def _denoise(
        self, model: Loaded, request: ShotRequest, fitted: Fitted, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Any:
        """Return latents `(1, frames, channels, height, width)`."""
        from PIL import Image

        preset = self.choice.preset
        picture = prefit(request.photo, request.cutout, fitted.width_px, fitted.height_px, request.style.palette.background)
        arguments = {
            "image": Image.fromarray(picture),
            "width": fitted.width_px,
            "height": fitted.height_px,
            "num_frames": fitted.frames,
            "fps": round(fitted.fps),
            "motion_bucket_id": _motion(request),
            "noise_aug_strength": NOISE,
            "num_inference_steps": preset.steps,
            "min_guidance_scale": preset.guidance[0],
            "max_guidance_scale": preset.guidance[-1],
            "generator": seeded(request.shot.seed),
        }
        return denoise(model.pipe, arguments, steps=preset.steps, progress=progress, cancelled=cancelled)


def _motion(request: ShotRequest) -> int:
    return MOTION.get(request.shot.move, USUAL_MOTION)


def _ways_to_decode(model: Loaded, latents: Any) -> list[tuple[str, Callable[[], Any]]]:
    pipe = model.pipe
    largest = latents.shape[1] if model.plan.tile_px == 0 else CHUNKS[0]

    def attempt(chunk: int) -> Callable[[], Any]:
        return lambda: pipe.decode_latents(latents.to(model.plan.device, pipe.vae.dtype), latents.shape[1], chunk)[0]

    chunks = [largest, *(chunk for chunk in CHUNKS if chunk < largest)]
    return [(f"{chunk} frames at a time", attempt(chunk)) for chunk in chunks]
