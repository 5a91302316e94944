"""What the report shows of products, findings and clips, as values ready to print.

The manifest is the authority; evidence and findings add what it does not hold. Every part may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipper.values import Evidence, Findings, HotItem, Product, Segment, Span
from pipelines.review.pictures import url_of
from pipelines.review.wording import clock, money, number

Words = Mapping[str, str]
Manifest = Mapping[str, Any]

CLIP_TYPES = ("explanation", "hot_item", "teaser")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product as the report shows it."""

    sku: str
    title: str
    name: str
    """Short name for blocks: the first alias, else the title."""
    hue: int | None
    """Colour of the product on all lanes, in degrees; None for no product in particular."""
    picture: str | None = None
    price: str = ""
    list_price: str = ""
    in_catalog: bool = True
    explained: str = ""
    hottest: str = ""
    sold: str = ""
    clips: tuple[tuple[str, str], ...] = ()
    """Key and label of each clip."""
    why_none: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that stands on the timeline and can be chosen: a segment, a hot item or a clip."""

    key: str
    """Unique in the page: s0, h0, c0, …"""
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


def product_views(
    manifest: Manifest,
    products: Sequence[Product],
    hues: Mapping[str, int],
    pictures: Mapping[str, str],
    evidence: Evidence | None,
    say: Words,
) -> dict[str, ProductView]:
    """Describe every product that the catalogue or the manifest names, by sku, in that order."""
    catalog = {product.sku: product for product in products}
    names = {str(part.get("sku")): str(part.get("name") or "") for part in rows(manifest, "segments")}
    told, hottest, sold = _told(manifest), _hottest(manifest), _sold(evidence)
    entries = {str(row.get("sku")): row for row in rows(manifest, "products")}
    labels = {str(clip.get("id")): (f"c{n}", clip_label(clip, say)) for n, clip in enumerate(rows(manifest, "clips"))}
    views = {}
    for sku in all_skus(manifest, products):
        product, entry = catalog.get(sku), entries.get(sku, {})
        title = product.title if product else names.get(sku) or sku
        clips = tuple(labels[str(id)] for id in entry.get("clips") or () if str(id) in labels)
        views[sku] = ProductView(
            sku=sku,
            title=title,
            name=product.aliases[0] if product and product.aliases else title,
            hue=hues.get(sku),
            picture=pictures.get(sku),
            price=money(product.price, product.currency) if product else "",
            list_price=money(product.list_price, product.currency) if product else "",
            in_catalog=sku in catalog or sku in entries,
            explained=clock(told[sku]) if sku in told else "",
            hottest=f"{number(hottest[sku], 2)}×" if sku in hottest else "",
            sold=number(sold[sku], 9) if sku in sold else "",
            clips=clips,
            why_none="" if clips else str(entry.get("why_none") or say["why_none_unknown"]),
        )
    return views


def all_skus(manifest: Manifest, products: Sequence[Product]) -> tuple[str, ...]:
    """Name every product once: the catalogue's in its order, then what only the manifest knows."""
    parts = (*rows(manifest, "products"), *rows(manifest, "segments"), *rows(manifest, "hot_items"), *rows(manifest, "clips"))
    known = [product.sku for product in products] + [str(part["sku"]) for part in parts if part.get("sku")]
    return tuple(dict.fromkeys(known))


def segment_items(manifest: Manifest, findings: Findings | None, views: Mapping[str, ProductView], say: Words) -> tuple[Item, ...]:
    """Describe the explanations of the manifest."""
    found = {_place_of(segment.sku, segment.start): segment for segment in (findings.segments if findings else ())}
    items = []
    for n, part in enumerate(rows(manifest, "segments")):
        span = _span(part)
        match: Segment | None = found.get(_place_of(part.get("sku"), span.start))
        facts = [(say["span"], _range(span))]
        if match and match.interruptions:
            facts.append((say["interruptions"], say["and"].join(_range(gap) for gap in match.interruptions)))
        items.append(_finding(f"s{n}", "segment", part, span, facts, views, manifest, say))
    return tuple(items)


def hot_items(manifest: Manifest, findings: Findings | None, views: Mapping[str, ProductView], say: Words) -> tuple[Item, ...]:
    """Describe the hot items of the manifest."""
    found = {_place_of(hot.sku, hot.start): hot for hot in (findings.hot_items if findings else ())}
    items = []
    for n, part in enumerate(rows(manifest, "hot_items")):
        span = _span(part)
        facts = [(say["span"], _range(span)), *_heat(part, found.get(_place_of(part.get("sku"), span.start)), say)]
        items.append(_finding(f"h{n}", "hot", part, span, facts, views, manifest, say))
    return tuple(items)


def clip_views(manifest: Manifest, views: Mapping[str, ProductView], covers: Mapping[str, str], say: Words) -> tuple[ClipView, ...]:
    """Describe the clips of the manifest in its order."""
    return tuple(_clip(n, part, views, covers, say) for n, part in enumerate(rows(manifest, "clips")))


def duration_of(manifest: Manifest, evidence: Evidence | None) -> float:
    """Length of the recording in seconds."""
    stated = (manifest.get("recording") or {}).get("duration_s")
    return float(stated) if stated else (evidence.duration if evidence else 0.0)


