"""Segment a sequence with a hidden semi-Markov model: the best segmentation, and the posterior of every unit and boundary.

Plain numbers in and out; what they mean is decided in `explanations`. States are the columns of a score matrix; a segment of
units i..j-1 in state k scores

    enter[i, k] + sum(emission[i:j, k]) + log D_k(t_j - t_i) + leave[j, k]

and neighbouring segments differ in state (or repeat it, at a price). Work is O(units x units per `longest` x states), so it is
linear in the length of a stream; states that are not `active` at a unit cost nothing there. Sources: Murphy 2002 (HSMM), Yu
2010 (forward-backward for explicit durations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEVER = -1e9
"""Log probability of what cannot be; finite, so that sums stay finite."""


@dataclass(frozen=True, slots=True)
class Model:
    """Scores of one stream, all in nats. U units, S states; state S-1 is the background."""

    starts: Floats
    """Seconds, (U,)."""
    ends: Floats
    emission: Floats
    """(U, S), far above `NEVER`: a state that cannot be is not `active`."""
    enter: Floats
    """(U, S): a segment of the state begins at the unit."""
    leave: Floats
    """(U + 1, S): a segment of the state ends before the unit."""
    log_duration: tuple[tuple[tuple[float, float, float], ...], ...]
    """For every state the mixture of lognormals of its duration: (weight, median in seconds, sigma)."""
    to_background: float
    """Log probability that a background follows a product."""
    to_product: float
    """Log probability of one certain product after a product."""
    from_background: Floats
    """(S - 1,): log probability of each product after a background."""
    repeat: float
    """Log probability of a product after itself: only for what lasts longer than `longest`."""
    longest: float = 600.0
    """Seconds after which a segment has to be split."""
    active: NDArray[np.bool_] | None = None
    """(U, S): where each state may be at all; None allows all everywhere. The background is always allowed."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """What the model says of one stream."""

    path: tuple[tuple[int, int, int], ...]
    """Best segmentation: (first unit, unit after the last, state)."""
    posterior: Floats
    """Probability of every state at every unit, (U, S); rows add up to 1."""
    begin: Floats
    """Probability that a segment of the state begins at the unit, (U, S)."""
    finish: Floats
    """Probability that a segment of the state ends before the unit, (U + 1, S)."""


def decode(model: Model, *, best_path: bool = True) -> Decoding:
    """Find the posteriors and, unless `best_path` is off, the best segmentation."""
    units, states = model.emission.shape
    if not units:
        empty = np.zeros((0, states))
        return Decoding((), empty, empty, np.zeros((1, states)))
    prefix = np.vstack([np.zeros((1, states)), np.cumsum(model.emission, axis=0)])
    lengths = _Durations(model)
    path = _best(model, prefix, lengths) if best_path else ()
    alpha, gate = _forward(model, prefix, lengths)
    beta, after = _backward(model, prefix, lengths)
    total = _total(alpha[units])
    begin = np.exp(np.clip(gate + model.enter - prefix[:-1] + beta[:-1] - total, -700, 0))
    finish = np.exp(np.clip(alpha + after - total, -700, 0))
    posterior = np.cumsum(begin - np.vstack([np.zeros((1, states)), finish[1:-1]]), axis=0)
    posterior = np.clip(posterior, 0.0, 1.0)
    return Decoding(path, posterior / np.maximum(posterior.sum(axis=1, keepdims=True), 1e-12), begin, finish)


class _Durations:
    """Duration priors of every possible segment that ends (or begins) at a unit, per distinct mixture, and the active states."""

    STEP = 0.1
    """Seconds per entry of the table that the priors are read from."""

    def __init__(self, model: Model) -> None:
        self._model = model
        kinds = sorted(set(model.log_duration))
        self.kind_of = np.array([kinds.index(mixture) for mixture in model.log_duration])
        self.columns = [_as_slice(np.flatnonzero(self.kind_of == kind)) for kind in range(len(kinds))]
        most = max(model.longest, float((model.ends - model.starts).max())) + 1.0
        self.table = np.stack([_log_density(mixture, np.arange(0.0, most, self.STEP)) for mixture in kinds])
        self.active = np.ones(model.emission.shape, bool) if model.active is None else model.active.copy()
        self.active[:, -1] = True
        places = np.arange(len(model.starts))
        self._first = np.minimum(np.searchsorted(model.starts, model.ends - model.longest), places)
        self._last = np.maximum(np.searchsorted(model.ends, model.starts + model.longest, side="right"), places + 1)

    def ending(self, end: int) -> tuple[int, NDArray[np.int64]]:
        """Give the first unit a segment may begin with, and for every beginning up to `end` its column of `table`."""
        first = int(self._first[end - 1])
        return first, self._places(self._model.ends[end - 1] - self._model.starts[first:end])

    def beginning(self, start: int) -> tuple[int, NDArray[np.int64]]:
        """Give the last unit (exclusive) a segment may end before, and for every end its column of `table`."""
        last = int(self._last[start])
        return last, self._places(self._model.ends[start:last] - self._model.starts[start])

    def _places(self, seconds: Floats) -> NDArray[np.int64]:
        places: NDArray[np.int64] = np.minimum((np.maximum(seconds, 0.0) / self.STEP).astype(np.int64), self.table.shape[1] - 1)
        return places


def _as_slice(columns: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Name columns that lie together by a slice, which numpy does not have to copy."""
    first, last = int(columns[0]), int(columns[-1])
    return slice(first, last + 1) if last - first + 1 == len(columns) else columns


