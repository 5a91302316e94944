"""Opening files with PyAV under the same limits as ffmpeg, and translating its errors once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipper import ffmpeg
from clipper.errors import InputError
from clipper.values import Recording

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

THREADS = 2
REORDER_S = 10.0
"""A frame is shown this close to where it is decoded; one that claims more would stretch a recording by days."""


@contextmanager
def opened(path: str | Path, format: str) -> Iterator[InputContainer]:
    """Open a file with one demuxer, local files only.

    Raises InputError when the file cannot be opened as what its first bytes promise.
    """
    import av

    options = ffmpeg.input_options(format)
    del options["f"]
    try:
        container = av.open(ffmpeg.url(path), format=format, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"could not read {path}: {_why(path, format, error)}") from error
    with container:
        _hold(container, path)
        yield container


def _hold(container: InputContainer, path: str | Path) -> None:
    """Hold the decoders to pictures that fit into memory: the limit of the input reaches only what ffmpeg itself opens."""
    for stream in container.streams.video:
        codec = stream.codec_context
        if codec is None:
            continue
        if codec.width * codec.height > ffmpeg.MAX_PIXELS:
            size, limit = f"{codec.width}×{codec.height}", f"{ffmpeg.MAX_PIXELS / 1e6:.0f} million"
            raise InputError(f"could not read {path}: its picture has {size} pixels, at most {limit} are read; is it a recording?")
        codec.options = {**codec.options, "max_pixels": str(ffmpeg.MAX_PIXELS)}


def picture_of(container: InputContainer) -> VideoStream | None:
    """Find the moving picture: the best video stream that is no cover art."""
    from av.stream import Disposition

    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    return next((stream for stream in moving if best is not None and stream.index == best.index), moving[0] if moving else None)


def sound_of(container: InputContainer) -> AudioStream | None:
    """Find the sound that players choose."""
    best = container.streams.best("audio", related=picture_of(container))
    return next((stream for stream in container.streams.audio if best is not None and stream.index == best.index), None)


def zero_of(container: InputContainer, recording: Recording) -> float:
    """Return the container's time at which the recording's clock shows 0."""
    return (container.start_time or 0) / 1e6 + recording.lead_s


def packets(container: InputContainer, streams: Any, *, broke_off: Callable[[str], None] | None = None) -> Iterator[Any]:
    """Yield packets to where the file ends or breaks off, then those that flush the decoders; `broke_off` hears why it did.

    A packet whose times of decoding and showing are far apart is marked as corrupt, and shown when it is decoded.

    Damaged files may show streams in the middle that were not there at the beginning: PyAV stumbles over them at the end, with
    an IndexError, when all packets have been read.
    """
    import av

    walk = container.demux(streams)
    while True:
        try:
            packet = next(walk, None)
        except IndexError:
            return
        except (av.error.FFmpegError, OSError) as error:
            if broke_off is not None:
                broke_off(str(error))
            return
        if packet is None:
            return
        if _is_far_off(packet):
            packet.pts, packet.is_corrupt = packet.dts, True
        yield packet


def _is_far_off(packet: Any) -> bool:
    if packet.pts is None or packet.dts is None or packet.time_base is None:
        return False
    return bool(abs(packet.pts - packet.dts) * packet.time_base > REORDER_S)


def _why(path: str | Path, format: str, error: Exception) -> str:
    if format == "mov" and not _has_index(Path(path)):
        return (
            "it is an MP4 without its index (no moov box): the recorder was stopped before it could write it, or the copy is incomplete; "
            "copy it again, or repair it with a tool such as untrunc and a good file of the same recorder"
        )
    reason = getattr(error, "strerror", None) or str(error)
    return f"it begins like {format}, but cannot be opened ({reason}); is it complete?"


def _has_index(path: Path) -> bool:
    """Walk the top-level boxes of an MP4 in search of `moov`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if head[4:8] == b"moov":
                return at + length <= size
            if length == 1 and len(head) == 16:
                length = int.from_bytes(head[8:], "big")
            if length < 8:
                return False
            at += length
    return False
