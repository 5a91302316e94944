"""What the report shows of findings and clips, as values ready to print.

Findings are segments and hot items; each becomes an item of the timeline, as does every clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clipper.values import Span
from pipelines.review.notes import note_text
from pipelines.review.pictures import url_of
from pipelines.review.products import ProductView, nobody
from pipelines.review.reading import Manifest, Words, clip_label, rows, sources, span_of
from pipelines.review.wording import clock, number

CLIP_TYPES = ("explanation", "hot_item", "teaser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that stands on the timeline and can be chosen: a segment, a hot item or a clip."""

    key: str
    """Unique in the page: s1, h1, c1, …"""
    id: str
    """The manifest's id."""
    kind: str
    """segment, hot, or the clip's type."""
    title: str
    product: ProductView
    spans: tuple[Span, ...]
    """In playing order."""
    length: str
    certainty: float | None
    """Confidence of a finding, score of a clip; in [0, 1]."""
    facts: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    peak: float | None = None
    clips: tuple[tuple[str, str], ...] = ()
    """Key and label of the clips that were cut from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """Something a clip says that may be wrong tomorrow."""

    kind: str
    text: str
    catalogue: str
    perishable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipView:
    """A clip with its files."""

    item: Item
    video: str
    cover: str | None
    """Picture inside the page."""
    links: tuple[tuple[str, str], ...]
    """Label and address of the clip's files."""
    width: int
    height: int
    seconds: float
    claims: tuple[ClaimView, ...]
    validity: str
    is_perishable: bool
    synthetic: tuple[str, ...]
    chapters: tuple[tuple[float, str], ...]
    """Where a selling point begins in the recording, and its title."""
    notes: tuple[str, ...]
    is_edited: bool
    """Whether its plan was changed by hand."""


def segment_items(manifest: Manifest, known: Mapping[str, ProductView], say: Words) -> tuple[Item, ...]:
    """Describe the explanations of the manifest."""
    items = []
    for n, part in enumerate(rows(manifest, "segments"), 1):
        facts = [(say["span"], _range(span_of(part)))]
        if gaps := part.get("interruptions"):
            facts.append((say["interruptions"], say["and"].join(_range(span_of(gap)) for gap in gaps)))
        items.append(_finding(f"s{n}", "segment", part, facts, known, manifest, say))
    return tuple(items)


def hot_items(manifest: Manifest, known: Mapping[str, ProductView], say: Words) -> tuple[Item, ...]:
    """Describe the hot items of the manifest."""
    items = []
    for n, part in enumerate(rows(manifest, "hot_items"), 1):
        facts = [(say["span"], _range(span_of(part))), *_heat(part, say)]
        items.append(_finding(f"h{n}", "hot", part, facts, known, manifest, say))
    return tuple(items)


def clip_views(manifest: Manifest, known: Mapping[str, ProductView], covers: Mapping[str, str], say: Words) -> tuple[ClipView, ...]:
    """Describe the clips of the manifest in its order."""
    return tuple(_clip(n, part, known, covers, say) for n, part in enumerate(rows(manifest, "clips"), 1))


def _clip(n: int, part: Manifest, known: Mapping[str, ProductView], covers: Mapping[str, str], say: Words) -> ClipView:
    claims = tuple(_claim(claim, say) for claim in part.get("claims") or ())
    is_perishable = any(claim.perishable for claim in claims)
    until = part.get("valid_until")
    lasting = say["valid_unknown"] if is_perishable else say["valid_always"]
    validity = say["valid_until"].format(until) if until else lasting
    files = (("open_video", "file"), ("open_captions", "captions"), ("open_cover", "cover"), ("open_plan", "plan"))
    return ClipView(
        item=_clip_item(n, part, validity, known, say),
        video=url_of(str(part.get("file") or "")),
        cover=covers.get(str(part.get("id"))),
        links=tuple((say[label], url_of(str(part[name]))) for label, name in files if part.get(name)),
        width=int(part.get("width") or 1080),
        height=int(part.get("height") or 1920),
        seconds=float(part.get("duration_s") or 0.0),
        claims=claims,
        validity=validity,
        is_perishable=is_perishable,
        synthetic=_texts(part.get("synthetic_elements")),
        chapters=tuple((span_of(chapter).start, str(chapter.get("title") or "")) for chapter in part.get("chapters") or ()),
        notes=tuple(note_text(note, say) for note in _texts(part.get("notes"))),
        is_edited=bool(part.get("edited")),
    )


