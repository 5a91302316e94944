"""LTX-2, 19 billion parameters: makes picture and sound together; its sound is not used here.

Newer members of the family steer by further passes (skip and modality guidance) whose blocks are numbered for their depth;
they are pinned to what the first LTX-2 was made for: guidance alone. The picture is given through H.264 at CRF 33, as in
training: without it shots stay frozen.
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
    TextEncoder,
    check_length,
    choose,
    decode,
    denoise,
    kept,
    load_pipeline,
    origin,
    ready,
    save_tensors,
    seeded,
    tiled,
    write,
)
from generators.footage import FileFootage
from generators.prefit import prefit
from generators.values import Origin, ShotRequest

TEXT_TOKENS = 1024
IMAGE_CRF = 33
FIRST_MODEL = {
    "stg_scale": 0.0,
    "modality_scale": 1.0,
    "guidance_rescale": 0.0,
    "audio_guidance_scale": 1.0,
    "audio_stg_scale": 0.0,
    "audio_modality_scale": 1.0,
    "audio_guidance_rescale": 0.0,
    "spatio_temporal_guidance_blocks": None,
    "use_cross_timestep": False,
    "image_crf": IMAGE_CRF,
}


class Ltx2:
    """Turns a picture into a shot with LTX-2; loaded once, used for every shot of a run."""

    def __init__(self, options: DiffusersOptions) -> None:
        """Choose the checkpoint and check its licence; nothing is loaded. Raises ModelError and InputError."""
        self.options = options
        self.choice = choose(options)
        self.model: Loaded | None = None
        if options.loras:
            raise InputError("could not use LoRA files with LTX-2: they are not supported yet; leave diffusers.loras out")

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[FileFootage, Origin]:
        """Make the shot, or take up what is left of it in `work`. Raises ModelError, InputError, ToolError and Cancelled."""
        fitted = fit(self.choice.checkpoint, self.choice.preset, request)
        files = kept(work, self.choice, fitted, request, self.options)
        if finished := files.finished():
            return finished
        model = self._load(request, fitted)
        model.tile(model.plan.tile_px, fitted)
        latents = files.read_latents()
        if latents is None:
            latents = self._denoise(model, request, fitted, lambda done: progress(0.05 + 0.8 * done), cancelled)
            save_tensors(files.latents, {"latents": latents.cpu().contiguous()})
        told: list[str] = []
        frames = decode(_ways_to_decode(model, fitted, latents), files.latents, told=told.append)
        footage = write(frames, files, fitted, lambda done: progress(0.86 + 0.14 * done), cancelled)
        model.pipe.maybe_free_model_hooks()
        came_from = origin(self.choice, model, fitted, request, more={"decoded": told[-1], "sound": "left out"})
        files.save_origin(came_from)
        progress(1.0)
        return footage, came_from

    def close(self) -> None:
        """Give memory and card back."""
        if self.model is not None:
            self.model.free()
            self.model = None
            memory_layout.give_back()

    def _load(self, request: ShotRequest, fitted: Fitted) -> Loaded:
        if self.model is None:
            found, plan = ready(self.choice, fitted, self.options)
            rest = ("transformer", "vae", "audio_vae", "connectors", "vocoder")
            text = TextEncoder(found, plan, lambda: load_pipeline(found, plan, without=rest), _encode, self.options.cache)
            text(*self._texts(request))  # before the denoiser comes, so that both never share the memory
            pipe = load_pipeline(found, plan, without=("text_encoder", "tokenizer"))
            memory_layout.lay_out(pipe, plan, ("transformer",))
            self.model = Loaded(found=found, plan=plan, pipe=pipe, text=text)
        return self.model

    def _texts(self, request: ShotRequest) -> tuple[str, ...]:
        """The prompt, and the negative one where guidance uses it."""
        guided = max(self.choice.preset.guidance) > 1
        return (request.shot.prompt, request.shot.negative) if guided else (request.shot.prompt,)

    def _denoise(
        self, model: Loaded, request: ShotRequest, fitted: Fitted, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Any:
        """Return latents `(1, channels, frames, height, width)`, no longer normalised."""
        from PIL import Image

        preset = self.choice.preset
        texts = model.words(*self._texts(request))
        guided = len(texts) > 1
        picture = prefit(request.photo, request.cutout, fitted.width_px, fitted.height_px, request.style.palette.background)
        arguments = {
            "image": Image.fromarray(picture),
            "prompt_embeds": model.placed(texts[0]["embeds"]),
            "prompt_attention_mask": texts[0]["mask"].to(model.plan.device),
            "negative_prompt_embeds": model.placed(texts[1]["embeds"]) if guided else None,
            "negative_prompt_attention_mask": texts[1]["mask"].to(model.plan.device) if guided else None,
            "width": fitted.width_px,
            "height": fitted.height_px,
            "num_frames": fitted.frames,
            "frame_rate": float(fitted.fps),
            "num_inference_steps": preset.steps,
            "guidance_scale": preset.guidance[0],
            "generator": seeded(request.shot.seed),
            **FIRST_MODEL,
        }
        return denoise(model.pipe, arguments, steps=preset.steps, progress=progress, cancelled=cancelled)


def _ways_to_decode(model: Loaded, fitted: Fitted, latents: Any) -> list[tuple[str, Callable[[], Any]]]:
    import torch

    vae = model.pipe.vae

    def run() -> Any:
        there = latents.to(model.plan.device, vae.dtype)
        timestep = torch.zeros(1).to(there) if vae.config.timestep_conditioning else None
        return vae.decode(there, timestep, return_dict=False)[0][0]

    return tiled(model, fitted, run)


def _encode(pipe: Any, text: str) -> dict[str, Any]:
    check_length(pipe, text, TEXT_TOKENS)
    embeds, mask, _, _ = pipe.encode_prompt(prompt=text, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS)
    return {"embeds": embeds, "mask": mask}
