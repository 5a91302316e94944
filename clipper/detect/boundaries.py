"""Where speech may be cut: real silences of the sound, and the edges of sentences moved into them.

A recogniser's word times are off by up to 0.3 s, and its words like to swallow the pauses around them. So the sound decides:
a pause is a run of quiet steps, quiet against the stream's own floor and speech level, and an edge moves into the pause that
is nearest to what the recogniser said.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.detect.utterances import STOPS, utterance_ends
from clipper.errors import InputError
from clipper.values import Evidence, Sentence, Span, Track


@dataclass(frozen=True, kw_only=True)
class BoundaryOptions:
    """How edges are placed."""

    air_s: float = 0.2
    """Silence kept before the first word, 0.05 to 0.4 s."""
    tail_s: float = 0.25
    """Most silence kept after the last word, 0 to 0.25 s."""
    reach_s: float = 0.5
    """How far a word time may be off, 0.1 to 1 s."""
    pause_s: float = 0.12
    """Shortest silence that is a pause and not the closure of a consonant, 0.05 to 0.5 s."""
    flash_s: float = 0.5
    """A camera cut so soon after an edge flashes; edges avoid it where they can, 0 to 1 s."""

    def __post_init__(self) -> None:
        limits = {"air_s": (0.05, 0.4), "tail_s": (0.0, 0.25), "reach_s": (0.1, 1.0), "pause_s": (0.05, 0.5), "flash_s": (0.0, 1.0)}
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"boundaries.{name} is {getattr(self, name)}: it must lie between {low} and {high} seconds")


DEFAULT = BoundaryOptions()

CLOSES_STOPPED, CLOSES_OTHER = 0.7, 0.9
"""Share of the host's usual rest that may end a statement where the recogniser wrote a full stop, and where it wrote anything else."""
TOPIC_RESTS = 1.8
"""Times that a host rests longer between two topics than between two sentences of one: sellers finish, drink and pick things up."""
REST_SPREAD = 0.55
"""Standard deviation of the logarithm of a host's rests."""
REST_MOST = 1.2
"""Most that one pause may say of a boundary, in nats: a pause has many reasons."""
WELL_INSIDE_S = 0.3
"""Seconds from the edges of a sentence within which a pause may be the one beside it: word times are off by so much."""
INNER_SHARE = 0.5
"""Share of the host's middle pause between sentences from which a pause inside one may be a breath; shorter ones close a consonant."""
SETTLE_S = 5.0
"""Farthest that an edge moves outwards to where an utterance ends, in seconds; half of it inwards."""
SETTLE_WORTH = 10.0
"""Seconds of moving that a sure end is worth over none at all."""
SETTLE_INWARD = 2.0
"""Times that losing a second of speech costs more than adding one."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Where one sentence may be cut out."""

    start: float
    """Cut before the first word."""
    end: float
    """Cut after the last word."""
    in_pause: tuple[bool, bool]
    """Whether each of the two lies in a real pause."""
    pause_before: float
    """Seconds of silence before the first word."""
    pause_after: float
    ended: tuple[float, float] = (1.0, 1.0)
    """Probability that an utterance ends before it, and after it."""


def pauses(evidence: Evidence, options: BoundaryOptions = DEFAULT) -> tuple[Span, ...]:
    """List the real silences of a stream, sorted. Without a loudness track: the gaps between words."""
    if evidence.loudness is not None and evidence.loudness.values:
        return silences(evidence.loudness, options)
    words = [word for sentence in evidence.sentences for word in sentence.words]
    ends = [0.0, *(word.end for word in words)]
    starts = [*(word.start for word in words), evidence.duration]
    return tuple(Span(end, start) for end, start in zip(ends, starts, strict=True) if start - end >= options.pause_s)


