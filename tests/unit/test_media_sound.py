"""Loudness per step."""

from __future__ import annotations

import numpy as np
import pytest

from clipper import sound
from clipper.media import AudioBlock


def blocks(samples: np.ndarray, sizes: list[int]) -> list[AudioBlock]:
    ends = np.cumsum(sizes)
    return [AudioBlock(float(start) / 16_000, samples[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def test_a_full_sine_measures_minus_three() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(16_000) / 16_000).astype(np.float32)
    track = sound.measure_loudness(blocks(tone, [16_000]))
    assert track.step == 0.05
    assert track.values == pytest.approx([-3.01] * 20, abs=0.02)


def test_silence_is_the_floor_and_blocks_may_end_anywhere() -> None:
    samples = np.concatenate([np.zeros(8_000, np.float32), np.full(8_000, 0.1, np.float32)])
    whole = sound.measure_loudness(blocks(samples, [16_000]))
    assert sound.measure_loudness(blocks(samples, [1_000, 7_777, 7_223])) == whole
    assert whole.values[:10] == (sound.FLOOR_DB,) * 10
    assert whole.values[10:] == pytest.approx([-20.0] * 10, abs=0.01)


def test_no_sound_gives_no_values() -> None:
    assert sound.measure_loudness([]).values == ()
