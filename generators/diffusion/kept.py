"""What a shot leaves in its folder, so that nothing is made twice.

Three files, named after everything they were made from: latents when denoising is done, footage when it is decoded, and
where it came from. A run that was stopped, or whose decoding filled the card, goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper import artefact
from clipper.digest import sha256
from clipper.errors import ArtefactError, ModelError
from generators.checkpoints import Fitted
from generators.diffusion.choosing import Choice
from generators.diffusion.options import DiffusersOptions
from generators.footage import SUFFIX, FileFootage, open_footage, whole
from generators.values import Origin, ShotRequest

log = logging.getLogger(__name__)

VERSION = 1
"""Goes up when the same request gives other pixels."""

Tensor = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The files of one shot in its folder; the name of each tells everything it was made from."""

    folder: Path
    digest: str

    @property
    def footage(self) -> Path:
        """The finished shot."""
        return self.folder / f"footage-{self.digest}{SUFFIX}"

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
            origin = artefact.loads(self.origin.read_bytes(), Origin, "origin", 1, where=str(self.origin))
            footage = open_footage(self.footage)
        except (ArtefactError, OSError) as error:
            log.warning("making the shot again: %s", error)
            return None
        frames = dict(origin.settings).get("frames")
        if str(footage.count) != frames:
            log.warning("making the shot again: %s holds %d frames of %s", self.footage, footage.count, frames)
            return None
        return footage, origin

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
        with whole(self.origin) as part:
            part.write_bytes(artefact.dumps(origin, "origin", 1, key=self.digest))


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
    return Kept(folder=work, digest=digest_of(made_from))


def lora_sha256(path: str) -> str:
    """Hash a LoRA file; raises ModelError when it is not there or is not in safetensors."""
    file = Path(path).expanduser()
    if not file.is_file() or file.suffix != ".safetensors":
        raise ModelError(
            f"could not use the LoRA {path}: {'only safetensors files are loaded' if file.is_file() else 'there is no such file'}"
        )
    return sha256(file)


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors under their name in one step."""
    from safetensors.torch import save_file

    with whole(path) as part:
        save_file(dict(tensors), part)


def digest_of(value: object) -> str:
    """Sum up a value of plain parts in 24 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=dict).encode()).hexdigest()[:24]
