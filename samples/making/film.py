"""Put the recording together: takes follow the script, the mouth follows the voice, the picture breathes like a phone on a stand.

The host moves by a smooth displacement of the picture: the field is strongest at her head and hand and dies away over the wall behind.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from making.script import LINES, SCARF

CRF = 31
KEYFRAME_FRAMES = 75
_MOUTH_LEVELS = (0.16, 0.42, 0.74)
"""Loudness of the voice, relative to its own loud moments, from which the mouth opens to a1, a2, a3."""
_HALF_OPEN = {"a1": 0.5, "e": 0.65}
"""Shapes that are a share of a2 over the resting mouth."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of the film from one take."""

    start: float
    end: float
    take: str


def make(out: Path, cache_folder: Path, fps: int, size: tuple[int, int]) -> None:
    """Write the recording."""
    import soundfile

    voice, rate = soundfile.read(cache_folder / "voice.wav", dtype="float32")
    duration = round(len(voice) / rate * fps) / fps
    times = [(row["start"], row["end"]) for row in json.loads((cache_folder / "times.json").read_text())]
    part = cache_folder / "show.part.mp4"
    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error",
        "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-",
        "-i", str(cache_folder / "sound.wav"),
        "-c:v", "libx264", "-preset", "medium", "-crf", str(CRF), "-g", str(KEYFRAME_FRAMES), "-pix_fmt", "yuv420p", "-threads", "2",
        "-c:a", "aac", "-b:a", "112k", "-ac", "1", "-t", f"{duration:.3f}", "-movflags", "+faststart", str(part),
    ]  # fmt: skip
    encoder = subprocess.Popen(argv, stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    for frame in frames(scenes_of(times, duration), _mouths(voice, rate, fps, duration), cache_folder / "stage", fps, duration, size):
        encoder.stdin.write(frame.tobytes())
    encoder.stdin.close()
    if encoder.wait():
        raise SystemExit(f"could not encode {out}: ffmpeg ended with {encoder.returncode}")
    shutil.move(part, out)


def scenes_of(times: list[tuple[float, float]], duration: float) -> list[Scene]:
    """Choose a take for every line, and cut in the middle of the pauses; as in a real room, not every line brings a cut."""
    takes, last = [], ""
    for index, _line in enumerate(LINES):
        takes.append(_take(index, last))
        last = takes[-1]
    out: list[Scene] = []
    for index, take in enumerate(takes):
        start = 0.0 if index == 0 else (times[index - 1][1] + times[index][0]) / 2
        end = duration if index == len(takes) - 1 else (times[index][1] + times[index + 1][0]) / 2
        if out and out[-1].take == take:
            out[-1] = Scene(out[-1].start, end, take)
        else:
            out.append(Scene(start, end, take))
    return out


def _take(index: int, last: str) -> str:
    line = LINES[index]
    if line.sku is None or line.phase == "qa":
        wide = line.phase in ("greeting", "recap") or index == len(LINES) - 1
        return "idle-wide" if wide and index != 1 else "idle-close"
    if line.phase == "intro" and line.sku == SCARF:
        return f"{line.sku}-wide"
    if line.phase == "demo" and LINES[index - 1].phase != "demo":
        return f"{line.sku}-table"
    if line.sku == SCARF and index % 4 in (1, 2):
        return f"{line.sku}-wide"
    if line.phase == "feature" and LINES[index - 1].phase == "feature":
        return f"{line.sku}-table"
    return f"{line.sku}-close"


def _mouths(voice: np.ndarray, rate: int, fps: int, duration: float) -> list[str]:
    """Read a mouth shape for every frame off the voice: how far open from loudness, round or wide from its colour."""
    window = int(0.05 * rate)
    loud, bright = [], []
    for number in range(round(duration * fps)):
        middle = int((number + 0.5) / fps * rate)
        piece = voice[max(0, middle - window // 2) : middle + window // 2]
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2 if len(piece) > 8 else np.zeros(8)
        hertz = np.fft.rfftfreq(max(len(piece), 14), 1 / rate)[: len(power)]
        voiced = power * (hertz < 4000)
        loud.append(math.sqrt(float(np.mean(piece**2))) if len(piece) else 0.0)
        bright.append(float((voiced * hertz).sum() / (voiced.sum() + 1e-12)))
    level = np.array(loud) / (np.percentile(loud, 92) + 1e-9)
    level = np.maximum(level, 0.6 * np.roll(level, 1))
    shapes = []
    for number, value in enumerate(level):
        if value < _MOUTH_LEVELS[0]:
            shapes.append("")
        elif bright[number] > 1150 and value < _MOUTH_LEVELS[2]:
            shapes.append("e")
        elif bright[number] < 420 and value < _MOUTH_LEVELS[2]:
            shapes.append("o")
        else:
            shapes.append("a1" if value < _MOUTH_LEVELS[1] else "a2" if value < _MOUTH_LEVELS[2] else "a3")
    return shapes


def frames(scenes: list[Scene], mouths: list[str], folder: Path, fps: int, duration: float, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield uint8 (h, w, 3) BGR frames."""
    rng = np.random.default_rng(3)
    count = round(duration * fps)
    blinks = _blinks(count, fps)
    drift = _wander(count, 5, fps, 11)
    grain = [rng.normal(0, 0.6, (size[1], size[0], 1)).astype(np.float32) for _ in range(7)]
    number = 0
    for scene in scenes:
        set_ = Set(folder, scene.take, size)
        first = number
        while number < count and number / fps < scene.end:
            picture = set_.face(mouths[max(first, number - 1)], mouths[number], blinks[number])
            picture = set_.move(picture, number / fps, (number - first) / fps, drift[number], _level(mouths, number))
            light = 1 + 0.010 * math.sin(number / fps * 0.7) + 0.004 * drift[number][4]
            noisy = picture.astype(np.float32) * light + grain[number % 7]
            yield np.clip(noisy, 0, 255).astype(np.uint8)
            number += 1


def _level(mouths: list[str], number: int) -> float:
    """How lively the voice is just now, in [0, 1]."""
    near = mouths[max(0, number - 6) : number + 1]
    return sum({"": 0, "a3": 1.0, "a2": 0.7}.get(shape, 0.4) for shape in near) / len(near)


def _blinks(count: int, fps: int) -> list[float]:
    """Shut the eyes for a sixth of a second every 2–5 s: 0 open, 1 shut."""
    rng, out, now = np.random.default_rng(9), [0.0] * count, 1.8
    while now * fps < count - 5:
        for step, shut in enumerate((0.5, 1.0, 1.0, 0.4)):
            out[int(now * fps) + step] = shut
        now += rng.uniform(2.0, 5.0)
    return out


def _wander(count: int, channels: int, fps: int, seed: int) -> np.ndarray:
    """Slow random drift in about [-1, 1] per channel."""
    noise = np.random.default_rng(seed).normal(0, 1, (count + 8 * fps, channels))
    kernel = np.hanning(int(1.6 * fps))
    smooth = np.stack([np.convolve(noise[:, c], kernel, "same") for c in range(channels)], 1)
    return (smooth / (smooth.std(0) * 2))[4 * fps : 4 * fps + count]


class Set:
    """One take, ready to be shown: its picture, its faces, and the fields that move it."""

    def __init__(self, folder: Path, take: str, size: tuple[int, int]) -> None:
        self.size = size
        self.whole = _read(folder / f"{take}.png", size)
        self.place = json.loads((folder / f"{take}.json").read_text())
        self.patches = {
            face: cv2.imread(str(folder / f"{take}.{face}.png"))
            for face in ("a1", "a2", "a3", "o", "e", "blink")
            if (folder / f"{take}.{face}.png").exists()
        }
        wide, tall = size
        y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
        self.grid = (x, y)
        self.fields = []
        for mark, reach in (("head", 0.17), ("hand", 0.10)):
            mx, my = self.place["marks"][mark]
            shown = self.patches and (mark == "head" or self.place["held"])
            field = np.exp(-(((x - mx * wide) / (reach * tall)) ** 2 + ((y - my * tall) / (reach * tall)) ** 2) / 2)
            self.fields.append((field if shown else np.zeros_like(field)).astype(np.float32))

    def face(self, before: str, now: str, blink: float) -> np.ndarray:
        """Lay mouth and eyes over the picture; a mouth on its way between two shapes is their mean."""
        picture = self.whole
        if not self.patches:
            return picture
        picture = picture.copy()
        for shape, share in ((before, 1.0), (now, 0.62)):
            self._lay(picture, "mouth", shape, share)
        if blink:
            self._lay(picture, "eyes", "blink", blink)
        return picture

    def _lay(self, picture: np.ndarray, part: str, shape: str, share: float) -> None:
        left, top, right, bottom = self.place["boxes"][part]
        if shape in _HALF_OPEN:
            self._lay(picture, part, "", share)
            shape, share = "a2", _HALF_OPEN[shape] * share
        patch = self.patches[shape] if shape else self.whole[top:bottom, left:right]
        height, width = min(patch.shape[0], bottom - top), min(patch.shape[1], right - left)
        mask = _feather(height, width) * share
        region = picture[top : top + height, left : left + width].astype(np.float32)
        picture[top : top + height, left : left + width] = region + (patch[:height, :width] - region) * mask

    def move(self, picture: np.ndarray, t: float, since: float, drift: np.ndarray, lively: float) -> np.ndarray:
        """Sway, nod and breathe; the camera trembles, and pushes in on a table picture."""
        wide, tall = self.size
        scale = 1.012 + (0.010 * since if not self.patches else 0.0015 * since)
        scale = min(scale, 1.10)
        x, y = self.grid
        sway = 5.0 * math.sin(t * 1.15) + 4.0 * drift[0]
        nod = 2.6 * lively * math.sin(t * 5.3) + 2.2 * math.sin(t * 0.8 + 1) + 2.0 * drift[1]
        lift = 4.5 * math.sin(t * 1.9) + 3.0 * drift[1] - 3.0 * lively
        away = 4.0 * math.sin(t * 1.3 + 2) + 3.0 * drift[2]
        head, hand = self.fields
        map_x = (x - wide / 2) / scale + wide / 2 + 0.6 * drift[2] - head * sway - hand * (away - 0.4 * sway)
        map_y = (y - tall / 2) / scale + tall / 2 + 0.6 * drift[3] - head * nod - hand * lift
        return cv2.remap(picture, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _read(path: Path, size: tuple[int, int]) -> np.ndarray:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"could not read {path}: run the host step first")
    return picture if picture.shape[1::-1] == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


@cache
def _feather(height: int, width: int) -> np.ndarray:
    """A mask that is 1 inside and falls to 0 at the edge."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    far = (np.abs(x) ** 4 + np.abs(y) ** 4) ** 0.25
    return np.clip((1 - far) / 0.22, 0, 1)[..., None].astype(np.float32)
