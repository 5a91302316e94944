"""The conversion of a CTranslate2 file, on a model of eight numbers a row made here."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from clipper.errors import ModelError
from clipper.speech.ctranslate2_file import TYPES, read_variables, state_dict_from_ctranslate2

WIDTH = 8
NUMBERS = {np.dtype(kind): number for number, kind in TYPES.items()}
Variables = dict[str, NDArray[np.generic]]


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def model_file(variables: Variables, specification: str = "WhisperSpec", version: int = 6) -> bytes:
    parts = [struct.pack("<I", version), text(specification), struct.pack("<II", 3, len(variables))]
    for name, value in variables.items():
        shape = struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        parts += [text(name), shape, struct.pack("<BI", NUMBERS[value.dtype], value.nbytes), value.tobytes()]
    return b"".join([*parts, struct.pack("<I", 1), text("decoder/projection/weight"), text("decoder/embeddings/weight")])


def small(kind: str = "<f4") -> Variables:
    rng = np.random.default_rng(3)

    def floats(*shape: int) -> NDArray[np.generic]:
        return rng.normal(size=shape).astype(kind)

    variables: Variables = {
        "encoder/num_heads": np.array(2, "<i2"),
        "decoder/num_heads": np.array(2, "<i2"),
        "encoder/conv1/weight": floats(WIDTH, 80, 3),
        "encoder/position_encodings/encodings": floats(1500, WIDTH),
        "decoder/position_encodings/encodings": floats(448, WIDTH),
        "decoder/embeddings/weight": floats(50, WIDTH),
        "encoder/layer_norm/gamma": floats(WIDTH),
    }
    for side in ("encoder", "decoder"):
        variables[f"{side}/layer_0/self_attention/linear_0/weight"] = floats(3 * WIDTH, WIDTH)
        variables[f"{side}/layer_0/self_attention/linear_0/bias"] = floats(3 * WIDTH)
        variables[f"{side}/layer_0/ffn/layer_norm/beta"] = floats(WIDTH)
    variables["decoder/layer_0/attention/linear_1/weight"] = floats(2 * WIDTH, WIDTH)
    return variables


def write(folder: Path, variables: Variables) -> Path:
    (folder / "model.bin").write_bytes(model_file(variables))
    (folder / "config.json").write_text(json.dumps({"alignment_heads": [[0, 1]]}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["<f4", "<f2"])
def test_unstacks_and_renames(tmp_path: Path, kind: str) -> None:
    variables = small(kind)
    found = state_dict_from_ctranslate2(write(tmp_path, variables))
    stacked = variables["decoder/layer_0/self_attention/linear_0/weight"].astype(np.float32)
    for index, name in enumerate(("query", "key", "value")):
        assert np.array_equal(found.state[f"decoder.blocks.0.attn.{name}.weight"], stacked[index * WIDTH : (index + 1) * WIDTH])
    cross = variables["decoder/layer_0/attention/linear_1/weight"].astype(np.float32)
    assert np.array_equal(found.state["decoder.blocks.0.cross_attn.value.weight"], cross[WIDTH:])
    assert "decoder.blocks.0.attn.key.bias" not in found.state
    assert "encoder.blocks.0.attn.value.bias" in found.state
    assert np.array_equal(found.state["encoder.blocks.0.mlp_ln.bias"], variables["encoder/layer_0/ffn/layer_norm/beta"].astype(np.float32))
    assert found.dims == {
        "n_mels": 80,
        "n_audio_ctx": 1500,
        "n_audio_state": WIDTH,
        "n_audio_head": 2,
        "n_audio_layer": 1,
        "n_vocab": 50,
        "n_text_ctx": 448,
        "n_text_state": WIDTH,
        "n_text_head": 2,
        "n_text_layer": 1,
    }
    assert found.alignment_heads == ((0, 1),)


def test_undoes_int8(tmp_path: Path) -> None:
    variables = small()
    name = "decoder/layer_0/attention/linear_1/weight"
    weight = variables[name].astype(np.float32)
    scale = (127 / np.abs(weight).max(axis=1)).astype("<f4")
    variables[name], variables[f"{name}_scale"] = np.round(weight * scale[:, None]).astype("<i1"), scale
    found = state_dict_from_ctranslate2(write(tmp_path, variables))
    assert np.allclose(found.state["decoder.blocks.0.cross_attn.key.weight"], weight[:WIDTH], atol=0.02)


def test_resolves_aliases(tmp_path: Path) -> None:
    variables = read_variables(write(tmp_path, small()) / "model.bin")
    assert variables["decoder/projection/weight"] is variables["decoder/embeddings/weight"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a whole"),
        (b"PK\x03\x04" + bytes(40), "version"),
        (model_file(small(), "TransformerSpec"), "TransformerSpec"),
        (model_file(small())[:-200], "not a whole"),
        (model_file({}), "has no|not a whole"),
    ],
    ids=["empty", "zip", "another model", "cut off", "no variables"],
)
def test_refuses_what_is_no_whisper_model(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "model.bin").write_bytes(data)
    (tmp_path / "config.json").write_text('{"alignment_heads": []}', encoding="utf-8")
    with pytest.raises(ModelError, match=reason):
        state_dict_from_ctranslate2(tmp_path)
