"""A clip's sound: cut, joined with short fades, brought to its loudness, encoded, and measured as a listener gets it.

Three steps of sound alone, each a fraction of a second: cut and measure; gain, limiter and AAC; measure the AAC. While the
measurement misses its target the second and third are done again. The picture's run then copies what was measured.

Sources: ITU-R BS.1770 and EBU R 128 (ffmpeg's ebur128, true peak by oversampling).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper import ffmpeg as door
from clipper.errors import ToolError
from clipper.render.graph import READING, SOUND, Files, end_card_frames, seek_of
from clipper.render.options import RenderOptions
from clipper.render.timing import RATE_HZ, Cut, cuts
from clipper.values import Plan, Recording

log = logging.getLogger(__name__)

RAW = "sound.wav"
CLOSE_ENOUGH_LU = 0.3
"""Aimed at; what is promised is ±1 LU."""
PROMISED_LU = 1.0
SILENCE_LUFS = -60.0
"""Below this there is nothing to bring to a loudness."""
AAC_HEADROOM_DB = 0.5
"""AAC moves peaks: the limiter aims this much below the ceiling at first."""
ENDING_FADE_S = 0.15
"""The sound goes out over this long before a closing card."""
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Loudness:
    """What BS.1770 says of a piece of sound."""

    integrated_lufs: float
    true_peak_dbtp: float

    @property
    def is_silent(self) -> bool:
        """Say whether there is nothing to hear."""
        return self.integrated_lufs < SILENCE_LUFS


@dataclass(frozen=True, slots=True)
class Target:
    """What a piece of sound is brought to."""

    name: str
    """Whose sound it is, for messages."""
    lufs: float = -14.0
    true_peak_dbtp: float = -1.0


@dataclass(frozen=True, slots=True)
class Sound:
    """The finished sound of a clip."""

    loudness: Loudness
    warnings: tuple[str, ...] = ()


def make_sound(
    plan: Plan, recording: Recording, files: Files, options: RenderOptions, cancelled: Callable[[], bool] | None = None
) -> Sound:
    """Write the clip's finished sound into the work folder, and say how loud it came out.

    A recording without sound gets silence. Raises ToolFailed, Cancelled, and ToolError when the sound stays too loud.
    """
    seconds = plan.duration
    if not recording.has_audio:
        door.run(silence_args(plan, recording, files, options), what=f"could not write a silent track for {plan.id}", duration_s=seconds)
        return Sound(Loudness(-70.0, -70.0), ("the recording has no sound: the clip has a silent track",))
    done = door.run(
        cut_args(plan, recording, files),
        what=f"could not cut the sound of {plan.id}",
        duration_s=seconds,
        loglevel="info",
        cancelled=cancelled,
    )
    raw = read_summary(done.stderr)
    log.info("%s: sound as recorded %.1f LUFS, true peak %.1f dBTP", plan.id, raw.integrated_lufs, raw.true_peak_dbtp)
    return bring_to(files.folder, raw, Target(plan.id, plan.loudness_lufs, plan.true_peak_dbtp), options)


def measure(path: Path, format: str = "mov") -> Loudness:
    """Measure the sound of a file: no picture is decoded."""
    args = [*door.input_args(path, format), "-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    return read_summary(door.run(args, what=f"could not measure the loudness of {path.name}", loglevel="info").stderr)


def read_summary(text: str) -> Loudness:
    """Read ebur128's summary. Raises ToolError when it is not there."""
    summary = text.rpartition("Summary:")[2]
    loud = re.search(r"\bI:\s+(-?[\d.]+|-inf|nan) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf|nan) dBFS", summary)
    if loud is None or peak is None:
        raise ToolError("could not measure the loudness: ffmpeg printed no summary; its sound may hold no samples")
    return Loudness(_finite(loud.group(1)), _finite(peak.group(1)))


def cut_args(plan: Plan, recording: Recording, files: Files) -> list[str]:
    """Build the arguments that cut and join a plan's sound into a float WAV and measure it on the way; pure."""
    import ffmpeg

    pieces = cuts(plan, recording, files.source.seeks, files.source.start)
    parts = [_piece(plan, recording, files, cut, fade_out(plan, number, len(pieces), files)) for number, cut in enumerate(pieces)]
    sound = parts[0] if len(parts) == 1 else ffmpeg.concat(*parts, v=0, a=1)
    closing = end_card_frames(plan, files)
    if closing:
        sound = sound.filter("apad", pad_len=round(closing / plan.fps * RATE_HZ))
    sound = sound.filter("ebur128", peak="true", framelog="quiet")
    out = ffmpeg.output(sound, door.url(files.folder / RAW), **{"c:a": "pcm_f32le", "ar": RATE_HZ, "map_metadata": -1, "f": "wav"})
    return [*READING, *door.compile(out.overwrite_output())]


def fade_out(plan: Plan, number: int, count: int, files: Files) -> float:
    """Length of the fade at the end of a source, in seconds."""
    return max(plan.fade_s, ENDING_FADE_S) if files.end_card and number == count - 1 else plan.fade_s


