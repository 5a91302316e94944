"""What a recording holds, measured on its packets and not believed from its header.

One pass over the packets, without decoding: seconds that are really there, frame rate and whether it varies, places where
time stamps jump or begin again, gaps, a missing tail. Only the first frame is decoded, for rotation and shape.
"""

from __future__ import annotations

import itertools
import logging
from array import array
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipper.digest import sha256
from clipper.errors import InputError
from clipper.media import container as containers
from clipper.media import structure
from clipper.media.formats import WHAT_TO_GIVE, sniff
from clipper.values import Recording, Span, ms

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

log = logging.getLogger(__name__)

JUMP_S = 10.0
"""A step this large in the time stamps of every stream is a jump of the clock, not a pause: ffmpeg's own threshold for streams."""
RESET_S = 1.0
"""A step back by more than this means that the clock began again."""
BACK_STEP_S = 0.1
"""A smaller step back is smoothed by every reader; from this size on it is worth a word."""
GAP_S = 1.0
"""A hole this long in picture and sound counts as damage."""
TAIL_S = 1.0
"""A header that promises this much more than there is tells of a missing tail."""
STRETCH = 8
"""Pixels that claim to be more than this many times as wide as high, or as high as wide, are taken for square."""
DRIFT_S = 0.1
"""Sound that comes loose from the picture by more than this is reported."""


@dataclass(slots=True)
class _Line:
    """The time stamps of one stream, in file order, in seconds of the container."""

    pts: array[float] = field(default_factory=lambda: array("d"))
    last_dts: float | None = None
    step: float = 0.04
    end: float = 0.0


@dataclass(slots=True)
class _Timeline:
    picture: _Line = field(default_factory=_Line)
    sound: _Line = field(default_factory=_Line)
    first_key: float | None = None
    first_shown: float | None = None
    jumps: list[float] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    corrupt: list[float] = field(default_factory=list)
    unshaped: list[float] = field(default_factory=list)
    """Frames whose bytes are no coded frame any more."""
    back_steps: int = 0
    broke_off: str = ""


def probe(path: str | Path, *, digest: str = "") -> Recording:
    """Find out what a recording holds; `digest` is the SHA-256 of its bytes, where that is known already.

    Raises InputError for what is not a recording, cannot be opened or decoded, or has no moving picture.
    """
    path = Path(path).absolute()
    format = sniff(path)
    with containers.opened(path, format) as container:
        picture = containers.picture_of(container)
        if picture is None:
            counts = _counts(container)
            raise InputError(f"could not use {path}: no video stream, {counts}; livecut cuts pictures: {WHAT_TO_GIVE}")
        frame = _first_frame(path, format)
        timeline = _scan(container)
        if timeline.first_shown is None:
            raise InputError(f"could not use {path}: its video stream holds no frame; is the file complete?")
        return replace(_recording(path, format, container, frame, timeline), sha256=digest or sha256(path))


def _counts(container: InputContainer) -> str:
    kinds = [stream.type for stream in container.streams if stream.type in ("audio", "subtitle", "video")]
    names = {"audio": "audio stream", "subtitle": "subtitle stream", "video": "cover picture"}
    parts = [f"{kinds.count(kind)} {names[kind]}{'s' if kinds.count(kind) > 1 else ''}" for kind in sorted(set(kinds))]
    return ", ".join(parts) or "no stream at all"


def _first_frame(path: Path, format: str) -> VideoFrame:
    import av

    with containers.opened(path, format) as container:
        stream = containers.picture_of(container)
        assert stream is not None
        if stream.codec_context is None:
            raise InputError(f"could not decode {path}: its picture is coded in a way that this ffmpeg does not know; convert it to H.264")
        failure: Exception | None = None
        for packet in containers.packets(container, stream):
            if packet.has_sidedata("encryption_info"):
                raise InputError(
                    f"could not decode {path}: it is encrypted, and no key can be given; record or export it without protection"
                )
            try:
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        return frame
            except av.error.FFmpegError as error:
                failure = error
        raise InputError(
            f"could not decode {path}: no frame of its {stream.codec_context.name} picture is readable; is it damaged?"
        ) from failure


