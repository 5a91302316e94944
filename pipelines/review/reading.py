"""How the report reads the manifest, which is the authority on what a run came to; every part of it may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipper.values import Evidence, Span
from pipelines.review.wording import clock

Manifest = Mapping[str, Any]
"""Parsed `manifest.json`, or a part of it."""
Words = Mapping[str, str]
"""The report's own words in one language."""


def duration_of(manifest: Manifest, evidence: Evidence | None) -> float:
    """Length of the recording in seconds."""
    stated = (manifest.get("recording") or {}).get("duration_s")
    return float(stated) if stated else (evidence.duration if evidence else 0.0)


def rows(manifest: Manifest, name: str) -> Sequence[Manifest]:
    """Read a list of the manifest; a list that is missing is empty."""
    return manifest.get(name) or ()


def clip_label(clip: Manifest, say: Words) -> str:
    """Name a clip by its type and where it begins."""
    spans = sources(clip)
    return say.get(str(clip.get("type")), str(clip.get("type"))) + (f" {clock(spans[0].start)}" if spans else "")


def sources(clip: Manifest) -> tuple[Span, ...]:
    """Read the stretches a clip was cut from, in playing order."""
    return tuple(span_of(source) for source in clip.get("sources") or ())


def span_of(part: Manifest) -> Span:
    """Read start and end of a part; an end before the start counts as the start."""
    start = float(part.get("start_s") or 0.0)
    return Span(start, max(start, float(part.get("end_s") or start)))
