"""Make `report.html`: what a run found, where, and why, as one page that opens without a server.

The page asks nothing of the network: style and script stand inside it, covers travel as small `data:` pictures, and only the
videos stay files beside it. Titles, chat and speech come from strangers, so the template escapes everything, embedded JSON
cannot close its element, and a content security policy lets no script run but ours, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clipper.errors import InputError
from clipper.values import Evidence, Findings, Product, Track, Transcript
from clipper.version import __version__
from pipelines.review import reading, summary, timeline, views
from pipelines.review.pictures import relative_url, thumbnail
from pipelines.review.products import ProductView, all_skus, nobody, product_views
from pipelines.review.wording import clock, words

HERE = Path(__file__).parent
PLAYABLE = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv"})
"""Recordings that browsers can play; the others are watched through the clips."""
COVER_PX = (270, 480)
PICTURE_PX = (88, 88)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How the report is written."""

    language: str = ""
    """zh or en for the page's own words; empty follows the recording's language."""
    curve_points: int = 600
    """Most points of one curve, 20 to 5000."""
    cover_bytes: int = 15_360
    """Most bytes of one cover inside the page, 1000 to 1000000."""
    picture_bytes: int = 4_096
    """Most bytes of one product picture inside the page, 1000 to 1000000."""
    eager_clips: int = 12
    """Up to this many clips the players read their file's header at once; with more they wait to be played. 0 to 1000."""

    def __post_init__(self) -> None:
        if self.language not in ("", "zh", "en"):
            raise InputError(f"report.language is {self.language!r}; give zh, en, or nothing to follow the recording")
        ranges = {"curve_points": (20, 5000), "cover_bytes": (1000, 10**6), "picture_bytes": (1000, 10**6), "eager_clips": (0, 1000)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"report.{name} is {getattr(self, name)}; give a number from {low} to {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMedia:
    """What the page shows from disk, already read."""

    recording: str | None = None
    """Address of the recording relative to the page; None when it cannot be reached or played from there."""
    covers: Mapping[str, str] = field(default_factory=dict)
    """Clip id to its cover as a `data:` URI."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Sku to the product's picture as a `data:` URI."""


def report(
    manifest: Mapping[str, Any],
    transcript: Transcript | None,
    evidence: Evidence | None,
    findings: Findings | None,
    run_dir: Path,
    options: ReportOptions = ReportOptions(),
    *,
    products: Sequence[Product] = (),
) -> str:
    """Report a run as one self-contained HTML page that belongs into its folder.

    The manifest is parsed `manifest.json`; the other values add curves, marks and the transcript, and each may be None.
    Products give names, prices and pictures to the skus of the manifest. Covers and pictures are read from disk; nothing is
    written.
    """
    media = read_media(manifest, run_dir, options, products=products)
    return lay_out(manifest, transcript, evidence, findings, options, products=products, media=media)


def read_media(
    manifest: Mapping[str, Any], run_dir: Path, options: ReportOptions = ReportOptions(), *, products: Sequence[Product] = ()
) -> ReportMedia:
    """Find what the page shows from disk: where the recording lies, and the covers and product pictures, made small."""
    recording = run_dir / str((manifest.get("recording") or {}).get("path") or "")
    covers = {str(clip.get("id")): run_dir / str(clip["cover"]) for clip in reading.rows(manifest, "clips") if clip.get("cover")}
    pictures = {product.sku: Path(product.images[0]) for product in products if product.images}
    return ReportMedia(
        recording=relative_url(recording, run_dir) if recording.suffix.lower() in PLAYABLE else None,
        covers=_thumbnails(covers, COVER_PX, options.cover_bytes),
        pictures=_thumbnails(pictures, PICTURE_PX, options.picture_bytes),
    )


def lay_out(
    manifest: Mapping[str, Any],
    transcript: Transcript | None,
    evidence: Evidence | None,
    findings: Findings | None,
    options: ReportOptions = ReportOptions(),
    *,
    products: Sequence[Product] = (),
    media: ReportMedia = ReportMedia(),
) -> str:
    """Lay a run out as one HTML page from values alone; `report` reads the media that it takes.

    Lists of the manifest that are missing count as empty. Raises nothing for strange text: all of it is printed as text.
    """
    recording = manifest.get("recording") or {}
    say = words(options.language or str(recording.get("language") or "") or (evidence.language if evidence else "") or "en")
    duration = reading.duration_of(manifest, evidence)
    hues = timeline.hues(all_skus(manifest, products))
    known = product_views(manifest, products, hues, media.pictures, evidence, say)
    segments = views.segment_items(manifest, known, say)
    hot = views.hot_items(manifest, known, say)
    clips = views.clip_views(manifest, known, media.covers, say)
    lines = summary.line_views(transcript, segments, evidence.mentions if evidence else (), known)
    curves = timeline.curve_lanes(_signals(findings, evidence), known, duration, options.curve_points)
    style, script = _asset("report.css"), _asset("report.js")
    page: str = _template().render(
        say=say,
        version=__version__,
        name=Path(str(recording.get("path") or "")).name or say["title"],
        header=summary.header_facts(manifest, evidence, len(known), say),
        products=tuple(known.values()),
        lanes=_lanes(segments, hot, clips, duration),
        items=(*segments, *hot, *(clip.item for clip in clips)),
        curves=curves,
        hues=hues,
        cards=_cards(evidence, known, duration, say),
        orders=_orders(evidence, known, duration, options),
        clips=clips,
        preload="metadata" if len(clips) <= options.eager_clips else "none",
        lines=lines,
        coverage=summary.coverage_facts(manifest, evidence, say),
        inputs=summary.input_names(manifest),
        notices=summary.notices(manifest, transcript, evidence, findings),
        recording=media.recording,
        shape=_shape(recording if media.recording else {}),
        duration=duration,
        style=style,
        script=script,
        policy=_policy(script),
        payload=embed(_payload(duration, media, clips, lines, curves, known, say)),
    )
    return page


def embed(value: object) -> str:
    """Write JSON that is safe inside a script element: it cannot end the element, start a comment or break a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _policy(script: str) -> str:
    """Allow our script by its hash, inline style, and files beside the page; nothing else, and no network."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src 'self' data: file:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _payload(
    duration: float,
    media: ReportMedia,
    clips: Sequence[views.ClipView],
    lines: Sequence[summary.LineView],
    curves: Sequence[timeline.CurveLane],
    known: Mapping[str, ProductView],
    say: Mapping[str, str],
) -> Mapping[str, object]:
    """Gather what the script needs to know: times and addresses."""
    return {
        "duration": duration,
        "recording": media.recording,
        "clips": [{"key": c.item.key, "src": c.video, "spans": [[s.start, s.end] for s in c.item.spans]} for c in clips],
        "lines": [[line.start, line.end] for line in lines],
        "curves": [[{"name": known[one.sku].name if one.sku else "", "points": one.rounded()} for one in lane.lines] for lane in curves],
        "say": {name: text for name, text in say.items() if name.startswith("js_")},
    }


