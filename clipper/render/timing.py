"""Which frames and samples of the recording a plan's sources are: pure arithmetic on the frame grid.

A time finds its frame by nearest. A source's picture is cut at half-frame bounds, where no rounding of a container's
timestamps can reach, and its sound at the frames' own times; so the first and the last frame are the planned ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from clipper.errors import InputError
from clipper.values import Plan, Recording, Span

RATE_HZ = 48_000
TIE_S = 0.001
"""Frames that lie exactly between two output frames go to the later one, whatever a container in milliseconds made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One source of a plan on the frame grid. Bounds are seconds on the container's own clock."""

    seek: float
    """What `-ss` gets: seconds from the file's start, before the first frame; 0 for no seek (some demuxers jump ahead when asked for 0)."""
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


def cuts(plan: Plan, recording: Recording, seeks: Sequence[float] = (), start: float = 0.0) -> tuple[Cut, ...]:
    """Place a plan's sources on the frame grid.

    `seeks` are seek points that were found safe, one a source; without them a second before each source, as an index allows.
    `start` is the container's own time of its beginning. The recording's clock begins with its first frame, ffmpeg's with the
    file's earliest stream: `lead_s` lies between.
    Raises InputError for sources that lie outside the recording.
    """
    rate = grid(plan, recording)
    total, made, sampled, out = Fraction(0), 0, 0, []
    for number, source in enumerate(plan.sources):
        _check(source, plan, recording, rate)
        first = _nearest(source.start, rate)
        last = max(first + 1, _nearest(source.end, rate))
        total += Fraction(last - first) / rate
        frames = round(total * plan.fps) - made
        samples = round(Fraction(made + frames, plan.fps) * RATE_HZ) - sampled
        first_s = float(first / rate)
        seek = seeks[number] if seeks else max(0.0, round(first_s + recording.lead_s - 1.0, 3))
        out.append(_cut(first_s, float(last / rate), float(rate), frames, samples, recording.lead_s + start, seek))
        made, sampled = made + frames, sampled + samples
    if made < 1:
        raise InputError(f"could not render {plan.id}: its sources hold no frame at {plan.fps} fps; make them longer")
    return tuple(out)


def _cut(first: float, last: float, rate: float, frames: int, samples: int, shift: float, seek: float) -> Cut:
    half = 0.5 / rate
    zero = first + shift
    return Cut(
        seek=seek,
        picture_start=zero - half,
        picture_end=last + shift - half,
        zero=zero,
        first=first,
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
