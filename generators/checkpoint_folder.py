"""Where a checkpoint's files lie, and what they really are: looked at before any of them is loaded.

A folder is trusted with nothing. Only JSON and the headers of safetensors files are read here; pickled weights (which run
code when they are loaded) are refused wherever they lie, components may only be classes of diffusers and transformers that
the family is known to have, and Python files in the folder are never imported. Rules of frames and sizes are taken from the
folder's own configuration, so that a variant of a known checkpoint is treated as what it is.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipper.errors import ModelError
from generators.checkpoint_rules import adjusted, read_json
from generators.checkpoints import Checkpoint, Family, table

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".t7")
MAX_HEADER_BYTES = 100_000_000
SAMPLES, SAMPLE_BYTES = 64, 4096

DENOISERS: Mapping[str, Family] = {
    "WanTransformer3DModel": "wan",
    "LTXVideoTransformer3DModel": "ltx",
    "UNetSpatioTemporalConditionModel": "svd",
    "CogVideoXTransformer3DModel": "cogvideox",
    "LTX2VideoTransformer3DModel": "ltx2",
}
_T5 = {"T5EncoderModel", "UMT5EncoderModel"}
_T5_TOKENIZERS = {"T5Tokenizer", "T5TokenizerFast", "AutoTokenizer"}
_IMAGE = {"CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil"}
_CLASSES: Mapping[Family, Mapping[str, set[str]]] = {
    "wan": {
        "transformer": {"WanTransformer3DModel"},
        "transformer_2": {"WanTransformer3DModel"},
        "vae": {"AutoencoderKLWan"},
        "text_encoder": _T5,
        "tokenizer": _T5_TOKENIZERS,
        "image_encoder": {"CLIPVisionModel", "CLIPVisionModelWithProjection"},
        "image_processor": _IMAGE,
    },
    "ltx": {
        "transformer": {"LTXVideoTransformer3DModel"},
        "vae": {"AutoencoderKLLTXVideo"},
        "text_encoder": _T5,
        "tokenizer": _T5_TOKENIZERS,
    },
    "svd": {
        "unet": {"UNetSpatioTemporalConditionModel"},
        "vae": {"AutoencoderKLTemporalDecoder"},
        "image_encoder": {"CLIPVisionModelWithProjection"},
        "feature_extractor": _IMAGE,
    },
    "cogvideox": {
        "transformer": {"CogVideoXTransformer3DModel"},
        "vae": {"AutoencoderKLCogVideoX"},
        "text_encoder": _T5,
        "tokenizer": _T5_TOKENIZERS,
    },
    "ltx2": {
        "transformer": {"LTX2VideoTransformer3DModel"},
        "vae": {"AutoencoderKLLTX2Video"},
        "audio_vae": {"AutoencoderKLLTX2Audio"},
        "text_encoder": {"Gemma3ForConditionalGeneration"},
        "tokenizer": {"GemmaTokenizer", "GemmaTokenizerFast"},
        "connectors": {"LTX2TextConnectors"},
        "vocoder": {"LTX2Vocoder", "LTX2VocoderWithBWE"},
        "processor": {"Gemma3Processor"},
        "prompt_enhancer": set(),
        "duration_head": set(),
    },
}
_LIBRARIES = {"diffusers", "transformers", "ltx2"}
"""`ltx2` is how diffusers names the folder of its own pipeline in an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder that was looked at and may be loaded."""

    folder: Path
    checkpoint: Checkpoint
    """The row of the table, with the rules that the folder's configuration tells."""
    revision: str
    """The commit, or `sha256:…` over the fingerprints of a local folder; the same on every machine."""
    parameters: Mapping[str, int]
    """Per component, counted from the headers."""
    fingerprints: Mapping[str, str]
    """Per component: changes with its configuration, its shapes, and a sample of its numbers."""

    @property
    def denoiser_parameters(self) -> int:
        """All experts together."""
        return sum(count for name, count in self.parameters.items() if name in ("transformer", "transformer_2", "unet"))


# --- looking --------------------------------------------------------------------------------------


def inspect(folder: Path, checkpoint: Checkpoint | None = None) -> Found:
    """Look at a folder's files and say what may be loaded from it; raises ModelError for what must not be.

    `checkpoint` is the row it was asked for by name; a folder of another family is refused.
    """
    refuse_pickles(folder)
    row = recognise(folder)
    if checkpoint is not None and checkpoint.family != row.family:
        raise ModelError(f"could not load {folder}: {checkpoint.name} was asked for, but it holds a {row.family} model")
    parameters, prints = {}, {}
    for name in sorted(_components(folder)):
        parameters[name], prints[name] = _weigh(folder / name)
    whole = hashlib.sha256(json.dumps([(folder / "model_index.json").read_text("utf-8"), prints], sort_keys=True).encode())
    revision = checkpoint.revision if checkpoint and checkpoint.revision else f"sha256:{whole.hexdigest()[:16]}"
    return Found(
        folder=folder,
        checkpoint=adjusted(replace(row, revision=revision), folder),
        revision=revision,
        parameters=parameters,
        fingerprints=prints,
    )