class _Sums:
    """Sums of exp(row + duration prior) over the rows of a window, for all states at once: a product of a vector and a matrix.

    The rows are kept as exp(row - reference), one reference per state; it is moved when a row comes that is far above it, or
    when all that is left in the window lies far below.
    """

    FAR = 200.0
    """Nats; exp of three times this is still a number."""

    def __init__(self, units: int, lengths: _Durations) -> None:
        states = len(lengths.kind_of)
        self._lengths = lengths
        self._density = np.exp(lengths.table)
        self._rows, self._raised = np.full((units, states), NEVER), np.zeros((units, states))
        self._reference = np.full(states, NEVER)

    def put(self, at: int, row: Floats, window: slice) -> None:
        """Add a row, in nats; `window` holds the rows that may still be summed."""
        self._rows[at] = row
        above = row - self._reference
        if above.max() > self.FAR:
            for k in np.flatnonzero(above > self.FAR):
                self._rebase(int(k), window)
            above = row - self._reference
        self._raised[at] = np.exp(np.maximum(above, -700.0)) * (row > NEVER / 2)

    def over(self, window: slice, places: NDArray[np.int64], wanted: NDArray[np.bool_]) -> Floats:
        """Log-sum of the window's rows, each with the prior of its duration, for the wanted states; `NEVER` for others."""
        summed = self._products(window, places)
        lost = wanted & (summed < 1e-250)
        held = wanted
        if lost.any():
            for k in np.flatnonzero(lost):
                self._rebase(int(k), window)
            summed = self._products(window, places)
            held = wanted & (summed > 0)
        return np.where(held, np.log(np.where(held, summed, 1.0)) + self._reference, NEVER)

    def _products(self, window: slice, places: NDArray[np.int64]) -> Floats:
        summed = np.empty(len(self._reference))
        for density, columns in zip(self._density, self._lengths.columns, strict=True):
            summed[columns] = density[places] @ self._raised[window, columns]
        return summed

    def _rebase(self, k: int, window: slice) -> None:
        rows = self._rows[window, k]
        self._reference[k] = rows.max()
        self._raised[window, k] = np.exp(np.maximum(rows - self._reference[k], -700.0)) * (rows > NEVER / 2)


def _log_density(mixture: tuple[tuple[float, float, float], ...], seconds: Floats) -> Floats:
    """Evaluate the log of a mixture of lognormals, over the logarithm of the duration."""
    logs = np.log(np.maximum(seconds, 0.5))[:, None]
    weights, medians, sigmas = (np.array(part) for part in zip(*mixture, strict=True))
    z = (logs - np.log(medians)) / sigmas
    return _sum(np.log(weights) - 0.5 * z * z - np.log(sigmas), axis=1)


def _gate(model: Model, ended: Floats) -> Floats:
    """Turn the score of segments that ended in each state into the score of entering each state."""
    products = ended[:-1]
    out = np.empty_like(ended)
    if not len(products):
        out[-1] = NEVER
        return out
    total = _total(products)
    others = _without(products, total)
    out[-1] = total + model.to_background
    out[:-1] = np.logaddexp(np.logaddexp(others + model.to_product, ended[-1] + model.from_background), products + model.repeat)
    return out


def _without(values: Floats, total: float) -> Floats:
    """Leave each value out of the log-sum of all."""
    if len(values) == 1:
        return np.full(1, NEVER)
    top = int(values.argmax())
    share = np.exp(np.maximum(values - total, -700.0))
    rest: Floats = total + np.log1p(-np.minimum(share, 1 - 1e-9))
    others = values.copy()
    others[top] = -np.inf
    rest[top] = _total(others)
    return rest


