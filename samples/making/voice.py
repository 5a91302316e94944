"""Speak the lines: Kokoro-82M (int8) through ONNX Runtime, one line at a time, so every line's time is exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from making import registry
from making.script import Line

RATE_HZ = 24_000
LEAD_S = 1.0
"""Silence before the first word."""
TAIL_S = 3.0
"""The stream runs on after the last pause."""
SPEAKER = "zf_xiaoxiao"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where a line lies in the stream."""

    start: float
    end: float


def speak(lines: tuple[Line, ...]) -> tuple[np.ndarray, tuple[Spoken, ...]]:
    """Speak all lines.

    Returns float32 (n,) in [-1, 1] at 24 kHz and the time of every line, from its first to its last audible sample.
    """
    chunks, times, now = [np.zeros(int(LEAD_S * RATE_HZ), np.float32)], [], LEAD_S
    for line in lines:
        sound = _loud(_trim(_say(line.text, speed=0.98 + 0.2 * line.energy)), line.energy)
        times.append(Spoken(round(now, 3), round(now + len(sound) / RATE_HZ, 3)))
        rest = np.zeros(int(line.pause * RATE_HZ), np.float32)
        chunks += [sound, rest]
        now += (len(sound) + len(rest)) / RATE_HZ
    chunks.append(np.zeros(int(TAIL_S * RATE_HZ), np.float32))
    return np.concatenate(chunks), tuple(times)


def phonemes(text: str) -> str:
    """Spell Mandarin in the voice's phonemes."""
    spelled = _speller()(text)
    return spelled[0] if isinstance(spelled, tuple) else spelled


def _say(text: str, *, speed: float) -> np.ndarray:
    vocabulary = _vocabulary()
    tokens = [vocabulary[sign] for sign in phonemes(text) if sign in vocabulary]
    style = _styles()[len(tokens)]
    feed = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style.reshape(1, 256),
        "speed": np.array([speed], np.float32),
    }
    return np.asarray(_model().run(None, feed)[0], np.float32).ravel()


def _trim(sound: np.ndarray, floor: float = 0.012) -> np.ndarray:
    """Cut silence at both ends, leaving 20 ms."""
    heard = np.flatnonzero(np.abs(sound) > floor)
    pad = int(0.02 * RATE_HZ)
    return sound[max(0, heard[0] - pad) : heard[-1] + pad]


def _loud(sound: np.ndarray, energy: float) -> np.ndarray:
    """Bring a line to its loudness: -25 dBFS for calm talk, -19 for a countdown, peaks softly limited."""
    level = 10 ** ((-28 + 9 * energy) / 20)
    active = sound[np.abs(sound) > 0.02]
    sound = sound * (level / np.sqrt(np.mean(active**2)))
    return (np.tanh(sound / 0.8) * 0.8).astype(np.float32)


@cache
def _model():  # type: ignore[no-untyped-def]
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(registry.voice_model()), sess_options=options, providers=["CPUExecutionProvider"])


@cache
def _vocabulary() -> dict[str, int]:
    return registry.voice_vocabulary()


@cache
def _styles() -> np.ndarray:
    return np.fromfile(registry.voice_style(SPEAKER), np.float32).reshape(-1, 1, 256)


@cache
def _speller():  # type: ignore[no-untyped-def]
    from misaki import zh

    return zh.ZHG2P()


def plain(text: str) -> str:
    """Take punctuation away, as for counting characters."""
    return re.sub(r"[^\w]", "", text)