def rows(manifest: Manifest, name: str) -> Sequence[Manifest]:
    """Read a list of the manifest; a list that is missing is empty."""
    return manifest.get(name) or ()


def clip_label(clip: Manifest, say: Words) -> str:
    """Name a clip by its type and where it begins."""
    sources = _sources(clip)
    return say.get(str(clip.get("type")), str(clip.get("type"))) + (f" {clock(sources[0].start)}" if sources else "")


def nobody(say: Words) -> ProductView:
    """Stand in for the product of a clip that shows none in particular."""
    return ProductView(sku="", title=say["no_product"], name=say["no_product"], hue=None)


def _clip(n: int, part: Manifest, views: Mapping[str, ProductView], covers: Mapping[str, str], say: Words) -> ClipView:
    claims = tuple(_claim(claim, say) for claim in part.get("claims") or ())
    is_perishable = any(claim.perishable for claim in claims)
    until = part.get("valid_until")
    lasting = say["valid_unknown"] if is_perishable else say["valid_always"]
    files = (("open_video", "file"), ("open_captions", "captions"), ("open_cover", "cover"), ("open_plan", "plan"))
    return ClipView(
        item=_clip_item(n, part, views, say),
        video=url_of(str(part.get("file") or "")),
        cover=covers.get(str(part.get("id"))),
        links=tuple((say[label], url_of(str(part[name]))) for label, name in files if part.get(name)),
        width=int(part.get("width") or 1080),
        height=int(part.get("height") or 1920),
        seconds=float(part.get("duration_s") or 0.0),
        claims=claims,
        validity=say["valid_until"].format(until) if until else lasting,
        is_perishable=is_perishable,
        synthetic=_texts(part.get("synthetic_elements")),
    )


def _clip_item(n: int, part: Manifest, views: Mapping[str, ProductView], say: Words) -> Item:
    spans = _sources(part)
    facts = [(say["source"], say["and"].join(_range(span) for span in spans))]
    if part.get("loudness_lufs") is not None:
        facts.append((say["loudness"], f"{part['loudness_lufs']:.1f} LUFS"))
    return Item(
        key=f"c{n}",
        id=str(part.get("id")),
        kind=str(part.get("type")),
        title=str(part.get("title") or part.get("id")),
        product=views.get(str(part.get("sku")), nobody(say)),
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
    span: Span,
    facts: Iterable[tuple[str, str]],
    views: Mapping[str, ProductView],
    manifest: Manifest,
    say: Words,
) -> Item:
    product = views.get(str(part.get("sku")), nobody(say))
    wanted = "hot_item" if kind == "hot" else "explanation"
    cut_from_it = tuple(
        (f"c{n}", clip_label(clip, say))
        for n, clip in enumerate(rows(manifest, "clips"))
        if clip.get("type") == wanted and clip.get("sku") == part.get("sku") and any(source.overlaps(span) for source in _sources(clip))
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


def _heat(part: Manifest, match: HotItem | None, say: Words) -> list[tuple[str, str]]:
    """Say how hot it was and what that was measured on."""
    basis = part.get("basis") or (match.basis if match else None)
    facts = []
    if part.get("uplift") is not None:
        low, high = (match.uplift_low, match.uplift_high) if match else (part.get("uplift_low"), part.get("uplift_high"))
        about = f" ({number(low, 2)}–{number(high, 2)})" if low is not None and high is not None else ""
        facts.append((say["uplift" if basis in (None, "orders") else "uplift_chat"], f"{number(part['uplift'], 2)}×{about}"))
    sold = part.get("sold") if part.get("sold") is not None else (match.sold if match else None)
    if sold is not None:
        facts.append((say["sold"], say["sold_n"].format(number(sold, 9))))
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


def _told(manifest: Manifest) -> Mapping[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for part in rows(manifest, "segments"):
        seconds[str(part.get("sku"))] += _span(part).duration
    return seconds


def _hottest(manifest: Manifest) -> Mapping[str, float]:
    heat: dict[str, float] = {}
    for part in rows(manifest, "hot_items"):
        sku = str(part.get("sku"))
        heat[sku] = max(heat.get(sku, 0.0), float(part.get("uplift") or 0.0))
    return heat


def _sold(evidence: Evidence | None) -> Mapping[str, float]:
    pieces: dict[str, float] = defaultdict(float)
    for order in (evidence.log.orders or ()) if evidence else ():
        pieces[order.sku] += order.quantity
    return pieces


def _sources(clip: Manifest) -> tuple[Span, ...]:
    return tuple(_span(source) for source in clip.get("sources") or ())


def _span(part: Manifest) -> Span:
    start = float(part.get("start_s") or 0.0)
    return Span(start, max(start, float(part.get("end_s") or start)))


def _range(span: Span) -> str:
    return f"{clock(span.start)} – {clock(span.end)}"


def _place_of(sku: object, start: float) -> tuple[str, int]:
    """Key that the same finding has in the manifest and in the findings: product, and start in tenths of a second."""
    return str(sku), round(start * 10)


def _share(value: Any) -> float | None:
    return None if value is None else min(max(float(value), 0.0), 1.0)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in value or ())
