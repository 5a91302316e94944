"""Wan 2.1 and 2.2: two experts of 14 billion parameters, or one of 5 billion with a sixteenfold autoencoder.

Few-step LoRA pairs were trained on the grid 1000, 937.5, 833.3, 625. UniPC with flow sigmas and shift 5 walks it; Euler and
LCM with `shift=5` shift twice and walk 1000, 910, 717, 24, which gives mush without an error, and the pipeline offers no way
to hand sigmas in. Each expert takes its own file: without `load_into_transformer_2` the second one stays slow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper.digest import sha256
from clipper.errors import ModelError
from generators import checkpoint_source, memory_layout
from generators.checkpoints import Fitted, fit, table
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

EXPERTS = ("transformer", "transformer_2")
TEXT_TOKENS = 512
GRID_SLACK = 1.5
"""UniPC rounds its time steps to whole numbers."""


class Wan:
    """Turns a picture into a shot with a Wan checkpoint; loaded once, used for every shot of a run."""

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
        came_from = origin(self.choice, model, fitted, request, more={"decoded": told[-1], **self._loras_told(model)})
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
            rest = ("transformer", "transformer_2", "vae", "image_encoder", "image_processor")
            text = TextEncoder(found, plan, lambda: load_pipeline(found, plan, without=rest), _encode, self.options.cache)
            text(*self._texts(request))  # before the denoiser comes, so that both never share the memory
            pipe = load_pipeline(found, plan, without=("text_encoder", "tokenizer"), fp32=("vae", "image_encoder"))
            self._schedule(pipe)
            loras = self._add_loras(pipe)
            memory_layout.lay_out(pipe, plan, EXPERTS)
            self.model = Loaded(found=found, plan=plan, pipe=pipe, text=text, loras=loras)
        return self.model

    def _schedule(self, pipe: Any) -> None:
        """Walk the flow schedule that the preset names, and compare it with the grid that a LoRA pair needs."""
        import diffusers

        flow: Any = diffusers.UniPCMultistepScheduler
        preset = self.choice.preset
        if preset.shift is not None:
            pipe.scheduler = flow.from_config(
                pipe.scheduler.config, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=preset.shift
            )
        if not preset.loras:
            return
        grid = table().loras[preset.loras].timesteps
        pipe.scheduler.set_timesteps(preset.steps)
        walked = pipe.scheduler.timesteps.tolist()
        if len(walked) != len(grid) or any(abs(a - b) > GRID_SLACK for a, b in zip(walked, grid, strict=True)):
            raise ModelError(
                f"could not use the LoRA pair {preset.loras}: it was trained on the time steps {grid}, and the schedule walks {walked}; "
                f"leave diffusers.steps out (it needs {len(grid)}), or choose another --preset"
            )

    def _add_loras(self, pipe: Any) -> tuple[str, ...]:
        """Melt LoRA files into the experts, so that offloading and fp8 meet plain weights; returns their hashes."""
        pair = table().loras.get(self.choice.preset.loras)
        files = checkpoint_source.fetch_loras(pair) if pair else tuple(Path(path).expanduser() for path in self.options.loras)
        experts = [name for name in EXPERTS if getattr(pipe, name, None) is not None]
        if not files:
            return ()
        if len(files) > len(experts):
            raise ModelError(f"could not use {len(files)} LoRA files: {self.choice.checkpoint.name} has {len(experts)} expert")
        for file, expert in zip(files, experts, strict=False):
            try:
                pipe.load_lora_weights(str(file.parent), weight_name=file.name, load_into_transformer_2=expert == "transformer_2")
                pipe.fuse_lora(components=[expert], lora_scale=self.options.lora_strength)
                pipe.unload_lora_weights()
            except (ValueError, KeyError, RuntimeError, OSError) as error:
                raise ModelError(f"could not use the LoRA {file}: it does not fit {self.choice.checkpoint.name} ({error})") from error
        return tuple(sha256(file) for file in files)

    # --- every shot ---

    def _texts(self, request: ShotRequest) -> tuple[str, ...]:
        """The prompt, and the negative one where guidance uses it."""
        guided = max(self.choice.preset.guidance) > 1
        return (request.shot.prompt, request.shot.negative) if guided else (request.shot.prompt,)

    def _denoise(
        self, model: Loaded, request: ShotRequest, fitted: Fitted, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Any:
        from PIL import Image

        preset, size = self.choice.preset, (fitted.width_px, fitted.height_px)
        texts = model.words(*self._texts(request))
        guided = len(texts) > 1
        first = prefit(request.photo, request.cutout, *size, request.style.palette.background)
        arguments: dict[str, Any] = {
            "image": Image.fromarray(first),
            "prompt_embeds": model.placed(texts[0]["embeds"]),
            "negative_prompt_embeds": model.placed(texts[1]["embeds"]) if guided else None,
            "width": fitted.width_px,
            "height": fitted.height_px,
            "num_frames": fitted.frames,
            "num_inference_steps": preset.steps,
            "guidance_scale": preset.guidance[0],
            "guidance_scale_2": preset.guidance[-1] if model.pipe.config.boundary_ratio is not None else None,
            "generator": seeded(request.shot.seed),
        }
        if request.last is not None:
            arguments["last_image"] = Image.fromarray(prefit_last(request, *size))
        return denoise(model.pipe, arguments, steps=preset.steps, progress=progress, cancelled=cancelled)

    def _loras_told(self, model: Loaded) -> dict[str, object]:
        return {"loras": " ".join(model.loras), "lora_strength": self.options.lora_strength} if model.loras else {}


def _ways_to_decode(model: Loaded, fitted: Fitted, latents: Any) -> list[tuple[str, Callable[[], Any]]]:
    import torch

    vae = model.pipe.vae

    def run() -> Any:
        there = latents.to(model.plan.device, vae.dtype)
        mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1).to(there)
        deviation = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1).to(there)
        return vae.decode(there * deviation + mean, return_dict=False)[0][0]

    return tiled(model, fitted, run)


def _encode(pipe: Any, text: str) -> dict[str, Any]:
    check_length(pipe, text, TEXT_TOKENS)
    embeds, _ = pipe.encode_prompt(prompt=text, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS)
    return {"embeds": embeds}