def silences(track: Track, options: BoundaryOptions = DEFAULT) -> tuple[Span, ...]:
    """List the quiet runs of a loudness track. The threshold follows floor and speech level over a minute, as rooms and music change."""
    levels = np.asarray(track.values, np.float64)
    quiet = levels < threshold(levels, track.step)
    found, edges = [], np.flatnonzero(np.diff(np.concatenate([[0], quiet.view(np.int8), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, end = first * track.step, last * track.step
        if end - start >= options.pause_s or (end - start >= 0.9 * track.step and _deep(levels, int(first), int(last))):
            found.append(Span(start, end))
    return tuple(found)


def threshold(levels: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Give the level below which a step is silent: a third of the way from the floor to the speech level, in dB, per step."""
    window = max(1, round(30.0 / step))
    out = np.empty_like(levels)
    for start in range(0, len(levels), window):
        around = levels[max(0, start - window) : start + 2 * window]
        floor, speech = np.percentile(around, (4, 75))
        out[start : start + window] = floor + max(3.0, 0.38 * (speech - floor))
    return out


def _deep(levels: NDArray[np.float64], first: int, last: int) -> bool:
    """Tell whether a single quiet step is a dip between loud neighbours deep enough to be a pause."""
    around = [levels[at] for at in (first - 1, last) if 0 <= at < len(levels)]
    return bool(around) and min(around) - float(levels[first:last].min()) >= 18.0


def edges(
    sentences: tuple[Sentence, ...], silent: tuple[Span, ...], cuts: tuple[float, ...], duration: float, options: BoundaryOptions = DEFAULT
) -> tuple[Edges, ...]:
    """Place the edges of every sentence in real pauses, in order; neighbours never overlap.

    `silent` are the stream's silences and `cuts` its camera changes, both sorted.
    """
    if not sentences:
        return ()
    joints = [_joint(sentences[0].start - 1.0, sentences[0].start, silent, options)]
    joints += pauses_between(sentences, silent, options)
    joints.append(_joint(sentences[-1].end, min(sentences[-1].end + 1.0, max(duration, sentences[-1].end)), silent, options))
    between = [joint.duration if joint else 0.0 for joint in joints[1:-1]]
    least = max(options.pause_s, INNER_SHARE * usual_rest(pause for pause in between if pause > 0))
    ends = utterance_ends(sentences, between, [_inside(sentence, silent, least) for sentence in sentences])
    placed = []
    for number, sentence in enumerate(sentences):
        before, after = joints[number], joints[number + 1]
        start = _start(before, sentence.start, cuts, options)
        end = _end(after, sentence.end, options)
        placed.append(
            Edges(
                round(max(0.0, start), 3),
                round(min(max(end, start + 0.05), max(duration, start + 0.05)), 3),
                (before is not None, after is not None),
                before.duration if before else 0.0,
                after.duration if after else 0.0,
                (float(ends[number]), float(ends[number + 1])),
            )
        )
    return tuple(placed)


def pauses_between(sentences: Sequence[Sentence], silent: Sequence[Span], options: BoundaryOptions = DEFAULT) -> tuple[Span | None, ...]:
    """Find the real pause between each two neighbouring sentences; None where they run into one another. `silent` is sorted."""
    return tuple(_joint(a.end, b.start, silent, options) for a, b in pairwise(sentences))


def usual_rest(pauses_s: Iterable[float], share: float = 0.5) -> float:
    """Give the pause that `share` of a stream's own pauses between sentences do not reach, in seconds; 0 without pauses.

    Some hosts breathe for a fifth of a second and some for a whole one, so what sounds like an end is theirs to say.
    """
    lengths = sorted(pauses_s)
    return lengths[min(int(share * len(lengths)), len(lengths) - 1)] if lengths else 0.0


def rested(placed: Sequence[Edges]) -> NDArray[np.float64]:
    """Tell where a clip may begin or end without sounding cut out of a longer utterance: in [0, 1], (sentences + 1,).

    The probability that an utterance has ended before the sentence; 1 at both ends of the stream.
    """
    return np.array([1.0, *(edge.ended[1] for edge in placed)])


def rest_odds(placed: Sequence[Edges]) -> NDArray[np.float64]:
    """Score how much each sentence's pause before it speaks for a new topic, in nats, (sentences,): 0 for the host's usual rest.

    Log-likelihood ratio of two lognormals of the pause, the usual one and one `TOPIC_RESTS` times as long.
    """
    usual = usual_rest(edge.pause_before for edge in placed[1:] if edge.in_pause[0])
    if usual <= 0:
        return np.zeros(len(placed))
    pause = np.array([max(edge.pause_before, 0.05) if edge.in_pause[0] else 0.05 for edge in placed])
    odds: NDArray[np.float64] = np.log(pause / usual) * np.log(TOPIC_RESTS) / REST_SPREAD**2
    return np.clip(odds, -REST_MOST, REST_MOST)


def closed(sentences: Sequence[Sentence], placed: Sequence[Edges]) -> NDArray[np.bool_]:
    """Tell before which sentences, and after the last, a statement may have ended: (sentences + 1,).

    A pause may end a statement when it is nearly as long as this host's usual rest; behind a full stop a shorter one may. This
    asks less than `rested`: an explanation may well end where a clip had better go on for a sentence.
    """
    usual = usual_rest(edge.pause_before for edge in placed[1:] if edge.in_pause[0])
    ends = [
        edge.in_pause[1] and edge.pause_after >= usual * (CLOSES_STOPPED if STOPS.search(sentence.text) else CLOSES_OTHER)
        for sentence, edge in zip(sentences, placed, strict=True)
    ]
    return np.array([True, *ends], bool)


def stopped(sentences: Sequence[Sentence], placed: Sequence[Edges]) -> NDArray[np.bool_]:
    """Tell where an utterance likely ended, or a full stop was written at a real pause: (sentences + 1,)."""
    written = [edge.in_pause[1] and bool(STOPS.search(sentence.text)) for sentence, edge in zip(sentences, placed, strict=True)]
    either: NDArray[np.bool_] = (rested(placed) >= c.END_LIKELY) | np.array([True, *written], bool)
    return either


def settle(
    first: int,
    last: int,
    placed: Sequence[Edges],
    room: tuple[int, int],
    *,
    outward_s: float = SETTLE_S,
    inward_s: float = SETTLE_S / 2,
    worth_s: float = SETTLE_WORTH,
) -> tuple[int, int]:
    """Move a stretch of sentences, `first` to `last` inclusive, to where utterances end: none is begun or left in its middle.

    Hosts say several short sentences in one breath ("Right. Mornings first. This is ..."). An edge that may lie inside one goes
    to where one surely ends, rather outwards, since half a second too much harms less than half a thought: by `outward_s` and
    `inward_s` at most, weighed against `worth_s`, the seconds that a sure end is worth. It stays within `room`, the first and
    last sentence that may be taken.
    """
    ended = rested(placed)
    starts = [(at, placed[first].start - placed[at].start) for at in range(room[0], last + 1)]
    begin = _surest(first, [(at, out) for at, out in starts if -inward_s <= out <= outward_s], ended, worth_s)
    ends = [(at, placed[at].end - placed[last].end) for at in range(begin, room[1] + 1)]
    finish = _surest(last, [(at, out) for at, out in ends if -inward_s <= out <= outward_s], ended[1:], worth_s)
    return begin, max(begin, finish)


def _surest(here: int, ways: Sequence[tuple[int, float]], ended: NDArray[np.float64], worth_s: float) -> int:
    """Choose the place of most worth among (place, seconds outward): a sure end, near, and rather outwards. A sure edge stays."""
    places = [at for at, _ in ways]
    if not places or (here in places and ended[here] >= c.END_SURE):
        return here

    def worth(at: int, outward: float) -> float:
        return worth_s * min(float(ended[at]), c.END_SURE) - (outward if outward >= 0 else SETTLE_INWARD * -outward)

    return max(ways, key=lambda way: (worth(*way), -abs(way[0] - here)))[0]


def _joint(end: float, start: float, silent: Sequence[Span], options: BoundaryOptions) -> Span | None:
    """Find the pause between two sentences: of those near both word times the longest, the nearer the better."""
    middle, reach = (end + start) / 2, max((start - end) / 2, 0.0) + options.reach_s
    near = _within(silent, middle - reach, middle + reach)
    if not near:
        return None

    def worth(pause: Span) -> float:
        off = max(0.0, abs((pause.start + pause.end) / 2 - middle) - pause.duration / 2 - (start - end) / 2)
        return min(pause.duration, 1.5) - 0.8 * off

    return max(near, key=worth)


def _inside(sentence: Sentence, silent: Sequence[Span], least_s: float) -> list[Span]:
    """List the pauses that lie well inside a sentence: none of them is the one beside it."""
    low, high = sentence.start + WELL_INSIDE_S, sentence.end - WELL_INSIDE_S
    return [pause for pause in _within(silent, low, high) if low < pause.start and pause.end < high and pause.duration >= least_s]


def _within(silent: Sequence[Span], low: float, high: float) -> Sequence[Span]:
    first = bisect_left(silent, low, key=lambda pause: pause.end)
    last = bisect_left(silent, high, key=lambda pause: pause.start)
    return silent[first:last]


def _start(pause: Span | None, said: float, cuts: tuple[float, ...], options: BoundaryOptions) -> float:
    if pause is None:
        return said - 0.03
    air = min(options.air_s, max(0.05, pause.duration - 0.05))
    start = max(pause.end - air, pause.start)
    return _clear_of_cuts(start, Span(max(pause.start, pause.end - 0.4), max(pause.end - 0.05, pause.start)), cuts, options)


def _clear_of_cuts(start: float, room: Span, cuts: tuple[float, ...], options: BoundaryOptions) -> float:
    """Move an edge inside its pause so that no camera cut follows within `flash_s`: onto the cut, or well before it."""
    flashing = cuts[bisect_right(cuts, start) : bisect_right(cuts, start + options.flash_s)]
    if not flashing:
        return start
    for candidate in (flashing[-1], flashing[0] - options.flash_s - 0.01):
        if room.start <= candidate <= room.end and not any(candidate < cut <= candidate + options.flash_s for cut in cuts):
            return candidate
    return start


def _end(pause: Span | None, said: float, options: BoundaryOptions) -> float:
    if pause is None:
        return said + 0.03
    return pause.start + min(options.tail_s, 0.6 * pause.duration)


def snap(span: Span, sentences: tuple[Sentence, ...], placed: tuple[Edges, ...]) -> Span:
    """Move a span to the edges of the sentences it begins and ends with."""
    starts = np.array([sentence.start for sentence in sentences])
    ends = np.array([sentence.end for sentence in sentences])
    if not len(starts):
        return span
    first = int(np.argmin(np.abs(starts - span.start)))
    last = max(first, int(np.argmin(np.abs(ends - span.end))))
    return Span(placed[first].start, placed[last].end)
