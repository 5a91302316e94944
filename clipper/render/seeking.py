"""Where reading may begin so that the first planned frame can be decoded.

An index that is missing or wrong makes a demuxer land behind the key frame that is needed (MPEG-TS lands between key frames,
a live Matroska has no cues), and ffmpeg then goes on without a word. So each seek is tried on the packets beforehand.
"""

from __future__ import annotations

from typing import Any

from clipper.media.container import opened, picture_of
from clipper.render.timing import cuts
from clipper.values import Plan, Recording

MARGINS_S = (1.0, 4.0, 16.0, 64.0, 256.0)
"""Tried in turn; when none is enough the file is read from its start."""


def seek_points(plan: Plan, recording: Recording) -> tuple[float, ...]:
    """Find a seek point for each source, in seconds from the file's own start; 0 reads from there without seeking."""
    with opened(recording.path, recording.format) as container:
        return tuple(_seek_point(container, cut.first + recording.lead_s) for cut in cuts(plan, recording))


def _seek_point(container: Any, time: float) -> float:
    for margin in MARGINS_S:
        target = round(time - margin, 3)
        if target <= 0.5:
            return 0.0
        key = _first_key(container, target)
        if key is not None and key <= time + 0.001:
            return target
    return 0.0


def _first_key(container: Any, target: float) -> float | None:
    """Time of the first key frame after a seek, in seconds from the file's start; None when the seek fails."""
    import av

    stream = picture_of(container)
    if stream is None:
        return None
    zero = (container.start_time or 0) / 1e6
    try:
        container.seek(int((zero + target) * 1e6), backward=True)
        for packet in container.demux(stream):
            if packet.is_keyframe and packet.pts is not None and packet.time_base is not None:
                return float(packet.pts * packet.time_base) - zero
    except (av.error.FFmpegError, OSError):
        return None
    return None
