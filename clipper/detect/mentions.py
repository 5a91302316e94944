"""Find the products that are named in speech, however the recogniser wrote them.

Every name of the catalogue is looked for by sound (`sounds.Heard`), links by their number, and each mention gets a weight:
naming something in passing (a preview, a comparison, a recap of the whole list, an answer) is not explaining it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clipper.detect.cues import Cue, find_cues, pattern
from clipper.detect.links import BARE, calls, lists_links, resolve
from clipper.detect.names import Known, Name, is_cjk, know
from clipper.detect.numerals import numbers
from clipper.detect.sounds import Heard, stream_of, tokens
from clipper.errors import InputError
from clipper.values import Mention, Product, Sentence

POINTED_SLACK = 0.05
"""A name of two syllables may sound this much less alike after 这条 and its like: what follows is the name of a thing."""
OVERLAP_S = 0.05
"""Seconds by which two mentions may overlap and still be said one after the other."""
_STOP = re.compile(r"[。.!?！？…]\W*$")


@dataclass(frozen=True, kw_only=True)
class MentionOptions:
    """How names are heard and weighed."""

    leniency: float = 0.0
    """Added to how unlike a name may sound, -0.2 to 0.2; 0 suits an error rate of 5 to 20 %."""
    preview_weight: float = 0.25
    """Weight in [0, 1] of a mention in a preview: later is not now, though the seller often goes on to it."""
    compare_weight: float = 0.3
    """Weight of a product that another one is compared with."""
    recap_weight: float = 0.15
    """Weight of a mention in a sentence that lists several products."""
    opening_weight: float = 0.6
    """Weight of a mention that announces (let's start with, hang on) and does not present."""
    finish_weight: float = 0.2
    """Weight of a product that is being put away."""
    answer_weight: float = 0.45
    """Weight of a mention in an answer to the chat or a quarrel with it, which may be about anything."""

    def __post_init__(self) -> None:
        if not -0.2 <= self.leniency <= 0.2:
            raise InputError(f"mentions.leniency is {self.leniency}: it must lie between -0.2 and 0.2")
        for name in ("opening_weight", "finish_weight", "preview_weight", "compare_weight", "recap_weight", "answer_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"mentions.{name} is {getattr(self, name)}: it must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class _Hit:
    sentence: int
    first: int
    last: int
    sku: str
    name: Name
    score: float

    @property
    def worth(self) -> float:
        return self.score * (self.last - self.first) * (1.0 if self.name.kind == "name" else 0.9)


def find_mentions(
    sentences: tuple[Sentence, ...], products: tuple[Product, ...], language: str, options: MentionOptions | None = None
) -> tuple[Mention, ...]:
    """Find every mention of every product, sorted by time; overlapping names yield to the longer and closer one.

    A name that several products share makes one mention for each of them.
    """
    options = options or MentionOptions()
    known = know(products)
    owners, stream = stream_of(sentence.text for sentence in sentences)
    if not stream:
        return ()
    heard = Heard(stream)
    hits = [hit for entry in known for name in entry.names for hit in _hits(heard, owners, entry, name, options)]
    hits = [hit for hit in hits if not _cuts_number(sentences[hit.sentence].text, heard, hit)]
    hits += _compounds(sentences, known)
    placed = [(hit.sentence, _mention(sentences[hit.sentence], heard, hit, options)) for hit in _strongest(hits)]
    placed += _links(sentences, products, language, options)
    kinds = _kinds(sentences, find_cues(sentences, language))
    for place, sentence in enumerate(sentences):
        if lists_links(sentence.text, language):
            kinds.setdefault(place, set()).add("list")
    return _weighed(placed, kinds, options)


def _hits(heard: Heard, owners: list[int], entry: Known, name: Name, options: MentionOptions) -> list[_Hit]:
    sounding = tokens(name.text)
    if not sounding:
        return []
    alone = len(sounding) == 1
    least = name.least if alone else max(0.5, name.least - options.leniency)
    pointed = len(sounding) == 2 and is_cjk(name.text)
    found = heard.align(sounding, least - POINTED_SLACK * pointed) if len(sounding) <= 2 else heard.find(sounding, least)
    hits = []
    for first, last, score in found:
        if owners[first] != owners[last - 1] or (score < least and not _is_pointed_at(heard, first)):
            continue
        if alone and is_cjk(name.text) and heard.stream[first].text != name.text:
            continue  # one syllable has too many homophones
        hits.append(_Hit(owners[first], first, last, entry.product.sku, name, score))
    return hits


def _is_pointed_at(heard: Heard, first: int) -> bool:
    """Tell whether a demonstrative and a measure word stand before: 这条…, 这一款…, 那件… announce the name of a thing."""
    before = "".join(token.text for token in heard.stream[max(0, first - 3) : first])
    return pattern("pointed").search(before) is not None


def _cuts_number(text: str, heard: Heard, hit: _Hit) -> bool:
    """Tell whether a name was heard out of the middle of a number and its unit: 湿巾 in 二十斤."""
    start, end = heard.stream[hit.first].start, heard.stream[hit.last - 1].end
    return is_cjk(hit.name.text) and any(n.start < start < n.end < end and (n.unit or n.money) for n in numbers(text))


def _compounds(sentences: tuple[Sentence, ...], known: tuple[Known, ...]) -> list[_Hit]:
    """Find Latin names that were written in another number of words: "swift lines" for Swiftlines, "rip stop" for ripstop."""
    spelled: dict[str, list[tuple[str, Name]]] = {}
    for entry in known:
        for name in entry.names:
            if not is_cjk(name.text):
                spelled.setdefault(re.sub(r"[^a-z0-9]", "", name.text.lower()), []).append((entry.product.sku, name))
    if not spelled:
        return []
    hits, offset = [], 0
    for place, sentence in enumerate(sentences):
        stream = tokens(sentence.text)
        for size in (1, 2, 3):
            for first in range(len(stream) - size + 1):
                joined = "".join(token.sound for token in stream[first : first + size]).replace("'", "")
                for form in {joined, joined.removesuffix("s"), joined + "s"}:
                    hits += [_Hit(place, offset + first, offset + first + size, sku, name, 0.97) for sku, name in spelled.get(form, ())]
        offset += len(stream)
    return hits


def _strongest(hits: list[_Hit]) -> list[_Hit]:
    """Let the better of two overlapping hits stand; equal ones of different products all stand (a shared name)."""
    kept: list[_Hit] = []
    by_token: dict[int, list[_Hit]] = {}
    for hit in sorted(hits, key=lambda h: (-h.worth, h.first, h.sku)):
        rivals = {id(r): r for token in range(hit.first, hit.last) for r in by_token.get(token, ())}.values()
        if any(r.sku == hit.sku or r.worth > hit.worth * 1.04 for r in rivals):
            continue
        kept.append(hit)
        for token in range(hit.first, hit.last):
            by_token.setdefault(token, []).append(hit)
    return kept


def _mention(sentence: Sentence, heard: Heard, hit: _Hit, options: MentionOptions) -> Mention:
    first, last = heard.stream[hit.first], heard.stream[hit.last - 1]
    start, end = times(sentence, first.start, last.end)
    kind = "title" if hit.name.kind == "title" else "brand" if hit.name.kind == "brand" else "name"
    text = sentence.text[first.start : last.end]
    weight = options.compare_weight if _is_contrasted(sentence.text, first.start) else 1.0
    return Mention(start, end, hit.sku, round(hit.score * hit.name.telling, 3), text, kind, weight)  # type: ignore[arg-type]


def _is_contrasted(text: str, start: int) -> bool:
    """Tell whether what begins at a character is what the talk is not about: "not the blue one", 别跟一号弄混."""
    return pattern("contrasted").search(text[max(0, start - 30) : start]) is not None


def times(sentence: Sentence, first: int, last: int) -> tuple[float, float]:
    """Turn a stretch of a sentence's text, by character index, into seconds."""
    place = -(len("".join(w.text for w in sentence.words)) - len("".join(w.text for w in sentence.words).lstrip()))
    start = end = None
    for word in sentence.words:
        begin, place = place, place + len(word.text)
        if start is None and place > first:
            start = word.start
        if begin < last:
            end = word.end
    return (sentence.start if start is None else start), (sentence.end if end is None else max(end, start or 0.0))


def _links(
    sentences: tuple[Sentence, ...], products: tuple[Product, ...], language: str, options: MentionOptions
) -> list[tuple[int, Mention]]:
    """Find links called by number: 二号链接, "number two in the list"; a bare 二号 counts for less."""
    by_link = {product.link if product.link is not None else place: product.sku for place, product in enumerate(products, 1)}
    found = []
    for place, sentence in enumerate(sentences):
        for call in calls(sentence.text, language):
            number = resolve(call.number, by_link)
            if number is not None and call.sure >= BARE:
                start, end = times(sentence, call.start, call.end)
                text = sentence.text[call.start : call.end].strip()
                weight = options.compare_weight if _is_contrasted(sentence.text, call.start) else 1.0
                found.append((place, Mention(start, end, by_link[number], call.sure, text, "link", weight)))
    return found


def _kinds(sentences: tuple[Sentence, ...], cues: tuple[Cue, ...]) -> dict[int, set[str]]:
    """Give the kinds of cue per unit; a preview, comparison or quarrel holds for the whole spoken sentence, which may be several units."""
    kinds: dict[int, set[str]] = {}
    for cue in cues:
        kinds.setdefault(cue.sentence, set()).add(cue.kind)
        if cue.kind in ("preview", "compare", "quarrel"):
            for other in _same_sentence(sentences, cue.sentence):
                kinds.setdefault(other, set()).add(cue.kind)
    return kinds


def _same_sentence(sentences: tuple[Sentence, ...], at: int) -> list[int]:
    """Name the neighbours that no full stop parts from a unit, one to each side."""
    near = []
    if at > 0 and not _STOP.search(sentences[at - 1].text):
        near.append(at - 1)
    if at + 1 < len(sentences) and not _STOP.search(sentences[at].text):
        near.append(at + 1)
    return near


def _weighed(placed: list[tuple[int, Mention]], kinds: Mapping[int, set[str]], options: MentionOptions) -> tuple[Mention, ...]:
    """Lower the weight of mentions in passing, by the cues of their sentence and by how many things it names."""
    named: dict[int, list[Mention]] = {}
    for place, mention in placed:
        if mention.kind in ("name", "link"):
            named.setdefault(place, []).append(mention)
    counts = {place: things_named(mentions) for place, mentions in named.items()}
    weighed = [replace(m, weight=min(m.weight, _weight(kinds.get(at, set()), counts.get(at, 0), m, options))) for at, m in placed]
    return tuple(sorted(weighed, key=lambda m: (m.start, m.end, m.sku)))


def things_named(mentions: Sequence[Mention]) -> int:
    """Count the different things that mentions are of: a name that fits several products is one of them, said once."""
    parted: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: m.end):
        if not parted or mention.start >= parted[-1].end - OVERLAP_S:
            parted.append(mention)
    return min(len(parted), len({mention.sku for mention in mentions}))


def _weight(kinds: set[str], products: int, mention: Mention, options: MentionOptions) -> float:
    weight = 1.0
    if "finish" in kinds:
        weight = min(weight, options.finish_weight)
    if kinds & {"wait"} or ("transition" in kinds and "pointing" not in kinds):
        weight = min(weight, options.opening_weight)
    if "preview" in kinds:
        weight = min(weight, options.preview_weight)
    if "compare" in kinds and "link" not in kinds:
        weight = min(weight, options.compare_weight)
    if products >= 3 or "list" in kinds or ("recap" in kinds and products >= 2):
        weight = min(weight, options.recap_weight)
    if {"question", "service", "sold_out", "quarrel"} & kinds:
        weight = min(weight, options.answer_weight)
    if {"giveaway", "closing"} & kinds and mention.kind != "name":
        weight = min(weight, options.answer_weight)
    return weight


def by_sentence(mentions: tuple[Mention, ...], sentences: tuple[Sentence, ...]) -> Mapping[int, list[Mention]]:
    """Group mentions by the sentence that their middle falls into."""
    from bisect import bisect_right

    starts = [sentence.start for sentence in sentences]
    grouped: dict[int, list[Mention]] = {}
    for mention in mentions:
        place = bisect_right(starts, (mention.start + mention.end) / 2) - 1
        if place >= 0:
            grouped.setdefault(place, []).append(mention)
    return grouped
