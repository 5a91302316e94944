"""Choose the high moments that pull people into the live room: a hook first, then climaxes, none of it twice.

Every run of a few whole sentences gets a worth from what it does (`clipper.detect.drama`: the peak of a demonstration, its result,
a proof, a promise, the opening of an offer, a raised voice) and whether its product is hot. A set of runs is worth the sum, with
diminishing returns per kind and per product: monotone submodular, chosen under the length limit by cost-scaled greedy (Lin and
Bilmes 2010). Nothing looks at the product's tail, where hosts repeat themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clipper.detect.boundaries import Edges
from clipper.detect.cues import pattern
from clipper.detect.drama import WORTH, Place, deeds, energy, places, promises, worth
from clipper.detect.learning import content_words
from clipper.detect.mentions import times
from clipper.detect.reading import Read
from clipper.errors import InputError
from clipper.values import Evidence, HotItem, Segment, Span, Teaser

HOT_FACTOR = 2.0
"""A hot product's moments count more: people who buy have shown what pulls."""
OUTSIDE_FACTOR = 0.3
"""Talk outside explanations, unless it promises a product."""
NEAR_CLIMAX = 0.3
"""Share of the worth of a sentence's neighbours, two to each side, that rubs off on it: a climax has a run-up and an echo."""
LENGTH_COSTS = 0.6
"""Power of a moment's length in the greedy choice: 1 would take the shortest exclamations, 0 the longest runs."""
BREATHLESS = 0.3
"""Least share of a moment's worth that is left for each edge: at full worth an utterance surely ends there, and in proportion to the
probability that one does. (Less would drop countdowns, which are said without rests.)"""
HOOKS_WITHIN_S = 1.5
"""A viewer decides in so many seconds whether to stay."""
HOOKS = {
    "surprise": 1.2,
    "hook": 1.0,
    "promise": 1.0,
    "result": 0.8,
    "contrast": 0.8,
    "count": 0.8,
    "demo": 0.5,
    "urgency": 0.4,
    "proof": 0.3,
}
"""What holds a viewer when it comes within that time."""
OPENING_WORTH = 0.3
"""Worth of the best opening of a set, per unit."""
MOST_SENTENCES = 5
"""Sentences of one moment at most: some hosts say five in a breath."""
TOO_ALIKE = 0.5
"""Share of common content words from which two runs say the same."""
TOLD_FROM = 0.5
"""Worth from which what a moment does is named as a reason."""
_DANGLING = re.compile(r"^\W*(?:所以|然后|而且|但是|因为|它|她|他|and\b|but\b|so\b|because\b|which\b|it\b|they\b)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class TeaserOptions:
    """What a teaser is."""

    min_s: float = 10.0
    """Shortest teaser in seconds, 5 to 60."""
    max_s: float = 30.0
    """Longest teaser in seconds, 10 to 120."""
    aim_s: float = 13.0
    """Seconds after which only an outstanding moment is added, between `min_s` and `max_s`."""
    pieces: int = 5
    """Most moments in one teaser, 2 to 8."""
    longest_piece_s: float = 9.0
    """Longest moment in seconds, 3 to 20."""
    most: int = 3
    """Most teasers per recording, 0 to 10; short streams have fewer."""

    def __post_init__(self) -> None:
        if not 5 <= self.min_s <= 60 or not 10 <= self.max_s <= 120 or not self.min_s <= self.aim_s <= self.max_s:
            raise InputError(
                f"teasers.min_s, aim_s and max_s are {self.min_s}, {self.aim_s} and {self.max_s}: they must rise, within 5 to 120 seconds"
            )
        if not 2 <= self.pieces <= 8:
            raise InputError(f"teasers.pieces is {self.pieces}: it must lie between 2 and 8")
        if not 3 <= self.longest_piece_s <= 20:
            raise InputError(f"teasers.longest_piece_s is {self.longest_piece_s}: it must lie between 3 and 20 seconds")
        if not 0 <= self.most <= 10:
            raise InputError(f"teasers.most is {self.most}: it must lie between 0 and 10")


@dataclass(frozen=True, slots=True)
class Moment:
    """A run of sentences that could stand in a teaser."""

    first: int
    last: int
    span: Span
    worth: float
    kinds: tuple[tuple[str, float], ...]
    """What it does, and how much."""
    sku: str | None
    opens: float
    """How well it would hook as the first moment."""
    words: frozenset[str]


def find_teasers(
    evidence: Evidence,
    segments: Sequence[Segment],
    hot_items: Sequence[HotItem],
    stream: Read,
    placed: Sequence[Edges],
    options: TeaserOptions | None = None,
) -> tuple[Teaser, ...]:
    """Choose up to `most` teasers, the best first; fewer when there is too little worth showing, none without speech."""
    options = options or TeaserOptions()
    wanted = min(options.most, 1 if evidence.duration < 1200 else 2 if evidence.duration < 3600 else 3)
    left = list(moments(evidence, segments, hot_items, stream, placed, options))
    found = []
    for _ in range(wanted):
        chosen = choose(left, options)
        length = sum(moment.span.duration for moment in chosen)
        if len(chosen) < 2 or length < options.min_s:
            break
        found.append(_teaser(chosen, evidence.language))
        left = [moment for moment in left if all(_apart(moment, other) for other in chosen)]
    return tuple(found)


def moments(
    evidence: Evidence,
    segments: Sequence[Segment],
    hot_items: Sequence[HotItem],
    stream: Read,
    placed: Sequence[Edges],
    options: TeaserOptions,
) -> tuple[Moment, ...]:
    """List every run of a few sentences that is short enough and worth anything."""
    loud = energy(evidence, stream.sentences)
    where = places(stream, segments, loud)
    owners = [place.sku for place in where]
    kinds = deeds(stream, where, loud)
    hot = {item.sku: item.confidence for item in hot_items}
    values = [worth(kinds[at], where[at], hot, HOT_FACTOR, OUTSIDE_FACTOR) for at in range(len(kinds))]
    values = _echoed(values, where)
    found = []
    for first in range(len(stream.sentences)):
        for last in range(first, min(first + MOST_SENTENCES, len(stream.sentences))):
            span = Span(placed[first].start, placed[last].end)
            if span.duration > options.longest_piece_s or (last > first and owners[last] != owners[first]):
                break
            if not stream.stopped[first] or not stream.stopped[last + 1] or not placed[first].in_pause[0] or span.duration < 1.5:
                continue
            value = sum(max(w, -0.5) for w in values[first : last + 1])
            if value <= 0.15 or min(values[first], values[last]) < 0:
                continue
            found.append(_moment(stream, first, last, span, value, kinds, owners[first]))
    return tuple(found)


def _echoed(values: list[float], where: Sequence[Place]) -> list[float]:
    """Let the worth of near sentences of the same demonstration rub off on those that are not spoilt."""
    out = []
    for at, own in enumerate(values):
        around = range(max(0, at - 2), min(len(values), at + 3))
        near = [max(values[n], 0.0) for n in around if n != at and where[n].sku == where[at].sku and not where[n].sells]
        echoes = own >= 0 and where[at].sku is not None and not where[at].sells
        out.append(own + NEAR_CLIMAX * sum(near) / 4 if echoes else own)
    return out


def _moment(stream: Read, first: int, last: int, span: Span, value: float, kinds: list[Mapping[str, float]], sku: str | None) -> Moment:
    merged: dict[str, float] = {}
    for at in range(first, last + 1):
        for kind, amount in kinds[at].items():
            merged[kind] = merged.get(kind, 0.0) + amount
    text = "".join(stream.sentences[at].text for at in range(first, last + 1))
    for edge in (first, last + 1):
        value *= max(BREATHLESS, float(stream.rested[edge]))
    if _DANGLING.match(stream.sentences[first].text):
        value *= 0.8
    opens = opening(stream, first, sku) + 0.5 * value / max(span.duration, 2.0)
    return Moment(first, last, span, value, tuple(sorted(merged.items())), sku, opens, frozenset(content_words(text)))


def opening(stream: Read, at: int, explained: str | None = None) -> float:
    """Say how well a sentence, of the explanation of a product, holds a viewer: by what is said in it within `HOOKS_WITHIN_S`."""
    sentence = stream.sentences[at]
    promised = promises(stream, at, explained)
    found = {
        "promise" if cue.kind == "preview" and promised else cue.kind: cue.start for cue in reversed(stream.cues) if cue.sentence == at
    }
    for expressed, kind in (("result", "result"), ("contrast", "contrast"), ("count", "count"), ("dare", "surprise")):
        match = pattern(expressed).search(sentence.text)
        if match:
            found[kind] = min(found.get(kind, match.start()), match.start())
    soon = [kind for kind, start in found.items() if times(sentence, start, start + 1)[0] - sentence.start <= HOOKS_WITHIN_S]
    return sum(HOOKS.get(kind, 0.0) for kind in soon)


def choose(pool: Sequence[Moment], options: TeaserOptions) -> tuple[Moment, ...]:
    """Choose moments of most worth within the length: greedy by gain per second, against the best single one."""
    chosen: list[Moment] = []
    while len(chosen) < options.pieces:
        length = sum(moment.span.duration for moment in chosen)
        room = options.max_s - length
        fitting = [m for m in pool if m.span.duration <= room and all(_apart(m, other) for other in chosen)]
        base = value(chosen)
        gains = [((value([*chosen, m]) - base) / max(m.span.duration, 2.5) ** LENGTH_COSTS, m) for m in fitting]
        if not gains:
            break
        gain, best = max(gains, key=lambda pair: (pair[0], -pair[1].first))
        if length >= options.min_s and length + best.span.duration > options.aim_s and gain < 0.35:
            break
        if length >= options.aim_s:
            break
        chosen.append(best)
    return tuple(chosen)


def value(chosen: Sequence[Moment]) -> float:
    """Value of a set: worth with diminishing returns per kind and product, and how well its best opening hooks."""
    kinds: dict[str, float] = {}
    products: dict[str | None, int] = {}
    total = 0.0
    for moment in chosen:
        products[moment.sku] = products.get(moment.sku, 0) + 1
        total += moment.worth / math.sqrt(products[moment.sku]) if products[moment.sku] > 3 else moment.worth
        for kind, amount in moment.kinds:
            kinds[kind] = kinds.get(kind, 0.0) + max(amount, 0.0)
    total += OPENING_WORTH * max((moment.opens for moment in chosen), default=0.0)
    return total + sum(0.5 * WORTH.get(kind, 0.0) * math.log1p(amount) for kind, amount in kinds.items())


def _apart(one: Moment, other: Moment) -> bool:
    """Tell whether two moments neither touch nor say the same."""
    if one.first <= other.last and other.first <= one.last:
        return False
    union = len(one.words | other.words)
    return not union or len(one.words & other.words) / union < TOO_ALIKE


def _teaser(chosen: Sequence[Moment], language: str) -> Teaser:
    opening = max(chosen, key=lambda moment: (moment.opens, -moment.first))
    ordered = [opening, *sorted((m for m in chosen if m is not opening), key=lambda m: m.first)]
    pieces = _joined([moment.span for moment in ordered])
    seconds: dict[str, float] = {}
    for moment in chosen:
        if moment.sku is not None:
            seconds[moment.sku] = seconds.get(moment.sku, 0.0) + moment.span.duration
    length = sum(moment.span.duration for moment in chosen)
    sku = next((sku for sku, time in seconds.items() if time > length / 2), None)
    score = 1 - math.exp(-value(chosen) / 8.0)
    kinds = {kind for moment in chosen for kind, amount in moment.kinds if amount * WORTH.get(kind, 0.0) >= TOLD_FROM}
    return Teaser(pieces=pieces, score=round(score, 3), reasons=_reasons(kinds, language), sku=sku)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Join spans that follow each other in the recording as well as in the teaser."""
    out: list[Span] = []
    for span in spans:
        if out and 0 <= span.start - out[-1].end < 0.6:
            out[-1] = Span(out[-1].start, span.end)
        else:
            out.append(span)
    return tuple(out)


_NAMES = {
    "surprise": ("惊喜反应", "surprise"),
    "demo": ("现场演示", "demonstration"),
    "proof": ("使用证明", "proof"),
    "result": ("看得见的效果", "visible result"),
    "count": ("倒计时", "countdown"),
    "hook": ("开场钩子", "hook"),
    "promise": ("预告", "promise"),
    "contrast": ("前后对比", "before and after"),
    "opening": ("开抢时刻", "the offer opens"),
    "peak": ("情绪高点", "high energy"),
}


def _reasons(kinds: set[str], language: str) -> tuple[str, ...]:
    return tuple(_NAMES[kind][0 if language == "zh" else 1] for kind in _NAMES if kind in kinds)
