"""manifest.json: the result of a run, version 1. Fields may be added, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper.values import Catalog, Claim, Evidence, Findings, Plan, Product, Recording, Render, Segment, Span, Transcript

SCHEMA = "livecut.manifest"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A finished clip: what was planned, and what came out."""

    name: str
    """Stem of its files, e.g. 001-explanation-A001."""
    plan: Plan
    render: Render
    edited: bool = False
    """Whether the plan was changed by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything known about a recording before clips are planned."""

    recording: Recording
    catalog: Catalog
    transcript: Transcript
    evidence: Evidence
    findings: Findings
    why_none: tuple[tuple[str, str], ...] = ()
    """Products without an explanation: sku and reason."""
    pauses: tuple[Span, ...] = ()
    """Real silences of the sound."""


def manifest(analysis: Analysis, clips: Sequence[Clip], *, why_nothing: str | None = None) -> dict[str, Any]:
    """Build the manifest as plain data, in the order the contract lists its fields."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "recording": _recording(analysis),
        "inputs": _inputs(analysis),
        "segments": [_segment(f"s{number}", segment) for number, segment in enumerate(analysis.findings.segments, 1)],
        "hot_items": _hot_items(analysis),
        "clips": [_clip(clip) for clip in clips],
        "products": _products(analysis, clips),
        "coverage": _coverage(analysis, why_nothing),
    }


def _recording(analysis: Analysis) -> dict[str, Any]:
    recording, log = analysis.recording, analysis.evidence.log
    return {
        "path": recording.original_path or recording.path,
        "sha256": recording.sha256,
        "duration_s": recording.duration,
        "width": recording.width_px,
        "height": recording.height_px,
        "fps": f"{recording.fps.numerator}/{recording.fps.denominator}",
        "language": analysis.transcript.language,
        "started_at": log.started_at,
        "started_from": log.started_from,
    }


def _inputs(analysis: Analysis) -> dict[str, Any]:
    evidence, log = analysis.evidence, analysis.evidence.log
    chat = [path for path in log.sources if _is_chat(path)]
    missing = list(log.missing)
    if not analysis.catalog.products:
        missing.append("catalog")
    if evidence.picture is None or evidence.picture.sightings is None:
        missing.append("product_pictures")
    return {
        "catalog": analysis.catalog.path,
        "events": [path for path in log.sources if path not in chat],
        "chat": chat,
        "missing": missing,
        "clock": {
            "offset_s": evidence.clock_offset_s,
            "confidence": evidence.clock_confidence,
            "residual_s": evidence.clock_residual_s,
        },
        "rejected_rows": [{"line": reject.line, "reason": reject.reason} for reject in (*analysis.catalog.rejects, *log.rejects)],
    }


def _is_chat(path: str) -> bool:
    return Path(path).suffix.lower() in (".xml", ".ass", ".json") or ".chat" in Path(path).name.lower()


def _segment(number: str, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "sku": segment.sku,
        "start_s": segment.start,
        "end_s": segment.end,
        "confidence": segment.confidence,
        "reasons": list(segment.reasons),
        "name": segment.name,
        "interruptions": [_span(span) for span in segment.interruptions],
    }


def _hot_items(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        {
            "id": f"h{number}",
            "sku": item.sku,
            "start_s": item.start,
            "end_s": item.end,
            "peak_s": item.peak,
            "uplift": item.uplift,
            "uplift_low": item.uplift_low,
            "uplift_high": item.uplift_high,
            "confidence": item.confidence,
            "basis": item.basis,
            "sold": item.sold,
            "reasons": list(item.reasons),
        }
        for number, item in enumerate(analysis.findings.hot_items, 1)
    ]


def _clip(clip: Clip) -> dict[str, Any]:
    plan, render = clip.plan, clip.render
    return {
        "id": plan.id,
        "type": plan.type,
        "sku": plan.sku,
        "sources": [_span(span) for span in plan.sources],
        "file": render.video,
        "captions": render.captions,
        "cover": render.cover,
        "plan": f"plans/{clip.name}.json",
        "title": plan.title,
        "duration_s": render.duration,
        "width": render.width_px,
        "height": render.height_px,
        "loudness_lufs": render.loudness_lufs,
        "true_peak_dbtp": render.true_peak_dbtp,
        "score": plan.score,
        "reasons": list(plan.reasons),
        "claims": [_claim(claim) for claim in plan.claims],
        "valid_until": plan.valid_until,
        "chapters": [{"start_s": chapter.start, "end_s": chapter.end, "title": chapter.title} for chapter in plan.chapters],
        "synthetic_elements": list(plan.synthetic_elements),
        "notes": list(plan.notes),
        "edited": clip.edited,
        "sha256": render.sha256,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "kind": claim.kind,
        "text": claim.text,
        "value": claim.value,
        "catalogue": claim.catalogue,
        "perishable": claim.perishable,
        "start_s": claim.start,
        "end_s": claim.end,
    }


def _span(span: Span) -> dict[str, float]:
    return {"start_s": span.start, "end_s": span.end}


def _products(analysis: Analysis, clips: Sequence[Clip]) -> list[dict[str, Any]]:
    reasons: Mapping[str, str] = dict(analysis.why_none)
    rows = []
    for product in analysis.catalog.products:
        own = [clip.plan.id for clip in clips if clip.plan.sku == product.sku]
        rows.append(
            {"sku": product.sku, "clips": own, "why_none": None if own else reasons.get(product.sku) or _unexplained(analysis, product)}
        )
    return rows


def _unexplained(analysis: Analysis, product: Product) -> str:
    """Say why a product that was explained has no clip all the same."""
    own = [segment for segment in analysis.findings.segments if segment.sku == product.sku]
    english = analysis.transcript.language == "en"
    if not own:
        return "not explained in this recording" if english else "这场直播没有讲到它"
    best = max(own, key=lambda segment: segment.confidence)
    if english:
        return f"explained for {best.span.duration:.0f} s with confidence {best.confidence:.2f}: too short or too unsure for a clip"
    return f"讲了 {best.span.duration:.0f} 秒，置信度 {best.confidence:.2f}：太短或不够确定，没有剪成片"


def _coverage(analysis: Analysis, why_nothing: str | None) -> dict[str, Any]:
    recording = analysis.recording
    damaged = sum(span.duration for span in recording.damaged)
    inside = sum(span.shared(Span(0.0, recording.duration)) for span in recording.damaged)
    heard = recording.duration - inside if recording.has_audio else 0.0
    sources = (
        recording,
        analysis.catalog,
        analysis.transcript,
        analysis.evidence.log,
        analysis.evidence.picture,
        analysis.evidence,
        analysis.findings,
    )
    warnings = [warning for source in sources if source is not None for warning in source.warnings]
    return {
        "transcribed_s": round(heard, 3),
        "speech_s": round(sum(span.duration for span in analysis.transcript.heard), 3),
        "damaged_s": round(damaged, 3),
        "damaged": [_span(span) for span in recording.damaged],
        "warnings": list(dict.fromkeys(warnings)),
        "why_nothing": why_nothing,
    }
