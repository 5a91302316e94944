"""Gather everything that is known of a stream on one clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from clipper.detect.clocks import UNKNOWN, Alignment, ClockOptions, Heard, align, shifted
from clipper.detect.explanations import ExplanationOptions, find_explanations
from clipper.detect.mentions import MentionOptions, find_mentions
from clipper.values import AudienceLog, Catalog, Evidence, Picture, Product, Track, Transcript

GATHER_VERSION = 9


@dataclass(frozen=True, kw_only=True)
class GatherOptions:
    """How evidence is gathered."""

    mentions: MentionOptions = field(default_factory=MentionOptions)
    clocks: ClockOptions = field(default_factory=ClockOptions)


def gather(
    transcript: Transcript,
    catalog: Catalog,
    log: AudienceLog,
    picture: Picture | None,
    loudness: Track | None,
    options: GatherOptions | None = None,
    *,
    before: Evidence | None = None,
    said: Heard | None = None,
) -> Evidence:
    """Find the mentions, align the log's clock, and put all channels together.

    `picture` and `loudness` may be None, and so may every channel of the log. An offset of the log's clock is estimated from
    the data and applied only when it is clear; it is kept with its confidence and residual either way. Of the same transcript and
    catalogue with other channels, `before` gives the mentions again and `said` what the speech says (`heard`).
    """
    options = options or GatherOptions()
    sentences = transcript.sentences
    mentions = find_mentions(sentences, catalog.products, transcript.language, options.mentions) if before is None else before.mentions
    evidence = Evidence(
        duration=transcript.duration,
        language=transcript.language,
        sentences=sentences,
        mentions=mentions,
        log=AudienceLog(),
        picture=picture,
        loudness=loudness,
    )
    alignment = _aligned(evidence, catalog.products, log, options.clocks, said)
    warnings = []
    if alignment.offset_s:
        warnings.append(f"the log's clock was moved by {alignment.offset_s:+.1f} s to fit the recording")
    return replace(
        evidence,
        log=shifted(log, alignment.offset_s),
        clock_offset_s=alignment.offset_s,
        clock_confidence=alignment.confidence,
        clock_residual_s=alignment.residual_s,
        warnings=tuple(warnings),
    )


def _aligned(evidence: Evidence, products: tuple[Product, ...], log: AudienceLog, options: ClockOptions, said: Heard | None) -> Alignment:
    """Compare the log with what the speech alone says; a log that names no product cannot be compared."""
    if options.reach_s <= 0 or not (log.cards or log.orders or log.comments) or not evidence.mentions:
        return UNKNOWN
    return align(log, said or heard(evidence, products), evidence.duration, options)


def heard(evidence: Evidence, products: tuple[Product, ...]) -> Heard:
    """Decode the speech alone: the clock that every other channel is laid against."""
    spoken = find_explanations(replace(evidence, log=AudienceLog(), picture=None), products, ExplanationOptions(channels=("speech",)))
    names = tuple(tuple(n.text.lower() for n in known.names if n.kind == "name") for known in spoken.stream.known)
    none = np.zeros(len(evidence.sentences))
    offers = (spoken.stream.cue_counts.get("price", none) + spoken.stream.cue_counts.get("link", none) > 0).astype(float)
    skus = tuple(p.sku for p in spoken.products)
    return Heard(skus, names, evidence.sentences, spoken.posterior[:, :-2], spoken.begin[:, :-2], offers)
