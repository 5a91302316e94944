"""What every diffusion family does around its own call of diffusers: choose, load, encode, watch, keep, decode.

Each family's file in `generators.animators` is a straight line through these functions; none of them knows a family. A shot
leaves three files in its folder, named after everything it was made from: latents when denoising is done, footage when it is
decoded, and where it came from. What is there is not made again, so a run that was stopped, or whose decoding filled the
card, goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from clipper import artefact
from clipper.errors import ArtefactError, Cancelled, InputError, LivecutError, ModelError
from clipper.version import __version__
from generators import checkpoint_folder, memory_plan
from generators.checkpoint_folder import Found
from generators.checkpoints import Checkpoint, Family, Fitted, Preset, check_licence, fit
from generators.footage import FileFootage, open_footage, write_footage
from generators.memory_plan import MemoryPlan
from generators.values import Origin, Pixels, ShotRequest

log = logging.getLogger(__name__)

VERSION = 1
"""Goes up when the same request gives other pixels."""
PATIENCE_S = 6 * 3600.0
"""Frames may take that long to be decoded on a slow card before writing them is given up."""
SMALLER_TILES_PX = (256, 128)
CACHED_TEXTS = 400
"""Encoded prompts that are kept on disk; at 4 MB each, 1.6 GB at most."""

Progress = Callable[[float], None]
Tensor = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """How shots are made with a diffusion model."""

    model: str = ""
    """Name of the table (see `livecut models`), path of a folder in the layout of diffusers, or owner/name@commit; empty takes
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model that was chosen and may be used; nothing of it is loaded yet."""

    checkpoint: Checkpoint
    found: Found | None
    """Its folder, when it is on this machine as one; None for a name, until it is needed."""
    preset: Preset


# --- choosing -------------------------------------------------------------------------------------


def choose(options: DiffusersOptions) -> Choice:
    """Choose the checkpoint, check that it may be used, and merge the options into its preset; loads and downloads nothing.

    Raises ModelError for an unknown or unsafe model, InputError for a licence that was not accepted.
    """
    checkpoint, folder = checkpoint_folder.locate(options.model, options.preset)
    check_licence(checkpoint, options.accept_licenses)
    found = checkpoint_folder.inspect(folder) if folder else None
    preset = checkpoint.presets[options.preset]
    if options.loras:
        preset = replace(preset, loras="")
    preset = replace(
        preset,
        steps=options.steps or preset.steps,
        guidance=(options.guidance,) * len(preset.guidance) if options.guidance else preset.guidance,
    )
    return Choice(checkpoint=found.checkpoint if found else checkpoint, found=found, preset=preset)


def family_of(options: DiffusersOptions) -> Family:
    """Say which family's animator makes shots under these options; loads and downloads nothing. Raises as `choose` does."""
    return choose(options).checkpoint.family


def outline(options: DiffusersOptions, request: ShotRequest) -> str:
    """Say in words what would be done for a request: model, licence, size, settings, memory; loads and downloads nothing.

    Raises InputError and ModelError as making the shot would.
    """
    choice = choose(options)
    row = choice.checkpoint
    fitted = fit(row, choice.preset, request)
    plan = plan_memory(choice, fitted, options)
    lines = [
        f"model   {row.name} ({row.repository}, {row.licence.title})",
        f"shot    {fitted.width_px}x{fitted.height_px}, {fitted.frames} frames at {fitted.fps}, {choice.preset.steps} steps",
        f"memory  {plan.text()}",
        *(f"note    {note}" for note in fitted.notes),
    ]
    return "\n".join(lines)


def plan_memory(choice: Choice, fitted: Fitted, options: DiffusersOptions) -> MemoryPlan:
    """Choose how the model is laid over this machine; raises ModelError when it does not fit."""
    card = memory_plan.look_at_machine(options.device)
    need = memory_plan.need(choice.checkpoint, fitted, card.device, choice.found)
    return memory_plan.choose(need, card, memory=options.memory, tile_px=options.tile_px, force_cpu=options.force_cpu)


