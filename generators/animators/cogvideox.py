"""CogVideoX image-to-video: 5 billion parameters, 49 frames at 8 a second in 720x480, or 81 at 16 in version 1.5.

The first version learned its positions for one size and knows no other. Version 1.5 pads its latents to an even number in
front; the padding has to go before decoding, which diffusers does only when it decodes itself.
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
from generators.prefit import prefit
from generators.values import Origin, ShotRequest


class CogVideoX:
    """Turns a picture into a shot with a CogVideoX checkpoint; loaded once, used for every shot of a run."""

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
        frames = decode(_ways_to_decode(model, fitted, latents), files.latents, told=told.append)
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
            text = TextEncoder(
                found, plan, lambda: load_pipeline(found, plan, without=("transformer", "vae")), self._encode, self.options.cache
            )
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

    def _encode(self, pipe: Any, text: str) -> dict[str, Any]:
        """Encode to the length that the transformer's configuration names; another one gives poor pictures."""
        assert self.choice.checkpoint.text_tokens
        tokens = self.choice.checkpoint.text_tokens
        check_length(pipe, text, tokens)
        embeds, _ = pipe.encode_prompt(prompt=text, do_classifier_free_guidance=False, max_sequence_length=tokens)
        return {"embeds": embeds}

    # --- every shot ---

    def _texts(self, request: ShotRequest) -> tuple[str, ...]:
        """The prompt, and the negative one where guidance uses it."""
        guided = max(self.choice.preset.guidance) > 1
        return (request.shot.prompt, request.shot.negative) if guided else (request.shot.prompt,)

    def _denoise(
        self, model: Loaded, request: ShotRequest, fitted: Fitted, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Any:
        """Return latents `(1, frames, channels, height, width)` without padding."""
        from PIL import Image

        preset = self.choice.preset
        texts = model.words(*self._texts(request))
        guided = len(texts) > 1
        picture = prefit(request.photo, request.cutout, fitted.width_px, fitted.height_px, request.style.palette.background)
        arguments = {
            "image": Image.fromarray(picture),
            "prompt_embeds": model.placed(texts[0]["embeds"]),
            "negative_prompt_embeds": model.placed(texts[1]["embeds"]) if guided else None,
            "width": fitted.width_px,
            "height": fitted.height_px,
            "num_frames": fitted.frames,
            "num_inference_steps": preset.steps,
            "guidance_scale": preset.guidance[0],
            "use_dynamic_cfg": guided,
            "generator": seeded(request.shot.seed),
        }
        latents = denoise(model.pipe, arguments, steps=preset.steps, progress=progress, cancelled=cancelled)
        wanted = (fitted.frames - 1) // model.pipe.vae_scale_factor_temporal + 1
        return latents[:, latents.shape[1] - wanted :]


def _ways_to_decode(model: Loaded, fitted: Fitted, latents: Any) -> list[tuple[str, Callable[[], Any]]]:
    pipe = model.pipe
    return tiled(model, fitted, lambda: pipe.decode_latents(latents.to(model.plan.device, pipe.vae.dtype))[0])
