"""What an engine that turns sound into words must offer, and the table of engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

from clipper.errors import InputError, ModelError
from clipper.speech.voice import Samples
from clipper.values import Word

RECOGNIZERS: Mapping[str, str] = MappingProxyType(
    {
        "faster-whisper": "clipper.speech.faster_whisper:FasterWhisper",
        "whisper": "clipper.speech.openai_whisper:OpenAIWhisper",
    }
)
"""Engines by name, as dotted names: an engine is imported when it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How a batch of windows is to be decoded."""

    language: str
    """ISO 639-1 code."""
    prompt: str = ""
    """Text that the engine takes for what was said before; it sets script, punctuation and vocabulary."""
    beam_size: int = 5
    temperature: float = 0.0
    """0 decodes by beam search; above 0 samples, with `seed`."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of one window."""

    pieces: tuple[Word, ...]
    """The text in order, in the engine's smallest whole-character units; times are seconds since the window's start."""
    mean_logprob: float
    """Mean log-probability of a token."""
    no_speech: float
    """Probability that nobody speaks, in [0, 1]."""

    @property
    def text(self) -> str:
        """The pieces joined."""
        return "".join(piece.text for piece in self.pieces)


class Recognizer(Protocol):
    """An engine with its weights loaded."""

    name: str
    """Its name in the table."""
    model: str
    """Name or folder of its weights."""

    def count_tokens(self, text: str) -> int:
        """Count the tokens that a text takes up in a prompt."""
        ...

    def languages(self, windows: Sequence[Samples]) -> list[tuple[str, float]]:
        """Give each window's likeliest language and its probability."""
        ...

    def recognise(self, windows: Sequence[Samples], decoding: Decoding) -> list[Heard]:
        """Decode a batch of windows, each float32 (n,) at 16 kHz and 30 s at most."""
        ...


def load(name: str, model: str, **options: Any) -> Recognizer:
    """Load an engine of the table with its weights; raises InputError for a name that is not in it."""
    if name not in RECOGNIZERS:
        raise InputError(f"speech.engine: there is no engine {name!r}; known: {', '.join(RECOGNIZERS)}")
    module, _, attribute = RECOGNIZERS[name].partition(":")
    try:
        engine = getattr(import_module(module), attribute)
        return cast(Recognizer, engine(model, **options))
    except ImportError as error:
        extra = "whisper" if name == "whisper" else ""
        hint = f"install livecut[{extra}]" if extra else "install livecut again"
        raise ModelError(f"could not load the engine {name}: {error}; {hint}") from error


def weights_folder(model: str) -> Path:
    """Find a model's folder: a path that exists is taken as it is, a name is looked up in the weights table and verified."""
    from clipper.speech import weights

    path = Path(model).expanduser()
    if path.exists() and model not in weights.MODELS:
        return path
    return weights.locate(model)
