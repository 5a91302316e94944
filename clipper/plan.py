"""From findings to plans: which clips are made, what each one shows, says and may still say tomorrow.

Pure: a plan describes its clip completely, so that it can be read, edited and rendered again. Everything that needs the
picture or the sound itself happened before (findings) or happens after (render).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from clipper import captions, claims, cover, cutting, reframe, titles
from clipper.condense import Block, CondenseOptions, condense, joints
from clipper.detect.boundaries import Edges, edges
from clipper.errors import InputError
from clipper.values import (
    Chapter,
    Claim,
    ClipType,
    Evidence,
    Findings,
    HotItem,
    Plan,
    Product,
    ProductCard,
    Recording,
    Segment,
    Sentence,
    Span,
    Teaser,
)

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What clips are made and how they look."""

    types: tuple[str, ...] = ("explanation", "hot_item", "teaser")
    """Clip types to make."""
    explanation: CondenseOptions = field(default_factory=CondenseOptions)
    min_confidence: float = 0.3
    """Segments below this confidence become no clip (they stay in the manifest). 0 to 1."""
    min_topic_confidence: float = 0.1
    """The same for topics that no catalogue names: a doubtful one is still talk of something that is sold. 0 to 1."""
    min_take_s: float = 8.0
    """An explanation shorter than this is too little for a clip; seconds."""
    grow_s: float = 10.0
    """Seconds that a clip may grow by, all its edges together, so that none lies inside an utterance. 0 to 60."""
    width_px: int = 1080
    """Width of the finished clips; even."""
    height_px: int = 1920
    """Height of the finished clips; even."""
    fps: int = 30
    """Frames per second of the finished clips; 1 to 120."""
    style: str = "pop"
    """Caption preset: a file name in clipper/styles without .toml."""
    title_max: int = 30
    """Characters a title may have on the platform."""
    room: str = ""
    """Name of the live room, for teasers; empty leaves it out."""
    card_s: float = 5.0
    """Seconds the product card stays; 0 for none."""
    end_card_s: float = 2.0
    """Seconds of the closing card of teasers; 0 for none."""
    loudness_lufs: float = -14.0
    """Integrated loudness of the finished clips, LUFS."""
    captions: captions.CaptionOptions = field(default_factory=captions.CaptionOptions)
    reframe: reframe.ReframeOptions = field(default_factory=reframe.ReframeOptions)

    def __post_init__(self) -> None:
        unknown = set(self.types) - {"explanation", "hot_item", "teaser"}
        if unknown:
            raise InputError(f"types = {sorted(unknown)}: expected some of explanation, hot_item, teaser")
        if self.width_px % 2 or self.height_px % 2 or min(self.width_px, self.height_px) < 2:
            raise InputError(f"width_px = {self.width_px}, height_px = {self.height_px}: expected even numbers from 2")
        if not 0 <= self.grow_s <= 60:
            raise InputError(f"grow_s = {self.grow_s}: expected 0 to 60 seconds")
        if not 1 <= self.fps <= 120:
            raise InputError(f"fps = {self.fps}: expected 1 to 120")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What all clips of one recording share."""

    recording: Recording
    evidence: Evidence
    products: tuple[Product, ...]
    pauses: tuple[Span, ...]
    """Real silences of the sound: the only places to cut."""
    valid_until: str | None
    """What a kept perishable claim is stamped with: the day of the stream, when it is known."""
    placed: tuple[Edges, ...] = ()
    """Where each sentence may be cut out; found from the pauses when it is empty."""

    def product(self, sku: str | None) -> Product | None:
        """Look a product up by its sku."""
        return next((product for product in self.products if product.sku == sku), None)

    def sentences_in(self, spans: Sequence[Span]) -> tuple[Sentence, ...]:
        """Sentences that share time with any of the spans."""
        return tuple(sentence for sentence in self.evidence.sentences if any(span.overlaps(sentence.span) for span in spans))


def plan_clips(stream: Stream, findings: Findings, options: PlanOptions) -> tuple[Plan, ...]:
    """Decide every clip of one recording: explanations by catalogue order, then hot items, then teasers."""
    stream = stream if stream.placed else replace(stream, placed=_placed(stream))
    plans: list[Plan] = []
    if "explanation" in options.types:
        plans += [_explanation(stream, take, others, options) for take, others in best_takes(stream.products, findings, options)]
    if "hot_item" in options.types:
        plans += [_hot_item(stream, item, findings, options) for item in _one_per_product(findings.hot_items)]
    if "teaser" in options.types:
        plans += [_teaser(stream, teaser, findings, options) for teaser in findings.teasers]
    return tuple(replace(plan, id=f"c{number}") for number, plan in enumerate(plans, 1))


def _placed(stream: Stream) -> tuple[Edges, ...]:
    evidence = stream.evidence
    cuts = evidence.picture.cuts if evidence.picture is not None else ()
    return edges(evidence.sentences, stream.pauses, cuts, evidence.duration)


def best_takes(products: Sequence[Product], findings: Findings, options: PlanOptions) -> list[tuple[Segment, tuple[Segment, ...]]]:
    """Pick each product's best take; the others come with it, best first."""
    rank = {product.sku: number for number, product in enumerate(products)}
    takes: dict[str, list[Segment]] = {}
    for segment in findings.segments:
        least = options.min_topic_confidence if segment.sku not in rank else options.min_confidence
        if segment.confidence >= least and segment.span.duration >= options.min_take_s:
            takes.setdefault(segment.sku, []).append(segment)
    ordered = sorted(takes, key=lambda sku: (rank.get(sku, len(rank)), takes[sku][0].start))
    best = []
    for sku in ordered:
        first, *others = sorted(takes[sku], key=lambda take: -_take_worth(take, options))
        best.append((first, tuple(others)))
    return best