def _scan(container: InputContainer) -> _Timeline:
    """Walk over the packets of picture and sound."""
    picture, sound = containers.picture_of(container), containers.sound_of(container)
    assert picture is not None
    timeline = _Timeline()
    codec = picture.codec_context.name if picture.codec_context else ""
    parted = structure.length_bytes(codec, bytes(picture.codec_context.extradata or b"")) if codec else None
    streams = [stream for stream in (picture, sound) if stream is not None]
    for packet in containers.packets(container, streams, broke_off=lambda why: setattr(timeline, "broke_off", why)):
        if (packet.pts is None and packet.dts is None) or packet.time_base is None:
            continue
        _note(timeline, packet, packet.stream_index == picture.index)
        if parted and packet.stream_index == picture.index and not structure.is_whole(packet, parted, codec):
            timeline.unshaped.append((packet.pts if packet.pts is not None else packet.dts) * float(packet.time_base))
    return timeline


def _note(timeline: _Timeline, packet: Any, is_picture: bool) -> None:
    line = timeline.picture if is_picture else timeline.sound
    base = float(packet.time_base)
    pts = (packet.pts if packet.pts is not None else packet.dts) * base
    if packet.duration:
        line.step = packet.duration * base
    if packet.dts is not None and line.last_dts is not None:
        step = packet.dts * base - line.last_dts
        if step > JUMP_S or step < -RESET_S:
            timeline.jumps.append(line.end)
        elif step < -BACK_STEP_S:
            timeline.back_steps += 1
    if packet.dts is not None:
        line.last_dts = packet.dts * base
    if packet.is_discard:
        return
    line.pts.append(pts)
    line.end = max(line.end, pts + line.step)
    if packet.is_corrupt:
        timeline.corrupt.append(pts)
    if is_picture and timeline.first_key is None and packet.is_keyframe:
        timeline.first_key = pts
    if is_picture and timeline.first_key is not None and pts >= timeline.first_key and len(line.pts) < 64:
        timeline.first_shown = min(pts, timeline.first_shown if timeline.first_shown is not None else pts)


def _recording(path: Path, format: str, container: InputContainer, frame: VideoFrame, timeline: _Timeline) -> Recording:
    picture, sound = containers.picture_of(container), containers.sound_of(container)
    assert picture is not None and timeline.first_shown is not None
    zero = timeline.first_shown
    times = sorted(time for time in timeline.picture.pts if time >= zero - 1e-6)
    fps, is_vfr, step = _rate(times, picture.average_rate)
    duration = ms(times[-1] - zero + step)
    claimed = _claimed(container, format, zero)
    has_sound = sound is not None and len(timeline.sound.pts) > 0
    width, height, rotation = _shape(frame, picture.sample_aspect_ratio)
    breaks = _breaks(timeline, zero)
    damaged = _damaged(timeline, zero, duration, claimed, has_sound) if not breaks else ()
    return Recording(
        path=str(path),
        sha256="",
        size_bytes=path.stat().st_size,
        format=format,
        duration=duration,
        claimed_duration=claimed,
        width_px=width,
        height_px=height,
        rotation_deg=rotation,
        fps=fps,
        is_vfr=is_vfr,
        has_audio=has_sound,
        audio_rate_hz=sound.rate if has_sound and sound is not None else None,
        audio_channels=sound.channels if has_sound and sound is not None else None,
        video_codec=picture.codec_context.name,
        audio_codec=sound.codec_context.name if has_sound and sound is not None and sound.codec_context else None,
        creation_time=_created(container.metadata.get("creation_time") or picture.metadata.get("creation_time")),
        damaged=damaged,
        warnings=tuple(_warnings(timeline, zero, duration, claimed, has_sound, damaged, breaks)),
        lead_s=round(zero - (container.start_time or 0) / 1e6, 6),
        breaks=breaks,
    )


def _breaks(timeline: _Timeline, zero: float) -> tuple[float, ...]:
    """Where the clock breaks; picture and sound tell of the same break within a second."""
    times: list[float] = []
    for time in sorted(max(0.0, time - zero) for time in timeline.jumps):
        if not times or time - times[-1] > RESET_S:
            times.append(ms(time))
    return tuple(times)