def ready(choice: Choice, fitted: Fitted, options: DiffusersOptions) -> tuple[Found, MemoryPlan]:
    """Plan the memory, say so, and bring the model's files here if they are not; raises ModelError."""
    plan = plan_memory(choice, fitted, options)
    log.info("%s: %s", choice.checkpoint.name, plan.text())
    if choice.found is not None:
        return choice.found, plan
    return checkpoint_folder.inspect(checkpoint_folder.fetch(choice.checkpoint), choice.checkpoint), plan


# --- loading --------------------------------------------------------------------------------------


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

    def words(self, *texts: str) -> list[dict[str, Tensor]]:
        """Encode texts; raises ModelError."""
        assert self.text is not None
        return self.text(*texts)

    def free(self) -> None:
        """Give the text encoder's memory back."""
        if self.text is not None:
            self.text.free()

    def placed(self, tensor: Tensor) -> Tensor:
        """Bring a tensor to where and how the pipeline computes."""
        return tensor.to(self.pipe._execution_device, memory_plan.torch_dtype(self.plan))


def load_pipeline(found: Found, plan: MemoryPlan, *, without: Sequence[str], fp32: Sequence[str] = ()) -> Any:
    """Load the family's pipeline by its class, leaving some components out; safetensors only, no code from the folder.

    `fp32` names components that are kept in full precision. Raises ModelError.
    """
    import diffusers
    import torch

    name = found.checkpoint.pipeline
    with _quiet():
        kind = getattr(diffusers, name, None)
    if kind is None:
        raise ModelError(
            f"could not load {found.folder}: diffusers {diffusers.__version__} has no {name}; upgrade it: pip install -U diffusers"
        )
    dtypes = {"default": memory_plan.torch_dtype(plan), **{part: torch.float32 for part in fp32 if part not in without}}
    try:
        with _quiet():
            pipe = kind.from_pretrained(
                str(found.folder),
                dtype=dtypes,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                **dict.fromkeys(without),
            )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, AttributeError) as error:
        raise ModelError(f"could not load {found.folder}: {_first_line(error)}; {_remedy(error, 'download the model again')}") from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _remedy(error: BaseException, otherwise: str) -> str:
    return "use a smaller --memory plan or --preset lowvram" if memory_plan.is_out_of_memory(error) else otherwise


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and remarks off the terminal: stderr is ours, and what matters is raised."""
    import diffusers.utils.logging as first
    import transformers.utils.logging as second

    before = [(library, library.get_verbosity(), library.is_progress_bar_enabled()) for library in (first, second)]
    for library, _, _ in before:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, level, shown in before:
            library.set_verbosity(level)
            if shown:
                library.enable_progress_bar()


# --- text -----------------------------------------------------------------------------------------


class TextEncoder:
    """A text encoder that is loaded when a text was never encoded before, and freed when the plan says so.

    What it encodes is kept on disk by text and encoder, so the products of a run share a negative prompt, and a second run
    loads no encoder at all.
    """

    def __init__(
        self, found: Found, plan: MemoryPlan, load: Callable[[], Any], encode: Callable[[Any, str], dict[str, Tensor]], cache: str
    ):
        self._plan, self._load, self._encode = plan, load, encode
        self._pipe: Any = None
        self._folder = Path(cache).expanduser() if cache else _cache_folder()
        self._print = json.dumps([found.fingerprints.get(part) for part in ("text_encoder", "tokenizer")] + [plan.dtype])

    def __call__(self, *texts: str) -> list[dict[str, Tensor]]:
        """Return the tensors of every text, on the processor; raises ModelError."""
        paths = [self._folder / f"{_digest([self._print, text])}.safetensors" for text in texts]
        encoded = [self._read(path) or self._make(text, path) for text, path in zip(texts, paths, strict=True)]
        if not self._plan.keep_encoder:
            self.free()
        elif self._pipe is not None and self._plan.placement == "model-offload":
            self._pipe.to("cpu")
            memory_plan.give_back()
        return encoded

    def free(self) -> None:
        """Give the encoder's memory back."""
        if self._pipe is not None:
            self._pipe = None
            memory_plan.give_back()

    def _read(self, path: Path) -> dict[str, Tensor] | None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            tensors: dict[str, Tensor] = load_file(path)
        except (OSError, SafetensorError):
            return None
        with suppress(OSError):
            path.touch()
        return tensors

    def _make(self, text: str, path: Path) -> dict[str, Tensor]:
        import torch

        pipe = self._placed()
        try:
            with torch.no_grad(), _quiet():
                made = {name: tensor.to("cpu").contiguous() for name, tensor in self._encode(pipe, text).items()}
        except RuntimeError as error:
            raise ModelError(f"could not encode the prompt: {_first_line(error)}; {_remedy(error, 'shorten it')}") from error
        if not all(bool(torch.isfinite(tensor).all()) for tensor in made.values()):
            raise ModelError(
                f"could not encode the prompt {text[:60]!r}: the encoder gave numbers that are not finite; download the model again"
            )
        with suppress(OSError):
            save_tensors(path, made)
            _prune(self._folder)
        return made

    def _placed(self) -> Any:
        if self._pipe is None:
            self._pipe = self._load()
            if self._plan.placement == "group-offload":
                _offload_encoder(self._pipe.text_encoder, self._plan)
        if self._plan.placement != "group-offload":
            self._pipe.to(self._plan.device)
        return self._pipe


