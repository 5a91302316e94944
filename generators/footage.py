"""Finished shots as files: frames written without loss, read back as often as wanted and from any frame on.

Ut Video holds RGB exactly and every frame by itself, so that one is found without decoding those before it. It writes
704x1280 in 7 ms of processor time a frame and reads it in 15, where x264 without loss takes 14 and 65 for the same space.
Frames are encoded in this process: starting ffmpeg costs 0.1 s a shot. A file gets its name only when it is whole: a shot that
is there was finished.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from clipper.errors import ArtefactError, Cancelled, InputError, ToolError
from generators.values import Pixels

__all__ = ["SUFFIX", "FileFootage", "open_footage", "whole", "write_footage"]

SUFFIX = ".nut"
"""NUT takes any codec at any rate, and finds a frame by its time."""
CODECS = {"utvideo": ("gbrp", {"pred": "median"}), "ffv1": ("bgr0", {"level": "3"})}
"""Encoders that hold RGB exactly, the faster one first, with their pixel format: a build of PyAV may come without the first."""
SMALL_PIXELS = 250_000
"""Below that, threads of the encoder wait for each other longer than they work."""
MAX_FRAMES = 30 * 60 * 60
"""A shot of half an hour at 60 frames a second is a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFootage:
    """A shot in a lossless file of ours; satisfies `generators.values.Footage`."""

    path: Path
    width_px: int
    height_px: int
    fps: Fraction
    count: int

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Pixels]:
        """Yield every `step`-th frame of the half-open range, `uint8 (h, w, 3)` RGB.

        Raises InputError for a range outside the shot, ArtefactError when the file cannot be read.
        """
        stop = self.count if stop is None else stop
        if not (0 <= start <= stop <= self.count and step >= 1):
            raise InputError(f"could not read frames {start} to {stop} by {step} of {self.path}: it has {self.count}")
        return self._read(start, stop, step)

    def _read(self, start: int, stop: int, step: int) -> Iterator[Pixels]:
        wanted = start
        if wanted < stop:
            with _translated(self.path):
                for index, frame in self._decode(start):
                    if index >= stop:
                        return
                    if index == wanted:
                        yield frame.to_ndarray(format="rgb24")
                        wanted += step
        if wanted < stop:
            raise ArtefactError(f"could not read {self.path}: frame {wanted} of {self.count} is missing; delete it to have it made again")

    def _decode(self, start: int) -> Iterator[tuple[int, Any]]:
        """Yield frames with their numbers, from one at or before `start` on."""
        import av

        with av.open(str(self.path), format="nut") as container:
            stream = container.streams.video[0]
            assert stream.time_base is not None
            if start:
                container.seek(round((start - 0.5) / self.fps / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                assert frame.pts is not None
                yield round(frame.pts * stream.time_base * self.fps), frame


def write_footage(
    path: Path,
    frames: Iterable[Pixels],
    *,
    width_px: int,
    height_px: int,
    fps: Fraction,
    cancelled: Callable[[], bool] | None = None,
) -> FileFootage:
    """Write frames (`uint8 (h, w, 3)` RGB) without loss, whole or not at all, and return the shot.

    The frames are taken one by one; an error of the iterable comes through. Raises InputError for a frame of another size or
    none at all, ToolError and Cancelled.
    """
    import av

    count = 0
    with whole(path) as part:
        try:
            with av.open(str(part), "w", format="nut") as container:
                stream = _stream(container, width_px, height_px, fps)
                for frame in frames:
                    if frame.shape != (height_px, width_px, 3) or frame.dtype != "uint8":
                        found = f"{frame.dtype} {frame.shape}"
                        raise InputError(f"could not write {path.name}: frame {count} is {found}, not {width_px}x{height_px}")
                    if cancelled is not None and cancelled():
                        raise Cancelled(f"stopped writing {path.name}")
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                    count += 1
                if count == 0:
                    raise InputError(f"could not write {path.name}: there are no frames")
                container.mux(stream.encode(None))
        except (OSError, av.error.FFmpegError) as error:
            raise ToolError(f"could not write {path}: {error}; is the disk full?") from error
    return FileFootage(path=path, width_px=width_px, height_px=height_px, fps=fps, count=count)


def _stream(container: Any, width_px: int, height_px: int, fps: Fraction) -> Any:
    import av

    name = next((name for name in CODECS if name in av.codecs_available), None)
    if name is None:
        raise ToolError(f"could not write a shot: this build of PyAV has none of {', '.join(CODECS)}; pip install --force-reinstall av")
    pixels, options = CODECS[name]
    stream = container.add_stream(name, rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width_px, height_px, pixels
    stream.codec_context.gop_size = 1
    stream.codec_context.thread_count = 1 if width_px * height_px < SMALL_PIXELS else 0
    return stream


def open_footage(path: Path) -> FileFootage:
    """Open a shot that was written before; counts its frames by their packets, without decoding.

    Raises ArtefactError when it is not one of ours.
    """
    import av

    with _translated(path), av.open(str(path), format="nut") as container:
        stream = container.streams.video[0]
        codec, rate = stream.codec_context, stream.average_rate
        count = sum(1 for packet in container.demux(stream) if packet.size)
        if CODECS.get(codec.name, ("",))[0] != codec.pix_fmt or not rate or not 0 < count <= MAX_FRAMES:
            found = f"{count} frames of {codec.name} {codec.pix_fmt}"
            raise ArtefactError(f"could not read {path}: {found} are not a shot of ours; delete it to have it made again")
        return FileFootage(path=path, width_px=codec.width, height_px=codec.height, fps=Fraction(rate), count=count)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    import av

    try:
        yield
    except (OSError, av.error.FFmpegError, IndexError) as error:
        raise ArtefactError(f"could not read {path}: {error}; delete it to have it made again") from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a file its name when the block that wrote it ends well.

    Not synced to the disk, which takes as long as a tiny shot: what a power cut left empty or short has to read as missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
