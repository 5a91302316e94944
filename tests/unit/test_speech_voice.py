"""Windows of speech from a stream, with a detector that hears loudness: the packing is under test, not the network."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.errors import InputError
from clipper.speech.voice import FRAME, FRAME_S, RATE_HZ, Samples, VoiceOptions, Window, pack, pieces_of, windows
from clipper.values import Span


@dataclass(frozen=True)
class Block:
    start: float
    samples: Samples


def loudness(samples: Samples) -> Samples:
    return (np.abs(samples).reshape(-1, FRAME).max(axis=1) > 0.1).astype(np.float32)


def sound(length_s: float, speech: list[tuple[float, float]]) -> Samples:
    samples = np.zeros(round(length_s * RATE_HZ), np.float32)
    for start, end in speech:
        samples[round(start * RATE_HZ) : round(end * RATE_HZ)] = 0.5
    return samples


def blocks(samples: Samples, size_s: float = 7.3, skip: tuple[float, float] | None = None) -> list[Block]:
    size = round(size_s * RATE_HZ)
    cut = [Block(start / RATE_HZ, samples[start : start + size]) for start in range(0, len(samples), size)]
    return [block for block in cut if not (skip and skip[0] <= block.start < skip[1])]


def test_speech_lies_in_windows_and_silence_does_not() -> None:
    speech = [(2.0, 5.0), (5.5, 9.0), (60.0, 63.0), (120.0, 121.0)]
    found = list(windows(blocks(sound(150, speech)), VoiceOptions(), detector=loudness))
    runs = [run for window in found for run in window.runs]
    for run, (start, end) in zip(runs, speech, strict=True):
        assert run.start == pytest.approx(start, abs=FRAME_S)
        assert run.end == pytest.approx(end, abs=FRAME_S)
    assert sum(len(window.samples) for window in found) / RATE_HZ < 16


def test_digital_silence_gives_nothing() -> None:
    assert list(windows(blocks(sound(95, [])), VoiceOptions(), detector=loudness)) == []
    assert list(windows([], VoiceOptions(), detector=loudness)) == []


def test_a_window_holds_the_sound_it_says_it_holds() -> None:
    rng = np.random.default_rng(7)
    samples = (sound(80, [(1.0, 4.0), (7.0, 9.5), (30.0, 41.0)]) * rng.uniform(0.5, 1.0, 80 * RATE_HZ)).astype(np.float32)
    for window in windows(blocks(samples), VoiceOptions(), detector=loudness):
        expected = np.concatenate([samples[round(p.start * RATE_HZ) : round(p.end * RATE_HZ)] for p in window.pieces])
        assert np.array_equal(window.samples, expected)


def test_the_size_of_blocks_changes_nothing() -> None:
    samples = sound(200, [(i * 5.0, i * 5.0 + 4.2) for i in range(40)])
    one, two = (list(windows(blocks(samples, size), VoiceOptions(), detector=loudness)) for size in (3.1, 50.0))
    assert [window.runs for window in one] == [window.runs for window in two]


def test_a_gap_between_blocks_is_silence() -> None:
    samples = sound(100, [(1.0, 3.0), (90.0, 92.0)])
    found = list(windows(blocks(samples, 10.0, skip=(20.0, 80.0)), VoiceOptions(), detector=loudness))
    assert [round(window.runs[-1].end) for window in found][-1] == 92


def test_memory_does_not_grow() -> None:
    seen: list[int] = []

    def watching(samples: Samples) -> Samples:
        seen.append(len(samples))
        return loudness(samples)

    def stream() -> list[Block]:
        return blocks(sound(600, [(i * 6.0, i * 6.0 + 5.0) for i in range(100)]), 30.0)

    assert sum(1 for _ in windows(stream(), VoiceOptions(), detector=watching)) > 30
    assert max(seen) < 33 * RATE_HZ


def test_times_go_there_and_back() -> None:
    window = Window(np.zeros(10 * RATE_HZ, np.float32), (Span(1, 5), Span(20, 26)), (Span(1.4, 4.6), Span(20.4, 25.6)))
    assert [window.on_recording(t) for t in (0.0, 3.9, 4.1, 10.0, 11.0)] == pytest.approx([1.0, 4.9, 20.1, 26.0, 26.0])
    assert window.in_window(20.1) == pytest.approx(4.1)
    assert window.runs_inside == (Span(0.4, 3.6), Span(4.4, 9.6))


def test_halves_part_at_a_pause() -> None:
    window = Window(np.arange(10 * RATE_HZ, dtype=np.float32), (Span(1, 5), Span(20, 26)), (Span(1.4, 4.6), Span(20.4, 25.6)))
    left, right = window.halves()
    assert (left.runs, right.runs) == ((Span(1.4, 4.6),), (Span(20.4, 25.6),))
    assert np.array_equal(np.concatenate([left.samples, right.samples]), window.samples)
    assert window.offset_of(right) == pytest.approx(len(left.samples) / RATE_HZ, abs=0.01)


@given(st.lists(st.tuples(st.floats(0.05, 6), st.floats(0.1, 40)), min_size=1, max_size=40))
def test_packing_loses_no_speech_and_keeps_the_limit(steps: list[tuple[float, float]]) -> None:
    options = VoiceOptions()
    runs: list[Span] = []
    at = 0.0
    for gap, length in steps:
        runs.append(Span(at + gap, at + gap + length))
        at += gap + length
    groups = pack(runs, options, final=True)
    packed = [run for group in groups for run in group]
    assert sum(run.duration for run in packed) == pytest.approx(sum(run.duration for run in runs), abs=0.1)
    assert all(one.end <= two.start + 1e-9 for one, two in pairwise(packed))
    for group in groups:
        assert sum(piece.duration for piece in pieces_of(group, options)) <= options.window_s + options.pause_s


@pytest.mark.parametrize("wrong", [{"threshold": 0.2}, {"release": 0.0}, {"window_s": 31}, {"pause_s": 0.1}, {"min_speech_s": -1}])
def test_refuses_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"speech\.voice"):
        VoiceOptions(**wrong)
