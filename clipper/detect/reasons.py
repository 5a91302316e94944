"""Say why, in a merchant's words: "card 12.1 s", "保温杯 ×4", "picture ×9", "price 59"."""

from __future__ import annotations

from collections import Counter

from clipper.detect.emissions import Scores
from clipper.detect.reading import Read
from clipper.values import Evidence

SHOWN = 5
"""Reasons per segment: more than a glance takes in helps nobody."""


def explain(evidence: Evidence, stream: Read, scores: Scores, first: int, last: int, state: int) -> tuple[str, ...]:
    """List what speaks for a product between two sentences, the strongest kinds first."""
    if state >= len(stream.products):
        return ("product talk without a catalogue name",) if evidence.language != "zh" else ("在讲商品，但目录里没有",)
    product = stream.products[state]
    start, end = float(stream.starts[first]), float(stream.ends[last - 1])
    zh = evidence.language == "zh"
    reasons = []
    card = next((x.time for x in evidence.log.cards or () if x.sku == product.sku and start - 8 <= x.time <= end), None)
    if card is not None:
        reasons.append(f"商品卡 {card:.1f} s" if zh else f"card {card:.1f} s")
    reasons += _named(stream, first, last, product.sku)
    seen = sum(s.sku == product.sku and start <= s.time < end for s in (evidence.picture.sightings or ())) if evidence.picture else 0
    if seen:
        reasons.append(f"画面 ×{seen}" if zh else f"picture ×{seen}")
    if (
        product.price is not None
        and scores.channels.get("prices") is not None
        and scores.channels["prices"][first:last, state].max(initial=0) > 0
    ):
        reasons.append(f"价格 {product.price:g}" if zh else f"price {product.price:g}")
    link = next(
        (m.text for at in range(first, last) for m in stream.mentions.get(at, ()) if m.kind == "link" and m.sku == product.sku), None
    )
    if link:
        reasons.append(f"{link}链接" if zh else link)
    return tuple(reasons[:SHOWN])


def _named(stream: Read, first: int, last: int, sku: str) -> list[str]:
    heard = Counter(
        m.text
        for at in range(first, last)
        for m in stream.mentions.get(at, ())
        if m.sku == sku and m.kind in ("name", "title", "learned") and m.score * m.weight > 0.3
    )
    if not heard:
        return []
    text, _ = heard.most_common(1)[0]
    return [f"{text} ×{sum(heard.values())}"]
