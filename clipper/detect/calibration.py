"""Make confidences mean what they say: of explanations told with 0.8, eight in ten are right.

A posterior is sure of what its model leaves out. So the log odds of a product's explanation are moved, by one number for those
that stand alone and by another for pieces of what may be one pitch, fitted (Platt 1999) on simulated streams whose seeds no
evaluation uses and on recordings; right means the product's explanation, covered to a half (temporal IoU 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from clipper.detect import constants as c
from clipper.values import Segment


def calibrated(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Turn the confidences of explanations, sorted by time, into shares that are right; things without a product are left as they are."""
    broken = _pieces(segments)
    told = []
    for number, segment in enumerate(segments):
        if not segment.sku.startswith("unknown-"):
            shift = c.PIECE_SHIFT if number in broken else c.WHOLE_SHIFT
            segment = replace(segment, confidence=round(moved(segment.confidence, shift), 3))
        told.append(segment)
    return tuple(told)


def _pieces(segments: Sequence[Segment]) -> frozenset[int]:
    """Name the explanations, sorted by time, that lie within `PIECES_APART` of another one of their product."""
    before: dict[str, int] = {}
    found: set[int] = set()
    for number, segment in enumerate(segments):
        last = before.get(segment.sku)
        if last is not None and segment.start - segments[last].end <= c.PIECES_APART:
            found |= {last, number}
        before[segment.sku] = number
    return frozenset(found)


def moved(confidence: float, shift: float) -> float:
    """Move the log odds of a confidence in [0, 1] by `shift` nats."""
    bounded = min(max(confidence, 0.001), 0.999)
    return 1 / (1 + math.exp(-math.log(bounded / (1 - bounded)) - shift))


def topic_confidence(seconds: float, offer: float, is_announced: bool, marked: float) -> float:
    """Say how likely a topic is to be one whole explanation, when no catalogue tells what things there are.

    `offer` in [0, 1] says how surely it holds one, `is_announced` that its beginning is marked, `marked` in (0, 1) how many of the
    stream's edges are: a host who says that something else begins can be cut by ear, another one hardly.
    """
    base, of_offer, of_length, of_announced, of_marked = c.TOPIC_ODDS
    length = math.log(max(seconds, 1.0) / c.TOPIC_USUAL_S)
    odds = base + of_offer * offer + of_length * length + of_announced * is_announced + of_marked * math.log(marked)
    return min(c.TOPIC_MOST, 1 / (1 + math.exp(-odds)))