def _rate(times: list[float], nominal: Fraction | None) -> tuple[Fraction, bool, float]:
    """Average frame rate, whether frames come unevenly, and the usual step in seconds."""
    if len(times) < 2 or times[-1] <= times[0]:
        rate = nominal or Fraction(25)
        return rate, False, float(1 / rate)
    steps = sorted(after - before for before, after in itertools.pairwise(times))
    usual = steps[len(steps) // 2] or float(1 / (nominal or 25))
    uneven = sum(1 for step in steps if abs(step - usual) > max(0.25 * usual, 0.0021))
    is_vfr = uneven > max(2, 0.02 * len(steps))
    measured = (len(times) - 1) / (times[-1] - times[0])
    return _nice(measured, nominal), is_vfr, usual


def _nice(measured: float, nominal: Fraction | None) -> Fraction:
    """The rate that was meant, when the measured one is within a thousandth of it."""
    usual = [Fraction(rate) for rate in (24, 25, 30, 50, 60)] + [Fraction(rate * 1000, 1001) for rate in (24, 30, 60)]
    for rate in [nominal, *usual]:
        if rate and abs(float(rate) / measured - 1) < 0.0004:
            return rate
    return Fraction(measured).limit_denominator(1001) or Fraction(1, 1001)


def _claimed(container: InputContainer, format: str, zero: float) -> float | None:
    """The length that the header promises, on the recording's clock; for MP4 that of the sample tables."""
    start = 0.0 if format == "matroska" else (container.start_time or 0) / 1e6
    if format == "mov":
        ends = [
            float(((stream.start_time or 0) + stream.duration) * stream.time_base)
            for stream in container.streams.video
            if stream.duration and stream.time_base
        ]
        return ms(max(ends) - zero) if ends else None
    return ms(container.duration / 1e6 + start - zero) if container.duration else None


def _shape(frame: VideoFrame, ratio: Fraction | None) -> tuple[int, int, int]:
    """Displayed width and height, and the clockwise turn that display needs."""
    rotation = round(-frame.rotation) % 360
    believed = ratio is not None and 1 / STRETCH <= ratio <= STRETCH
    width = max(2, round(frame.width * ratio)) if ratio is not None and believed else frame.width
    return (frame.height, width, rotation) if rotation in (90, 270) else (width, frame.height, rotation)


def _damaged(timeline: _Timeline, zero: float, duration: float, claimed: float | None, has_sound: bool) -> tuple[Span, ...]:
    spans = [
        Span(time - zero, time - zero + timeline.picture.step)
        for time in (*timeline.corrupt, *timeline.unshaped)
        if 0 <= time - zero < duration
    ]
    for start, end in _holes(timeline.picture):
        if has_sound and not any(start + GAP_S / 2 < time < end - GAP_S / 2 for time in timeline.sound.pts):
            spans.append(Span(max(0.0, start - zero), end - zero))
    if claimed is not None and claimed - duration > TAIL_S:
        spans = [*(span for span in spans if span.end < duration - GAP_S / 2), Span(duration, claimed)]
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end < GAP_S / 2:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _holes(line: _Line) -> list[tuple[float, float]]:
    times = sorted(line.pts)
    return [(before + line.step, after) for before, after in itertools.pairwise(times) if after - before > GAP_S]


def _warnings(
    timeline: _Timeline,
    zero: float,
    duration: float,
    claimed: float | None,
    has_sound: bool,
    damaged: tuple[Span, ...],
    breaks: tuple[float, ...],
) -> list[str]:
    said = []
    if breaks:
        times = "once," if len(breaks) == 1 else f"{len(breaks)} times, first"
        said.append(f"time stamps jump or begin again {times} at {breaks[0]:.1f} s: the file has to be put on one clock before use")
    if timeline.back_steps:
        said.append(f"{timeline.back_steps} small steps back in the time stamps")
    if timeline.broke_off:
        said.append(f"reading broke off after {duration:.1f} s: {timeline.broke_off}")
    if claimed is not None and claimed - duration > TAIL_S:
        said.append(f"the header promises {claimed:.1f} s, {duration:.1f} s are there: the end of the file is missing")
    inside = sum(span.duration for span in damaged if span.end <= duration)
    if inside:
        said.append(f"{inside:.1f} s in the middle could not be read")
    if has_sound and not breaks and abs(timeline.sound.end - zero - duration) > max(1.0, 10 * DRIFT_S):
        said.append(f"sound ends at {timeline.sound.end - zero:.1f} s, the picture at {duration:.1f} s")
    return said


def _created(text: str | None) -> float | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text.strip().replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
    return time if time > 0 else None