def _piece(plan: Plan, recording: Recording, files: Files, cut: Cut, out_s: float) -> Any:
    """One source's sound: from its first frame on, exactly as long as its frames; gaps become silence."""
    stream = door.source(recording.path, recording.format, **seek_of(cut))[files.source.audio]
    stream = stream.filter("atrim", start=_s(cut.zero), end=_s(cut.sound_end)).filter("asetpts", f"PTS-{_s(cut.zero)}/TB")
    stream = stream.filter("aresample", RATE_HZ, **{"async": 1, "first_pts": 0})
    stream = stream.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
    stream = stream.filter("apad").filter("atrim", end_sample=cut.samples)
    length = cut.samples / RATE_HZ
    fade, out = min(plan.fade_s, length / 2), min(out_s, length / 2)
    if fade > 0:
        stream = stream.filter("afade", type="in", duration=_s(fade)).filter(
            "afade", type="out", start_time=_s(length - out), duration=_s(out)
        )
    return stream


def silence_args(plan: Plan, recording: Recording, files: Files, options: RenderOptions) -> list[str]:
    """Build the arguments that write a silent track as long as the picture; pure."""
    frames = sum(cut.frames for cut in cuts(plan, recording)) + end_card_frames(plan, files)
    return _silence(files.folder, frames / plan.fps, options)


def write_silence(folder: Path, seconds: float, options: RenderOptions) -> None:
    """Write a silent `sound.m4a` into a folder. Raises ToolFailed."""
    door.run(_silence(folder, seconds, options), what="could not write a silent track", duration_s=seconds)


def _silence(folder: Path, seconds: float, options: RenderOptions) -> list[str]:
    source = ["-f", "lavfi", "-i", f"anullsrc=r={RATE_HZ}:cl=stereo"]
    return [*source, "-t", _s(seconds), *_aac(options), "-y", door.url(folder / SOUND)]


def level_args(folder: Path, options: RenderOptions, gain_db: float, ceiling_db: float | None) -> list[str]:
    """Build the arguments that raise the cut sound by a gain, hold its peaks under a ceiling, and encode it; pure.

    The limiter works at four times the rate: between samples of 48 kHz a wave stands higher than at them.
    """
    chain = [f"volume={gain_db:.2f}dB"]
    if ceiling_db is not None:
        limit = 10 ** (ceiling_db / 20)
        chain += [f"aresample={4 * RATE_HZ}", f"alimiter=level=0:limit={limit:.5f}:attack=4:release=60:latency=1", f"aresample={RATE_HZ}"]
    chain.append("aformat=channel_layouts=stereo")
    return [*door.input_args(folder / RAW, "wav"), "-af", ",".join(chain), *_aac(options), "-y", door.url(folder / SOUND)]


def bring_to(folder: Path, raw: Loudness, target: Target, options: RenderOptions) -> Sound:
    """Bring `sound.wav` of a folder, measured as `raw`, to its loudness and encode it as `sound.m4a`.

    Sound that cannot be made so loud without clipping stays quieter, with a warning.
    Raises ToolFailed, and ToolError when it stays too loud.
    """
    what = f"could not bring {target.name} to {target.lufs:g} LUFS"
    if raw.is_silent:
        door.run(level_args(folder, options, 0.0, None), what=what)
        return Sound(Loudness(-70.0, raw.true_peak_dbtp), ("the clip's sound is silent",))
    wanted = target.lufs - raw.integrated_lufs
    gain = min(wanted, options.gain_max_db)
    aimed = raw.integrated_lufs + gain
    ceiling = target.true_peak_dbtp - AAC_HEADROOM_DB
    best: Loudness | None = None
    for _ in range(ROUNDS):
        limited = raw.true_peak_dbtp + gain > ceiling
        door.run(level_args(folder, options, gain, ceiling if limited else None), what=what)
        best = measure(folder / SOUND)
        over = best.true_peak_dbtp - target.true_peak_dbtp
        missed = aimed - best.integrated_lufs
        if over <= 0 and abs(missed) <= CLOSE_ENOUGH_LU:
            break
        if over > 0:
            ceiling -= over + 0.1
        gain = min(gain + missed, wanted + 12.0)
    assert best is not None
    _check(target, best, aimed)
    warning = _held(best, gain, wanted, aimed)
    return Sound(best, (warning,) if warning else ())


def _held(found: Loudness, gain: float, wanted: float, aimed: float) -> str:
    """Say why the sound stayed quieter than it was meant to be; empty when it did not."""
    if gain < wanted - PROMISED_LU:
        return f"the sound is very quiet: lifted by {gain:.0f} dB, it stays at {found.integrated_lufs:.1f} LUFS"
    if found.integrated_lufs < aimed - PROMISED_LU:
        return f"the sound is mostly silence and sharp peaks: it stays at {found.integrated_lufs:.1f} LUFS, since louder it would clip"
    return ""


def _check(target: Target, found: Loudness, aimed: float) -> None:
    """Raise ToolError for sound that is too loud or would clip; quieter than wanted is still a clip, with a warning."""
    if found.integrated_lufs > aimed + PROMISED_LU or found.true_peak_dbtp > target.true_peak_dbtp:
        raise ToolError(
            f"could not bring {target.name} to {aimed:.1f} LUFS under {target.true_peak_dbtp:g} dBTP: came to "
            f"{found.integrated_lufs:.1f} LUFS, {found.true_peak_dbtp:.1f} dBTP; choose a lower loudness_lufs in the plan"
        )


def _aac(options: RenderOptions) -> list[str]:
    return ["-c:a", "aac", "-b:a", f"{options.audio_kbps}k", "-ar", str(RATE_HZ), "-ac", "2", "-map_metadata", "-1", "-f", "mp4"]


def _finite(text: str) -> float:
    return -70.0 if text in ("-inf", "nan") else max(float(text), -70.0)


def _s(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
