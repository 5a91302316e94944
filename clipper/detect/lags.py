"""Undo the lag between an offer and the orders it brings.

Orders follow what was said by half a minute, spread out: order(t) = viewers(t) * sum over earlier seconds a(u) h(t - u) with a
lognormal delay h. Richardson-Lucy iteration (EM for Poisson counts; Richardson 1972, Lucy 1974) gives a(u), the orders per
viewer that each second set off, without negative values and without changing the totals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAG_MEDIAN_S = 20.0
"""Median seconds from a sentence to the order it brings: hearing, a tap, paying; platforms add 5 to 15 s of latency."""
LAG_SIGMA = 0.6
LAG_LONGEST_S = 180.0
ITERATIONS = 24
"""Few on purpose: more would sharpen noise into spikes."""
SMOOTH_S = 10.0
"""Offers last longer than this; the estimate is smoothed over it."""


def kernel(step: float, median: float = LAG_MEDIAN_S, sigma: float = LAG_SIGMA) -> Floats:
    """Give the share of orders per step of delay; sums to 1."""
    delay = (np.arange(int(LAG_LONGEST_S / step)) + 0.5) * step
    density = np.exp(-0.5 * (np.log(delay / median) / sigma) ** 2) / delay
    share: Floats = density / density.sum()
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
