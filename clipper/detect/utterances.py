"""Where a host ends what is said in one go: a probability for every pause, learned from this host's own pauses alone.

One utterance may hold several short sentences ("Right. Mornings first. This is …") with a breath between them, and a cut at
a breath sounds like a cut. Neither a length of pause nor a full stop tells breaths from ends: fast hosts end with a fifth of
a second, calm ones breathe for half of one. But utterances of one host are about equally long, since breath and thought set
the measure, and their ends are rested at longer than breaths are. So a stream is a sequence of utterances, each of a few
sentences, with lognormal lengths, lognormal breaths inside and lognormal rests behind; expectation maximisation fits the six
figures to the host, and forward-backward gives the probability that an utterance ends at a pause (a semi-Markov model
without labels: Yu 2010).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from operator import mul

import numpy as np
from numpy.typing import NDArray

from clipper.detect import constants as c
from clipper.values import Sentence, Span

Floats = NDArray[np.float64]

STOPS = re.compile(r"[。.!?！？…][\"'”’）)]*\s*$")
"""What a sentence ends with when the recogniser wrote a full stop, or what counts as one."""
_SHORTEST_S = 0.05
"""Pauses are measured in steps as long as this."""
_SMALL = 1e-100
"""Sums of products between this and its inverse are left as they are: far from where numbers end."""


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Seconds whose logarithm is normal."""

    mean: float
    """Of the logarithm."""
    spread: float
    """Standard deviation of the logarithm."""

    def log_density(self, at: Floats) -> Floats:
        """Give the log-density of logarithms, up to a constant that all share."""
        density: Floats = -0.5 * ((at - self.mean) / self.spread) ** 2 - log(self.spread)
        return density

    def fitted(self, values: Floats, weights: Floats, worth: float, first: Lognormal) -> Lognormal:
        """Fit to weighted logarithms, `first` counting as much as `worth` of them."""
        total = float(weights.sum()) + worth
        mean = (float(weights @ values) + worth * first.mean) / total
        spread = (float(weights @ (values - mean) ** 2) + worth * first.spread**2) / total
        return Lognormal(mean, max(spread**0.5, 0.1))


@dataclass(frozen=True, slots=True)
class Habits:
    """How a host speaks: lengths of utterances, of the rests behind them and of the breaths inside, in seconds."""

    lengths: Lognormal
    rests: Lognormal
    breaths: Lognormal

    def rest_odds(self, pauses_s: Floats) -> Floats:
        """Give the log-likelihood ratio of a rest against a breath: never less for a longer pause, level below the middle breath."""
        steps = np.linspace(self.breaths.mean, max(self.breaths.mean, self.rests.mean) + 3.0, 400)
        long = Lognormal(self.rests.mean + log(c.LONG_RESTS), c.LONG_SPREAD)
        rests = np.logaddexp(log(1 - c.LONG_SHARE) + self.rests.log_density(steps), log(c.LONG_SHARE) + long.log_density(steps))
        odds = np.maximum.accumulate(rests - self.breaths.log_density(steps))
        found = np.interp(np.log(np.maximum(pauses_s, _SHORTEST_S)), steps, odds)
        return np.where(pauses_s > 0, found, c.END_UNPAUSED)


def usual_habits(pauses_s: Floats) -> Habits:
    """Give what is known of a host before the utterances are: breaths are shorter and rests longer than the middle pause."""
    middle = log(max(float(np.median(pauses_s)), _SHORTEST_S))
    return Habits(
        Lognormal(log(c.UTTERANCE_S), c.UTTERANCE_SPREAD),
        Lognormal(middle + log(c.RESTS_LONGER), c.PAUSE_SPREAD),
        Lognormal(middle + log(c.BREATHS_SHORTER), c.PAUSE_SPREAD),
    )


def utterance_ends(sentences: Sequence[Sentence], pauses_s: Sequence[float], inner: Sequence[Sequence[Span]] = ()) -> Floats:
    """Give the probability that an utterance has ended before each sentence, and after the last: (sentences + 1,) in [0, 1].

    `pauses_s` are the real silences between each two sentences, in seconds, 0 where there is none; `inner` those inside each
    sentence, for a recogniser runs sentences together. The stream's own ends are certain.
    """
    ends = np.ones(len(sentences) + 1)
    spans, pauses, stopped, whole = _runs(sentences, pauses_s, inner or [()] * len(sentences))
    if not (pauses > 0).any():
        ends[1:-1] = 0.0
        return ends
    written = c.END_STOPPED * (stopped - stopped.mean())
    lengths = _lengths(spans)
    first = habits = usual_habits(pauses[pauses > 0])
    for _ in range(c.HABIT_PASSES):
        decoded = _decode(lengths, habits.lengths, habits.rest_odds(pauses) + written)
        habits = _refitted(habits, first, pauses, lengths, decoded)
    ends[1:-1] = _decode(lengths, habits.lengths, habits.rest_odds(pauses) + written).ends[whole]
    return ends


