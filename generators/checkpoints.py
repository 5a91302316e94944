"""What every known image-to-video checkpoint can do, and how a wish is fitted to it before anything is loaded.

Diffusers rounds, floors or ignores what a checkpoint cannot do, mostly without a word: LTX drops frames that are not 8k + 1,
Wan 2.2 TI2V floors 80 pixels to 64 and forgets a last picture. So the rules are data (`checkpoints.toml`), a wish is rounded
here with a note, and what cannot be rounded is refused here.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from clipper.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.values import ShotRequest

Family = Literal["wan", "ltx", "svd", "cogvideox", "ltx2"]
LastImage = Literal["yes", "no", "ignored", "refused"]
PRESETS = ("fast", "balanced", "quality", "lowvram")

AREA_SLACK = 1.05
"""A size may exceed its budget by this factor where that brings the shape closer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What may be done with a checkpoint."""

    name: str
    """As it is given to `--accept-license`."""
    title: str
    free: bool
    """Apache and MIT: nothing has to be accepted."""
    rule: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraPair:
    """Few-step weights for two experts, and the grid of time steps they were trained on."""

    name: str
    repository: str
    revision: str
    licence: str
    timesteps: tuple[float, ...]
    high: str
    """File for the expert of high noise."""
    high_sha256: str
    low: str
    low_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Settings of one checkpoint for one purpose."""

    steps: int
    guidance: tuple[float, ...]
    size: tuple[int, int]
    """Short and long edge whose area is the budget, whatever the shape."""
    shift: float | None = None
    """Shift of the flow schedule; None keeps the checkpoint's own."""
    loras: str = ""
    """Name of a `LoraPair`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One row of the table."""

    name: str
    family: Family
    repository: str
    revision: str
    """Commit; empty where none is known, so that it is used from a folder alone."""
    pipeline: str
    """Class of diffusers that is called, whatever the folder's index says."""
    licence: Licence
    frame_step: int
    frames: tuple[int, int]
    size_multiple: int
    fps: tuple[int, int]
    last_image: LastImage
    prompt: bool
    denoiser_b: float
    encoder_b: float
    vae_b: float
    hidden: int
    latent: tuple[int, int]
    patch: int
    download_gb: float
    denoisers: int = 1
    text_tokens: int = 0
    """Length that prompts are encoded to, where the checkpoint knows only one."""
    fixed_size: tuple[int, int] | None = None
    presets: Mapping[str, Preset]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A request as the checkpoint will be asked."""

    width_px: int
    height_px: int
    frames: int
    fps: Fraction
    notes: tuple[str, ...]
    """What was changed, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Everything in checkpoints.toml."""

    checkpoints: Mapping[str, Checkpoint]
    licences: Mapping[str, Licence]
    loras: Mapping[str, LoraPair]
    presets: Mapping[str, str]
    """Checkpoint that stands for a preset when none is named."""


@lru_cache(maxsize=1)
def table() -> Table:
    """Read the table that comes with the package."""
    data = tomllib.loads(Path(__file__).with_name("checkpoints.toml").read_text(encoding="utf-8"))
    licences = {name: Licence(name=name, **row) for name, row in data["licences"].items()}
    return Table(
        checkpoints=MappingProxyType({name: _checkpoint(name, row, licences) for name, row in data["checkpoints"].items()}),
        licences=MappingProxyType(licences),
        loras=MappingProxyType({name: LoraPair(name=name, **_tuples(row)) for name, row in data["loras"].items()}),
        presets=MappingProxyType(data["presets"]),
    )


def named(name: str, preset: str) -> Checkpoint:
    """Look a checkpoint up by its name; an empty name takes the preset's own.

    Raises ModelError that lists the known names.
    """
    known = table().checkpoints
    wanted = name or table().presets[preset]
    if wanted not in known:
        raise ModelError(
            f"could not choose a model: {wanted!r} is neither a folder nor one of {', '.join(known)}; "
            "give one of these names, the path of a folder, or a repository as owner/name@commit"
        )
    return known[wanted]


def check_licence(checkpoint: Checkpoint, accepted: tuple[str, ...]) -> None:
    """Refuse a checkpoint whose licence has rules that nobody accepted by name; raises InputError that shows the rule."""
    known = [name for name, licence in table().licences.items() if not licence.free]
    for name in accepted:
        if name not in table().licences:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise InputError(f"could not accept the licence {name}: no model here is under it; {hint}")
    licence = checkpoint.licence
    if licence.free or licence.name in accepted:
        return
    where = f" ({licence.url})" if licence.url else ""
    raise InputError(
        f"could not use {checkpoint.name}: it is under the {licence.title}{where}: {licence.rule}; "
        f"if that fits you, add --accept-license {licence.name}, or choose a model under Apache or MIT"
    )


def fit(checkpoint: Checkpoint, preset: Preset, request: ShotRequest) -> Fitted:
    """Round a request to what the checkpoint can do, with a note for every change.

    Raises InputError for what cannot be rounded: a last picture for a checkpoint that would ignore or refuse it.
    """
    _check_last(checkpoint, request)
    notes: list[str] = []
    width, height = _size(checkpoint, preset, request.width_px, request.height_px, notes)
    frames, fps = _frames(checkpoint, request.shot.seconds, request.fps, notes)
    if not checkpoint.prompt and request.shot.prompt:
        notes.append(f"{checkpoint.name} takes no prompt: the picture alone decides, and the style's words are not used")
    return Fitted(width_px=width, height_px=height, frames=frames, fps=fps, notes=tuple(notes))


def _check_last(checkpoint: Checkpoint, request: ShotRequest) -> None:
    if request.last is None or checkpoint.last_image == "yes":
        return
    why = {
        "no": "it has no place for a second picture",
        "ignored": "it would ignore the picture without saying so",
        "refused": "it stops with an error when it is given two pictures",
    }[checkpoint.last_image]
    able = ", ".join(row.name for row in table().checkpoints.values() if row.last_image == "yes")
    raise InputError(f"could not end shot {request.shot.id} on {request.last.path} with {checkpoint.name}: {why}; use one of {able}")


def _size(checkpoint: Checkpoint, preset: Preset, width: int, height: int, notes: list[str]) -> tuple[int, int]:
    """Choose the allowed size whose shape is nearest, within the preset's budget of pixels."""
    if checkpoint.fixed_size:
        made, why = checkpoint.fixed_size, "the only size that this checkpoint knows"
    else:
        budget = preset.size[0] * preset.size[1]
        scale = min(1.0, math.sqrt(budget / (width * height)))
        step = checkpoint.size_multiple
        sizes = [(w, h) for w in _around(width * scale, step) for h in _around(height * scale, step)]
        allowed = [size for size in sizes if size[0] * size[1] <= AREA_SLACK * max(budget, step * step)] or [min(sizes)]
        made = min(allowed, key=lambda size: (abs(math.log(size[0] / size[1] * height / width)), -size[0] * size[1]))
        why = f"edges are multiples of {step}" + (f", and {preset.size[0]}x{preset.size[1]} pixels are the budget" if scale < 1 else "")
    if made != (width, height):
        notes.append(f"made at {made[0]}x{made[1]} for {width}x{height}: {why}")
    return made


