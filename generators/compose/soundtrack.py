"""The video's sound: music and voice mixed by MoviePy, brought to its loudness, encoded, and measured.

MoviePy lays the pieces on one timeline (volume, fades, start); the lowering under a voice is a curve of our own, and
loudness is the renderer's, the same as for clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clipper import ffmpeg as door
from clipper.render import RenderOptions
from clipper.render.loudness import RAW, Loudness, Sound, Target, bring_to, read_summary, write_silence
from generators.music import RATE_HZ, MusicOptions, Samples, duck_curve, load_sound, looped, ring

CHUNK_S = 1.0
SHORT_FADE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A piece of sound that belongs to the video itself, such as a voice or what a model made with a shot."""

    path: str
    start: float = 0.0
    """Seconds on the video's clock."""
    end: float | None = None
    """Seconds on the video's clock; None plays it to its end."""


def make_soundtrack(
    work: Path,
    seconds: float,
    *,
    music: str | None,
    gain_db: float,
    heard: tuple[Heard, ...],
    loop: bool,
    target: Target,
    encoding: RenderOptions,
    options: MusicOptions,
    cancelled: Callable[[], bool] | None = None,
) -> Sound:
    """Write the finished sound (clipper's `sound.m4a`) into `work`; without music and voices it is silence.

    Raises InputError for a sound file that cannot be used, ToolFailed, ToolError and Cancelled.
    """
    count = round(seconds * RATE_HZ)
    pieces = [(piece, load_sound(Path(piece.path), work, what="sound")) for piece in heard]
    if not music and not pieces:
        write_silence(work, seconds, encoding)
        return Sound(Loudness(-70.0, -70.0), ())
    front = _front(pieces, count)
    clips = [_clip(front, None)] if front is not None else []
    if music:
        clips.append(_music(load_sound(Path(music), work), front, count, gain_db, loop, options))
    raw = _mix_down(clips, work, seconds, cancelled)
    return bring_to(work, raw, target, encoding)


def _front(pieces: list[tuple[Heard, Samples]], count: int) -> Samples | None:
    """All that is not music, on one track; None when there is none."""
    if not pieces:
        return None
    out = np.zeros((count, 2), np.float32)
    for piece, samples in pieces:
        begin = min(count, round(piece.start * RATE_HZ))
        end = min(count, begin + len(samples), round((piece.end if piece.end is not None else 1e9) * RATE_HZ))
        if end > begin:
            out[begin:end] += _faded(samples[: end - begin])
    return out


def _faded(samples: Samples) -> Samples:
    size = min(round(SHORT_FADE_S * RATE_HZ), len(samples) // 2)
    out = samples.copy()
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    out[:size] *= ramp
    out[len(out) - size :] *= ramp[::-1]
    return out


def _clip(samples: Samples, effects: list[Any] | None) -> Any:
    from moviepy import AudioArrayClip

    clip = AudioArrayClip(samples, fps=RATE_HZ)
    return clip.with_effects(effects) if effects else clip


def _music(samples: Samples, front: Samples | None, count: int, gain_db: float, loop: bool, options: MusicOptions) -> Any:
    """Music as long as the video, lowered under what is in front, faded in and out; that of a loop runs on over its seam."""
    from moviepy import afx

    bed = (ring if loop else looped)(samples, count) * duck_curve(front, count, options, loop=loop)[:, None]
    seconds = count / RATE_HZ
    effects: list[Any] = [afx.MultiplyVolume(10 ** (gain_db / 20))]
    if not loop:
        if options.fade_in_s > 0:
            effects.append(afx.AudioFadeIn(min(options.fade_in_s, seconds / 2)))
        if options.fade_out_s > 0:
            effects.append(afx.AudioFadeOut(min(options.fade_out_s, seconds / 2)))
    return _clip(bed, effects)


def _mix_down(clips: list[Any], work: Path, seconds: float, cancelled: Callable[[], bool] | None) -> Loudness:
    """Add the clips, write a float WAV, and measure it on the way."""
    from moviepy import CompositeAudioClip

    whole = CompositeAudioClip(clips).with_duration(seconds).with_fps(RATE_HZ)
    source = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", "pipe:0", "-af", "ebur128=peak=true:framelog=quiet"]
    done = door.run(
        [*source, "-c:a", "pcm_f32le", "-f", "wav", "-y", door.url(work / RAW)],
        what="could not mix the sound",
        loglevel="info",
        feed=_chunks(whole, seconds),
        cancelled=cancelled,
    )
    return read_summary(done.stderr)


def _chunks(whole: Any, seconds: float) -> Iterator[bytes]:
    total, size = round(seconds * RATE_HZ), round(CHUNK_S * RATE_HZ)
    for begin in range(0, total, size):
        times = (np.arange(begin, min(total, begin + size)) + 0.25) / RATE_HZ
        yield np.ascontiguousarray(whole.get_frame(times), np.float32).tobytes()
