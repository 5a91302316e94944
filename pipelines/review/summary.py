"""What the report says in words: the transcript's lines, the figures at the top, coverage and warnings."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from clipper.values import Evidence, Findings, Mention, Sentence, Transcript
from pipelines.review.products import ProductView
from pipelines.review.reading import Manifest, Words, duration_of, rows
from pipelines.review.views import Item
from pipelines.review.wording import clock, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of a sentence that names one product, or none."""

    text: str
    product: ProductView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One sentence of the transcript."""

    start: float
    end: float
    pieces: tuple[Piece, ...]
    product: ProductView | None
    """What is being explained while it is said."""


def line_views(
    transcript: Transcript | None, segments: Sequence[Item], mentions: Sequence[Mention], known: Mapping[str, ProductView]
) -> tuple[LineView, ...]:
    """Lay out the transcript: every sentence with the product being explained, and product names marked where they fall."""
    by_sentence = _mentions_by_sentence(transcript.sentences if transcript else (), mentions)
    lines = []
    for n, sentence in enumerate(transcript.sentences if transcript else ()):
        middle = (sentence.start + sentence.end) / 2
        told = next((item.product for item in segments if any(span.holds(middle) for span in item.spans)), None)
        lines.append(LineView(start=sentence.start, end=sentence.end, pieces=_pieces(sentence, by_sentence[n], known), product=told))
    return tuple(lines)


def header_facts(manifest: Manifest, evidence: Evidence | None, products: int, say: Words) -> tuple[tuple[str, str], ...]:
    """Sum the recording up in a few figures."""
    recording = manifest.get("recording") or {}
    facts = [(say["duration"], clock(duration_of(manifest, evidence)))]
    if recording.get("width") and recording.get("height"):
        facts.append((say["picture_size"], f"{recording['width']}×{recording['height']}"))
    facts += [(say["products"], str(products)), (say["clips"], str(len(rows(manifest, "clips"))))]
    log = evidence.log if evidence else None
    if log and log.orders is not None:
        facts.append((say["orders_sum"], number(sum(order.quantity for order in log.orders), 9)))
    if log and log.comments is not None:
        facts.append((say["comments_sum"], str(len(log.comments))))
    return tuple(facts)


def coverage_facts(manifest: Manifest, evidence: Evidence | None, say: Words) -> tuple[tuple[str, str], ...]:
    """Say how much was read, what was not recorded, and how the clocks were brought together."""
    coverage, inputs = manifest.get("coverage") or {}, manifest.get("inputs") or {}
    length = duration_of(manifest, evidence)
    facts = []
    if coverage.get("transcribed_s") is not None:
        facts.append((say["transcribed"], f"{clock(coverage['transcribed_s'])} / {clock(length)}"))
    if coverage.get("damaged_s"):
        facts.append((say["damaged"], clock(coverage["damaged_s"])))
    if missing := inputs.get("missing"):
        facts.append((say["missing"], say["and"].join(say.get(f"missing_{name}", str(name)) for name in missing)))
    if evidence and evidence.log.sources:
        shift = number(evidence.clock_offset_s), number(evidence.clock_confidence, 2), number(evidence.clock_residual_s, 2)
        facts.append((say["clock"], say["clock_text"].format(*shift)))
    if evidence and evidence.log.rejects:
        facts.append((say["rejects"], say["rejects_n"].format(len(evidence.log.rejects))))
    return tuple(facts)


def notices(manifest: Manifest, transcript: Transcript | None, evidence: Evidence | None, findings: Findings | None) -> tuple[str, ...]:
    """Gather the warnings of all stages, each once."""
    told = list((manifest.get("coverage") or {}).get("warnings") or ())
    for value in (transcript, evidence, evidence.log if evidence else None, evidence.picture if evidence else None, findings):
        told += value.warnings if value else ()
    return tuple(dict.fromkeys(str(text) for text in told))


def input_names(manifest: Manifest) -> tuple[str, ...]:
    """Name the side files that were read, without their folders."""
    inputs = manifest.get("inputs") or {}
    paths = [inputs.get("catalog"), *(inputs.get("events") or ()), *(inputs.get("chat") or ())]
    return tuple(dict.fromkeys(PurePath(str(path)).name for path in paths if path))


def _mentions_by_sentence(sentences: Sequence[Sentence], mentions: Sequence[Mention]) -> Mapping[int, list[Mention]]:
    """Put every mention with the sentence that is being said when it begins."""
    starts = [sentence.start for sentence in sentences]
    grouped: dict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        grouped[bisect_right(starts, mention.start + 0.001) - 1].append(mention)
    return grouped


def _pieces(sentence: Sentence, mentions: Sequence[Mention], known: Mapping[str, ProductView]) -> tuple[Piece, ...]:
    """Split a sentence where a product is named; words next to one another that belong together stay one piece."""
    runs: list[tuple[str, str | None]] = []
    for word in sentence.words:
        middle = (word.start + word.end) / 2
        named = next((mention.sku for mention in mentions if mention.start <= middle < mention.end), None)
        named = named if named in known else None
        if runs and runs[-1][1] == named:
            runs[-1] = (runs[-1][0] + word.text, named)
        else:
            runs.append((word.text, named))
    return tuple(Piece(text=text, product=known[sku] if sku else None) for text, sku in runs)
