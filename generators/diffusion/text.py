"""Prompts as tensors: encoded once, kept on disk by text and encoder, the encoder freed when memory is short."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from clipper.errors import ModelError
from generators import memory_layout
from generators.checkpoint_folder import Found
from generators.diffusion.foreign import first_line, quiet, remedy
from generators.diffusion.kept import digest_of, save_tensors
from generators.memory_plan import MemoryPlan

log = logging.getLogger(__name__)

CACHED_TEXTS = 400
"""Encoded prompts that are kept on disk; at 4 MB each, 1.6 GB at most."""
HELD_TEXTS = 8

Tensor = Any


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
        self._held: dict[Path, dict[str, Tensor]] = {}
        self._is_pruned = False
        self._folder = Path(cache).expanduser() if cache else _cache_folder()
        self._print = json.dumps([found.fingerprints.get(part) for part in ("text_encoder", "tokenizer")] + [plan.dtype])

    @property
    def is_loaded(self) -> bool:
        """Whether the encoder takes up memory."""
        return self._pipe is not None

    def __call__(self, *texts: str) -> list[dict[str, Tensor]]:
        """Return the tensors of every text, on the processor; raises ModelError."""
        paths = [self._folder / f"{digest_of([self._print, text])}.safetensors" for text in texts]
        encoded = [self._held.get(path) or self._read(path) or self._make(text, path) for text, path in zip(texts, paths, strict=True)]
        self._held = dict(list((self._held | dict(zip(paths, encoded, strict=True))).items())[-HELD_TEXTS:])
        if not self._plan.keep_encoder:
            self.free()
        elif self._pipe is not None and self._plan.placement == "model-offload":
            self._pipe.to("cpu")
            memory_layout.give_back()
        return encoded

    def free(self) -> None:
        """Give the encoder's memory back."""
        if self._pipe is not None:
            self._pipe = None
            memory_layout.give_back()

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
            with torch.no_grad(), quiet():
                made = {name: tensor.to("cpu").contiguous() for name, tensor in self._encode(pipe, text).items()}
        except RuntimeError as error:
            raise ModelError(f"could not encode the prompt: {first_line(error)}; {remedy(error, 'shorten it')}") from error
        if not all(bool(torch.isfinite(tensor).all()) for tensor in made.values()):
            raise ModelError(
                f"could not encode the prompt {text[:60]!r}: the encoder gave numbers that are not finite; download the model again"
            )
        with suppress(OSError):
            save_tensors(path, made)
            if not self._is_pruned:
                _prune(self._folder)
                self._is_pruned = True
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
    import platformdirs

    root = os.environ.get("LIVECUT_CACHE")
    return (Path(root).expanduser() if root else Path(platformdirs.user_cache_dir("livecut"))) / "prompts"


def _prune(folder: Path) -> None:
    """Forget the texts that were not used for longest."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    for path in files[:-CACHED_TEXTS]:
        path.unlink(missing_ok=True)
