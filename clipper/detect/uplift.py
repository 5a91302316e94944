"""How far a response is above what is usual: a posterior with an interval, and the probability of being hot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from clipper.detect.lags import Floats
from clipper.detect.responses import Rate, pooled

DISPERSION = {"orders": 1.2, "chat": 3.0}
"""Variance over mean of counts: order lines cluster a little, chat a lot (5 to 17 measured raw; less when cleaned and weighed)."""
ORDINARY, HOT = (0.0, 0.35), (math.log(3.5), 0.7)
"""Middle and standard deviation of log uplifts: ordinary products lie within a third of each other, hot ones sell two to nine times."""
HOT_EACH, MOST_HOT = 1.5, 0.25
"""A stream has one or two hot items however many products it shows; of a few products one in four may be."""
_LOGS = np.linspace(-3.0, 4.0, 701)
"""Log uplifts that are weighed against each other."""
MISFIT = MappingProxyType({"orders": 0.3, "chat": 0.5})
"""What rates are wrong by, in logs, however many counts: offers are placed by a sentence or two, lags are guessed, and a comment is
not a purchase."""
FAR_ABOVE = 2.0
"""Other products above this ratio to the lower third are hot themselves and do not make the usual."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A product's response against its baseline."""

    uplift: float
    low: float
    high: float
    probability: float
    """That the uplift exceeds the least one."""


def usual(rates: Sequence[Rate], sku: str) -> tuple[float, float] | None:
    """Pool what the other products usually get: (count, exposure); a lone product has None.

    Products far above the lower third (`FAR_ABOVE`) are left out, so that a second hot item does not hide the first; the third is
    of the exposure, so that products that were only answered about in passing do not make it.
    """
    others = _others(rates, sku)
    if not others:
        return None
    order = sorted(others, key=lambda rate: rate.per_viewer)
    reached = np.cumsum([rate.exposure for rate in order])
    lower = order[int(np.searchsorted(reached, reached[-1] / 3))].per_viewer
    kept = [rate for rate in order if rate.per_viewer <= FAR_ABOVE * lower]
    return sum(rate.count for rate in kept), sum(rate.exposure for rate in kept)


def _others(rates: Sequence[Rate], sku: str) -> list[Rate]:
    return [pooled([rate for rate in rates if rate.segment.sku == other]) for other in sorted({r.segment.sku for r in rates} - {sku})]


def judge(
    rate: Rate,
    typical: tuple[float, float] | None,
    off_air: float,
    basis: Literal["orders", "chat"],
    least: float,
    dispersion: float = 1.0,
    products: int = 1,
) -> Judged:
    """Estimate an uplift over the baseline, with a 90 % interval and P(uplift > least).

    The baseline is what other explained products usually get, or the product's own rate off the air where that is higher. The
    log of the measured ratio is normal about the true one: counts give its variance (times their dispersion), and `MISFIT` what
    offers and lags are wrong by. Before any count most of the `products` are ordinary and one or two are hot (`ORDINARY`, `HOT`),
    so that the luckiest of many is not believed at once, and a handful of orders proves little.
    """
    phi = max(DISPERSION[basis], dispersion)
    count, exposure = typical if typical is not None else (off_air * rate.exposure, rate.exposure)
    base = max((count + 0.5) / (exposure + 1e-9), off_air)
    variance = phi * (1 / (rate.count + 0.5) + 1 / (count + 0.5)) + MISFIT[basis] ** 2
    share = min(MOST_HOT, HOT_EACH / max(products, 1))
    prior = (1 - share) * _bell(_LOGS, *ORDINARY) + share * _bell(_LOGS, *HOT)
    weights = prior * _bell(_LOGS, math.log(rate.per_viewer / base), math.sqrt(variance))
    cumulated = np.cumsum(weights) / weights.sum()
    low, middle, high = (math.exp(_LOGS[int(np.searchsorted(cumulated, part))]) for part in (0.05, 0.5, 0.95))
    probability = 1 - float(np.interp(math.log(least), _LOGS, cumulated))
    return Judged(middle, low, high, probability)


def _bell(at: Floats, middle: float, spread: float) -> Floats:
    bell: Floats = np.exp(-0.5 * ((at - middle) / spread) ** 2) / spread + 1e-12
    return bell
