"""What the report says of products: the catalogue's facts, what the manifest found of them, and one colour for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clipper.values import Evidence, Product
from pipelines.review.reading import Manifest, Words, clip_label, rows, span_of
from pipelines.review.wording import clock, money, number


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
    labels = {str(clip.get("id")): (f"c{n}", clip_label(clip, say)) for n, clip in enumerate(rows(manifest, "clips"), 1)}
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


def nobody(say: Words) -> ProductView:
    """Stand in for the product of a clip that shows none in particular."""
    return ProductView(sku="", title=say["no_product"], name=say["no_product"], hue=None)


def _told(manifest: Manifest) -> Mapping[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for part in rows(manifest, "segments"):
        seconds[str(part.get("sku"))] += span_of(part).duration
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
