"""Animators: what turns one picture into one moving shot. One row per backend, loaded when it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any, cast

from clipper.errors import InputError, ModelError
from generators.values import Animator

ANIMATORS = {
    "camera": "generators.animators.camera:Camera",
    "wan": "generators.animators.wan:Wan",
    "ltx": "generators.animators.ltx:Ltx",
    "svd": "generators.animators.svd:Svd",
    "cogvideox": "generators.animators.cogvideox:CogVideoX",
    "ltx2": "generators.animators.ltx2:Ltx2",
    "kling": "generators.animators.kling:Kling",
}
"""Dotted names of the classes; each satisfies the protocol Animator."""


def animator(name: str, *arguments: Any, **options: Any) -> Animator:
    """Load the animator of that name and build it with the arguments its class takes.

    Raises InputError for an unknown name and ModelError when a library that it needs is not installed.
    """
    if name not in ANIMATORS:
        near = get_close_matches(name, ANIMATORS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ANIMATORS)}"
        raise InputError(f"there is no animator {name}; {hint}")
    module, _, attribute = ANIMATORS[name].partition(":")
    try:
        build = getattr(import_module(module), attribute)
    except ImportError as error:
        raise ModelError(f"could not load the animator {name}: {error}; install livecut[generate]") from error
    return cast("Animator", build(*arguments, **options))
