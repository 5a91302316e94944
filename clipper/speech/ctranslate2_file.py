"""Read a CTranslate2 Whisper model file, and turn it into the checkpoint that openai-whisper loads.

The tensors are the same; only names and stacking differ. So one verified download serves both engines. The layout (written
by CTranslate2's `ModelSpec.save`, little-endian): version, name of the specification, its revision, the number of
variables; each variable as name, rank, dimensions, type, byte count, bytes; then aliases as pairs of names.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipper.errors import ModelError

Array = NDArray[Any]

NEWEST_VERSION = 6
TYPES: Mapping[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<f2")}
"""CTranslate2's type numbers; 5 is bfloat16, which numpy has no type for."""

LAYER_NAMES = {
    "self_attention/layer_norm": "attn_ln",
    "self_attention/linear_1": "attn.out",
    "attention/layer_norm": "cross_attn_ln",
    "attention/linear_0": "cross_attn.query",
    "attention/linear_2": "cross_attn.out",
    "ffn/layer_norm": "mlp_ln",
    "ffn/linear_0": "mlp.0",
    "ffn/linear_1": "mlp.2",
}
"""Parts of a layer that keep their shape."""

STACKED = {
    "self_attention/linear_0": ("attn.query", "attn.key", "attn.value"),
    "attention/linear_1": ("cross_attn.key", "cross_attn.value"),
}
"""Parts that CTranslate2 stacks along the first axis. openai-whisper's keys have no bias: the stacked one is zero."""

OUTER_NAMES = {
    "encoder/conv1/weight": "encoder.conv1.weight",
    "encoder/conv1/bias": "encoder.conv1.bias",
    "encoder/conv2/weight": "encoder.conv2.weight",
    "encoder/conv2/bias": "encoder.conv2.bias",
    "encoder/position_encodings/encodings": "encoder.positional_embedding",
    "encoder/layer_norm/gamma": "encoder.ln_post.weight",
    "encoder/layer_norm/beta": "encoder.ln_post.bias",
    "decoder/embeddings/weight": "decoder.token_embedding.weight",
    "decoder/position_encodings/encodings": "decoder.positional_embedding",
    "decoder/layer_norm/gamma": "decoder.ln.weight",
    "decoder/layer_norm/beta": "decoder.ln.bias",
}
ENDINGS = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What openai-whisper builds a model from."""

    dims: Mapping[str, int]
    """Arguments of `whisper.model.ModelDimensions`."""
    state: Mapping[str, Array]
    """float32 arrays by the names of `whisper.model.Whisper.state_dict()`."""
    alignment_heads: tuple[tuple[int, int], ...]
    """(layer, head) pairs of the decoder whose attention follows the sound."""


def state_dict_from_ctranslate2(folder: Path) -> Checkpoint:
    """Convert `model.bin` and `config.json` of a folder; weights may be float32, float16, int16 or int8.

    Raises ModelError when the file is no Whisper model, is cut off, or uses a type that is not known here.
    """
    variables = read_variables(folder / "model.bin")
    state: dict[str, Array] = {}
    for name, value in variables.items():
        if name.endswith(("_scale", "_zero")) or value.ndim == 0:
            continue
        for target, array in _renamed(name, _as_float(name, value, variables)):
            state[target] = array
    try:
        return Checkpoint(_dims(variables, state), state, _alignment_heads(folder / "config.json"))
    except KeyError as error:
        raise ModelError(f"could not convert {folder / 'model.bin'}: it has no {error}") from error


def read_variables(path: Path) -> dict[str, Array]:
    """Read every variable of a CTranslate2 model file, aliases resolved; arrays are views of the mapped file."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _Reader(data).variables()
    except (OSError, struct.error, UnicodeDecodeError, ValueError, KeyError) as error:
        raise ModelError(f"could not read {path}: not a whole CTranslate2 model file ({error})") from error


class _Reader:
    """A cursor over the mapped file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def variables(self) -> dict[str, Array]:
        version = self.number("I")
        if not 2 <= version <= NEWEST_VERSION:
            raise ValueError(f"version {version}, expected 2 to {NEWEST_VERSION}")
        specification = self.text()
        if specification != "WhisperSpec":
            raise ValueError(f"it is a {specification}, expected WhisperSpec")
        self.number("I")
        found = dict(self.variable() for _ in range(self.number("I")))
        for _ in range(self.number("I")):
            alias, name = self.text(), self.text()
            found[alias] = found[name]
        return found

    def variable(self) -> tuple[str, Array]:
        name = self.text()
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        kind = self.number("B")
        size = self.number("I")
        if kind not in TYPES:
            raise ValueError(f"{name} has type {kind}, known are {', '.join(map(str, TYPES))}")
        dtype = TYPES[kind]
        values: Array = np.frombuffer(self.data, dtype=dtype, count=size // dtype.itemsize, offset=self.at).reshape(shape)
        self.at += size
        return name, values

    def number(self, form: str) -> int:
        value: int = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def text(self) -> str:
        length = self.number("H")
        value = self.data[self.at : self.at + length]
        self.at += length
        return value.rstrip(b"\0").decode()


def _as_float(name: str, value: Array, variables: Mapping[str, Array]) -> Array:
    """Undo quantisation: a row is the integers divided by the row's scale."""
    if value.dtype.kind == "f":
        return value.astype(np.float32)
    scale = variables[f"{name}_scale"].astype(np.float32)
    return value.astype(np.float32) / scale.reshape(-1, *([1] * (value.ndim - 1)))


def _renamed(name: str, value: Array) -> Iterator[tuple[str, Array]]:
    if name in OUTER_NAMES:
        yield OUTER_NAMES[name], value
        return
    side, layer, *middle, last = name.split("/")
    if not layer.startswith("layer_") or last not in ENDINGS:
        return
    prefix, part, ending = f"{side}.blocks.{layer.removeprefix('layer_')}", "/".join(middle), ENDINGS[last]
    if part in LAYER_NAMES:
        yield f"{prefix}.{LAYER_NAMES[part]}.{ending}", value
    elif part in STACKED:
        targets = STACKED[part]
        for target, piece in zip(targets, np.split(value, len(targets)), strict=True):
            if not (target.endswith("key") and ending == "bias"):
                yield f"{prefix}.{target}.{ending}", piece


def _dims(variables: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, int]:
    def layers(side: str) -> int:
        return 1 + max(int(name.split(".")[2]) for name in state if name.startswith(f"{side}.blocks."))

    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": state["encoder.positional_embedding"].shape[1],
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": layers("encoder"),
        "n_vocab": state["decoder.token_embedding.weight"].shape[0],
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": state["decoder.positional_embedding"].shape[1],
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": layers("decoder"),
    }


def _alignment_heads(config: Path) -> tuple[tuple[int, int], ...]:
    try:
        heads = json.loads(config.read_text(encoding="utf-8"))["alignment_heads"]
        return tuple((int(layer), int(head)) for layer, head in heads)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"could not read the alignment heads in {config}: {error}") from error
