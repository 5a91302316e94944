"""Decide a stream that is still on: what is known by now, and what of it will not change any more.

The newest minutes are undecided, because what comes next says whether the host has moved on; what lies `lag_s` back is as the
whole stream would have it, on 98 seconds in 100 or more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace

from clipper.detect.explanations import ExplanationOptions, find_explanations
from clipper.errors import InputError
from clipper.values import AudienceLog, Evidence, Picture, Product, Segment, Span, Track

LAG_S = 180.0
"""Seconds after which an answer is settled: two explanations of the usual length."""


def known_until(evidence: Evidence, time: float) -> Evidence:
    """Cut evidence down to what had been said, shown and logged by a time in seconds."""
    sentences = evidence.sentences[: bisect_right(evidence.sentences, time, key=lambda s: s.end)]
    heard = sentences[-1].end if sentences else 0.0
    return replace(
        evidence,
        duration=min(evidence.duration, time),
        sentences=sentences,
        mentions=tuple(mention for mention in evidence.mentions if mention.end <= heard),
        log=_log_until(evidence.log, time),
        picture=_picture_until(evidence.picture, time) if evidence.picture is not None else None,
        loudness=_track_until(evidence.loudness, time) if evidence.loudness is not None else None,
    )


def settled_explanations(
    evidence: Evidence, products: tuple[Product, ...], until: float, options: ExplanationOptions | None = None, *, lag_s: float = LAG_S
) -> tuple[Segment, ...]:
    """Find the explanations that are settled at a time: those before `until - lag_s`, with one that is still on cut off there.

    `until` in seconds on the recording's clock; `lag_s` 0 to 3600 seconds. Later evidence is not looked at, so an answer for a
    stream that is still on and one for its recording are the same.
    """
    if not 0 <= lag_s <= 3600:
        raise InputError(f"lag_s is {lag_s}: it must lie between 0 and 3600 seconds")
    horizon = until - lag_s
    found = find_explanations(known_until(evidence, until), products, options).segments
    return tuple(_before(segment, horizon) for segment in found if segment.start < horizon)


def _before(segment: Segment, horizon: float) -> Segment:
    gaps = tuple(Span(gap.start, min(gap.end, horizon)) for gap in segment.interruptions if gap.start < horizon)
    return replace(segment, end=min(segment.end, horizon), interruptions=gaps)


def _log_until(log: AudienceLog, time: float) -> AudienceLog:
    return replace(
        log,
        comments=None if log.comments is None else tuple(x for x in log.comments if x.time <= time),
        orders=None if log.orders is None else tuple(x for x in log.orders if x.time + x.bucket_s <= time),
        cards=None if log.cards is None else tuple(x for x in log.cards if x.time <= time),
        viewers=None if log.viewers is None else tuple(x for x in log.viewers if x.time <= time),
    )


def _picture_until(picture: Picture, time: float) -> Picture:
    return replace(
        picture,
        looks=tuple(x for x in picture.looks if x.time <= time),
        cuts=picture.cuts[: bisect_left(picture.cuts, time)],
        faces=tuple(x for x in picture.faces if x.time <= time),
        sightings=None if picture.sightings is None else tuple(x for x in picture.sightings if x.time <= time),
    )


def _track_until(track: Track, time: float) -> Track:
    return Track(track.step, track.values[: int(time / track.step)])