def _forward(model: Model, prefix: Floats, lengths: _Durations) -> tuple[Floats, Floats]:
    units, states = model.emission.shape
    alpha, gate = np.full((units + 1, states), NEVER), np.full((units, states), NEVER)
    gate[0] = np.concatenate([model.from_background, [0.0]])
    sums = _Sums(units, lengths)
    for end in range(1, units + 1):
        first, places = lengths.ending(end)
        window, begun = slice(first, end), end - 1
        sums.put(begun, np.where(lengths.active[begun], gate[begun] + model.enter[begun] - prefix[begun], NEVER), window)
        alpha[end] = np.maximum(sums.over(window, places, lengths.active[begun]) + prefix[end] + model.leave[end], NEVER)
        if end < units:
            gate[end] = _gate(model, alpha[end])
    return alpha, gate


def _backward(model: Model, prefix: Floats, lengths: _Durations) -> tuple[Floats, Floats]:
    """Give beta[i]: log-sum over everything from a segment that begins at i; after[j]: over everything after an end at j."""
    units, states = model.emission.shape
    beta, after = np.full((units + 1, states), NEVER), np.full((units + 1, states), NEVER)
    after[units] = 0.0
    sums = _Sums(units + 1, lengths)
    for start in range(units - 1, -1, -1):
        last, places = lengths.beginning(start)
        window, end = slice(start + 1, last + 1), start + 1
        sums.put(end, np.where(lengths.active[start], prefix[end] + model.leave[end] + after[end], NEVER), window)
        beta[start] = sums.over(window, places, lengths.active[start])
        inside = beta[start] + model.enter[start] - prefix[start]
        products = inside[:-1]
        if len(products):
            total = _total(products)
            onward = np.logaddexp(_without(products, total) + model.to_product, inside[-1] + model.to_background)
            after[start, :-1] = np.logaddexp(onward, products + model.repeat)
            after[start, -1] = _total(products + model.from_background)
    return beta, after


def _best(model: Model, prefix: Floats, lengths: _Durations) -> tuple[tuple[int, int, int], ...]:
    units, states = model.emission.shape
    best = np.full((units + 1, states), NEVER)
    begun, came = np.zeros((units + 1, states), np.int32), np.full((units + 1, states), -1, np.int32)
    entered, source = np.full((states, units), NEVER), np.full((units, states), -1, np.int32)
    value, origin = np.concatenate([model.from_background, [0.0]]), source[0]
    for end in range(1, units + 1):
        (first, places), here = lengths.ending(end), np.flatnonzero(lengths.active[end - 1])
        entered[here, end - 1], source[end - 1] = (value + model.enter[end - 1] - prefix[end - 1])[here], origin
        scores = entered[here, first:end] + lengths.table[:, places][lengths.kind_of[here]]
        choice = np.argmax(scores, axis=1)
        best[end, here] = scores[np.arange(len(here)), choice] + prefix[end, here] + model.leave[end, here]
        begun[end, here] = choice + first
        came[end, here] = source[begun[end, here], here]
        value, origin = _best_gate(model, best[end])
    return _trace(best, begun, came)


def _best_gate(model: Model, ended: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Give the best score of entering each state, and the state it is entered from: the best other product, or the background."""
    states, products = len(ended), ended[:-1]
    value, origin = np.full(states, NEVER), np.full(states, -1)
    if not len(products):
        return value, origin
    first = int(np.argmax(products))
    other = np.full(states - 1, first)
    if states > 2:
        other[first] = int(np.argmax(np.concatenate([products[:first], [NEVER], products[first + 1 :]])))
    value[-1], origin[-1] = products[first] + model.to_background, first
    switched = np.where(other != np.arange(states - 1), products[other] + model.to_product, NEVER)
    ways = np.stack([ended[-1] + model.from_background, products + model.repeat, switched])
    choice = np.argmax(ways, axis=0)
    value[:-1] = ways[choice, np.arange(states - 1)]
    origin[:-1] = np.choose(choice, [np.full(states - 1, states - 1), np.arange(states - 1), other])
    return value, origin


def _trace(best: Floats, begun: NDArray[np.int32], came: NDArray[np.int32]) -> tuple[tuple[int, int, int], ...]:
    end, state, path = len(best) - 1, int(np.argmax(best[-1])), []
    while end > 0:
        start = int(begun[end, state])
        path.append((start, end, state))
        end, state = start, int(came[end, state])
    return tuple(reversed(path))


def _total(values: Floats) -> float:
    """Log-sum-exp of a row: as `_sum`, without what axes cost in every step of a stream."""
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))


def _sum(values: Floats, axis: int) -> Floats:
    """Log-sum-exp along an axis."""
    top = np.maximum.reduce(values, axis=axis, keepdims=True)
    summed: Floats = np.squeeze(top, axis=axis) + np.log(np.add.reduce(np.exp(values - top), axis=axis))
    return summed
