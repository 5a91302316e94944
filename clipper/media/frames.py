"""A recording's picture as upright frames on its clock.

Key frames stand alone, so most looking needs nothing else: decoding them costs a tenth of decoding everything. Where
they are far apart, the stretch between is decoded too and sampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipper.errors import InputError
from clipper.media import container as containers
from clipper.values import Recording, Span, ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG_GOP_S = 5.0
"""Key frames further apart than this leave too much unseen."""
SAMPLE_S = 4.0
"""Step of the frames that are decoded between key frames that are far apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture."""

    time: float
    """Seconds on the recording's clock."""
    image: NDArray[np.uint8]
    """uint8 (h, w, 3) BGR, upright."""
    is_key: bool


def key_frames(recording: Recording, *, width_px: int) -> Iterator[Frame]:
    """Yield key frames in order, `width_px` wide (never enlarged); sampled every 4 s where they are further apart than 5 s.

    Damaged frames are left out. Raises InputError when the file can no longer be opened.
    """
    size = _size(recording, width_px)
    with containers.opened(recording.path, recording.format) as container:
        stream = containers.picture_of(container)
        if stream is None:
            return
        stream.thread_type, stream.thread_count = "AUTO", containers.THREADS
        zero, base, due = containers.zero_of(container, recording), float(stream.time_base or 0), -1.0
        for picture in _sparse(container, stream):
            time = picture.pts * base - zero
            if time < -0.0005 or not (picture.key_frame or time >= due):
                continue
            due = time + SAMPLE_S - 0.5 / float(recording.fps)
            yield Frame(ms(time), _upright(picture, recording, size), bool(picture.key_frame))


def frames(recording: Recording, span: Span, *, width_px: int | None = None) -> Iterator[Frame]:
    """Yield every frame whose time lies in a span, in order; in full size without `width_px`."""
    size = _size(recording, width_px or recording.width_px)
    for picture, time in _from(recording, span.start):
        if time >= span.end:
            return
        if time >= span.start:
            yield Frame(time, _upright(picture, recording, size), bool(picture.key_frame))


def packet_sizes(recording: Recording, span: Span) -> list[tuple[float, int]]:
    """List time and bytes of each coded frame between two instants, key frames left out, in order of time; decodes nothing."""
    sizes = []
    with containers.opened(recording.path, recording.format) as container:
        stream = containers.picture_of(container)
        if stream is None:
            return []
        zero, base = containers.zero_of(container, recording), float(stream.time_base or 0)
        if span.start > 0.5:
            container.seek(int((zero + span.start) * 1e6), backward=True)
        for packet in containers.packets(container, stream):
            if packet.pts is None or packet.dts is None:
                continue
            if packet.dts * base - zero > span.end:
                break
            time = ms(packet.pts * base - zero)
            if span.holds(time) and not packet.is_keyframe:
                sizes.append((time, packet.size))
    return sorted(sizes)


def frame_at(recording: Recording, time: float) -> NDArray[np.uint8]:
    """Decode the frame nearest to an instant, in full displayed size: uint8 (h, w, 3) BGR.

    Raises InputError when there is no readable frame anywhere before or after.
    """
    best: Any = None
    for picture, at in _from(recording, time):
        if best is None or abs(at - time) < abs(best[1] - time):
            best = (picture, at)
        if at >= time:
            break
    if best is None:
        raise InputError(f"could not read a frame of {recording.path} at {time:.3f} s: nothing there can be decoded")
    return _upright(best[0], recording, (recording.width_px, recording.height_px))


def _from(recording: Recording, time: float) -> Iterator[tuple[Any, float]]:
    """Decode from the last key frame at or before an instant; begins earlier when the file's index misleads."""
    for back in (0.0, 12.0, float("inf")):
        with containers.opened(recording.path, recording.format) as container:
            stream = containers.picture_of(container)
            if stream is None:
                return
            stream.thread_type, stream.thread_count = "AUTO", containers.THREADS
            zero, base = containers.zero_of(container, recording), float(stream.time_base or 0)
            if time - back > 0.5:
                container.seek(int((zero + time - back) * 1e6), backward=True)
            found = False
            for picture in _dense(container, stream):
                at = ms(picture.pts * base - zero)
                if not found and at > time and time - back > 0.5:
                    break
                if at >= -0.0005:
                    found = True
                    yield picture, max(at, 0.0)
            if found:
                return


def _decoded(stream: Any, packet: Any) -> list[Any]:
    import av

    try:
        return [frame for frame in stream.decode(packet) if frame.pts is not None]
    except av.error.FFmpegError:
        return []


def _dense(container: Any, stream: Any) -> Iterator[Any]:
    for packet in containers.packets(container, stream):
        if packet.dts is not None or packet.pts is not None:
            yield from _decoded(stream, packet)
    yield from _decoded(stream, None)


def _sparse(container: Any, stream: Any) -> Iterator[Any]:
    """Decode key frames; the frames between two that are far apart are decoded too, but for those that no other needs."""
    group: list[Any] = []
    spread = False
    for packet in containers.packets(container, stream):
        if packet.pts is None and packet.dts is None:
            continue
        if packet.is_keyframe:
            if group:
                stream.codec_context.skip_frame = "NONKEY"
                yield from _decoded(stream, group[0])
            group, spread = [packet], False
        elif spread:
            yield from _decoded(stream, packet)
        elif group:
            group.append(packet)
            if _span_s(group) > LONG_GOP_S:
                stream.codec_context.skip_frame, spread = "NONREF", True
                for member in group:
                    yield from _decoded(stream, member)
                group = []
    if group:
        stream.codec_context.skip_frame = "NONKEY"
        yield from _decoded(stream, group[0])
    yield from _decoded(stream, None)


def _span_s(group: list[Any]) -> float:
    first, last = (packet.dts if packet.dts is not None else packet.pts for packet in (group[0], group[-1]))
    return float((last - first) * group[0].time_base)


def _size(recording: Recording, width_px: int) -> tuple[int, int]:
    """Displayed width and height for a wanted width, never larger than the source."""
    width = max(2, min(width_px, recording.width_px))
    return width, max(2, round(recording.height_px * width / recording.width_px))


def _upright(picture: Any, recording: Recording, size: tuple[int, int]) -> NDArray[np.uint8]:
    import numpy as np
    from av.video.reformatter import Interpolation

    turned = recording.rotation_deg in (90, 270)
    width, height = size[::-1] if turned else size
    small = picture.reformat(width=width, height=height, format="bgr24", interpolation=Interpolation.BILINEAR)
    image: NDArray[np.uint8] = small.to_ndarray()
    return np.ascontiguousarray(np.rot90(image, -recording.rotation_deg // 90)) if recording.rotation_deg else image
