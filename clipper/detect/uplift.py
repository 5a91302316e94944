"""How far a response is above what is usual: a posterior with an interval, and the probability of being hot.

A rate is what is usual times an uplift, and both are unknown. Every explanation of another product tells what is usual through its
count: most are ordinary, some are hot themselves, and some held no offer at all, so that neither a second hot item nor an answer in
passing makes the baseline (a mixture instead of a cut-off; Box and Tiao 1968). Likelihoods are Poisson over their dispersion, weighed
on grids of logs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from clipper.detect.lags import Floats
from clipper.detect.responses import Rate

Basis = Literal["orders", "chat"]
DISPERSION = MappingProxyType({"orders": 1.0, "chat": 1.5})
"""Least variance over mean of counts, where a stream shows less: chat clusters (5 to 17 raw; two when cleaned and weighed)."""
ORDINARY, HOT, HOT_SHARE = (0.0, 0.2), (math.log(3.0), 0.8), 0.3
"""Middle and standard deviation of log uplifts, and the share of products above the ordinary: of five explanations one has a hot
moment (four to six an hour), which lifts every fourth product by half or more and every sixth to twice the usual or more."""
NO_OFFER = (-2.5, 1.0)
"""The same of explanations that held no offer: what comes in belongs to something else."""
MISFIT = MappingProxyType({"orders": 0.3, "chat": 0.6})
"""What an explanation's rate is wrong by, in logs, however many counts: offers are placed by a sentence or two, lags are guessed, and
comments go to the offer that was on."""
FOLLOWS = MappingProxyType({"orders": (1.0,), "chat": (0.5, 1.0)})
"""How far a channel follows sales, as a power, each as likely: interest rises by less than sales do."""
WHOLE = 0.5
"""Probability that a product's explanations share one uplift; otherwise each has its own."""
_STEP, _SIDE = 0.04, 100
_UPLIFTS = np.linspace(-_SIDE * _STEP, _SIDE * _STEP, 2 * _SIDE + 1)
"""Log uplifts that are weighed against each other: to 55 times and a 55th."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A product's response against its baseline."""

    uplift: float
    low: float
    high: float
    probability: float
    """That the uplift exceeds the least one."""


def judge(rates: Sequence[Rate], off_air: Mapping[str, float], basis: Basis, least: float, dispersion: float = 1.0) -> dict[str, Judged]:
    """Estimate every product's uplift in sales over what the other products usually get, with a 90 % interval and P(uplift > least).

    `rates` has one entry per explanation, `off_air` each product's rate while it is not explained: the baseline is never below it, for
    what always sells is not hot. Explanations that brought next to nothing count as far as they may have held an offer.
    """
    if not rates:
        return {}
    phi = max(DISPERSION[basis], dispersion)
    mean = (sum(rate.count for rate in rates) + 0.5) / (sum(rate.exposure for rate in rates) + 1e-9)
    logs = math.log(mean) + np.linspace(-2 * _SIDE * _STEP, 2 * _SIDE * _STEP, 4 * _SIDE + 1)
    by_sku: dict[str, list[Rate]] = {}
    for rate in rates:
        by_sku.setdefault(rate.segment.sku, []).append(rate)
    told = {sku: _told(own, logs, phi, basis) for sku, own in by_sku.items()}
    everything: Floats = np.sum(list(told.values()), axis=0)
    found = {}
    for sku, own in by_sku.items():
        usual = _floored(_normal(everything - told[sku]), logs, off_air.get(sku, 0.0))
        misfit = MISFIT[basis] / math.sqrt(min(len(own), 2))
        shown = _given(_blurred(_likelihood(_offered(own, usual, logs, phi, basis), logs, phi), misfit), usual)
        sold: Floats = np.mean([np.interp(power * _UPLIFTS, _UPLIFTS, shown) for power in FOLLOWS[basis]], axis=0)
        found[sku] = _read_off(sold, least)
    return found


def _read_off(likelihood: Floats, least: float) -> Judged:
    """Give the middle, the interval and P(uplift > least) of a likelihood of every log uplift."""
    weights = likelihood * _PRIOR
    cumulated = np.cumsum(weights) / weights.sum()
    edges = _UPLIFTS + _STEP / 2
    low, middle, high = (math.exp(float(np.interp(part, cumulated, edges))) for part in (0.05, 0.5, 0.95))
    return Judged(middle, low, high, 1 - float(np.interp(math.log(least), edges, cumulated)))


