"""Finished shots as files: frames written without loss, read back as often as wanted and from any frame on.

FFV1 in Matroska holds RGB exactly and every frame by itself, so that a frame is found without decoding those before it. A
file gets its name only when it is whole: a shot that is there was finished.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from clipper import ffmpeg
from clipper.errors import ArtefactError, InputError
from generators.values import Pixels

__all__ = ["FileFootage", "copy_video", "open_footage", "write_footage"]

CODEC = ("-c:v", "ffv1", "-level", "3", "-g", "1", "-slices", "4", "-pix_fmt", "gbrp", "-f", "matroska")
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
        if start == stop:
            return
        import av

        wanted = start
        try:
            with av.open(str(self.path), format="matroska") as container:
                stream = container.streams.video[0]
                assert stream.time_base is not None
                if start:
                    container.seek(round((start - 0.5) / self.fps / stream.time_base), stream=stream)
                for frame in container.decode(stream):
                    assert frame.pts is not None
                    index = round(frame.pts * stream.time_base * self.fps)
                    if index >= stop:
                        return
                    if index == wanted:
                        yield frame.to_ndarray(format="rgb24")
                        wanted += step
        except (OSError, av.error.FFmpegError, IndexError) as error:
            raise ArtefactError(f"could not read {self.path}: {error}; delete it to have it made again") from error
        if wanted < stop:
            raise ArtefactError(f"could not read {self.path}: frame {wanted} of {self.count} is missing; delete it to have it made again")


def write_footage(
    path: Path,
    frames: Iterable[Pixels],
    *,
    width_px: int,
    height_px: int,
    fps: Fraction,
    cancelled: Callable[[], bool] | None = None,
    patience_s: float = ffmpeg.NO_PROGRESS_S,
) -> FileFootage:
    """Write frames (`uint8 (h, w, 3)` RGB) without loss, whole or not at all, and return the shot.

    The frames are taken one by one, in a thread of its own, and may take their time: up to `patience_s` between two. An error
    of the iterable comes through. Raises InputError for a frame of another size, ToolFailed and Cancelled.
    """
    count = 0

    def feed() -> Iterator[bytes]:
        nonlocal count
        for frame in frames:
            if frame.shape != (height_px, width_px, 3) or frame.dtype != "uint8":
                raise InputError(f"could not write {path.name}: frame {count} is {frame.dtype} {frame.shape}, not {width_px}x{height_px}")
            count += 1
            yield frame.tobytes()

    rate = f"{fps.numerator}/{fps.denominator}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width_px}x{height_px}", "-framerate", rate, "-i", "pipe:0"]
    with _whole(path) as part:
        args = [*source, *CODEC, "-y", ffmpeg.url(part)]
        ffmpeg.run(args, what=f"could not write {path.name}", feed=feed(), cancelled=cancelled, no_progress_s=patience_s)
        if count == 0:
            raise InputError(f"could not write {path.name}: there are no frames")
    return FileFootage(path=path, width_px=width_px, height_px=height_px, fps=fps, count=count)


def copy_video(
    source: Path,
    target: Path,
    *,
    format: str = "mov",
    fps: Fraction | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FileFootage:
    """Turn a foreign video (a download, say) into lossless footage at a constant rate, without its sound.

    `format` is the demuxer that its first bytes were sniffed to be; `fps` is the file's own when left out. Raises ToolFailed
    and Cancelled.
    """
    rate = ["-vf", f"fps={fps.numerator}/{fps.denominator}:start_time=0"] if fps else []
    with _whole(target) as part:
        args = [*ffmpeg.input_args(source, format), "-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1", "-fps_mode", "cfr", *rate]
        ffmpeg.run([*args, *CODEC, "-y", ffmpeg.url(part)], what=f"could not read {source.name}", cancelled=cancelled)
    return open_footage(target)


def open_footage(path: Path) -> FileFootage:
    """Open a shot that was written before; counts its frames by their packets, without decoding.

    Raises ArtefactError when it is not one of ours.
    """
    import av

    try:
        with av.open(str(path), format="matroska") as container:
            stream = container.streams.video[0]
            found = (stream.codec_context.name, stream.codec_context.width, stream.codec_context.height, stream.average_rate)
            count = sum(1 for packet in container.demux(stream) if packet.size)
    except (OSError, av.error.FFmpegError, IndexError) as error:
        raise ArtefactError(f"could not read {path}: {error}; delete it to have it made again") from error
    codec, width, height, rate = found
    if codec != "ffv1" or not rate or not 0 < count <= MAX_FRAMES:
        raise ArtefactError(f"could not read {path}: {count} frames of {codec} are not a shot of ours; delete it to have it made again")
    return FileFootage(path=path, width_px=width, height_px=height, fps=Fraction(rate), count=count)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a file its name when the block that wrote it ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