def _lanes(
    segments: Sequence[views.Item], hot: Sequence[views.Item], clips: Sequence[views.ClipView], duration: float
) -> tuple[tuple[str, int, tuple[tuple[views.Item, timeline.Placed, int], ...]], ...]:
    """Lay the blocks out, one lane a kind: name, rows, and (item, place, number of the piece) for every block."""
    kinds: list[tuple[str, Sequence[views.Item]]] = [("segments", segments), ("hot", hot)]
    kinds += [(kind, [clip.item for clip in clips if clip.item.kind == kind]) for kind in views.CLIP_TYPES]
    lanes = []
    for name, items in kinds:
        pieces = [(item, span, n) for item in items for n, span in enumerate(item.spans)]
        placed = timeline.place([span for _, span, _ in pieces], duration)
        blocks = tuple((item, place, n) for (item, _, n), place in zip(pieces, placed, strict=True))
        if blocks:
            lanes.append((name, 1 + max(place.row for place in placed), blocks))
    return tuple(lanes)


def _cards(evidence: Evidence | None, known: Mapping[str, ProductView], duration: float, say: Mapping[str, str]) -> Sequence[Any]:
    """Lay the product cards out: product, place, and when they were shown."""
    spans = timeline.card_spans(evidence.log.cards or (), duration) if evidence else ()
    placed = timeline.place([span for _, span in spans], duration)
    anyone = nobody(say)
    return [(known.get(sku, anyone), place, span) for (sku, span), place in zip(spans, placed, strict=True)]


def _orders(evidence: Evidence | None, known: Mapping[str, ProductView], duration: float, options: ReportOptions) -> Sequence[Any]:
    marks = timeline.order_marks(evidence.log.orders or (), duration, options.curve_points) if evidence else ()
    return [(known.get(mark.sku), mark.path) for mark in marks]


def _signals(findings: Findings | None, evidence: Evidence | None) -> Sequence[tuple[str, Track]]:
    """Take the curves that detection named, and the sound's loudness when it is not among them."""
    curves = list(findings.curves) if findings else []
    if evidence and evidence.loudness and not any(timeline.curve_kind(name) == "loudness" for name, _ in curves):
        curves.append(("loudness", evidence.loudness))
    return curves


def _shape(recording: Mapping[str, Any]) -> float:
    """Width over height of the player's picture."""
    width, height = recording.get("width") or 9, recording.get("height") or 16
    return round(float(width) / float(height), 4)


def _thumbnails(paths: Mapping[str, Path], box_px: tuple[int, int], limit_bytes: int) -> Mapping[str, str]:
    made = {name: thumbnail(path, box_px, limit_bytes) for name, path in paths.items()}
    return {name: uri for name, uri in made.items() if uri}


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = clock
    return environment.get_template("report.html.j2")