def refuse_pickles(folder: Path) -> None:
    """Refuse a folder that holds pickled weights or archives anywhere: loading them runs whatever code they hold."""
    bad = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICKLES]
    if bad:
        some = ", ".join(str(path.relative_to(folder)) for path in bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        raise ModelError(
            f"refused {folder}: {some} may be pickled, and a pickle runs code when it is loaded; "
            "use the repository's safetensors files, and delete these"
        )


def recognise(folder: Path) -> Checkpoint:
    """Say which row of the table a folder is, by its structure and not by its name; raises ModelError."""
    index, components = _read_index(folder), _components(folder)
    found = [(name, kind) for name, (_, kind) in components.items() if kind in DENOISERS]
    if not found:
        kinds = ", ".join(sorted(kind for _, kind in components.values())) or "nothing"
        raise ModelError(f"could not use {folder}: no image-to-video model that is known here; its index names {kinds}")
    family = DENOISERS[found[0][1]]
    _check_components(folder, family, components)
    row = {"wan": _which_wan, "ltx": _which_ltx, "svd": _which_svd, "cogvideox": _which_cogvideox, "ltx2": _which_ltx2}[family]
    return table().checkpoints[row(folder, index)]


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / "model_index.json"
    if not path.is_file():
        raise ModelError(f"could not use {folder}: it has no model_index.json; give a folder in the layout of diffusers, not a single file")
    return read_json(path)


def _components(folder: Path) -> dict[str, tuple[str, str]]:
    """Component name to (library, class), without those that the index leaves empty."""
    components = {}
    for name, value in _read_index(folder).items():
        if name.startswith("_") or not isinstance(value, list) or len(value) != 2 or value[1] is None:
            continue
        components[name] = (str(value[0]), str(value[1]))
    return components


def _check_components(folder: Path, family: Family, components: Mapping[str, tuple[str, str]]) -> None:
    for name, (library, kind) in components.items():
        allowed = _CLASSES[family].get(name, set())
        is_scheduler = name == "scheduler" and library == "diffusers" and kind.endswith("Scheduler")
        if library not in _LIBRARIES or not (kind in allowed or is_scheduler):
            raise ModelError(
                f"refused {folder}: its index takes {name} from {library}.{kind}, which is not part of a {family} pipeline; "
                "code that comes with a model is never run"
            )
    lacking = [name for name in ("vae", "scheduler") if name not in components]
    if lacking:
        raise ModelError(f"could not use {folder}: its index has no {', '.join(lacking)}; download the model again")


def _which_wan(folder: Path, index: dict[str, Any]) -> str:
    transformer = read_json(folder / "transformer" / "config.json")
    if index.get("expand_timesteps"):
        return "wan2.2-ti2v-5b"
    channels = transformer.get("in_channels", 16)
    if channels <= transformer.get("out_channels", 16):
        raise ModelError(f"could not use {folder}: it makes video from text alone ({channels} input channels); give an image-to-video one")
    if index.get("boundary_ratio") is not None:
        return "wan2.2-i2v-a14b"
    return "wan2.1-flf2v-14b" if transformer.get("pos_embed_seq_len") else "wan2.1-i2v-14b-480p"


def _which_ltx(folder: Path, index: dict[str, Any]) -> str:
    if read_json(folder / "transformer" / "config.json").get("num_layers", 28) > 28:
        return "ltx-video-13b"
    by_time = read_json(folder / "vae" / "config.json").get("timestep_conditioning")
    return "ltx-video-0.9.5" if by_time or index.get("_class_name") == "LTXConditionPipeline" else "ltx-video-2b"


def _which_svd(folder: Path, index: dict[str, Any]) -> str:
    return "svd-xt-1.1"


def _which_cogvideox(folder: Path, index: dict[str, Any]) -> str:
    transformer = read_json(folder / "transformer" / "config.json")
    if transformer.get("in_channels", 16) <= transformer.get("out_channels", 16):
        raise ModelError(f"could not use {folder}: it makes video from text alone; give an image-to-video one")
    return "cogvideox1.5-5b-i2v" if transformer.get("patch_size_t") else "cogvideox-5b-i2v"


def _which_ltx2(folder: Path, index: dict[str, Any]) -> str:
    return "ltx-2-19b"


# --- weights ---------------------------------------------------------------------------------------


def _weigh(folder: Path) -> tuple[int, str]:
    """Count a component's parameters from its headers, and sum up what it is in one fingerprint."""
    digest, count = hashlib.sha256(), 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".safetensors" and ".fp16." not in path.name:
            header = _header(path)
            count += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
            digest.update(json.dumps([path.name, path.stat().st_size, header], sort_keys=True).encode())
            for piece in _sample(path):
                digest.update(piece)
        elif path.is_file() and path.stat().st_size < 64 * 1024 * 1024:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return count, digest.hexdigest()


def _sample(path: Path) -> Iterator[bytes]:
    """Yield pieces from all over a file: models of one shape differ in their numbers alone, and reading 28 GB takes a minute."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for index in range(SAMPLES):
            file.seek(max(0, size - SAMPLE_BYTES) * index // (SAMPLES - 1))
            yield file.read(SAMPLE_BYTES)


def _header(path: Path) -> dict[str, Any]:
    """Read the JSON header of a safetensors file: 8 bytes of length, then that many bytes."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > min(MAX_HEADER_BYTES, path.stat().st_size):
            raise ModelError(f"refused {path}: it is not a safetensors file, or not whole; download it again")
        text = file.read(size)
    try:
        header = json.loads(text)
        last = max((tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"), default=0)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"refused {path}: it is not a safetensors file ({error}); download it again") from error
    if 8 + size + last != path.stat().st_size:
        raise ModelError(f"refused {path}: {path.stat().st_size} bytes where its header says {8 + size + last}; download it again")
    return dict(header)
