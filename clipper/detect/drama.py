"""What a sentence does to someone who scrolls past: the peak of a demonstration, a proof, the opening of the offer, a promise.

An explanation builds up twice: a demonstration runs towards what it shows, and the talk of money towards the moment the offer
opens. Those two peaks pull; what leads to them and what follows (features, prices, counting down what is left) is for viewers
who are already interested. Where the talk of money begins is the change point of offer phrases within the explanation; before
it a raised voice marks the peak, after it every voice is raised and only the first call counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clipper.detect.cues import counts_down, pattern
from clipper.detect.lags import Floats
from clipper.detect.reading import Read
from clipper.values import Evidence, Segment, Sentence

WORTH = {
    "peak": 0.55,
    "result": 1.5,
    "proof": 1.0,
    "shown": 0.8,
    "contrast": 0.6,
    "surprise": 0.6,
    "demo": 0.3,
    "dare": 0.5,
    "opening": 1.6,
    "count": 0.8,
    "promise": 1.0,
    "hook": 0.3,
    "price": 0.0,
    "urgency": 0.0,
    "benefit": 0.0,
}
"""What a sentence is worth for each thing it does, per unit. A result shown beats a feature told; prices and what is left are for
those who already want it. The order of the weights is that of a logistic regression on nine spoken streams, each left out in
turn; they are rounded, for forty picks prove no second digit."""
SPOILS = {
    "service": 1.5,
    "question": 0.7,
    "giveaway": 1.5,
    "closing": 1.5,
    "greeting": 1.0,
    "chitchat": 0.5,
    "quarrel": 0.8,
    "recap": 1.2,
    "finish": 0.8,
    "transition": 0.5,
    "sold_out": 0.8,
    "reassure": 0.3,
}
"""What takes away: news for those already here."""
PEAK_MOST = 3.0
"""Most units of a peak: three robust standard deviations above the host's own median."""
LOUD_FLOOR_DB = 0.7
"""Least robust standard deviation of a host's level in decibels: what measuring alone scatters."""
PEAK_NEIGHBOURS = 2
"""Sentences to each side that a raised voice is also compared with: a peak stands out from what leads to it."""
OFFER_SAID = {"price": 1.5, "link": 1.5, "urgency": 1.5, "loud": 0.4, "demo": -0.8}
"""Nats that a price, a link, a pressing phrase, a raised voice and "look at this" speak for the talk of money:
each phrase occurs in about four of ten sentences there and in less than one of ten before; a voice is raised at a demonstration too."""
OFFER_SILENT = -0.8
"""The same for a sentence with none of them."""
OFFER_MOST = 2.4
"""Most that one sentence may say."""
RAISED = 1.5
"""Robust standard deviations from which a voice counts as raised."""
OFFER_BEGINS = 1.0
"""Nats that the first sentence of the talk of money says at least: a raised voice alone does not begin it."""
LEAD_IN = 2
"""First sentences of an explanation that are no offer: hosts open with "only today" too."""
SHOWN_WITHIN = 2
"""Sentences after "look at this" within which what has not happened (not a drop, nothing broke) is the result of it."""
CALLED = {"count": 1.5, "urgency": 0.8, "link": 0.4, "price": -0.6, "sold_out": -1.0}
"""What speaks for a sentence being the call that opens an offer; a price alone is told, not called."""
CALLED_LOUD = 0.6
"""The same per robust standard deviation of a raised voice."""
LEAST_CALL = 1.0
"""Least of that sum: a voice clearly raised, or two kinds of phrase."""
SURE_CALL = 3.5
"""The sum of a call beyond doubt: a countdown in a raised voice."""
CALL_SLACK = 0.7
"""How much less the first call may press than a later one: hosts stay loud, and what comes first is news."""