def check_length(pipe: Any, text: str, tokens: int) -> None:
    """Say so when a prompt is longer than what the encoder reads of it."""
    count = len(pipe.tokenizer(text).input_ids)
    if count > tokens:
        log.warning("the prompt has %d tokens and the model reads %d: its end is left out: …%s", count, tokens, text[-60:])


def _offload_encoder(encoder: Any, plan: MemoryPlan) -> None:
    from importlib import import_module

    import torch

    import_module("diffusers.hooks").apply_group_offloading(
        encoder,
        onload_device=torch.device(plan.device),
        offload_device=torch.device("cpu"),
        offload_type="leaf_level",
        use_stream=plan.device == "cuda",
    )


def _cache_folder() -> Path:
    import os

    import platformdirs

    root = os.environ.get("LIVECUT_CACHE")
    return (Path(root).expanduser() if root else Path(platformdirs.user_cache_dir("livecut"))) / "prompts"


def _prune(folder: Path) -> None:
    """Forget the texts that were not used for longest."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    for path in files[:-CACHED_TEXTS]:
        path.unlink(missing_ok=True)


# --- keeping --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The files of one shot in its folder; the name of each tells everything it was made from."""

    folder: Path
    digest: str

    @property
    def footage(self) -> Path:
        """The finished shot."""
        return self.folder / f"footage-{self.digest}.mkv"

    @property
    def latents(self) -> Path:
        """What denoising ended with."""
        return self.folder / f"latents-{self.digest}.safetensors"

    @property
    def origin(self) -> Path:
        """Where the shot came from."""
        return self.folder / f"origin-{self.digest}.json"

    def finished(self) -> tuple[FileFootage, Origin] | None:
        """Return the shot if it was finished before; a damaged file counts as missing."""
        if not (self.footage.is_file() and self.origin.is_file()):
            return None
        try:
            return open_footage(self.footage), artefact.loads(self.origin.read_bytes(), Origin, "origin", 1, where=str(self.origin))
        except (ArtefactError, OSError) as error:
            log.warning("making the shot again: %s", error)
            return None

    def read_latents(self) -> Tensor | None:
        """Return the latents if denoising was finished before."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.latents)["latents"]
        except (OSError, SafetensorError, KeyError):
            return None

    def save_origin(self, origin: Origin) -> None:
        """Write down where the shot came from."""
        artefact.save(self.origin, artefact.dumps(origin, "origin", 1, key=self.digest))


def kept(work: Path, choice: Choice, fitted: Fitted, request: ShotRequest, options: DiffusersOptions) -> Kept:
    """Name a shot's files after everything that decides its pixels; how memory is used is not part of it."""
    row = choice.checkpoint
    shot = request.shot
    made_from = [
        VERSION,
        [row.name, row.revision, choice.found.fingerprints if choice.found else ""],
        [choice.preset.steps, choice.preset.guidance, choice.preset.shift, choice.preset.loras],
        [[lora_sha256(path) for path in options.loras], options.lora_strength],
        [fitted.width_px, fitted.height_px, fitted.frames, str(fitted.fps)],
        [shot.prompt, shot.negative, shot.seed],
        [request.photo.sha256, request.last.sha256 if request.last else "", artefact.plain(request.cutout.box), request.cutout.method],
        request.style.palette.background,
    ]
    return Kept(folder=work, digest=_digest(made_from))


