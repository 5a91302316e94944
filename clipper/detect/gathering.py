"""Gather everything that is known of a stream on one clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipper.detect.clocks import ClockOptions, align, shifted
from clipper.detect.mentions import MentionOptions, find_mentions
from clipper.values import AudienceLog, Catalog, Evidence, Picture, Track, Transcript

GATHER_VERSION = 5


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
) -> Evidence:
    """Find the mentions, align the log's clock, and put all channels together.

    `picture` and `loudness` may be None, and so may every channel of the log. An offset of the log's clock is estimated from
    the data and applied only when it is clear; it is kept with its confidence and residual either way.
    """
    options = options or GatherOptions()
    sentences = transcript.sentences
    mentions = find_mentions(sentences, catalog.products, transcript.language, options.mentions)
    alignment = align(log, mentions, transcript.duration, options.clocks)
    warnings = []
    if alignment.offset_s:
        warnings.append(f"the log's clock was moved by {alignment.offset_s:+.1f} s to fit the recording")
    return Evidence(
        duration=transcript.duration,
        language=transcript.language,
        sentences=sentences,
        mentions=mentions,
        log=shifted(log, alignment.offset_s),
        picture=picture,
        loudness=loudness,
        clock_offset_s=alignment.offset_s,
        clock_confidence=alignment.confidence,
        clock_residual_s=alignment.residual_s,
        warnings=tuple(warnings),
    )
