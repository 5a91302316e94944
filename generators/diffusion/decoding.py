"""Latents to frames on disk: decoded in ever smaller ways while the device is full, written without loss."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clipper.errors import ModelError
from generators import memory_layout
from generators.checkpoints import Fitted
from generators.diffusion.foreign import first_line
from generators.diffusion.kept import Kept
from generators.diffusion.loading import Loaded
from generators.footage import FileFootage, write_footage
from generators.values import Pixels

log = logging.getLogger(__name__)

SMALLER_TILES_PX = (256, 128)
CONVERTED_PIXELS = 100_000
"""Pixels that are turned into bytes at once: a small frame by itself costs more in calls than in numbers, and more of them than
a processor's cache holds take twice as long."""

Progress = Callable[[float], None]
Tensor = Any


def decode(
    attempts: Sequence[tuple[str, Callable[[], Tensor]]], where: Path, *, told: Callable[[str], None] = lambda name: None
) -> Iterator[Pixels]:
    """Decode latents and yield frames `uint8 (h, w, 3)` RGB, trying ever smaller ways while the device is full.

    Each attempt returns `float (3, frames, h, w)` in [-1, 1]. `told` gets the name of the one that worked. Raises ModelError
    when none fits (the latents stay in `where`) and when the picture is not made of finite numbers.
    """
    import torch

    video = None
    with torch.no_grad():
        for name, attempt in attempts:
            try:
                video = attempt()
            except (RuntimeError, MemoryError) as error:
                if not memory_layout.is_out_of_memory(error):
                    raise ModelError(f"could not decode {where}: {first_line(error)}; delete it and run again") from error
                log.warning("the device is full decoding %s; trying again, smaller", name)
                memory_layout.give_back()
            else:
                told(name)
                break
        if video is None:
            raise ModelError(
                f"could not decode {where}: the device is full even with {attempts[-1][0]}; the finished latents are kept: "
                "free memory, or --set generate.diffusers.tile_px=64, and run again: denoising is not repeated"
            )
        yield from _frames(video, where)


def _frames(video: Tensor, where: Path) -> Iterator[Pixels]:
    import cv2
    import torch

    at_once = max(1, CONVERTED_PIXELS // (video.shape[2] * video.shape[3]))
    for first in range(0, video.shape[1], at_once):
        part = video[:, first : first + at_once].float().mul(127.5).add_(127.5)
        if not bool(torch.isfinite(part.sum())):  # one bad number spoils the sum; ten times faster than asking each
            bad = first + next(index for index in range(part.shape[1]) if not bool(torch.isfinite(part[:, index]).all()))
            raise ModelError(f"could not decode {where}: frame {bad} is not made of finite numbers; delete it and use a plan without fp8")
        planes = part.clamp_(0, 255).round_().to(torch.uint8).cpu().numpy()
        yield from (cv2.merge(tuple(planes[:, index])) for index in range(planes.shape[1]))


def tiled(model: Loaded, fitted: Fitted, run: Callable[[], Tensor]) -> list[tuple[str, Callable[[], Tensor]]]:
    """List the ways to decode with an autoencoder that knows tiles: as planned first, then in smaller ones."""
    planned = model.plan.tile_px

    def attempt(edge: int) -> Callable[[], Tensor]:
        def decode_so() -> Tensor:
            model.tile(edge, fitted)
            try:
                return run()
            finally:
                model.tile(planned, fitted)  # pictures are encoded as planned, so that shots do not depend on those before

        return decode_so

    edges = [planned, *(edge for edge in SMALLER_TILES_PX if not planned or edge < planned)]
    return [(f"tiles of {edge} px" if edge else "whole frames", attempt(edge)) for edge in edges]


def write(frames: Iterator[Pixels], kept: Kept, fitted: Fitted, progress: Progress, cancelled: Callable[[], bool]) -> FileFootage:
    """Write decoded frames as the shot's footage; `progress` gets 0 to 1."""

    def counted() -> Iterator[Pixels]:
        for index, frame in enumerate(frames):
            progress(index / fitted.frames)
            yield frame

    return write_footage(
        kept.footage,
        counted(),
        width_px=fitted.width_px,
        height_px=fitted.height_px,
        fps=fitted.fps,
        cancelled=cancelled,
    )
