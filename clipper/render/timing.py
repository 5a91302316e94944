"""Which frames and samples of the recording a plan's sources are: pure arithmetic on the frame grid.

A time finds its frame by nearest. A source's picture is cut at half-frame bounds, where no rounding of a container's
timestamps can reach, and its sound at the frames' own times; so the first and the last frame are the planned ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from clipper.errors import InputError
from clipper.values import Plan, Recording, Span

INDEXED = ("mov", "matroska")
"""Formats with an index: seeking lands on the key frame before the target."""
RATE_HZ = 48_000
TIE_S = 0.001
"""Frames that lie exactly between two output frames go to the later one, whatever a container in milliseconds made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One source of a plan on the frame grid. Bounds are seconds from the seek point."""

    seek: float
    """What `-ss` gets: coarse, well before the first frame."""
    picture_start: float
    picture_end: float
    zero: float
    """Time of the first frame: instant 0 of the piece."""
    first: float
    """Time of the first frame on the recording's clock."""
    sound_end: float
    frames: int
    """Output frames."""
    samples: int
    """Output samples at 48 kHz."""


def grid(plan: Plan, recording: Recording) -> Fraction:
    """The frame rate on which sources are cut: the recording's own, the output's for one of variable rate."""
    return Fraction(plan.fps) if recording.is_vfr or recording.fps <= 0 else recording.fps


def cuts(plan: Plan, recording: Recording) -> tuple[Cut, ...]:
    """Place a plan's sources on the frame grid.

    The recording's clock begins with its first frame, ffmpeg's with the file's earliest stream: `lead_s` lies between.
    Raises InputError for sources that lie outside the recording.
    """
    rate = grid(plan, recording)
    total, made, sampled, out = Fraction(0), 0, 0, []
    for source in plan.sources:
        _check(source, plan, recording, rate)
        first = _nearest(source.start, rate)
        last = max(first + 1, _nearest(source.end, rate))
        total += Fraction(last - first) / rate
        frames = round(total * plan.fps) - made
        samples = round(Fraction(made + frames, plan.fps) * RATE_HZ) - sampled
        out.append(_cut(first, last, rate, frames, samples, recording.lead_s, recording.format))
        made, sampled = made + frames, sampled + samples
    if made < 1:
        raise InputError(f"could not render {plan.id}: its sources hold no frame at {plan.fps} fps; make them longer")
    return tuple(out)


def _cut(first: int, last: int, rate: Fraction, frames: int, samples: int, origin: float, container: str) -> Cut:
    start = float(first / rate)
    seek = max(0.0, round(start + origin - (1.0 if container in INDEXED else 10.0), 3))
    zero = start + origin - seek
    half = float(Fraction(1, 2) / rate)
    return Cut(
        seek=seek,
        picture_start=zero - half,
        picture_end=float(last / rate) + origin - seek - half,
        zero=zero,
        first=start,
        sound_end=zero + samples / RATE_HZ,
        frames=frames,
        samples=samples,
    )


def _nearest(time: float, rate: Fraction) -> int:
    return int(Fraction(round(time * 1000), 1000) * rate + Fraction(1, 2))


def _check(source: Span, plan: Plan, recording: Recording, rate: Fraction) -> None:
    slack = 1.5 / float(rate)
    if not 0 <= source.start < source.end or source.start > recording.duration - slack or source.end > recording.duration + slack + 0.5:
        raise InputError(
            f"could not render {plan.id}: source {source.start:g}–{source.end:g} s lies outside the recording, "
            f"which holds 0–{recording.duration:g} s; correct `sources` in the plan"
        )
