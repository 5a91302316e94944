"""Beats, and music under other sound."""

from __future__ import annotations

import numpy as np
import pytest

from generators.music import MusicOptions, duck_curve, find_beats, looped, ring

RATE = 48_000


def drums(tempo: float, seconds: float = 16.0, noise: float = 0.02, first: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Kick and snare in turn, a hi-hat between them, a chord below; and where the beats are."""
    rng = np.random.default_rng(3)
    count = round(seconds * RATE)
    times = np.arange(count) / RATE
    sound = rng.normal(0, noise, count) + 0.1 * np.sin(2 * np.pi * 220 * times) + 0.1 * np.sin(2 * np.pi * 277 * times)
    beats = np.arange(first, seconds - 0.4, 60 / tempo)
    for number, beat in enumerate(beats):
        at, size = round(beat * RATE), 5760
        fall = np.exp(-np.arange(size) / RATE * 30)
        hit = np.sin(2 * np.pi * (60 if number % 2 == 0 else 180) * np.arange(size) / RATE)
        sound[at : at + size] += fall * (0.8 * hit + (0.5 * rng.normal(0, 1, size) if number % 2 else 0))
        between = round((beat + 30 / tempo) * RATE)
        sound[between : between + 2000] += 0.15 * rng.normal(0, 1, 2000) * np.exp(-np.arange(2000) / 300)
    return np.stack([sound, sound], axis=1).astype(np.float32), beats


@pytest.mark.parametrize("tempo", [72, 90, 100, 118, 128])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_beats_are_found_to_forty_milliseconds(tempo: float, noise: float) -> None:
    sound, truth = drums(tempo, noise=noise)
    found = np.array(find_beats(sound))
    near = np.abs(found[:, None] - truth[None]).min(axis=1)
    missed = np.abs(truth[:, None] - found[None]).min(axis=1)
    assert (near < 0.04).mean() > 0.9
    assert (missed < 0.04).mean() > 0.9


@pytest.mark.parametrize("tempo", [140, 174])
def test_quick_music_is_counted_at_least_in_halves(tempo: float) -> None:
    sound, truth = drums(tempo)
    found = np.array(find_beats(sound))
    assert (np.abs(found[:, None] - truth[None]).min(axis=1) < 0.04).mean() > 0.85


def test_what_has_no_pulse_has_no_beats() -> None:
    rng = np.random.default_rng(0)
    assert find_beats(rng.normal(0, 0.2, (12 * RATE, 2)).astype(np.float32)) == ()
    times = np.arange(12 * RATE) / RATE
    drone = (0.3 * np.sin(2 * np.pi * 220 * times) * (1 + 0.3 * np.sin(2 * np.pi * 0.2 * times))).astype(np.float32)
    assert find_beats(np.stack([drone, drone], axis=1)) == ()
    assert find_beats(np.zeros((RATE, 2), np.float32)) == ()


def test_music_is_down_before_the_voice_begins_and_comes_back_slowly() -> None:
    count = 6 * RATE
    voice = np.zeros((count, 2), np.float32)
    voice[2 * RATE : 3 * RATE] = 0.3
    options = MusicOptions(duck_db=12, attack_s=0.1, release_s=0.5)
    curve = duck_curve(voice, count, options)
    down = 10 ** (-12 / 20)
    assert curve[RATE] == pytest.approx(1.0) and curve[5 * RATE] == pytest.approx(1.0)
    assert curve[2 * RATE : 3 * RATE].max() <= down * 1.02
    assert down < curve[round(3.25 * RATE)] < 1
    assert np.abs(np.diff(20 * np.log10(curve))).max() * RATE < 300, "no click"


def test_without_a_voice_music_stays_as_it_is() -> None:
    assert duck_curve(None, 1000, MusicOptions()).min() == 1.0
    assert duck_curve(np.ones((500, 2), np.float32), 1000, MusicOptions(duck_db=0)).min() == 1.0


@pytest.mark.parametrize("count", [1000, 48_000, 200_000])
def test_music_is_made_as_long_as_the_video(count: int) -> None:
    piece = np.full((60_000, 2), 0.5, np.float32)
    found = looped(piece, count)
    assert found.shape == (count, 2)
    assert found.min() > 0.3 and found.max() <= 0.75, "neither a gap nor a bump at the joints"


@pytest.mark.parametrize("length", [30_000, 200_000, 300_000])
def test_the_music_of_a_loop_runs_on_over_its_seam(length: int) -> None:
    count = 200_000
    piece = np.sin(2 * np.pi * 110 * np.arange(length) / RATE)[:, None].repeat(2, axis=1).astype(np.float32)
    found = ring(piece, count)
    assert found.shape == (count, 2)
    turned = np.roll(found, count // 2, axis=0)
    assert np.abs(np.diff(turned, axis=0)).max() < 0.03, "no click where it begins again"
    if length > count + RATE:
        assert np.array_equal(found[RATE:], piece[RATE:count]), "only its beginning is mixed"


def test_the_music_of_a_loop_is_lowered_before_a_voice_at_its_start() -> None:
    count = 4 * RATE
    voice = np.zeros((count, 2), np.float32)
    voice[:RATE] = 0.3
    options = MusicOptions(duck_db=12, attack_s=0.2, release_s=0.5)
    curve = duck_curve(voice, count, options, loop=True)
    assert curve[-1] == pytest.approx(curve[0], rel=0.15) and curve[-RATE] == pytest.approx(1.0)
    assert duck_curve(voice, count, options)[-1] == pytest.approx(1.0)
    voice = np.roll(voice, -RATE, axis=0)
    assert duck_curve(voice, count, options, loop=True)[0] < 0.3, "it comes back after a voice at its end"
