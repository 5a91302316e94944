"""Find what a stream holds: explanations, hot items, teasers, and the curves that the report shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clipper.detect.boundaries import DEFAULT, BoundaryOptions, Edges, edges, pauses, settle
from clipper.detect.calibration import calibrated
from clipper.detect.curves import curves
from clipper.detect.explanations import ExplanationOptions, find_explanations
from clipper.detect.hot_items import MOST_CONFIDENT, HotOptions, find_hot_items
from clipper.detect.teasers import TeaserOptions, find_teasers
from clipper.detect.topics import find_topics
from clipper.values import Evidence, Findings, HotItem, Product, Segment, Sentence, Span

FIND_VERSION = 22


@dataclass(frozen=True, kw_only=True)
class FindOptions:
    """How a stream is decided."""

    explanations: ExplanationOptions = field(default_factory=ExplanationOptions)
    hot: HotOptions = field(default_factory=HotOptions)
    teasers: TeaserOptions = field(default_factory=TeaserOptions)
    boundaries: BoundaryOptions = field(default_factory=BoundaryOptions)


def find(evidence: Evidence, products: tuple[Product, ...], options: FindOptions | None = None) -> Findings:
    """Decide which product is explained when, which items are hot, and which moments pull people in.

    Without products, or when nothing at all speaks for any of them, the stream is cut into topics named from the speech, with
    skus unknown-1, unknown-2, ….
    """
    options = options or FindOptions()
    explained = find_explanations(evidence, products, options.explanations)
    matched = bool(explained.products)
    if not products or (not matched and options.explanations.unknown):
        explained = find_topics(evidence, options.explanations)
    stream = explained.stream
    placed = _placed(evidence, options.boundaries) if options.boundaries != DEFAULT else stream.placed
    segments = _settled(calibrated(explained.segments), evidence.sentences, placed)
    found = find_hot_items(evidence, explained.segments, stream, options.hot)
    hot = tuple(_snapped_hot(item, evidence.sentences, placed, options.hot.max_s) for item in found)
    if not matched:
        hot = tuple(replace(item, confidence=min(item.confidence, MOST_CONFIDENT["speech"])) for item in hot)
    teasers = find_teasers(evidence, segments, hot, stream, placed, options.teasers)
    warnings = _warnings(evidence, products, matched)
    return Findings(segments=segments, hot_items=hot, teasers=teasers, curves=curves(evidence, explained), warnings=warnings)


def _placed(evidence: Evidence, options: BoundaryOptions) -> tuple[Edges, ...]:
    cuts = evidence.picture.cuts if evidence.picture is not None else ()
    return edges(evidence.sentences, pauses(evidence, options), cuts, evidence.duration, options)


def _settled(segments: Sequence[Segment], sentences: Sequence[Sentence], placed: Sequence[Edges]) -> tuple[Segment, ...]:
    """Lay explanations onto sentences, beginning and ending where the host rests; none reaches into its neighbours."""
    spans = [_sentences_of(segment.span, sentences) for segment in segments]
    settled: list[Segment] = []
    taken = 0
    for number, (segment, (first, last)) in enumerate(zip(segments, spans, strict=True)):
        after = spans[number + 1][0] - 1 if number + 1 < len(spans) else len(sentences) - 1
        first, last = settle(first, last, placed, (min(taken, first), max(after, last)))
        taken = last + 1
        gaps = tuple(_on_edges(gap, sentences, placed) for gap in segment.interruptions)
        settled.append(replace(segment, start=placed[first].start, end=placed[last].end, interruptions=gaps))
    return tuple(settled)


def _snapped_hot(item: HotItem, sentences: Sequence[Sentence], placed: Sequence[Edges], longest_s: float) -> HotItem:
    """Lay a hot window onto sentences, where the host rests if that does not make it too long."""
    first, last = _sentences_of(item.span, sentences)
    begin, finish = settle(first, last, placed, (0, len(sentences) - 1))
    if placed[finish].end - placed[begin].start > longest_s:
        begin, finish = first, last
    span = Span(placed[begin].start, placed[finish].end)
    return replace(item, start=span.start, end=span.end, peak=min(max(item.peak, span.start), span.end))


def _on_edges(span: Span, sentences: Sequence[Sentence], placed: Sequence[Edges]) -> Span:
    """Move a span that begins and ends with sentences into the pauses around them."""
    first, last = _sentences_of(span, sentences)
    return Span(placed[first].start, placed[last].end)


def _sentences_of(span: Span, sentences: Sequence[Sentence]) -> tuple[int, int]:
    """Name the first and the last sentence of a span that begins and ends with sentences."""
    from bisect import bisect_left

    first = min(bisect_left(sentences, span.start - 0.001, key=lambda s: s.start), len(sentences) - 1)
    return first, max(first, bisect_left(sentences, span.end + 0.001, key=lambda s: s.end) - 1)


def _warnings(evidence: Evidence, products: Sequence[Product], matched: bool) -> tuple[str, ...]:
    warnings = list(evidence.warnings)
    if not products:
        warnings.append("no catalogue: topics were cut and named from the speech alone")
    elif not matched and evidence.sentences:
        warnings.append("nothing speaks for any product of the catalogue: check that it belongs to this recording")
    if evidence.log.orders is None:
        warnings.append("no order log: hot items are judged from chat or speech, at low confidence")
    if not evidence.sentences:
        warnings.append("nothing was said: no explanations can be found")
    return tuple(warnings)
