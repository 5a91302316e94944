"""A recording's sound as mono blocks on an exact clock.

Decoded frames are placed by their time stamps: a hole becomes silence, an overlap is trimmed, a damaged packet is a hole.
Small deviations (time stamps in whole milliseconds) are left alone; a deviation that adds up is corrected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipper.errors import InputError
from clipper.media import container as containers
from clipper.values import Recording, ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLACK_S = 0.015
"""Frames this close to where the previous one ended follow it without a seam."""
PREROLL_S = 0.5
"""Decoding begins this much before the wanted start: codecs need a frame or two to settle."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """A stretch of sound."""

    start: float
    """Seconds on the recording's clock of the first sample."""
    samples: NDArray[np.float32]
    """float32 (n,) mono, full scale ±1."""


def audio_blocks(
    recording: Recording, *, rate_hz: int = 16_000, block_s: float = 30.0, start: float = 0.0, end: float | None = None
) -> Iterator[AudioBlock]:
    """Yield the sound from `start` to `end` (default: the recording's end) in blocks of `block_s`; the last one may be shorter.

    Any number of channels is mixed down to one. Memory does not grow with length. A recording without sound yields nothing.
    Raises InputError when the file can no longer be opened.
    """
    import numpy as np

    if not recording.has_audio:
        return
    end = recording.duration if end is None else min(end, recording.duration)
    begin, total, size = round(start * rate_hz), round(end * rate_hz), round(block_s * rate_hz)
    if size < 1:
        raise InputError(f"block_s = {block_s:g}: expected a length above 0")
    block, filled = np.zeros(size, np.float32), 0
    for piece in _placed(recording, rate_hz, begin, total):
        while len(piece):
            take = min(size - filled, len(piece))
            block[filled : filled + take] = piece[:take]
            filled, piece = filled + take, piece[take:]
            if filled == size:
                yield AudioBlock(ms(begin / rate_hz), block)
                begin += size
                block, filled = np.zeros(size, np.float32), 0
    if filled:
        yield AudioBlock(ms(begin / rate_hz), block[:filled].copy())


def _placed(recording: Recording, rate_hz: int, begin: int, total: int) -> Iterator[NDArray[np.float32]]:
    """Yield samples without hole or overlap from sample `begin` to sample `total` of the recording's clock."""
    import numpy as np

    at = begin
    for position, samples in _runs(recording, rate_hz, begin / rate_hz):
        if position + len(samples) <= at:
            continue
        while at < min(position, total):
            hole = min(position, total) - at
            yield np.zeros(min(hole, rate_hz), np.float32)
            at += min(hole, rate_hz)
        samples = samples[at - position : total - position]
        if len(samples):
            yield samples
            at += len(samples)
        if at >= total:
            return
    while at < total:
        yield np.zeros(min(total - at, rate_hz), np.float32)
        at += min(total - at, rate_hz)


def _runs(recording: Recording, rate_hz: int, start: float) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield resampled pieces with their position; pieces of one unbroken run follow each other exactly."""
    import av

    with containers.opened(recording.path, recording.format) as container:
        stream = containers.sound_of(container)
        if stream is None:
            return
        zero = containers.zero_of(container, recording)
        _seek(container, zero + start - PREROLL_S, start > PREROLL_S)
        resampler: Any = None
        due = position = 0.0
        shape: object = None
        for frame in _decoded(container, stream):
            time = frame.pts * float(frame.time_base) - zero
            if resampler is None or abs(time - due) > SLACK_S or shape != (frame.sample_rate, frame.layout.name, frame.format.name):
                if resampler is not None:
                    for samples in _resampled(resampler, None):
                        yield round(position), samples
                        position += len(samples)
                resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
                shape, due, position = (frame.sample_rate, frame.layout.name, frame.format.name), time, round(time * rate_hz)
            due += frame.samples / frame.sample_rate
            frame.pts = None
            for samples in _resampled(resampler, frame):
                yield round(position), samples
                position += len(samples)
        if resampler is not None:
            for samples in _resampled(resampler, None):
                yield round(position), samples
                position += len(samples)


def _seek(container: Any, time: float, wanted: bool) -> None:
    """Go to before an instant of the container; where seeking fails, reading goes on from the start."""
    import av

    if wanted:
        try:
            container.seek(int(time * 1e6), backward=True)
        except av.error.FFmpegError:
            container.seek(container.start_time or 0, backward=True)


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Decode a stream; packets that cannot be decoded are left out, reading ends where the file breaks off."""
    import av

    for packet in containers.packets(container, stream):
        try:
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base is not None:
                    yield frame
        except av.error.FFmpegError:
            continue


def _resampled(resampler: Any, frame: Any) -> Iterator[NDArray[np.float32]]:
    """Resample one frame, or flush with None; sound of a damaged shape is left out like any other that cannot be decoded."""
    import av

    try:
        pieces = resampler.resample(frame)
    except av.error.FFmpegError:
        return
    for piece in pieces:
        yield piece.to_ndarray().reshape(-1)
