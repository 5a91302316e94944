"""Media with a built-in answer: "the clock", and ways to damage it.

Every frame of the clock spells its own index in bands across the whole width, every second beeps its own pitch. Both
survive cutting, cropping, scaling and CRF 28, so "the right frame, none dropped, sound and picture agree" is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipper import ffmpeg

BITS = 16
MARGIN = 0.1
"""Share of the height that is magenta above the bands, and green below."""
RATE_HZ = 48_000
BEEP_S = 0.5
"""Each second begins with this much tone; the rest is digital silence."""
PITCHES = 60
MUXERS = {
    ".mp4": "mp4",
    ".mov": "mov",
    ".flv": "flv",
    ".ts": "mpegts",
    ".mkv": "matroska",
    ".avi": "avi",
    ".wav": "wav",
    ".ogg": "ogg",
    ".mp3": "mp3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What kind of file to build."""

    seconds: float = 4.0
    fps: Fraction = Fraction(25)
    width_px: int = 180
    """Displayed width: a rotated file stores the picture turned."""
    height_px: int = 320
    rotation_deg: int = 0
    """Display rotation written into the container: 0, 90, 180 or 270 (mp4, mov and mkv alone carry it)."""
    is_vfr: bool = False
    """Leave out frames in an uneven pattern; each kept frame still spells the index that its time has at `fps`."""
    channels: int = 2
    """0 for no sound; 1, 2 or 6."""
    has_video: bool = True
    gop_frames: int = 25
    b_frames: int = 2
    audio_delay_s: float = 0.0
    """The sound comes this much late (constant desync that the container declares)."""
    faststart: bool = False