def _around(edge: float, step: int) -> tuple[int, ...]:
    low = max(step, math.floor(edge / step) * step)
    return (low,) if low >= edge else (low, low + step)


def _frames(checkpoint: Checkpoint, seconds: float, fps: Fraction, notes: list[str]) -> tuple[int, Fraction]:
    """Choose the count of frames that lasts at least as long as wanted, and the rate."""
    least, most = checkpoint.frames
    slowest, fastest = checkpoint.fps
    rate = min(max(fps, Fraction(slowest)), Fraction(fastest))
    if seconds * rate > most:
        rate = max(Fraction(slowest), Fraction(math.floor(most / seconds)))
    if rate != fps:
        notes.append(f"made at {_plain(rate)} frames a second for {_plain(fps)}: {checkpoint.name} was trained at {_rates(checkpoint)}")
    wanted = max(1, math.ceil(round(seconds * rate, 3)))
    step = checkpoint.frame_step
    frames = wanted if step == 1 else math.ceil((wanted - 1) / step) * step + 1
    rule = "" if step == 1 else f"frames are {step}k + 1"
    if frames > most:
        frames, rule = most, f"{checkpoint.name} makes at most {most}, which is {float(most / rate):.2f} s"
    if frames < least:
        frames, rule = least, f"{checkpoint.name} makes at least {least}"
    if frames != wanted:
        notes.append(f"made {frames} frames for {wanted}: {rule}")
    return frames, rate


def _plain(rate: Fraction) -> str:
    return str(rate.numerator) if rate.denominator == 1 else f"{float(rate):.3f}"


def _rates(checkpoint: Checkpoint) -> str:
    slowest, fastest = checkpoint.fps
    return str(slowest) if slowest == fastest else f"{slowest} to {fastest}"


# --- reading --------------------------------------------------------------------------------------


def _checkpoint(name: str, row: dict[str, Any], licences: dict[str, Licence]) -> Checkpoint:
    presets = {key: Preset(**_tuples(value)) for key, value in row.pop("presets").items()}
    assert tuple(presets) == PRESETS, f"{name} lacks a preset"
    return Checkpoint(name=name, presets=MappingProxyType(presets), **_tuples(row) | {"licence": licences[row["licence"]]})


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
