"""Putting a recording whose time stamps jump or begin again onto one clock.

Copied from FLV to MPEG-TS and from there to MP4, without coding anew: the middle step makes ffmpeg take every jump as a
discontinuity and close it up (method of the biliup recorder; copying directly squeezes or inflates the time instead).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from clipper import ffmpeg
from clipper.errors import InputError, ToolFailed
from clipper.media.probing import probe
from clipper.values import Recording

log = logging.getLogger(__name__)


def normalise(recording: Recording, workdir: Path) -> Recording:
    """Return a recording on one unbroken clock: itself when its time stamps are sound, else a remuxed copy in `workdir`.

    The copy's `original_path` names the source, which is not touched. Raises InputError when the copy's clock is still broken.
    """
    if not recording.breaks:
        return recording
    workdir.mkdir(parents=True, exist_ok=True)
    target, middle = workdir / f"one-clock-{recording.sha256[:12]}.mp4", workdir / f"one-clock-{recording.sha256[:12]}.ts"
    log.info(
        "putting %s on one clock: its time stamps break at %s", recording.path, ", ".join(f"{time:.1f} s" for time in recording.breaks)
    )
    try:
        if recording.format != "mpegts":
            _copy(ffmpeg.input_args(recording.path, recording.format), middle, "mpegts")
        source = ffmpeg.input_args(recording.path if recording.format == "mpegts" else middle, "mpegts")
        _copy(source, target, "mp4")
    except ToolFailed as error:
        raise InputError(
            f"could not put {recording.path} on one clock: its time stamps break at {recording.breaks[0]:.1f} s, {error}"
        ) from error
    finally:
        middle.unlink(missing_ok=True)
    done = probe(target)
    if done.breaks:
        raise InputError(
            f"could not put {recording.path} on one clock: time stamps still break at {done.breaks[0]:.1f} s; convert the file first"
        )
    warning = f"time stamps broke at {len(recording.breaks)} places and were put on one clock"
    return replace(done, original_path=recording.path, creation_time=recording.creation_time, warnings=(warning, *done.warnings))


def _copy(source: list[str], target: Path, format: str) -> None:
    part = target.with_suffix(target.suffix + ".part")
    try:
        streams = ["-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn", "-c", "copy"]
        ffmpeg.run([*source, *streams, "-y", "-f", format, ffmpeg.url(part)], what=f"could not write {target.name}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
