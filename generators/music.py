"""Music: where its beats are, and how it lies under a video: faded, looped when too short, and lower while somebody speaks.

Beats: onset strength from the rise of a log-mel-like spectrum, a tempo from its autocorrelation, and the chain of onsets that
fits the tempo best by dynamic programming (Ellis, "Beat Tracking by Dynamic Programming", 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipper import ffmpeg as door
from clipper import media
from clipper.errors import InputError, ToolFailed

RATE_HZ = 48_000
LONGEST_S = 120.0
"""Of a music file no more than this is read."""
HOP_S = 0.01
BANDS = 24
TEMPI_BPM = (70.0, 180.0)
USUAL_BPM = 118.0
TIGHT = 100.0
"""How strongly beats keep the tempo: Ellis's constant."""
CLEAR = 1.6
"""Beats are told when the onsets on them are this many times as strong as onsets are on the whole: noise measures 1.3 at most, drums
1.8 and more."""

Samples = NDArray[np.float32]
"""float32 (n, 2) in [-1, 1] at 48 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicOptions:
    """How music and voice are laid under a video."""

    fade_in_s: float = 0.25
    """Music comes in over this long; 0 to 10 s."""
    fade_out_s: float = 1.2
    """Music goes out over this long; 0 to 10 s."""
    duck_db: float = 11.0
    """Music is lowered by this much while there is other sound; 0 to 40 dB."""
    attack_s: float = 0.12
    """The lowering takes this long, and is there when the other sound begins; 0.01 to 2 s."""
    release_s: float = 0.5
    """Coming back takes this long; 0.01 to 5 s."""

    def __post_init__(self) -> None:
        bounds = {"fade_in_s": (0, 10), "fade_out_s": (0, 10), "duck_db": (0, 40), "attack_s": (0.01, 2), "release_s": (0.01, 5)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}")


def load_sound(path: Path, work: Path, *, what: str = "music") -> Samples:
    """Decode a sound file, or the sound of a video, to float32 (n, 2) at 48 kHz; two minutes of it at most.

    Raises InputError when it is no sound file, or holds no sound.
    """
    try:
        format = media.sniff(path)
    except InputError as error:
        raise InputError(f"could not use {what} {path}: {str(error).partition(': ')[2].partition(';')[0]}; give a sound file") from error
    raw = work / "sound-in.f32"
    args = [*door.input_args(path, format), "-map", "0:a:0", "-vn", "-t", f"{LONGEST_S:g}", "-ac", "2", "-ar", str(RATE_HZ)]
    try:
        door.run([*args, "-f", "f32le", "-y", door.url(raw)], what=f"could not read {what} {path}")
        samples = np.fromfile(raw, np.float32).reshape(-1, 2)
    except ToolFailed as error:
        raise InputError(f"could not read {what} {path}: ffmpeg finds no sound in it; give a sound file") from error
    finally:
        raw.unlink(missing_ok=True)
    if not len(samples) or not np.isfinite(samples).all() or float(np.abs(samples).max()) < 1e-4:
        raise InputError(f"could not use {what} {path}: it is silent; give a file with sound in it")
    return samples


# --- beats -----------------------------------------------------------------------------------------


def find_beats(samples: Samples, rate_hz: int = RATE_HZ) -> tuple[float, ...]:
    """Find the beats of a piece, seconds from its start; empty when it has no clear pulse."""
    strength = onset_strength(samples, rate_hz)
    if len(strength) < 200 or float(strength.std()) < 1e-6:
        return ()
    strength = strength / strength.std()
    period = _period(strength)
    chain = _chain(strength, period)
    if len(chain) < 4 or not _is_clear(strength, chain):
        return ()
    return tuple(round(number * HOP_S, 3) for number in chain)


def onset_strength(samples: Samples, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    """Measure how much new energy comes in, every 10 ms: float64 (n,), 0 and more."""
    mono = samples.mean(axis=1)
    hop, window = round(rate_hz * HOP_S), round(rate_hz * 0.04)
    # a frame is heard at its middle: half a window of silence in front puts time 0 in the middle of the first
    mono = np.concatenate([np.zeros(window // 2, np.float32), mono, np.zeros(window, np.float32)])
    count = max(0, (len(mono) - window) // hop)
    if count < 3:
        return np.zeros(count)
    edges = _band_edges(window, rate_hz)
    taper = np.hanning(window).astype(np.float32)
    levels = np.empty((count, BANDS), np.float32)
    for begin in range(0, count, 2000):  # 20 s at a time
        end = min(begin + 2000, count)
        frames = np.lib.stride_tricks.sliding_window_view(mono[begin * hop : (end - 1) * hop + window], window)[::hop]
        power = np.abs(np.fft.rfft(frames * taper, axis=1)) ** 2
        levels[begin:end] = np.add.reduceat(power, edges, axis=1)[:, :BANDS]
    heard = np.log1p(1000 * levels / max(float(levels.max()), 1e-12))  # a faint hi-hat is not to count like a drum
    rise = np.maximum(np.diff(heard, axis=0, prepend=heard[:1]), 0).mean(axis=1)
    slow = np.convolve(rise, np.ones(101) / 101, "same")
    return np.asarray(np.maximum(rise - slow, 0), np.float64)


def _band_edges(window: int, rate_hz: int) -> NDArray[np.int64]:
    """First bins of the bands, spaced evenly in mel from 30 Hz to 8 kHz."""
    mel = np.linspace(2595 * np.log10(1 + 30 / 700), 2595 * np.log10(1 + 8000 / 700), BANDS + 1)
    bins = np.round(700 * (10 ** (mel / 2595) - 1) * window / rate_hz).astype(np.int64)
    return np.asarray(np.maximum.accumulate(np.maximum(bins, np.arange(1, BANDS + 2))), np.int64)


def _period(strength: NDArray[np.float64]) -> int:
    """Beat period in hops: the strongest lag, with a preference for usual tempi."""
    high, low = (round(60 / tempo / HOP_S) for tempo in TEMPI_BPM)
    size = 1 << (2 * len(strength) - 1).bit_length()
    spectrum = np.fft.rfft(strength - strength.mean(), size)
    auto = np.fft.irfft(np.abs(spectrum) ** 2, size)[: 2 * high + 1]
    lags = np.arange(low, high + 1)
    taste = np.exp(-0.5 * (np.log2(lags * HOP_S * USUAL_BPM / 60) / 0.9) ** 2)
    doubled = np.array([auto[min(2 * int(lag), len(auto) - 1)] for lag in lags])
    return int(lags[np.argmax((auto[lags] + 0.5 * doubled) * taste)])


def _chain(strength: NDArray[np.float64], period: int) -> list[int]:
    """The chain of instants that collects most onset strength while keeping the period (Ellis 2007, eq. 4)."""
    smooth = np.convolve(strength, np.exp(-0.5 * (np.arange(-8, 9) * 32 / period) ** 2), "same")
    steps = np.arange(-2 * period, -(period // 2) + 1)
    cost = -TIGHT * np.log(-steps / period) ** 2
    total, back = smooth.copy(), np.full(len(smooth), -1)
    for number in range(period // 2, len(smooth)):
        before = number + steps
        valid = before >= 0
        if not valid.any():
            continue
        scores = total[before[valid]] + cost[valid]
        best = int(np.argmax(scores))
        if scores[best] > 0:
            total[number] += scores[best]
            back[number] = before[valid][best]
    tail = max(0, len(total) - period)
    at = tail + int(np.argmax(total[tail:]))
    chain = []
    while at >= 0:
        chain.append(int(at))
        at = int(back[at])
    return chain[::-1]


def _is_clear(strength: NDArray[np.float64], chain: Sequence[int]) -> bool:
    near = [float(strength[max(0, at - 3) : at + 4].max()) for at in chain]
    usual = float(np.mean([strength[at : at + 7].max() for at in range(0, len(strength) - 7, 7)]))
    return float(np.median(near)) >= CLEAR * max(usual, 1e-9)


# --- levels ----------------------------------------------------------------------------------------


def duck_curve(other: Samples | None, count: int, options: MusicOptions, *, loop: bool = False) -> Samples:
    """How loud music is under other sound: float32 (count,), factors of 1 and less, smooth.

    Music is down when the other sound begins (the lowering looks ahead), and comes back slowly; in a loop also over its seam.
    """
    block = RATE_HZ // 100
    blocks = -(-count // block)
    if other is None or not len(other) or options.duck_db <= 0:
        return np.ones(count, np.float32)
    padded = np.zeros((blocks * block, 2), np.float32)
    padded[: min(len(other), count)] = other[:count]
    level = np.sqrt((padded.reshape(blocks, -1) ** 2).mean(axis=1))
    speaks = level > max(float(level.max()) * 0.03, 1e-3)
    back = _held(np.tile(speaks, 2), 0.01 / options.release_s)
    ahead = _held(np.tile(speaks, 2)[::-1], 0.01 / options.attack_s)[::-1]
    # of two turns of a loop the second knows what went before, and the first what comes
    down = np.maximum(back[blocks:], ahead[:blocks]) if loop else np.maximum(back[:blocks], ahead[blocks:])
    down = down * down * (3 - 2 * down)
    factors = 10 ** (-options.duck_db * down / 20)
    middles = (np.arange(blocks) + 0.5) * block
    return np.asarray(np.interp(np.arange(count), middles, factors), np.float32)


def _held(speaks: NDArray[np.bool_], step: float) -> NDArray[np.float64]:
    """1 where something speaks, and a slope down to 0 after it."""
    out, held = np.zeros(len(speaks)), 0.0
    for number, on in enumerate(speaks):
        held = 1.0 if on else max(0.0, held - step)
        out[number] = held
    return out


def ring(samples: Samples, count: int, *, cross_s: float = 0.5) -> Samples:
    """Make a piece `count` samples long whose end runs on into its start: what would come next fades out under the beginning."""
    cross = min(round(cross_s * RATE_HZ), count // 2)
    longer = looped(samples, count + cross)
    fall = np.sqrt(np.linspace(1, 0, cross, endpoint=False, dtype=np.float32))[:, None]
    out: Samples = longer[:count].copy()
    out[:cross] = out[:cross] * np.sqrt(1 - fall * fall) + longer[count:] * fall
    return out


def looped(samples: Samples, count: int, *, cross_s: float = 0.5) -> Samples:
    """Make a piece `count` samples long: cut, or repeated with a cross-fade."""
    if len(samples) >= count:
        return samples[:count]
    cross = min(round(cross_s * RATE_HZ), len(samples) // 2)
    out = np.zeros((count, 2), np.float32)
    rise = np.sqrt(np.linspace(0, 1, cross, dtype=np.float32))[:, None]
    at = 0
    while at < count:
        piece = samples.copy()
        if at > 0:
            piece[:cross] *= rise
        if at + len(piece) < count:
            piece[len(piece) - cross :] *= rise[::-1]
        end = min(count, at + len(piece))
        out[at:end] += piece[: end - at]
        if end == count:
            break
        at += len(piece) - cross
    return out
