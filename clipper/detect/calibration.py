"""Make confidences mean what they say: of explanations told with 0.8, eight in ten are right.

A posterior is sure of what its model leaves out, the more the fewer channels there are. So the log odds are stretched and moved
by two numbers per set of channels, fitted (Platt 1999) on simulated streams whose seeds no evaluation uses; right means the
product's explanation, covered to a half (temporal IoU 0.5). What speech alone tells in pieces is a family of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from clipper.detect import constants as c
from clipper.values import Evidence, Segment


def calibrated(segments: Sequence[Segment], evidence: Evidence, channels: Sequence[str], *, matched: bool) -> tuple[Segment, ...]:
    """Turn the confidences of explanations into shares that are right.

    `channels` are those that were allowed to speak; `matched` tells whether a catalogue product was found at all.
    """
    family = family_of(evidence, channels) if matched else "topics"
    broken = _pieces(segments) if family == "speech" else frozenset[int]()
    told = []
    for number, segment in enumerate(segments):
        own = "topics" if segment.sku.startswith("unknown-") else "pieces" if number in broken else family
        told.append(replace(segment, confidence=round(adjusted(segment.confidence, own), 3)))
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


def family_of(evidence: Evidence, channels: Sequence[str]) -> str:
    """Name the set of channels that speaks: cards (with anything else), others without cards, or speech alone."""
    if "cards" in channels and evidence.log.cards:
        return "cards"
    seen = "picture" in channels and evidence.picture is not None and bool(evidence.picture.sightings)
    wrote = "comments" in channels and bool(evidence.log.comments)
    return "others" if seen or wrote or ("orders" in channels and evidence.log.orders) else "speech"


def adjusted(confidence: float, family: str) -> float:
    """Move and stretch the log odds of a confidence in [0, 1] by the constants of its family."""
    shift, stretch = c.CALIBRATION[family]
    bounded = min(max(confidence, 0.001), 0.999)
    odds = shift + stretch * math.log(bounded / (1 - bounded))
    return 1 / (1 + math.exp(-odds))


def topic_confidence(seconds: float, offer: float, is_announced: bool, marked: float) -> float:
    """Say how likely a topic is to be one whole explanation, when no catalogue tells what things there are.

    `offer` in [0, 1] says how surely it holds one, `is_announced` that its beginning is marked, `marked` in (0, 1) how many of the
    stream's edges are: a host who says that something else begins can be cut by ear, another one hardly.
    """
    base, of_offer, of_length, of_announced, of_marked = c.TOPIC_ODDS
    length = math.log(max(seconds, 1.0) / c.TOPIC_USUAL_S)
    odds = base + of_offer * offer + of_length * length + of_announced * is_announced + of_marked * math.log(marked)
    return min(c.TOPIC_MOST, 1 / (1 + math.exp(-odds)))
