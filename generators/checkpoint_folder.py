"""Where a checkpoint's files lie, and what they really are: looked at before any of them is loaded.

A folder is trusted with nothing. Only JSON and the headers of safetensors files are read here; pickled weights (which run
code when they are loaded) are refused wherever they lie, components may only be classes of diffusers and transformers that
the family is known to have, and Python files in the folder are never imported. Rules of frames and sizes are taken from the
folder's own configuration, so that a variant of a known checkpoint is treated as what it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipper.errors import ModelError
from generators.checkpoints import Checkpoint, Family, LoraPair, named, table

log = logging.getLogger(__name__)

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".t7", ".mar")
PATTERNS = ("model_index.json", "*/*.json", "*/*.safetensors", "*/*.model", "*/*.txt", "*/*.jinja")
"""All that is ever downloaded of a repository."""
MAX_HEADER_BYTES = 100_000_000

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
    """The commit, or `sha256:…` over the configuration and the headers of a local folder."""
    parameters: Mapping[str, int]
    """Per component, counted from the headers."""
    fingerprints: Mapping[str, str]
    """Per component: changes with its configuration, shapes and sizes."""

    @property
    def denoiser_parameters(self) -> int:
        """All experts together."""
        return sum(count for name, count in self.parameters.items() if name in ("transformer", "transformer_2", "unet"))


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
                f"could not get the LoRA {name}: it is not on this machine, and the hub did not give it; download it from "
                f"{pair.repository} at {pair.revision}, and give both files as --lora HIGH --lora LOW, or choose another --preset"
            ) from error
        found = sha256_of(path)
        if found != digest:
            raise ModelError(f"refused {path}: its SHA-256 is {found}, the table says {digest}; do not use this source")
        files.append(path)
    return files[0], files[1]


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


def read_json(path: Path) -> dict[str, Any]:
    """Read a configuration file; raises ModelError when it is missing or no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"could not read {path}: {error}; download the model again") from error
    if not isinstance(value, dict):
        raise ModelError(f"could not read {path}: a JSON object was expected; download the model again")
    return value


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


# --- rules that the configuration tells ------------------------------------------------------------


def adjusted(row: Checkpoint, folder: Path) -> Checkpoint:
    """Return the row with the frame rule, size rule and widths of the folder's configuration."""
    rules = {"wan": _wan_rules, "ltx": _ltx_rules, "svd": _svd_rules, "cogvideox": _cogvideox_rules, "ltx2": _ltx_rules}
    return replace(row, **rules[row.family](row, folder))


def _wan_rules(row: Checkpoint, folder: Path) -> dict[str, Any]:
    transformer, vae = read_json(folder / "transformer" / "config.json"), read_json(folder / "vae" / "config.json")
    side, time = vae.get("scale_factor_spatial", 8), vae.get("scale_factor_temporal", 4)
    patch = transformer.get("patch_size", [1, 2, 2])[1]
    return {"frame_step": time, "latent": (time, side), "patch": patch, "size_multiple": math.lcm(16, side * patch)} | _hidden(transformer)


def _ltx_rules(row: Checkpoint, folder: Path) -> dict[str, Any]:
    transformer, vae = read_json(folder / "transformer" / "config.json"), read_json(folder / "vae" / "config.json")
    halved = 2 ** sum(vae.get("spatio_temporal_scaling", [True] * 3))
    side = vae.get("spatial_compression_ratio") or vae.get("patch_size", 4) * halved
    time = vae.get("temporal_compression_ratio") or vae.get("patch_size_t", 1) * halved
    patch = transformer.get("patch_size", 1)
    return {"frame_step": time, "latent": (time, side), "patch": patch, "size_multiple": math.lcm(32, side * patch)} | _hidden(transformer)


def _svd_rules(row: Checkpoint, folder: Path) -> dict[str, Any]:
    unet, vae = read_json(folder / "unet" / "config.json"), read_json(folder / "vae" / "config.json")
    side = 2 ** (len(vae.get("block_out_channels", [0] * 4)) - 1)
    most = unet.get("num_frames") or row.frames[1]
    halved = 2 ** (len(unet.get("block_out_channels", [0] * 4)) - 1)
    return {
        "frames": (min(row.frames[0], most), most),
        "latent": (1, side),
        "size_multiple": math.lcm(8, side * halved),
        "hidden": max(unet.get("block_out_channels", [row.hidden])),
    }


def _cogvideox_rules(row: Checkpoint, folder: Path) -> dict[str, Any]:
    transformer, vae = read_json(folder / "transformer" / "config.json"), read_json(folder / "vae" / "config.json")
    side, time = 2 ** (len(vae.get("block_out_channels", [0] * 4)) - 1), int(vae.get("temporal_compression_ratio", 4))
    patch = transformer.get("patch_size", 2)
    known = (transformer.get("sample_width", 90) * side, transformer.get("sample_height", 60) * side)
    return {
        "frame_step": time,
        "frames": (min(row.frames[0], 2 * time + 1), transformer.get("sample_frames", row.frames[1])),
        "latent": (time, side),
        "patch": patch,
        "size_multiple": side * patch,
        "text_tokens": transformer.get("max_text_seq_length", row.text_tokens),
        "fixed_size": known if transformer.get("use_learned_positional_embeddings") else None,
    } | _hidden(transformer)


def _hidden(transformer: Mapping[str, Any]) -> dict[str, Any]:
    heads, width = transformer.get("num_attention_heads"), transformer.get("attention_head_dim")
    return {"hidden": heads * width} if heads and width else {}


# --- weights ---------------------------------------------------------------------------------------


def _weigh(folder: Path) -> tuple[int, str]:
    """Count a component's parameters from its headers, and sum up what it is in one fingerprint."""
    digest, count = hashlib.sha256(), 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".safetensors" and ".fp16." not in path.name:
            header = _header(path)
            count += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
            digest.update(json.dumps([path.name, path.stat().st_size, path.stat().st_mtime_ns, header], sort_keys=True).encode())
        elif path.is_file() and path.stat().st_size < 64 * 1024 * 1024:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return count, digest.hexdigest()


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


def sha256_of(path: Path) -> str:
    """Hash a file block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