def _clip_item(n: int, part: Manifest, validity: str, known: Mapping[str, ProductView], say: Words) -> Item:
    spans = sources(part)
    facts = [(say["source"], say["and"].join(_range(span) for span in spans)), (say["validity"], validity)]
    if part.get("loudness_lufs") is not None:
        facts.append((say["loudness"], f"{part['loudness_lufs']:.1f} LUFS"))
    return Item(
        key=f"c{n}",
        id=str(part.get("id")),
        kind=str(part.get("type")),
        title=str(part.get("title") or part.get("id")),
        product=known.get(str(part.get("sku")), nobody(say)),
        spans=spans,
        length=f"{float(part.get('duration_s') or 0):.1f} s",
        certainty=_share(part.get("score")),
        facts=tuple(facts),
        reasons=_texts(part.get("reasons")),
        clips=((f"c{n}", say["go_to_clip"]),),
    )


def _finding(
    key: str,
    kind: str,
    part: Manifest,
    facts: Iterable[tuple[str, str]],
    known: Mapping[str, ProductView],
    manifest: Manifest,
    say: Words,
) -> Item:
    span = span_of(part)
    product = known.get(str(part.get("sku")), nobody(say))
    wanted = "hot_item" if kind == "hot" else "explanation"
    cut_from_it = tuple(
        (f"c{n}", clip_label(clip, say))
        for n, clip in enumerate(rows(manifest, "clips"), 1)
        if clip.get("type") == wanted and clip.get("sku") == part.get("sku") and any(source.overlaps(span) for source in sources(clip))
    )
    peak = part.get("peak_s")
    return Item(
        key=key,
        id=str(part.get("id")),
        kind=kind,
        title=product.title,
        product=product,
        spans=(span,),
        length=f"{span.duration:.1f} s",
        certainty=_share(part.get("confidence")),
        facts=tuple(facts),
        reasons=_texts(part.get("reasons")),
        peak=float(peak) if peak is not None else None,
        clips=cut_from_it,
    )


def _heat(part: Manifest, say: Words) -> list[tuple[str, str]]:
    """Say how hot it was and what that was measured on."""
    basis, low, high = part.get("basis"), part.get("uplift_low"), part.get("uplift_high")
    facts = []
    if part.get("uplift") is not None:
        about = f" ({number(low, 2)}–{number(high, 2)})" if low is not None and high is not None else ""
        facts.append((say["uplift" if basis in (None, "orders") else "uplift_chat"], f"{number(part['uplift'], 2)}×{about}"))
    if part.get("sold") is not None:
        facts.append((say["sold"], say["sold_n"].format(number(part["sold"], 9))))
    if basis:
        facts.append((say["basis"], say.get(f"basis_{basis}", str(basis))))
    return facts


def _claim(claim: Manifest, say: Words) -> ClaimView:
    catalogue = claim.get("catalogue")
    return ClaimView(
        kind=say.get(f"claim_{claim.get('kind')}", str(claim.get("kind"))),
        text=str(claim.get("text") or ""),
        catalogue=say["claim_catalogue"].format(number(catalogue, 9)) if catalogue is not None else "",
        perishable=bool(claim.get("perishable")),
    )


def _range(span: Span) -> str:
    return f"{clock(span.start)} – {clock(span.end)}"


def _share(value: Any) -> float | None:
    return None if value is None else min(max(float(value), 0.0), 1.0)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in value or ())
