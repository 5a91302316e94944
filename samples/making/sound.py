"""Mix the stream's sound: the voice in a small room, a quiet music bed, room tone."""

from __future__ import annotations

import numpy as np

from making.voice import RATE_HZ as VOICE_RATE_HZ

RATE_HZ = 48_000
SNR_DB = 24.0
"""Speech level over bed and room tone together."""

# Two bars each, in semitones over A3: Am7, Fmaj7, Cmaj7, G6.
_CHORDS = ((0, 3, 7, 10), (-4, 0, 3, 7), (3, 7, 10, 14), (-2, 2, 5, 7))
_BEAT_S = 60 / 84
_A3_HZ = 220.0


def mix(voice: np.ndarray, snr_db: float = SNR_DB) -> np.ndarray:
    """Mix voice, room, music and noise: float32 (n,) at 48 kHz, peaks under -1 dBFS."""
    speech = _room(_upsample(voice))
    music, tone = _music(len(speech)), _room_tone(len(speech))
    bed = music / _rms(music) + 0.5 * tone / _rms(tone)
    speaking = speech[np.abs(speech) > 0.02]
    bed *= _rms(speaking) / _rms(bed) * 10 ** (-snr_db / 20)
    mixed = speech + bed
    return (mixed * min(1.0, 0.89 / np.abs(mixed).max())).astype(np.float32)


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _upsample(voice: np.ndarray) -> np.ndarray:
    """Double the rate by zero-padding the spectrum, block by block without seams."""
    ratio = RATE_HZ // VOICE_RATE_HZ
    spectrum = np.fft.rfft(voice.astype(np.float64))
    wide = np.zeros(len(voice) * ratio // 2 + 1, complex)
    wide[: len(spectrum)] = spectrum
    return np.fft.irfft(wide, len(voice) * ratio) * ratio


def _room(speech: np.ndarray, seconds: float = 0.16, level: float = 0.10) -> np.ndarray:
    """Add the short echo of a furnished room."""
    count = int(seconds * RATE_HZ)
    tail = np.random.default_rng(5).normal(0, 1, count) * np.exp(-np.arange(count) / (0.035 * RATE_HZ))
    tail[: int(0.004 * RATE_HZ)] = 0
    tail *= level / np.sqrt(np.sum(tail**2))
    size = 1 << (len(speech) + count - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(tail, size), size)[: len(speech)]
    return speech + wet


def _room_tone(count: int) -> np.ndarray:
    """Air in the room: noise falling with frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(6).normal(0, 1, count))
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    return np.fft.irfft(spectrum / np.sqrt(1 + (hertz / 180) ** 2), count)


def _music(count: int) -> np.ndarray:
    """Play soft plucked chords over a warm pad: four chords of two bars, round and round."""
    out = np.zeros(count + 4 * RATE_HZ)
    rng = np.random.default_rng(7)
    step = _BEAT_S / 2
    for index in range(int(count / RATE_HZ / step)):
        chord = _CHORDS[index // 16 % 4]
        note = (chord[0], chord[2], chord[3], chord[1], chord[2], chord[0], chord[3], chord[2])[index % 8]
        if rng.uniform() < 0.82:
            _add(out, index * step + rng.uniform(0, 0.012), _pluck(note + 12 * (index % 3 == 2), 0.5 + 0.3 * (index % 4 == 0)))
        if index % 16 == 0:
            for tone in chord:
                _add(out, index * step, _pad(tone - 12, 16 * step))
    return out[:count]


def _add(out: np.ndarray, at_s: float, note: np.ndarray) -> None:
    start = int(at_s * RATE_HZ)
    end = min(len(out), start + len(note))
    out[start:end] += note[: end - start]


def _pluck(semitone: float, level: float) -> np.ndarray:
    t = np.arange(int(1.6 * RATE_HZ)) / RATE_HZ
    hertz = _A3_HZ * 2 ** (semitone / 12)
    body = sum(np.sin(2 * np.pi * hertz * k * t) * np.exp(-t * (2.2 + 1.9 * k)) / k**1.4 for k in range(1, 7))
    return level * np.minimum(t / 0.004, 1) * body


def _pad(semitone: float, seconds: float) -> np.ndarray:
    t = np.arange(int((seconds + 1) * RATE_HZ)) / RATE_HZ
    hertz = _A3_HZ * 2 ** (semitone / 12)
    swell = np.minimum(t / 1.2, 1) * np.minimum((seconds + 1 - t) / 1.2, 1)
    return (
        0.12 * swell * (np.sin(2 * np.pi * hertz * t) + 0.5 * np.sin(2 * np.pi * hertz * 1.003 * t) + 0.25 * np.sin(4 * np.pi * hertz * t))
    )