EXPRESSED = {"result": "result", "contrast": "contrast", "dare": "dare", "count": "count", "exclaimed": "surprise"}
"""What the expressions of the lexicons stand for."""
_SAID: tuple[str, ...] = ("surprise", "demo", "proof", "hook", "benefit", "price", "urgency")
_SHOWING = frozenset({"demo", "result", "contrast", "dare"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands in its explanation."""

    sku: str | None
    sells: bool
    """Whether the talk of money has begun."""
    calls: float
    """How clearly the offer opens here, 0 to 1."""
    tells: bool = False
    """Whether a price is told here, and nobody pressed."""


def energy(evidence: Evidence, sentences: Sequence[Sentence]) -> Floats:
    """Give the level of each sentence against the stream's own median, in robust standard deviations within [-4, 4].

    A sentence's level is its mean power without what lies 10 dB below that mean (the gate of ITU-R BS.1770), so that pauses
    inside it and a voice of other timbre count little. Zeros without a track.
    """
    track = evidence.loudness
    if track is None or not track.values or not sentences:
        return np.zeros(len(sentences))
    levels = np.asarray(track.values, float)
    found = np.array(
        [_gated(levels[int(s.start / track.step) : max(int(s.start / track.step) + 1, int(s.end / track.step))]) for s in sentences]
    )
    middle = np.median(found)
    scaled: Floats = (found - middle) / max(1.4826 * float(np.median(np.abs(found - middle))), LOUD_FLOOR_DB)
    return np.clip(scaled, -4, 4)


def _gated(levels: Floats) -> float:
    if not len(levels):
        return -60.0
    mean = 10 * np.log10(np.mean(10 ** (levels / 10)))
    return float(10 * np.log10(np.mean(10 ** (levels[levels > mean - 10] / 10))))


def places(stream: Read, segments: Sequence[Segment], loud: Floats) -> tuple[Place, ...]:
    """Tell of every sentence which explanation it belongs to, and on which side of the opening of its offer it lies."""
    size = len(stream.sentences)
    middles = (stream.starts + stream.ends) / 2
    found = [Place(None, False, 0.0)] * size
    prices = {product.sku: {product.price, product.list_price} - {None} for product in stream.products}
    for segment in segments:
        inside = [
            int(at) for at in np.flatnonzero((middles >= segment.start) & (middles < segment.end)) if not _cut_out(segment, middles[at])
        ]
        priced = [_priced(stream, at, prices.get(segment.sku, set())) for at in inside]
        begins = _change([_offered(stream, loud, at, said) for at, said in zip(inside, priced, strict=True)])
        opens, clearly = _opening(stream, loud, inside[begins:], priced[begins:])
        for number, at in enumerate(inside):
            tells = priced[number] and not _counted(stream, "urgency")[at] and not counts_down(stream.sentences[at].text)
            found[at] = Place(segment.sku, number >= begins, clearly if at == opens else 0.0, tells)
    return tuple(found)


def _opening(stream: Read, loud: Floats, selling: Sequence[int], priced: Sequence[bool]) -> tuple[int | None, float]:
    """Find where a host first presses about as hard as anywhere while selling (countdown, phrases, voice), and how clearly: 0 to 1."""
    pressed = {
        at: CALLED["count"] * counts_down(stream.sentences[at].text)
        + sum(CALLED[kind] * min(float(_counted(stream, kind)[at]), 1.0) for kind in ("urgency", "link", "sold_out"))
        + CALLED["price"] * tells
        + CALLED_LOUD * float(np.clip(loud[at], 0, 4))
        for at, tells in zip(selling, priced, strict=True)
    }
    hardest = max(pressed.values(), default=0.0)
    if hardest < LEAST_CALL:
        return None, 0.0
    first = next(at for at in selling if pressed[at] >= hardest - CALL_SLACK)
    return first, min(1.0, pressed[first] / SURE_CALL)


def _counted(stream: Read, kind: str) -> Floats:
    return np.asarray(stream.cue_counts.get(kind, np.zeros(len(stream.sentences))), float)


def _cut_out(segment: Segment, time: float) -> bool:
    return any(gap.start <= time < gap.end for gap in segment.interruptions)


def _priced(stream: Read, at: int, prices: Collection[float | None]) -> bool:
    figures = stream.figures[at]
    return bool(_counted(stream, "price")[at]) or any(number.money or number.value in prices for number in figures)


def _offered(stream: Read, loud: Floats, at: int, priced: bool) -> float:
    """Say how much a sentence speaks for the talk of money, in nats."""
    said = [kind for kind in ("link", "urgency", "demo") if _counted(stream, kind)[at]]
    said += ["price"] * priced + ["loud"] * bool(loud[at] >= RAISED)
    return min(OFFER_MOST, sum(OFFER_SAID[kind] for kind in said)) if said else OFFER_SILENT


def _change(said: Sequence[float]) -> int:
    """Find where the talk of money begins: the start of the likeliest suffix; the length if none is likelier than nothing."""
    best, begins, total = 0.0, len(said), 0.0
    for number in range(len(said) - 1, LEAD_IN - 1, -1):
        total += said[number]
        if total > best and said[number] >= OFFER_BEGINS:
            best, begins = total, number
    return begins


def deeds(stream: Read, where: Sequence[Place], loud: Floats) -> list[Mapping[str, float]]:
    """Say what every sentence does, by amount; what takes away is negative."""
    return [_deeds(stream, where, loud, at) for at in range(len(stream.sentences))]


def _deeds(stream: Read, where: Sequence[Place], loud: Floats, at: int) -> Mapping[str, float]:
    count = {kind: int(row[at]) for kind, row in stream.cue_counts.items() if row[at]}
    text, place = stream.sentences[at].text, where[at]
    found: dict[str, float] = {kind: min(count[kind], 2) ** 0.6 for kind in _SAID if kind in count}
    for expressed, kind in EXPRESSED.items():
        if pattern(expressed).search(text):
            found[kind] = max(found.get(kind, 0.0), 1.0)
    if pattern("negated").search(text) and not place.sells and _counted(stream, "demo")[max(0, at - SHOWN_WITHIN) : at + 1].any():
        found["shown"] = 1.0
    if place.calls:
        found["opening"] = place.calls
    elif place.sells:
        found.pop("count", None)
    if promises(stream, at, place.sku) and "service" not in count:
        found["promise"] = 1.0
    shows = found.keys() & _SHOWING and not found.keys() & {"price", "urgency"}
    if not place.sells or shows or (place.calls and not place.tells):
        found["peak"] = _peak(loud, at)
    found.update({kind: -1.0 for kind in SPOILS if kind in count and not (kind == "question" and "demo" in count)})
    return found


def promises(stream: Read, at: int, explained: str | None = None) -> bool:
    """Tell whether a sentence announces a product or two by name; more is the programme, which makes nobody wait for anything.

    While another product is explained, one that is put off is an answer to somebody.
    """
    named = {m.sku for m in stream.mentions.get(at, ()) if m.kind in ("name", "title", "learned")}
    return bool(_counted(stream, "preview")[at]) and 1 <= len(named) <= 2 and (explained is None or explained in named)


def _peak(loud: Floats, at: int) -> float:
    """Say how far a voice is raised, above the host's median and above its neighbours, in equal parts."""
    near = np.concatenate([loud[max(0, at - PEAK_NEIGHBOURS) : at], loud[at + 1 : at + 1 + PEAK_NEIGHBOURS]])
    above = float(loud[at]) - (float(np.clip(near, 0, None).mean()) if len(near) else 0.0)
    return float(np.clip(0.6 * loud[at] + 0.4 * above, 0.0, PEAK_MOST))


def worth(done: Mapping[str, float], place: Place, hot: Mapping[str, float], factor: float, outside: float) -> float:
    """Weigh what a sentence does; a hot product's counts up to `factor` times, talk outside explanations `outside` of it."""
    value = sum(WORTH.get(kind, 0.0) * amount for kind, amount in done.items() if amount > 0)
    value -= sum(SPOILS.get(kind, 0.0) for kind, amount in done.items() if amount < 0)
    if value <= 0:
        return value
    if place.sku is None:
        return value if done.get("promise") else value * outside
    return value * (1 + (factor - 1) * min(1.0, 1.5 * hot[place.sku])) if place.sku in hot else value
