"""Is the finished file what the plan says? Nothing gets its final name before this said yes.

An exit code proves nothing: a stopped, a starved and a misled ffmpeg all leave files that play. So the file's packets are
counted, its streams measured, and its first frames looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from clipper import media
from clipper.errors import ToolError
from clipper.media.container import opened
from clipper.values import Plan, Recording, Span

HEAD_FRAMES = 15
APART_S = 0.1
"""Sound and picture begin and end this close together."""
BLACK = 20.0
"""Mean of an 8-bit grey picture below which it is called black."""
STILL = 0.15
"""Mean change between neighbours, in 8-bit steps, below which pictures are called the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a finished file was found to hold."""

    width_px: int
    height_px: int
    video_codec: str
    pixels: str
    fps: float
    frames: int
    video_start: float
    video_end: float
    audio_codec: str | None
    audio_rate_hz: int | None
    audio_start: float | None
    audio_end: float | None


def inspect(path: Path) -> Output:
    """Count and measure the packets of a finished clip. Raises InputError when it cannot be opened."""
    with opened(path, "mov") as container:
        video = container.streams.video[0] if container.streams.video else None
        audio = container.streams.audio[0] if container.streams.audio else None
        if video is None:
            raise ToolError(f"could not finish {path.name}: the file that was written has no picture")
        times: dict[int, list[float]] = {stream.index: [] for stream in (video, audio) if stream is not None}
        ends = dict.fromkeys(times, 0.0)
        for packet in container.demux([stream for stream in (video, audio) if stream is not None]):
            if packet.pts is None or packet.time_base is None:
                continue
            base = float(packet.time_base)
            times[packet.stream_index].append(packet.pts * base)
            ends[packet.stream_index] = max(ends[packet.stream_index], (packet.pts + (packet.duration or 0)) * base)
        heard = bool(audio is not None and times[audio.index])
        return Output(
            width_px=video.codec_context.width,
            height_px=video.codec_context.height,
            video_codec=f"{video.codec_context.name} {video.codec_context.profile or ''}".strip(),
            pixels=str(video.codec_context.pix_fmt),
            fps=float(video.average_rate or 0),
            frames=len(times[video.index]),
            video_start=min(times[video.index], default=0.0),
            video_end=ends[video.index],
            audio_codec=audio.codec_context.name if heard and audio is not None else None,
            audio_rate_hz=audio.rate if heard and audio is not None else None,
            audio_start=max(0.0, min(times[audio.index])) if heard and audio is not None else None,
            audio_end=ends[audio.index] if heard and audio is not None else None,
        )


class Planned(Protocol):
    """What a file is held to: a clip's plan, or a storyboard."""

    @property
    def id(self) -> str:
        """Its name in messages."""
        ...

    @property
    def width_px(self) -> int:
        """Frame width."""
        ...

    @property
    def height_px(self) -> int:
        """Frame height."""
        ...

    @property
    def fps(self) -> int:
        """Frames per second."""
        ...


def check(found: Output, plan: Planned, frames: int, *, sound: bool) -> None:
    """Raise ToolError naming everything in which a file is not the planned one."""
    wanted: list[tuple[str, Any, Any, bool]] = [
        (
            "size",
            f"{plan.width_px}×{plan.height_px}",
            f"{found.width_px}×{found.height_px}",
            (found.width_px, found.height_px) == (plan.width_px, plan.height_px),
        ),
        ("pixel format", "yuv420p", found.pixels, found.pixels == "yuv420p"),
        ("frames", frames, found.frames, abs(found.frames - frames) <= 2),
        ("frame rate", plan.fps, round(found.fps, 3), abs(found.fps - plan.fps) < 0.01 * plan.fps),
        ("first frame at", "0 s", f"{found.video_start:.3f} s", abs(found.video_start) <= APART_S),
    ]
    if sound:
        ends = found.audio_end if found.audio_end is not None else -1.0
        starts = found.audio_start if found.audio_start is not None else -1.0
        wanted += [
            (
                "sound",
                "AAC at 48000 Hz",
                f"{found.audio_codec} at {found.audio_rate_hz} Hz",
                (found.audio_codec, found.audio_rate_hz) == ("aac", 48_000),
            ),
            ("sound begins at", "0 s", f"{starts:.3f} s", abs(starts - found.video_start) <= APART_S),
            ("sound ends at", f"{found.video_end:.3f} s", f"{ends:.3f} s", abs(ends - found.video_end) <= APART_S),
        ]
    wrong = [f"{what} {is_}, planned {should}" for what, should, is_, right in wanted if not right]
    if wrong:
        raise ToolError(f"could not finish {plan.id}: what was written is not what was planned ({'; '.join(wrong)}); render again")


def check_head(path: Path, plan: Plan, recording: Recording) -> None:
    """Raise ToolError when the clip opens black or frozen though the recording does not."""
    head = list(_grey_head(path))
    if not head:
        raise ToolError(f"could not finish {plan.id}: no frame of what was written can be decoded; render again")
    start = plan.sources[0].start
    span = Span(start, min(start + HEAD_FRAMES / plan.fps, plan.sources[0].end))
    if _is_black(head) and not _is_black(_source_head(recording, span)):
        raise ToolError(f"could not finish {plan.id}: it begins black, and the recording at {start:g} s does not; render again")
    if _is_still(head) and not _is_still(_source_head(recording, span)):
        raise ToolError(
            f"could not finish {plan.id}: it begins with a frozen picture, and the recording at {start:g} s does not; render again"
        )


def _grey_head(path: Path) -> Iterable[Any]:
    with opened(path, "mov") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= HEAD_FRAMES:
                return
            yield frame.reformat(width=90, height=160, format="gray").to_ndarray()


def _source_head(recording: Recording, span: Span) -> list[Any]:
    return [frame.image.mean(axis=2) for frame in media.frames(recording, span, width_px=90)]


def _is_black(pictures: list[Any]) -> bool:
    return not pictures or all(float(np.mean(picture)) < BLACK for picture in pictures)


def _is_still(pictures: list[Any]) -> bool:
    """Say whether nothing changes at all: noise and breath move a camera's picture by more than this."""
    if len(pictures) < 3:
        return True
    first = pictures[0].astype(np.float32)
    return all(float(np.mean(np.abs(picture.astype(np.float32) - first))) < STILL for picture in pictures[1:])
