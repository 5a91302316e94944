"""Which animators make a run's shots, in which order they are tried, and why: nothing is loaded before its first shot."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from clipper.errors import InputError, LivecutError, ModelError
from generators import diffusion
from generators.animators import animator
from generators.diffusion import DiffusersOptions
from generators.kling_client import Refused
from generators.takes import Rung
from generators.values import Animator, ShotRequest
from pipelines.generate_options import GenerateOptions

log = logging.getLogger(__name__)

BETTER = {"lowvram": ("balanced", "quality"), "fast": ("balanced", "quality"), "balanced": ("quality",), "quality": ()}
"""Presets that are tried after one that did not keep the product."""


@dataclass(slots=True)
class Backends:
    """The animators of one run; each is built once, whatever the number of products."""

    name: str
    """camera, diffusers or kling: what auto came to."""
    why: str
    """Why this one."""
    rungs: tuple[Rung, ...]
    confirmed: bool
    """Whether what a hosted model costs is agreed to."""
    _close: list[Animator]
    outline: Callable[[ShotRequest], str] | None = None
    """Says how a model would be laid over this machine for a shot; only where one runs here, and only until it was told."""

    def tell_outline(self, requests: Sequence[ShotRequest], tell: Callable[[str], None]) -> None:
        """Say once in a run, before the model is loaded, how the longest of some shots will be made.

        Raises InputError and ModelError where it cannot be made as asked.
        """
        if self.outline is not None and requests:
            tell(self.outline(max(requests, key=lambda request: request.shot.seconds)))
            self.outline = None

    def close(self) -> None:
        """Give memory and devices back."""
        for one in self._close:
            one.close()
        self._close.clear()


def choose_backends(options: GenerateOptions, *, confirmed: bool = False) -> Backends:
    """Choose what makes the shots. Loads and downloads nothing.

    Raises InputError and ModelError where the backend that was asked for cannot be used.
    """
    opened: list[Animator] = []
    name, why = _resolve(options)
    rungs: list[Rung] = []
    if name == "diffusers":
        rungs += _diffusers(options.diffusers, opened, insists=options.backend == "diffusers")
    elif name == "kling":
        build = _once(lambda: animator("kling", options.kling, confirmed=confirmed), opened)
        rungs.append(Rung(name=f"kling {options.kling.model}", open=build, retries=False, gives_way=(Refused,)))
    if name == "camera" or options.takes.camera:
        rungs.append(Rung(name="camera", open=_once(lambda: animator("camera", options.camera), opened), is_camera=True))
    log.info("backend %s: %s", name, why)
    outline = partial(diffusion.outline, options.diffusers) if name == "diffusers" else None
    return Backends(name, why, tuple(rungs), confirmed, opened, outline)


def _once(build: Callable[[], Animator], opened: list[Animator], *, alone: bool = False) -> Callable[[], Animator]:
    """Build an animator when it is first asked for, and remember it for closing.

    One that is to be `alone` has all others give their memory back whenever it is asked for: a card holds one model.
    """
    made: list[Animator] = []

    def open_it() -> Animator:
        if alone:
            for other in opened:
                if not made or other is not made[0]:
                    other.close()
        if not made:
            made.append(build())
            opened.append(made[0])
        return made[0]

    return open_it


def _resolve(options: GenerateOptions) -> tuple[str, str]:
    if options.backend != "auto":
        return options.backend, "asked for"
    reason = why_no_diffusion(options.diffusers)
    return ("camera", reason) if reason else ("diffusers", "a graphics card and the model's weights are here")


def why_no_diffusion(options: DiffusersOptions) -> str:
    """Say why shots cannot be made with a diffusion model on this machine; empty when they can. Loads and downloads nothing."""
    from importlib.util import find_spec

    if not _may_have_card(options.device):
        return "no graphics card"
    lacking = [name for name in ("torch", "diffusers", "transformers") if find_spec(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (pip install 'livecut[generate]')"
    from generators import memory_plan

    card = memory_plan.look_at_machine(options.device)
    if card.device == "cpu":
        return "no graphics card"
    try:
        choice = diffusion.choose(options)
    except LivecutError as error:
        return str(error)
    if choice.found is None and not _is_cached(choice.checkpoint.repository, choice.checkpoint.revision):
        return f"the weights of {choice.checkpoint.name} are not on this machine; --backend diffusers downloads them"
    return ""


def _may_have_card(device: str) -> bool:
    """Look for a card without PyTorch, whose import takes seconds and hundreds of MB."""
    if device == "cpu":
        return False
    if sys.platform != "linux":
        return True
    return any(Path(path).exists() for path in ("/dev/nvidia0", "/dev/kfd", "/dev/dxg"))


def _is_cached(repository: str, revision: str) -> bool:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return isinstance(try_to_load_from_cache(repository, "model_index.json", revision=revision or None), str)


def _diffusers(options: DiffusersOptions, opened: list[Animator], *, insists: bool) -> list[Rung]:
    """The model that was asked for, then better presets of the very same checkpoint: no other one is downloaded by surprise.

    Who asked for it (`insists`) is told when it cannot be used, and does not get something else in its place.
    """
    first = diffusion.choose(options)
    family = first.checkpoint.family
    build = _once(lambda: animator(family, options), opened, alone=True)
    first_rung = Rung(name=f"{first.checkpoint.name} {options.preset}", open=build)
    rungs = [replace(first_rung, gives_way=()) if insists else first_rung]
    for preset in BETTER[options.preset]:
        better = replace(options, preset=preset)  # type: ignore[arg-type]
        try:
            choice = diffusion.choose(better)
        except (InputError, ModelError, KeyError):
            continue
        if choice.checkpoint.name != first.checkpoint.name or choice.preset == first.preset:
            continue
        build = _once(partial(animator, family, better), opened, alone=True)
        rungs.append(Rung(name=f"{choice.checkpoint.name} {preset}", open=build))
    return rungs