def _take_worth(take: Segment, options: PlanOptions) -> float:
    """A confident take of a full minute or so beats a short or a doubtful one."""
    own = take.span.duration - sum(span.duration for span in take.interruptions)
    return take.confidence * min(1.0, own / (2 * options.explanation.min_s))


def _explanation(stream: Stream, take: Segment, others: Sequence[Segment], options: PlanOptions) -> Plan:
    product = stream.product(take.sku)
    sentences = stream.sentences_in([take.span])
    found = claims.find_claims(sentences, product, stream.evidence.language, claims.ClaimOptions())
    cut = condense(
        take,
        sentences,
        joints(stream.evidence.sentences, stream.pauses, stream.placed, options.explanation),
        options.explanation,
        perishable=lambda sentence: claims.removable(sentence, found),
        worth=lambda block: _worth(block, product, stream),
    )
    also = tuple(f"also explained at {_clock(other.start)}–{_clock(other.end)}" for other in others)
    plan = _plan("explanation", stream, cut.pieces, product, options, score=take.confidence, reasons=take.reasons)
    return replace(
        plan,
        sku=take.sku,
        title=titles.clip_title("explanation", product, stream.evidence.language, limit=options.title_max, name=take.name),
        card=_card(product, plan.duration, options),
        chapters=_chapters(stream, plan.sources, product, options),
        notes=(*cut.notes, *also),
    )


def _hot_item(stream: Stream, item: HotItem, findings: Findings, options: PlanOptions) -> Plan:
    product = stream.product(item.sku)
    name = next((segment.name for segment in findings.segments if segment.sku == item.sku), "")
    plan = _plan("hot_item", stream, (item.span,), product, options, score=item.confidence, reasons=item.reasons)
    language = stream.evidence.language
    return replace(
        plan,
        sku=item.sku,
        title=titles.clip_title("hot_item", product, language, limit=options.title_max, hot=item, name=name),
        card=_card(product, plan.duration, options),
        badge=_badge(item, language),
        notes=() if item.basis == "orders" else (f"hot by {item.basis} only: no order data",),
    )


def _teaser(stream: Stream, teaser: Teaser, findings: Findings, options: PlanOptions) -> Plan:
    product = stream.product(teaser.sku)
    plan = _plan("teaser", stream, teaser.pieces, product, options, score=teaser.score, reasons=teaser.reasons)
    language = stream.evidence.language
    return replace(
        plan,
        sku=teaser.sku,
        title=titles.clip_title("teaser", product, language, limit=options.title_max, room=options.room),
        end_card=_end_card(options.room, language) if options.end_card_s else "",
        end_card_s=options.end_card_s,
    )


def _plan(
    kind: ClipType,
    stream: Stream,
    pieces: tuple[Span, ...],
    product: Product | None,
    options: PlanOptions,
    *,
    score: float,
    reasons: tuple[str, ...],
) -> Plan:
    """Fill in what all three types share."""
    evidence, recording = stream.evidence, stream.recording
    worth_s = cutting.MOMENT_WORTH_S if kind == "teaser" else cutting.WORTH_S
    pieces = cutting.at_utterance_ends(pieces, evidence.sentences, stream.placed, _room_to_grow(kind, pieces, options), worth_s)
    sentences = stream.sentences_in(pieces)
    sku = product.sku if product else None
    size = replace(options.reframe, width_px=options.width_px, height_px=options.height_px)
    framing, crop = reframe.frame_path(evidence.picture, recording, pieces, sku, size)
    kept = _claims_in(pieces, claims.find_claims(sentences, product, evidence.language, claims.ClaimOptions()))
    return Plan(
        id="",
        type=kind,
        sku=sku,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=pieces,
        title="",
        score=round(score, 3),
        reasons=reasons,
        width_px=options.width_px,
        height_px=options.height_px,
        fps=options.fps,
        framing=framing,
        crop=crop,
        captions=captions.lines(sentences, stream.products, evidence.language, options.captions),
        caption_style=options.style,
        language=evidence.language or "zh",
        cover_time=cover.choose_cover(pieces, evidence.picture, sku, sentences),
        loudness_lufs=options.loudness_lufs,
        claims=kept,
        valid_until=stream.valid_until if any(claim.perishable for claim in kept) else None,
    )


