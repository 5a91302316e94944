"""Frames to a video file: streamed to ffmpeg through the one door, with the finished sound laid under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clipper import ffmpeg as door
from clipper.render import RenderOptions
from clipper.render.graph import SOUND, VIDEO
from generators.values import Pixels, Storyboard

HEAD_FRAMES = 12
GLIMPSE = (45, 80)
"""Size of the small grey pictures by which a file's frames are known again: width, height."""
SEAM_FRAMES, SEAM_QUANTIZER = 4, 8
"""A loop's first frame and this many of its last ones are coded with that quantizer of x264's."""


class Glimpses:
    """Small grey pictures of a video's first frames, taken while they are encoded."""

    def __init__(self) -> None:
        self.head: list[Any] = []

    def watch(self, frames: Iterable[Pixels]) -> Iterator[bytes]:
        """Pass frames on as bytes, and keep a glimpse of the first ones."""
        for frame in frames:
            if len(self.head) < HEAD_FRAMES:
                self.head.append(glimpse(frame))
            yield frame.tobytes()


def glimpse(frame: Pixels) -> Any:
    """Reduce a frame to a small grey picture: float32 (80, 45)."""
    import cv2

    small = cv2.resize(frame, GLIMPSE, interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def encode(
    board: Storyboard,
    frames: Iterable[bytes],
    count: int,
    work: Path,
    encoding: RenderOptions,
    threads: int,
    *,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool] | None,
) -> None:
    """Encode raw RGB frames and the sound of `work` to clipper's `video.mp4` there. Raises ToolFailed and Cancelled."""
    door.run(
        arguments(board, count, work, encoding, threads),
        what=f"could not encode {board.id}",
        duration_s=count / board.fps,
        progress=progress,
        cancelled=cancelled,
        feed=frames,
        wall_limit_s=1e9,  # a slow animator is no fault of the encoder's; a stuck one is noticed by its processor time
        no_progress_s=600.0,
    )


def arguments(board: Storyboard, count: int, work: Path, encoding: RenderOptions, threads: int) -> list[str]:
    """Build the encoder's arguments; pure."""
    picture = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{board.width_px}x{board.height_px}", "-framerate", str(board.fps)]
    colours = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
    filters = "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic+accurate_rnd,format=yuv420p,"
    filters += "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    # frames that x264 looks ahead at lie in memory: 57 MB less than ten of them and a thread for them take at 1080×1920
    told = ["mbtree=1:rc-lookahead=6:sync-lookahead=0"] if encoding.preset in ("ultrafast", "superfast") else []
    told += [_seam(count)] if board.loop and count > 2 * SEAM_FRAMES else []
    tuned = ["-x264-params", ":".join(told)] if told else []
    coding = [
        *("-c:v", "libx264", "-preset", encoding.preset, "-crf", str(encoding.crf), "-profile:v", "high", *tuned),
        *("-maxrate", f"{encoding.max_kbps}k", "-bufsize", f"{2 * encoding.max_kbps}k", "-g", str(2 * board.fps), "-flags:v", "+cgop"),
        *("-fps_mode", "cfr", "-frames:v", str(count), "-threads", str(threads), *colours),
    ]
    sound = door.input_args(work / SOUND, "mov")
    return [
        *("-filter_threads", "1", *picture, "-i", "pipe:0", *sound, "-map", "0:v:0", "-map", "1:a:0", "-vf", filters, *coding),
        *("-c:a", "copy", "-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", "-f", "mp4", "-y"),
        door.url(work / VIDEO),
    ]


def _seam(count: int) -> str:
    """Ask x264 for its finest at a loop's seam: what it leaves out differs between a key frame and the frame before one, and is
    seen as a jolt (1.4 steps where neighbours are 0.6 apart, and 0.7 before they were encoded)."""
    return f"zones=0,0,q={SEAM_QUANTIZER}/{count - SEAM_FRAMES},{count - 1},q={SEAM_QUANTIZER}"