def build_clock(path: Path, clock: Clock | None = None, **changes: object) -> Path:
    """Write a clock to `path`, whose suffix picks the container; `changes` replace fields of `clock`."""
    clock = replace(clock or Clock(), **changes)  # type: ignore[arg-type]
    turned = path.with_name(f"first-{path.name}.mp4") if clock.rotation_deg or clock.audio_delay_s else None
    target = turned or path
    sound = path.with_name(path.name + ".pcm")
    args: list[str] = []
    if clock.has_video:
        stored = _stored_size(clock)
        args += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*_fed_size(clock)), "-r", str(clock.fps), "-i", "pipe:0"]
    if clock.channels:
        sound.write_bytes(_sound(clock).tobytes())
        args += [
            "-f",
            "s16le",
            "-ar",
            str(RATE_HZ),
            "-ch_layout",
            {1: "mono", 2: "stereo", 6: "5.1"}[clock.channels],
            "-i",
            ffmpeg.url(sound),
        ]
    if clock.has_video:
        chain = _filters(clock, stored)
        args += ["-vf", chain, "-fps_mode", "vfr" if clock.is_vfr else "cfr", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"]
        args += ["-g", str(clock.gop_frames), "-bf", str(clock.b_frames), "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-threads", "2"]
    if clock.channels and path.suffix in (".mp4", ".mov", ".flv", ".ts", ".mkv", ".avi"):
        args += ["-c:a", "aac", "-b:a", "128k"]
    if clock.faststart:
        args += ["-movflags", "+faststart"]
    args += ["-y", "-f", MUXERS[target.suffix], ffmpeg.url(target)]
    ffmpeg.run(args, what=f"could not build {path.name}", feed=_frames(clock) if clock.has_video else None)
    sound.unlink(missing_ok=True)
    if turned:
        _remux(clock, turned, path)
        turned.unlink()
    return path


def draw_index(index: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """Draw the picture of one frame: uint8 (h, w, 3) RGB."""
    levels = [40 if bit == "0" else 215 for bit in f"{index:0{BITS}b}"]
    levels.append(40 if index.bit_count() % 2 == 0 else 215)
    top = round(height_px * MARGIN)
    picture = np.empty((height_px, width_px, 3), np.uint8)
    picture[:top] = (255, 0, 255)
    picture[height_px - top :] = (0, 255, 0)
    rows = np.arange(height_px - 2 * top) * len(levels) // (height_px - 2 * top)
    picture[top : height_px - top] = np.array(levels, np.uint8)[rows][:, None, None]
    return picture


def read_frame_index(image: NDArray[np.uint8]) -> int:
    """Read the index that a frame spells: uint8 (h, w, 3) BGR or RGB, upright; cropped, scaled, or inside a blurred frame.

    Only the outer columns are looked at, where captions and cards do not reach. Raises ValueError when nothing is legible.
    """
    width = image.shape[1]
    edge = max(2, width // 25)
    columns = np.concatenate([image[:, 1 : 1 + edge], image[:, width - 1 - edge : width - 1]], axis=1).astype(np.int16)
    rows = np.median(columns, axis=1)
    side, green = np.minimum(rows[:, 0], rows[:, 2]), rows[:, 1]
    magenta_rows = np.flatnonzero(side > green + 80)
    green_rows = np.flatnonzero(green > np.maximum(rows[:, 0], rows[:, 2]) + 80)
    if not len(magenta_rows):
        raise ValueError("no magenta margin above the bands")
    top = magenta_rows[-1] + 1
    below = green_rows[green_rows > top]
    if not len(below) or below[0] - top < 2 * (BITS + 1):
        raise ValueError("no green margin below the bands")
    step = (below[0] - top) / (BITS + 1)
    middles = [top + (band + 0.5) * step for band in range(BITS + 1)]
    lit = [float(np.mean(rows[round(middle - step / 5) : round(middle + step / 5) + 1])) > 127 for middle in middles]
    index = int("".join("01"[bit] for bit in lit[:BITS]), 2)
    if index.bit_count() % 2 != lit[BITS]:
        raise ValueError(f"the bands read {index}, but their parity is wrong")
    return index


def pitch_hz(second: int) -> float:
    """The tone of a second."""
    return 400.0 + 50.0 * (second % PITCHES)


def read_pitch(samples: NDArray[np.float32], rate_hz: int) -> int | None:
    """Name the second (modulo 60) whose tone sounds in mono samples (n,); None for silence. A tenth of a second is enough."""
    if len(samples) < rate_hz // 50 or float(np.max(np.abs(samples))) < 0.003:
        return None
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * rate_hz // 10))
    peak = float(np.argmax(spectrum)) * rate_hz / (8 * rate_hz // 10)
    return round((peak - 400.0) / 50.0) % PITCHES


def beep_onsets(samples: NDArray[np.float32], rate_hz: int) -> list[float]:
    """Find the instants at which tones begin, in seconds from the first of the mono samples (n,)."""
    loud = np.abs(samples) > 0.1 * float(np.max(np.abs(samples)) or 1.0)
    at = np.flatnonzero(loud)
    if not len(at):
        return []
    starts = np.concatenate([[at[0]], at[1:][np.diff(at) > rate_hz // 5]])
    return [float(start) / rate_hz for start in starts]


def truncate(path: Path, share: float, target: Path | None = None) -> Path:
    """Cut a file off after a share of its bytes, in place or into `target`."""
    data = path.read_bytes()
    target = target or path
    target.write_bytes(data[: int(len(data) * share)])
    return target


def shift_flv(data: bytes, change: object) -> bytes:
    """Rewrite the tag timestamps of an FLV: `change(kind, time_ms) -> time_ms`, kind 8 for sound and 9 for picture."""
    out, at = bytearray(data), 13
    while at + 11 <= len(data):
        kind, size = data[at] & 0x1F, int.from_bytes(data[at + 1 : at + 4], "big")
        time_ms = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        new = int(change(kind, time_ms)) & 0xFFFFFFFF  # type: ignore[operator]
        out[at + 4 : at + 7] = (new & 0xFFFFFF).to_bytes(3, "big")
        out[at + 7] = new >> 24
        at += 11 + size + 4
    return bytes(out)


def _remux(clock: Clock, source: Path, path: Path) -> None:
    """Write what only the container holds: display rotation, and sound that is late as a whole."""
    args = ["-display_rotation", str(-clock.rotation_deg), "-i", ffmpeg.url(source)]
    if clock.audio_delay_s:
        args += ["-itsoffset", str(clock.audio_delay_s), "-i", ffmpeg.url(source), "-map", "0:v", "-map", "1:a"]
    ffmpeg.run([*args, "-c", "copy", "-y", "-f", MUXERS[path.suffix], ffmpeg.url(path)], what=f"could not remux {path.name}")


def _fed_size(clock: Clock) -> tuple[int, int]:
    return (8, clock.height_px)


def _stored_size(clock: Clock) -> tuple[int, int]:
    size = (clock.width_px, clock.height_px)
    return size[::-1] if clock.rotation_deg in (90, 270) else size


def _filters(clock: Clock, stored: tuple[int, int]) -> str:
    chain = [f"scale={clock.width_px}:{clock.height_px}:flags=neighbor"]
    turns = {90: ["transpose=cclock"], 180: ["hflip", "vflip"], 270: ["transpose=clock"]}
    chain += turns.get(clock.rotation_deg, [])
    if clock.is_vfr:
        chain.append("select='not(eq(mod(n,7),3)+eq(mod(n,11),5)+eq(mod(n,11),6))'")
    return ",".join([*chain, f"scale={stored[0]}:{stored[1]}"])


def _frames(clock: Clock) -> Iterator[bytes]:
    for index in range(round(clock.seconds * clock.fps)):
        yield draw_index(index, *_fed_size(clock)).tobytes()


def _sound(clock: Clock) -> NDArray[np.int16]:
    """Interleaved samples; 5.1 carries the tone in the centre, as speech does."""
    times = np.arange(round(clock.seconds * RATE_HZ)) / RATE_HZ
    second = times.astype(int)
    inside = times - second
    tone = np.sin(2 * np.pi * (400.0 + 50.0 * (second % PITCHES)) * inside) * (inside < BEEP_S)
    mono = (tone * 0.4 * 32767).astype(np.int16)
    if clock.channels == 6:
        silent = np.zeros_like(mono)
        return np.stack([silent, silent, mono, silent, silent, silent], axis=1)
    return np.stack([mono] * clock.channels, axis=1)