def _runs(
    sentences: Sequence[Sentence], pauses_s: Sequence[float], inner: Sequence[Sequence[Span]]
) -> tuple[list[Span], Floats, Floats, list[int]]:
    """List the runs of speech between all pauses, and what is known of the pause behind each but the last.

    Gives the runs, the pauses in seconds, whether a full stop was written there, and which of them lie between sentences.
    """
    spans: list[Span] = []
    pauses: list[float] = []
    stopped: list[bool] = []
    whole: list[int] = []
    for sentence, pause, silent in zip(sentences, [*pauses_s, 0.0][: len(sentences)], inner, strict=True):
        start = sentence.start
        for gap in silent:
            spans.append(Span(start, gap.start))
            pauses.append(gap.duration)
            stopped.append(False)
            start = gap.end
        whole.append(len(spans))
        spans.append(Span(start, max(sentence.end, start)))
        pauses.append(pause)
        stopped.append(bool(STOPS.search(sentence.text)))
    return spans, np.array(pauses[:-1]), np.array(stopped[:-1], float), whole[:-1]


@dataclass(frozen=True, slots=True)
class _Decoded:
    ends: Floats
    """(runs - 1,): probability that an utterance ends after a run."""
    lengths: Floats
    """(runs, most): probability that one ends after a sentence and has so many of them."""


def _refitted(habits: Habits, first: Habits, pauses: Floats, lengths: Floats, decoded: _Decoded) -> Habits:
    real = pauses > 0
    at = np.log(np.maximum(pauses[real], _SHORTEST_S))
    rests = np.minimum(at, habits.rests.mean + 2 * habits.rests.spread)  # a few minutes' silence is not how a host rests
    return replace(
        habits,
        rests=habits.rests.fitted(rests, decoded.ends[real], c.HABIT_SURE, first.rests),
        breaths=habits.breaths.fitted(at, 1 - decoded.ends[real], c.HABIT_SURE, first.breaths),
        lengths=habits.lengths.fitted(
            np.where(np.isfinite(lengths), lengths, 0.0).ravel(), decoded.lengths.ravel(), c.HABIT_SURE, first.lengths
        ),
    )


def _lengths(spans: Sequence[Span]) -> Floats:
    """List log-seconds of utterances that end with a run and hold 1, 2, … of them: (runs, most), infinite where none is."""
    starts = np.array([span.start for span in spans])
    finish = np.array([span.end for span in spans])
    table = np.full((len(spans), c.UTTERANCE_MOST), np.inf)
    for count in range(1, min(c.UTTERANCE_MOST, len(spans)) + 1):
        table[count - 1 :, count - 1] = np.log(np.maximum(finish[count - 1 :] - starts[: len(starts) - count + 1], 0.3))
    return table


def _decode(lengths: Floats, habit: Lognormal, odds: Floats) -> _Decoded:
    """Run forward and backward over the runs of speech. `odds` (runs - 1,): what speaks for an end after each, in nats."""
    size, most = lengths.shape
    score = np.where(np.isfinite(lengths), habit.log_density(np.where(np.isfinite(lengths), lengths, 0.0)), -np.inf)
    ending = score + np.concatenate([odds, [0.0]])[:, None]
    beginning = np.full_like(ending, -np.inf)
    for count in range(1, min(most, size) + 1):
        beginning[: size - count + 1, count - 1] = ending[count - 1 :, count - 1]
    forward = _sums(ending)
    backward = _sums(beginning[::-1])[::-1]
    before = np.full_like(ending, -np.inf)
    for count in range(1, min(most, size) + 1):
        before[count - 1 :, count - 1] = forward[: size - count + 1]
    total = forward[-1]
    ends = np.exp(np.minimum(forward[1:-1] + backward[1:-1] - total, 0.0))
    return _Decoded(ends, np.exp(np.minimum(before + ending + backward[1:, None] - total, 0.0)))


def _sums(scores: Floats) -> Floats:
    """Sum over all ways to come to each place: log-sums (size + 1,), `scores` (size, most) for steps of 1, 2, … that end there."""
    most = scores.shape[1]
    totals, scales, scale = [1.0], [0.0], 0.0
    near = [0.0] * (most - 1) + [1.0]
    for row in np.exp(scores[:, ::-1]).tolist():
        total = max(sum(map(mul, near, row)), 1e-300 * near[-1])
        if not _SMALL < total < 1 / _SMALL:
            near = [value / total for value in near]
            scale, total = scale + log(total), 1.0
        del near[0]
        near.append(total)
        totals.append(total)
        scales.append(scale)
    return np.log(totals) + scales