def lora_sha256(path: str) -> str:
    """Hash a LoRA file; raises ModelError when it is not there or is not in safetensors."""
    file = Path(path).expanduser()
    if not file.is_file() or file.suffix != ".safetensors":
        raise ModelError(
            f"could not use the LoRA {path}: {'only safetensors files are loaded' if file.is_file() else 'there is no such file'}"
        )
    return checkpoint_folder.sha256_of(file)


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors whole or not at all."""
    from safetensors.torch import save

    artefact.save(path, save(dict(tensors)))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=dict).encode()).hexdigest()[:24]


# --- denoising ------------------------------------------------------------------------------------


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

    def after_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        nonlocal stopped
        if not bool(torch.isfinite(tensors["latents"]).all()):
            raise ModelError(
                f"could not make the shot: its latents stopped being finite numbers at step {step + 1} of {steps}; "
                "use --memory without fp8, another seed, fewer LoRAs, or download the model again"
            )
        progress((step + 1) / steps)
        if cancelled():
            stopped = True
            pipe._interrupt = True
            if not hasattr(type(pipe), "interrupt"):
                raise Cancelled("stopped while denoising")
        return tensors

    try:
        with _quiet():
            latents = pipe(**arguments, output_type="latent", return_dict=False, callback_on_step_end=after_step)
    except LivecutError:
        pipe.maybe_free_model_hooks()
        raise
    except (RuntimeError, ValueError) as error:
        pipe.maybe_free_model_hooks()
        memory_plan.give_back()
        hint = _remedy(error, "report this with the settings in the manifest")
        raise ModelError(f"could not make the shot: {type(pipe).__name__} failed while denoising: {_first_line(error)}; {hint}") from error
    if stopped:
        raise Cancelled("stopped while denoising")
    return latents[0] if isinstance(latents, tuple) else latents


# --- decoding -------------------------------------------------------------------------------------


def decode(
    attempts: Sequence[tuple[str, Callable[[], Tensor]]], where: Path, *, told: Callable[[str], None] = lambda name: None
) -> Iterator[Pixels]:
    """Decode latents and yield frames `uint8 (h, w, 3)` RGB, trying ever smaller ways while the device is full.

    Each attempt returns `float (3, frames, h, w)` in [-1, 1]. `told` gets the name of the one that worked. Raises ModelError
    when none fits (the latents stay in `where`) and when the picture is not made of finite numbers.
    """
    import torch

    video = None
    with torch.no_grad():
        for name, attempt in attempts:
            try:
                video = attempt()
            except (RuntimeError, MemoryError) as error:
                if not memory_plan.is_out_of_memory(error):
                    raise ModelError(f"could not decode {where}: {_first_line(error)}; delete it and run again") from error
                log.warning("the device is full decoding %s; trying again, smaller", name)
                memory_plan.give_back()
            else:
                told(name)
                break
        if video is None:
            raise ModelError(
                f"could not decode {where}: the device is full even with {attempts[-1][0]}; the finished latents are kept: "
                "free memory, or give a smaller --tile-px, and run again: denoising is not repeated"
            )
        yield from _frames(video, where)


def _frames(video: Tensor, where: Path) -> Iterator[Pixels]:
    import torch

    for index in range(video.shape[1]):
        frame = video[:, index].float()
        if not bool(torch.isfinite(frame).all()):
            raise ModelError(
                f"could not decode {where}: frame {index} is not made of finite numbers; delete it and use --memory without fp8"
            )
        yield ((frame / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def tiled(vae: Any, tile_px: int, run: Callable[[], Tensor]) -> list[tuple[str, Callable[[], Tensor]]]:
    """List the ways to decode with an autoencoder that knows tiles: as planned first, then in smaller ones."""

    def attempt(edge: int) -> Callable[[], Tensor]:
        def decode_so() -> Tensor:
            memory_plan.tile(vae, edge)
            return run()

        return decode_so

    edges = [tile_px, *(edge for edge in SMALLER_TILES_PX if not tile_px or edge < tile_px)]
    return [(f"tiles of {edge} px" if edge else "whole frames", attempt(edge)) for edge in edges]


def write(frames: Iterator[Pixels], kept: Kept, fitted: Fitted, progress: Progress, cancelled: Callable[[], bool]) -> FileFootage:
    """Write decoded frames as the shot's footage; `progress` gets 0 to 1."""

    def counted() -> Iterator[Pixels]:
        for index, frame in enumerate(frames):
            progress(index / fitted.frames)
            yield frame

    return write_footage(
        kept.footage,
        counted(),
        width_px=fitted.width_px,
        height_px=fitted.height_px,
        fps=fitted.fps,
        cancelled=cancelled,
        patience_s=PATIENCE_S,
    )


