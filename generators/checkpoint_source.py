"""Where a checkpoint's files come from: a folder, or the hub at one commit; and what to do where neither has them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from clipper.digest import sha256
from clipper.errors import ModelError
from generators.checkpoint_folder import recognise
from generators.checkpoints import Checkpoint, LoraPair, named, table

PATTERNS = ("model_index.json", "*/*.json", "*/*.safetensors", "*/*.model", "*/*.txt", "*/*.jinja")
"""All that is ever downloaded of a repository."""


def locate(model: str, preset: str) -> tuple[Checkpoint, Path | None]:
    """Name the row that a model means, and its folder where it is one; nothing is downloaded.

    `model` is a name of the table, the path of a folder, `owner/name@commit`, or empty for the preset's own. Raises ModelError.
    """
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return recognise(folder), folder
    if model.startswith((".", "/", "~")):
        raise ModelError(f"could not load a model from {model}: there is no such folder")
    repository, at, revision = model.partition("@")
    if "/" not in repository:
        return named(model, preset), None
    row = next((row for row in table().checkpoints.values() if row.repository == repository), None)
    if row is not None and not at:
        return row, None
    if row is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ModelError(
            f"could not use {model}: "
            + ("a commit has 40 digits 0-9 a-f" if at else "only repositories of the table are downloaded")
            + f"; known: {', '.join(row.repository for row in table().checkpoints.values())}; download others yourself and give the folder"
        )
    return replace(row, revision=revision), None


def fetch(checkpoint: Checkpoint) -> Path:
    """Bring a checkpoint's files to this machine (`HF_ENDPOINT` and `HF_HUB_OFFLINE` are honoured) and return their folder.

    Raises ModelError that names what to download, and where to put it, when the hub does not answer.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if not checkpoint.revision:
        raise ModelError(
            f"could not download {checkpoint.name}: no commit of {checkpoint.repository} is pinned; "
            f"give one as --model {checkpoint.repository}@COMMIT, or download it and give the folder"
        )
    try:
        return Path(
            snapshot_download(
                checkpoint.repository, revision=checkpoint.revision, allow_patterns=list(PATTERNS), ignore_patterns=["*.fp16.*"]
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ModelError(_how_to_get(checkpoint, error)) from error


def _how_to_get(checkpoint: Checkpoint, error: BaseException) -> str:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return (
        f"could not get the model {checkpoint.name}: it is not on this machine, and {endpoint} did not give it ({reason}); "
        f"on a machine with a network run: hf download {checkpoint.repository} --revision {checkpoint.revision} --local-dir FOLDER "
        f"(about {checkpoint.download_gb:g} GB; leave out *.bin and *.pth), copy FOLDER here, and give it as --model FOLDER; "
        "the camera backend needs no model"
    )


def fetch_loras(pair: LoraPair) -> tuple[Path, Path]:
    """Bring a pair of LoRA files to this machine, each verified by its SHA-256; raises ModelError."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    files = []
    for name, digest in ((pair.high, pair.high_sha256), (pair.low, pair.low_sha256)):
        try:
            path = Path(hf_hub_download(pair.repository, name, revision=pair.revision))
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
            raise ModelError(
                f"could not get the LoRA {name}: it is not here, and the hub did not give it; download it from {pair.repository} "
                f"at {pair.revision}, and give both files (--set generate.diffusers.loras=HIGH,LOW), or choose another --preset"
            ) from error
        found = sha256(path)
        if found != digest:
            raise ModelError(f"refused {path}: its SHA-256 is {found}, the table says {digest}; do not use this source")
        files.append(path)
    return files[0], files[1]
