"""Rules of frames and sizes as a folder's own configuration tells them, so that a variant is treated as what it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipper.errors import ModelError
from generators.checkpoints import Checkpoint


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


def read_json(path: Path) -> dict[str, Any]:
    """Read a configuration file; raises ModelError when it is missing or no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"could not read {path}: {error}; download the model again") from error
    if not isinstance(value, dict):
        raise ModelError(f"could not read {path}: a JSON object was expected; download the model again")
    return value