# --- telling --------------------------------------------------------------------------------------


def origin(
    choice: Choice, model: Loaded, fitted: Fitted, request: ShotRequest, *, more: Mapping[str, object] = MappingProxyType({})
) -> Origin:
    """Write down everything that is needed to make a shot again."""
    row, shot, plan = choice.checkpoint, request.shot, model.plan
    settings = {
        "steps": choice.preset.steps,
        "guidance": " ".join(f"{value:g}" for value in choice.preset.guidance),
        "size": f"{fitted.width_px}x{fitted.height_px}",
        "frames": fitted.frames,
        "fps": fitted.fps,
        "memory": plan.name,
        "device": plan.device,
        "dtype": plan.dtype,
        "pipeline": row.pipeline,
        **({"shift": choice.preset.shift} if choice.preset.shift is not None else {}),
        **({"last_sha256": request.last.sha256} if request.last else {}),
        **more,
    }
    notes = tuple(("note", note) for note in fitted.notes)
    return Origin(
        backend=row.family,
        is_generated=True,
        seed=shot.seed,
        model=row.repository if choice.found is None else row.name,
        revision=model.found.revision,
        licence=row.licence.name,
        scheduler=type(model.pipe.scheduler).__name__,
        prompt=shot.prompt if row.prompt else "",
        negative=shot.negative if row.prompt else "",
        picture_sha256=request.photo.sha256,
        settings=tuple((name, str(value)) for name, value in settings.items()) + notes,
        versions=_versions(),
    )


def _versions() -> tuple[tuple[str, str], ...]:
    from importlib.metadata import PackageNotFoundError, version

    found = [("livecut", __version__)]
    for name in ("diffusers", "transformers", "torch", "peft"):
        with suppress(PackageNotFoundError):
            found.append((name, version(name)))
    return tuple(found)