def _room_to_grow(kind: ClipType, pieces: Sequence[Span], options: PlanOptions) -> float:
    """Give the seconds that a clip may grow by; an explanation that was condensed stays within its limit."""
    length = sum(piece.duration for piece in pieces)
    return min(options.grow_s, max(options.explanation.max_s - length, 0.0)) if kind == "explanation" else options.grow_s


def _claims_in(pieces: Sequence[Span], found: Sequence[Claim]) -> tuple[Claim, ...]:
    return tuple(
        claim for claim in found if any(piece.overlaps(Span(claim.start, max(claim.end, claim.start + 0.001))) for piece in pieces)
    )


def _one_per_product(items: Sequence[HotItem]) -> list[HotItem]:
    best: dict[str, HotItem] = {}
    for item in items:
        if item.sku not in best or item.confidence > best[item.sku].confidence:
            best[item.sku] = item
    return sorted(best.values(), key=lambda item: -item.confidence)


def _worth(block: Block, product: Product | None, stream: Stream) -> float:
    """How much a block says about the product: catalogue words, names heard, figures; plain length otherwise."""
    words = _title_pairs(product) if product else set()
    named = sum(
        mention.score
        for mention in stream.evidence.mentions
        if block.span.holds(mention.start) and (not product or mention.sku == product.sku)
    )
    shared = len(words & _pairs(block.text))
    figures = sum(char.isdigit() or char in "一二三四五六七八九十百千" for char in block.text)
    return 0.2 * len(block.text) + 2.0 * shared + 3.0 * named + 0.5 * min(figures, 6)


def _pairs(text: str) -> set[str]:
    plain = [char for char in text.lower() if char.isalnum()]
    return {a + b for a, b in pairwise(plain)}


def _title_pairs(product: Product) -> set[str]:
    return set().union(*(_pairs(part) for part in (*product.title.split(), *product.points)))


def _chapters(stream: Stream, pieces: Sequence[Span], product: Product | None, options: PlanOptions) -> tuple[Chapter, ...]:
    """Name the stretches of a clip in which a selling point of the catalogue is spoken of."""
    if product is None:
        return ()
    parts = [part for part in (*product.points, *product.title.replace(",", " ").split()) if len(part) >= 2 and part != product.brand]
    chapters: list[Chapter] = []
    for sentence in stream.sentences_in(pieces):
        heard = _pairs(sentence.text)
        best = max(parts, key=lambda part: _overlap(part, heard), default="")
        if best and _overlap(best, heard) >= 0.4 and all(chapter.title != best for chapter in chapters):
            chapters.append(Chapter(start=sentence.start, end=sentence.end, title=best))
    return tuple(chapters)


def _overlap(part: str, heard: set[str]) -> float:
    pairs = _pairs(part)
    return len(pairs & heard) / len(pairs) if pairs else 0.0


def _card(product: Product | None, duration: float, options: PlanOptions) -> ProductCard | None:
    if product is None or options.card_s <= 0:
        return None
    start = 0.8  # the first words belong to the face
    return ProductCard(
        title=titles.short_name(product),
        price=price_text(product),
        image=product.images[0] if product.images else None,
        start=start,
        end=round(min(start + options.card_s, duration), 3),
    )


def price_text(product: Product) -> str:
    """Print the catalogue's price; empty when there is none."""
    if product.price is None:
        return ""
    sign = {"CNY": "¥", "RMB": "¥", "USD": "$", "EUR": "€", "GBP": "£"}.get(product.currency.upper(), product.currency + " ")
    return f"{sign}{product.price:.2f}".rstrip("0").rstrip(".")


def _badge(item: HotItem, language: str) -> str:
    """The sales badge: only from real orders, and only what they say."""
    if item.basis != "orders" or not item.sold:
        return ""
    return f"{item.sold:.0f} sold" if language == "en" else f"已售{item.sold:.0f}件"


def _end_card(room: str, language: str) -> str:
    call = "Come to the live room" if language == "en" else "来直播间"
    return f"{call}\n{room}" if room else call


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
