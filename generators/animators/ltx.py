"""LTX-Video: 2 and 13 billion parameters, an autoencoder that squeezes 32 pixels a side and 8 frames into one latent.

The first model has a pipeline for one picture; from 0.9.5 on, pictures are conditions that hold any frame, the last one too.
Their decoder also finishes the last step of denoising: it is told how noisy its input is (0.05) and gets that noise (0.025).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper.digest import sha256
from clipper.errors import ModelError
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
from generators.prefit import prefit, prefit_last
from generators.values import Origin, ShotRequest

TEXT_TOKENS = 256
DECODE_TIMESTEP = 0.05
DECODE_NOISE = 0.025
IMAGE_NOISE = 0.025
"""Noise on the conditions: with none at all the picture stays frozen."""


class Ltx:
    """Turns a picture into a shot with an LTX-Video checkpoint; loaded once, used for every shot of a run."""

    def __init__(self, options: DiffusersOptions) -> None:
        """Choose the checkpoint and check its licence; nothing is loaded. Raises ModelError and InputError."""
        self.options = options
        self.choice = choose(options)
        self.model: Loaded | None = None

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
        frames = decode(_ways_to_decode(model, fitted, latents, request.shot.seed), files.latents, told=told.append)
        footage = write(frames, files, fitted, lambda done: progress(0.86 + 0.14 * done), cancelled)
        model.pipe.maybe_free_model_hooks()
        loras = {"loras": " ".join(model.loras), "lora_strength": self.options.lora_strength} if model.loras else {}
        came_from = origin(self.choice, model, fitted, request, more={"decoded": told[-1], **loras})
        files.save_origin(came_from)
        progress(1.0)
        return footage, came_from

    def close(self) -> None:
        """Give memory and card back."""
        if self.model is not None:
            self.model.free()
            self.model = None
            memory_layout.give_back()

    # --- once ---

    def _load(self, request: ShotRequest, fitted: Fitted) -> Loaded:
        if self.model is None:
            found, plan = ready(self.choice, fitted, self.options)
            text = TextEncoder(found, plan, lambda: load_pipeline(found, plan, without=("transformer", "vae")), _encode, self.options.cache)
            text(*self._texts(request))  # before the denoiser comes, so that both never share the memory
            pipe = load_pipeline(found, plan, without=("text_encoder", "tokenizer"))
            loras = self._add_lora(pipe)
            memory_layout.lay_out(pipe, plan, ("transformer",))
            self.model = Loaded(found=found, plan=plan, pipe=pipe, text=text, loras=loras)
        return self.model

    def _add_lora(self, pipe: Any) -> tuple[str, ...]:
        if len(self.options.loras) > 1:
            raise ModelError(f"could not use {len(self.options.loras)} LoRA files: {self.choice.checkpoint.name} has one expert")
        for path in self.options.loras:
            file = Path(path).expanduser()
            try:
                pipe.load_lora_weights(str(file.parent), weight_name=file.name)
                pipe.fuse_lora(components=["transformer"], lora_scale=self.options.lora_strength)
                pipe.unload_lora_weights()
            except (ValueError, KeyError, RuntimeError, OSError) as error:
                raise ModelError(f"could not use the LoRA {file}: it does not fit {self.choice.checkpoint.name} ({error})") from error
        return tuple(sha256(Path(path).expanduser()) for path in self.options.loras)

    # --- every shot ---

    def _texts(self, request: ShotRequest) -> tuple[str, ...]:
        """The prompt, and the negative one where guidance uses it."""
        guided = max(self.choice.preset.guidance) > 1
        return (request.shot.prompt, request.shot.negative) if guided else (request.shot.prompt,)

    def _denoise(
        self, model: Loaded, request: ShotRequest, fitted: Fitted, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Any:
        """Return latents `(1, channels, frames, height, width)`, as normalised as they were denoised."""
        preset = self.choice.preset
        texts = model.words(*self._texts(request))
        guided = len(texts) > 1
        arguments: dict[str, Any] = {
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
            **self._pictures(request, fitted),
        }
        latents = denoise(model.pipe, arguments, steps=preset.steps, progress=progress, cancelled=cancelled)
        return _unpacked(model.pipe, latents, fitted) if latents.ndim == 3 else latents

    def _pictures(self, request: ShotRequest, fitted: Fitted) -> dict[str, Any]:
        from PIL import Image

        size = (fitted.width_px, fitted.height_px)
        first = Image.fromarray(prefit(request.photo, request.cutout, *size, request.style.palette.background))
        if self.choice.checkpoint.pipeline == "LTXImageToVideoPipeline":
            return {"image": first}
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        conditions = [LTXVideoCondition(image=first, frame_index=0)]
        if request.last is not None:
            conditions.append(LTXVideoCondition(image=Image.fromarray(prefit_last(request, *size)), frame_index=fitted.frames - 1))
        return {"conditions": conditions, "image_cond_noise_scale": IMAGE_NOISE}


def _unpacked(pipe: Any, latents: Any, fitted: Fitted) -> Any:
    """Lay the tokens of the one-picture pipeline back into frames, rows and columns."""
    frames = (fitted.frames - 1) // pipe.vae_temporal_compression_ratio + 1
    side = pipe.vae_spatial_compression_ratio
    sizes = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
    return pipe._unpack_latents(latents, frames, fitted.height_px // side, fitted.width_px // side, *sizes)


def _ways_to_decode(model: Loaded, fitted: Fitted, latents: Any, seed: int) -> list[tuple[str, Callable[[], Any]]]:
    import torch

    pipe, vae = model.pipe, model.pipe.vae

    def run() -> Any:
        there = latents.to(model.plan.device, torch.float32)
        there = pipe._denormalize_latents(there, vae.latents_mean, vae.latents_std, vae.config.scaling_factor)
        timestep = None
        if vae.config.timestep_conditioning:
            noise = torch.randn(there.shape, generator=seeded(seed + 1)).to(there)
            there = (1 - DECODE_NOISE) * there + DECODE_NOISE * noise
            timestep = torch.tensor([DECODE_TIMESTEP], device=there.device, dtype=vae.dtype)
        return vae.decode(there.to(vae.dtype), timestep, return_dict=False)[0][0]

    return tiled(model, fitted, run)


def _encode(pipe: Any, text: str) -> dict[str, Any]:
    check_length(pipe, text, TEXT_TOKENS)
    embeds, mask, _, _ = pipe.encode_prompt(prompt=text, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS)
    return {"embeds": embeds, "mask": mask}