def _told(own: Sequence[Rate], logs: Floats, phi: float, basis: Basis) -> Floats:
    """Give what a product's explanations tell of the usual rate, in nats for every log rate."""
    apart: Floats = np.sum([_one_tells(rate, logs, phi, basis) for rate in own], axis=0)
    if len(own) == 1:
        return apart
    whole = _together(own)
    agreed = _at_best(whole, phi) - sum(_at_best(rate, phi) for rate in own)
    told: Floats = np.logaddexp(math.log(1 - WHOLE) + apart, math.log(WHOLE) + agreed + _one_tells(whole, logs, phi, basis))
    return told


def _one_tells(rate: Rate, logs: Floats, phi: float, basis: Basis) -> Floats:
    seen = _blurred(_likelihood(rate, logs, phi), MISFIT[basis])
    told: Floats = np.log(rate.offered * _drawn(seen, _SHOWN[basis]) + (1 - rate.offered) * _drawn(seen, _NOTHING) + 1e-12)
    return told


def _together(rates: Sequence[Rate]) -> Rate:
    offered = max(rate.offered for rate in rates)
    return Rate(rates[0].segment, sum(rate.count for rate in rates), sum(rate.exposure for rate in rates), offered)


def _at_best(rate: Rate, phi: float) -> float:
    """Log-likelihood of the rate that fits a count best."""
    return (rate.count * math.log(max(rate.count, 1e-9) / (rate.exposure + 1e-9)) - rate.count) / phi


def _offered(own: Sequence[Rate], usual: Floats, logs: Floats, phi: float, basis: Basis) -> Rate:
    """Pool the explanations of a product, each as far as it held an offer."""
    shares = []
    for rate in own:
        seen = _likelihood(rate, logs, phi)
        some, none = rate.offered * _drawn(seen, _SHOWN[basis]) @ usual, (1 - rate.offered) * _drawn(seen, _NOTHING) @ usual
        shares.append(float(some) / max(float(some + none), 1e-300))
    kept = [Rate(r.segment, share * r.count, share * r.exposure, r.offered) for share, r in zip(shares, own, strict=True)]
    return _together(kept)


def _likelihood(rate: Rate, logs: Floats, phi: float) -> Floats:
    """Give the likelihood of every log rate, at most 1."""
    expected = rate.exposure * np.exp(logs) + 1e-12
    nats = (rate.count * np.log(expected) - expected) / phi
    likelihood: Floats = np.exp(nats - nats.max())
    return likelihood


def _floored(usual: Floats, logs: Floats, least: float) -> Floats:
    """Move what lies below a least rate up to it."""
    if least > 0:
        floor = int(np.clip(np.searchsorted(logs, math.log(least)), 0, len(logs) - 1))
        usual[floor] += usual[:floor].sum()
        usual[:floor] = 0.0
    return usual


def _blurred(likelihood: Floats, spread: float) -> Floats:
    size = round(3 * spread / _STEP)
    bell = np.exp(-0.5 * (np.arange(-size, size + 1) * _STEP / spread) ** 2)
    return np.convolve(np.pad(likelihood, size, "edge"), bell / bell.sum(), "valid")


def _drawn(likelihood: Floats, uplifts: Floats) -> Floats:
    """Turn the likelihood of a rate into that of what is usual, the uplift drawn from a prior."""
    return np.convolve(np.pad(likelihood, _SIDE, "edge"), uplifts[::-1], "valid")


def _given(likelihood: Floats, usual: Floats) -> Floats:
    """Turn the likelihood of a rate into that of its uplift, the usual drawn from its posterior."""
    return np.convolve(np.pad(likelihood, _SIDE, "edge"), usual[::-1], "valid")


def _normal(nats: Floats) -> Floats:
    weights: Floats = np.exp(nats - nats.max())
    weights /= weights.sum()
    return weights


def _bell(middle: float, spread: float) -> Floats:
    nats: Floats = -0.5 * ((_UPLIFTS - middle) / spread) ** 2
    return _normal(nats)


_PRIOR = (1 - HOT_SHARE) * _bell(*ORDINARY) + HOT_SHARE * _bell(*HOT)
_NOTHING = _bell(*NO_OFFER)


def _powered(powers: Sequence[float]) -> Floats:
    """Give the prior of what a channel shows, which follows uplifts by one of these powers."""
    mixed: Floats = np.mean([np.interp(_UPLIFTS / power, _UPLIFTS, _PRIOR, 0.0, 0.0) / power for power in powers], axis=0)
    mixed /= mixed.sum()
    return mixed


_SHOWN = {basis: _powered(powers) for basis, powers in FOLLOWS.items()}
