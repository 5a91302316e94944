"""Signals for the report: what the deciders saw, as named tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipper.detect import lags
from clipper.detect.lags import Floats
from clipper.values import Evidence, Track

if TYPE_CHECKING:
    from clipper.detect.explanations import Explained

POINTS = 1800
"""Most points per curve: more than a screen shows."""


def curves(evidence: Evidence, explained: Explained) -> tuple[tuple[str, Track], ...]:
    """Draw orders per viewer, chat, loudness and the posterior of the decoded product, as far as there are data."""
    step = max(1.0, float(np.ceil(evidence.duration / POINTS)))
    found: list[tuple[str, Track]] = []
    viewers = lags.audience_curve(
        tuple((v.time, v.count) for v in evidence.log.viewers) if evidence.log.viewers else None, evidence.duration, step
    )
    if evidence.log.orders:
        rows = [np.array([getattr(o, name) for o in evidence.log.orders], float) for name in ("time", "quantity", "bucket_s")]
        counts = lags.spread(rows[0], rows[1], rows[2], evidence.duration, step)[: len(viewers)]
        found.append(
            (
                "orders per 1000 viewers and minute" if evidence.log.viewers else "orders per minute",
                _track(_smooth(counts / viewers, step) * (60000 if evidence.log.viewers else 60) / step, step),
            )
        )
    if evidence.log.comments:
        counts = np.bincount(
            [min(int(max(c.time, 0) // step), len(viewers) - 1) for c in evidence.log.comments], minlength=len(viewers)
        ).astype(float)
        found.append(("comments per minute", _track(_smooth(counts, step) * 60 / step, step)))
    if evidence.loudness is not None and evidence.loudness.values:
        levels = np.asarray(evidence.loudness.values)
        size = max(1, round(step / evidence.loudness.step))
        whole = levels[: len(levels) // size * size].reshape(-1, size).mean(axis=1)
        found.append(("loudness", _track(whole, size * evidence.loudness.step)))
    if len(explained.posterior):
        found.append(("sure of the product", _track(_posterior(evidence, explained, step), step)))
    return tuple(found)


def _posterior(evidence: Evidence, explained: Explained, step: float) -> Floats:
    values = np.zeros(int(np.ceil(evidence.duration / step)) + 1)
    best = explained.posterior[:, :-1].max(axis=1, initial=0.0)
    for at, sentence in enumerate(evidence.sentences):
        values[int(sentence.start / step) : int(sentence.end / step) + 1] = best[at]
    return values


def _smooth(values: Floats, step: float) -> Floats:
    size = max(1, round(15.0 / step))
    return np.convolve(values, np.ones(size) / size, "same")


def _track(values: Floats, step: float) -> Track:
    return Track(step, tuple(np.round(values, 3).tolist()))
