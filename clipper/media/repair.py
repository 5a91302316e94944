"""Putting a recording whose time stamps jump or begin again onto one clock.

Packets are copied, none is coded anew: after each break all streams are shifted by the same amount, so that the picture
goes on where it was and sound and picture keep their distance. Copying with ffmpeg alone squeezes what follows a reset
into nothing, and fills a jump of an hour with an hour of one frame.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from clipper import ffmpeg
from clipper.errors import InputError
from clipper.media import container as containers
from clipper.media.probing import JUMP_S, RESET_S, probe
from clipper.values import Recording

log = logging.getLogger(__name__)


def normalise(recording: Recording, workdir: Path) -> Recording:
    """Return a recording on one unbroken clock: itself when its time stamps are sound, else a remuxed copy in `workdir`.

    The copy's `original_path` names the source, which is not touched. Raises InputError when the packets cannot be copied
    or the copy's clock is still broken.
    """
    import av

    if not recording.breaks:
        return recording
    workdir.mkdir(parents=True, exist_ok=True)
    target = workdir / f"one-clock-{recording.sha256[:12]}.mkv"
    part = target.with_suffix(".part")
    log.info(
        "putting %s on one clock: its time stamps break at %s", recording.path, ", ".join(f"{time:.1f} s" for time in recording.breaks)
    )
    try:
        _copy(recording, part)
        part.replace(target)
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(f"could not put {recording.path} on one clock: {error}; convert the file with ffmpeg first") from error
    finally:
        part.unlink(missing_ok=True)
    done = probe(target)
    if done.breaks:
        raise InputError(
            f"could not put {recording.path} on one clock: time stamps still break at {done.breaks[0]:.1f} s; convert the file first"
        )
    places = "once" if len(recording.breaks) == 1 else f"at {len(recording.breaks)} places"
    warning = f"time stamps broke {places} and were put on one clock"
    return replace(done, original_path=recording.path, creation_time=recording.creation_time, warnings=(warning, *done.warnings))


@dataclass(slots=True)
class _Clock:
    """One stream's way from the file's time stamps to one clock, in seconds."""

    shift: float = 0.0
    last: float | None = None
    end: float = 0.0


@dataclass(slots=True)
class _Clocks:
    """All streams' ways; a shift that one stream found is taken over by the others when it fits them too."""

    lines: dict[int, _Clock] = field(default_factory=dict)
    shift: float = 0.0

    def moved(self, index: int, time: float, length: float) -> float:
        """Note a packet's decoding time and return the shift that puts it in its place."""
        line = self.lines.setdefault(index, _Clock())
        if line.last is not None and not -RESET_S <= time - line.last <= JUMP_S:
            if abs(time + self.shift - line.end) > RESET_S:
                self.shift = max(other.end for other in self.lines.values()) - time
            line.shift = self.shift
        line.last = time
        line.end = max(line.end, time + line.shift + length)
        return line.shift


def _copy(recording: Recording, target: Path) -> None:
    """Copy picture and sound packet by packet into a Matroska file."""
    import av

    with containers.opened(recording.path, recording.format) as source, av.open(ffmpeg.url(target), "w", format="matroska") as out:
        streams = [stream for stream in (containers.picture_of(source), containers.sound_of(source)) if stream is not None]
        copies = {stream.index: out.add_stream_from_template(stream) for stream in streams}
        clocks = _Clocks()
        for packet in containers.packets(source, streams):
            if packet.dts is None or packet.pts is None:
                continue
            base = packet.time_base
            shift = round(clocks.moved(packet.stream_index, float(packet.dts * base), float((packet.duration or 0) * base)) / base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = copies[packet.stream_index]
            out.mux(packet)
