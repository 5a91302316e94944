"""Say why a product has no explanation, in words a merchant understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clipper.detect.cues import find_cues
from clipper.detect.links import lists_links
from clipper.detect.mentions import by_sentence
from clipper.values import Evidence, Findings, Mention, Product

NAMED_LEAST = 0.3
"""Score times weight from which a mention is told of at all."""


def why_none(evidence: Evidence, products: tuple[Product, ...], findings: Findings) -> tuple[tuple[str, str], ...]:
    """Give (sku, reason) for every product without an explanation, in the catalogue's order."""
    explained = {segment.sku for segment in findings.segments}
    return tuple((product.sku, reason(evidence, product)) for product in products if product.sku not in explained)


def reason(evidence: Evidence, product: Product) -> str:
    """Say what was, and was not, found of one product."""
    zh = evidence.language == "zh"
    heard = [m for m in evidence.mentions if m.sku == product.sku and m.kind != "brand" and m.score >= NAMED_LEAST]
    named = [m for m in heard if m.kind != "link"]
    clear = [m for m in named if m.score * m.weight >= NAMED_LEAST and m.weight >= 0.6]
    card = next((c.time for c in evidence.log.cards or () if c.sku == product.sku and c.action == "show"), None)
    seen = sum(s.sku == product.sku for s in (evidence.picture.sightings or ())) if evidence.picture is not None else 0
    sold = sum(o.quantity for o in evidence.log.orders or () if o.sku == product.sku)
    told = _found(clear, named, card, seen, zh, passing(evidence, named))
    called = next((m.start for m in heard if m.kind == "link"), None)
    if called is not None and not named:
        told += f"；只在 {_clock(called)} 念过它的链接号" if zh else f"; only its link number was called ({_clock(called)})"
    if sold:
        told += f"；卖出 {sold:g} 件，是没有讲解的成交" if zh else f"; {sold:g} sold without an explanation"
    return told


PASSING = {
    "sold_out": ("说卖完了", "saying that it is sold out"),
    "preview": ("预告", "a preview"),
    "finish": ("收起来", "putting it away"),
    "compare": ("跟别的商品对比", "a comparison with another product"),
    "recap": ("报链接", "running through the list"),
    "question": ("回答问题", "an answer to the chat"),
    "service": ("回答问题", "an answer to the chat"),
    "quarrel": ("跟观众争执", "a quarrel with viewers"),
    "giveaway": ("抽奖", "a giveaway"),
}
"""What a host does who names a product and does not explain it, by the cue of the sentence; the most telling first."""


def passing(evidence: Evidence, named: Sequence[Mention]) -> str:
    """Say what the host was doing at most of these mentions; empty when no cue tells."""
    grouped = by_sentence(tuple(named), evidence.sentences)
    places = sorted(grouped)
    cues = find_cues(tuple(evidence.sentences[at] for at in places), evidence.language)
    kinds = [{cue.kind for cue in cues if cue.sentence == number} for number in range(len(places))]
    lists = [lists_links(evidence.sentences[at].text, evidence.language) for at in places]
    told = Counter(
        PASSING["recap" if listed else next(kind for kind in PASSING if kind in found)]
        for found, listed in zip(kinds, lists, strict=True)
        if listed or found & PASSING.keys()
    )
    if not told or 2 * told.total() < len(places):
        return ""
    return told.most_common(1)[0][0][0 if evidence.language == "zh" else 1]


def _found(clear: list, named: list, card: float | None, seen: int, zh: bool, passing: str) -> str:  # type: ignore[type-arg]
    if not evidence_of(clear, named, card, seen):
        return (
            "整场直播里没有提到名字，没有弹出商品卡，画面里也没有认出它"
            if zh
            else "never named, no product card, and not recognised in the picture"
        )
    if clear:
        when = _clock(clear[0].start)
        return (
            f"提到 {len(clear)} 次（最早 {when}），但没有成段的讲解"
            if zh
            else f"named {len(clear)} times (first at {when}), but never explained at length"
        )
    if named:
        when = _clock(named[0].start)
        where = passing or ("预告、对比、报链接或回答问题" if zh else "a preview, a comparison, a list or an answer")
        return f"只在{where}时顺带提到（{when}）" if zh else f"named only in passing, in {where} ({when})"
    if card is not None:
        return (
            f"{_clock(card)} 弹过商品卡，但没有听到讲解" if zh else f"its card was shown at {_clock(card)}, but nothing was said about it"
        )
    return f"画面里出现过 {seen} 次，但没有听到讲解" if zh else f"seen {seen} times in the picture, but nothing was said about it"


def evidence_of(clear: list, named: list, card: float | None, seen: int) -> bool:  # type: ignore[type-arg]
    """Tell whether anything at all was found."""
    return bool(clear or named or card is not None or seen)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
