"""Undo the lag between an offer and the orders it brings.

Orders follow what was said by half a minute, spread out: order(t) = viewers(t) * sum over earlier seconds a(u) h(t - u) with a
lognormal delay h. Richardson-Lucy iteration (EM for Poisson counts; Richardson 1972, Lucy 1974) gives a(u), the orders per
viewer that each second set off, without negative values and without changing the totals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAG_MEDIAN_S = 20.0
"""Median seconds from a sentence to the order it brings: hearing, a tap, paying; platforms add 5 to 15 s of latency."""
LAG_SIGMA = 0.6
LATE, LATE_SHARE = 3.5, 0.25
"""People who think it over: a share of orders comes later by this factor (15 % at a median of 4 min is assumed for long streams)."""
LAG_LONGEST_S = 240.0
ITERATIONS = 24
"""Few on purpose: more would sharpen noise into spikes."""
SMOOTH_S = 10.0
"""Offers last longer than this; the estimate is smoothed over it."""


def kernel(step: float, median: float = LAG_MEDIAN_S, sigma: float = LAG_SIGMA) -> Floats:
    """Give the share of orders per step of delay; sums to 1."""
    delay = (np.arange(int(LAG_LONGEST_S / step)) + 0.5) * step
    prompt, late = (np.exp(-0.5 * (np.log(delay / middle) / sigma) ** 2) / delay for middle in (median, LATE * median))
    share: Floats = (1 - LATE_SHARE) * prompt / prompt.sum() + LATE_SHARE * late / late.sum()
    return share


def deconvolve(counts: Floats, audience: Floats, lag: Floats) -> Floats:
    """Estimate orders per viewer set off in each step, from counts per step and viewers per step, all (steps,)."""
    size = len(counts)
    if not size or not counts.any():
        return np.zeros(size)
    exposure = np.convolve(audience[::-1], lag)[:size][::-1] + 1e-9
    rate = np.full(size, counts.sum() / exposure.sum())
    for _ in range(ITERATIONS):
        expected = audience * np.convolve(rate, lag)[:size] + 1e-9
        back = np.convolve((audience * counts / expected)[::-1], lag)[:size][::-1]
        rate = rate * back / exposure
    return rate


@dataclass(frozen=True, slots=True)
class Attribution:
    """Counts shared out among the offers that brought them."""

    counts: tuple[float, ...]
    """Per offer."""
    exposures: tuple[float, ...]
    """Viewer-seconds per offer, weighted by how it invites and by the lag."""
    background: float
    """Rate per viewer-second that no offer explains."""
    log_likelihood: float
    expected: Floats
    """Counts per step that the fit explains, (steps,)."""


def attribute(counts: Floats, audience: Floats, shapes: Sequence[Floats], lag: Floats, step: float) -> Attribution:
    """Fit counts(t) = audience(t) (background + sum of rate_j (shape_j * lag)(t)) by EM; every array is (steps,).

    Weak Gamma priors keep rates of offers without orders from reaching zero.
    """
    size = len(counts)
    answers = np.array([np.convolve(shape, lag)[:size] for shape in shapes] or np.zeros((0, size))) * audience * step
    parts = np.vstack([answers, audience[None, :] * step])
    exposures = parts.sum(axis=1) + 1e-9
    rates = np.full(len(parts), (counts.sum() + 0.5) / exposures.sum())
    rates[-1] *= 0.2  # start from orders that offers explain
    for _ in range(40):
        expected = rates @ parts + 1e-12
        rates = rates * (parts @ (counts / expected)) / exposures + 1e-12
    expected = rates @ parts + 1e-12
    likelihood = float((counts * np.log(expected) - expected).sum())
    return Attribution(tuple((rates * exposures)[:-1].tolist()), tuple(exposures[:-1].tolist()), float(rates[-1]), likelihood, expected)


LAGS_TRIED = (10.0, 15.0, 20.0, 30.0, 45.0)
"""Medians that a stream's own lag is chosen from: a tap in a shop of one's own, to paying in another app."""
LAG_DOUBT = 0.7
"""Standard deviation of the log of the lag between platforms."""


def best_kernel(products: Sequence[tuple[Floats, Sequence[Floats]]], audience: Floats, step: float) -> Floats:
    """Choose the lag that explains the orders of all products best, `LAG_MEDIAN_S` as the prior."""

    def worth(median: float) -> float:
        prior = -0.5 * (np.log(median / LAG_MEDIAN_S) / LAG_DOUBT) ** 2
        lag = kernel(step, median)
        return float(prior) + sum(
            attribute(counts, audience, shapes, lag, step).log_likelihood for counts, shapes in products if counts.any()
        )

    return kernel(step, max(LAGS_TRIED, key=worth))


def spread(times: Floats, quantities: Floats, buckets: Floats, duration: float, step: float) -> Floats:
    """Count orders per step; what was logged per bucket is spread evenly over it."""
    counts = np.zeros(int(np.ceil(max(duration, step) / step)) + 1)
    for time, quantity, bucket in zip(times, quantities, buckets, strict=True):
        first, last = int(max(time, 0) // step), int(max(time + bucket, 0) // step)
        last = min(max(last, first + 1), len(counts))
        if first < len(counts):
            counts[first:last] += quantity / max(last - first, 1)
    return counts


def audience_curve(viewers: tuple[tuple[float, float], ...] | None, duration: float, step: float) -> Floats:
    """Interpolate viewers per step; all ones when nobody counted them."""
    size = int(np.ceil(max(duration, step) / step)) + 1
    if not viewers:
        return np.ones(size)
    times, counts = np.array([t for t, _ in viewers]), np.array([n for _, n in viewers])
    curve: Floats = np.maximum(np.interp(np.arange(size) * step, times, counts), 1.0)
    return curve
