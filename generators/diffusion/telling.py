"""Where a shot came from, told so fully that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from types import MappingProxyType

from clipper.version import __version__
from generators.checkpoints import Fitted
from generators.diffusion.choosing import Choice
from generators.diffusion.loading import Loaded
from generators.values import Origin, ShotRequest


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


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    from importlib.metadata import PackageNotFoundError, version

    found = [("livecut", __version__)]
    for name in ("diffusers", "transformers", "torch", "peft"):
        with suppress(PackageNotFoundError):
            found.append((name, version(name)))
    return tuple(found)
