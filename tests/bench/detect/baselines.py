"""What simpler methods would answer, so that every gain is visible."""

from __future__ import annotations

from collections import Counter

from clipper.detect.learning import content_words
from clipper.values import Evidence
from tests.bench.detect.evaluate import Labelled


def last_mention(evidence: Evidence) -> tuple[Labelled, ...]:
    """The product named last is the one explained, until the next is named."""
    return _runs([(m.start, m.sku) for m in evidence.mentions if m.kind == "name" and m.score * m.weight >= 0.5], evidence.duration)


def vote(evidence: Evidence, window: float = 60.0) -> tuple[Labelled, ...]:
    """Per minute, the product named most."""
    marks = []
    for number in range(int(evidence.duration // window) + 1):
        votes = Counter(m.sku for m in evidence.mentions if number * window <= m.start < (number + 1) * window)
        marks.append((number * window, votes.most_common(1)[0][0] if votes else ""))
    return _runs(marks, evidence.duration)


def cards_only(evidence: Evidence) -> tuple[Labelled, ...]:
    """From one card to the next."""
    return _runs([(card.time, card.sku) for card in evidence.log.cards or () if card.action == "show"], evidence.duration)


def text_tiling(evidence: Evidence, block: int = 8) -> tuple[Labelled, ...]:
    """Cut where neighbouring blocks of sentences share few words (Hearst 1997); each tile goes to the product named most in it."""
    bags = [Counter(content_words(sentence.text)) for sentence in evidence.sentences]
    scores = [_alike(bags[max(0, at - block) : at], bags[at : at + block]) for at in range(len(bags))]
    mean = sum(scores) / max(len(scores), 1)
    edges = [0, *(at for at in range(1, len(scores) - 1) if scores[at] < 0.7 * mean and scores[at] <= min(scores[at - 1], scores[at + 1]))]
    marks = []
    for first, last in zip(edges, [*edges[1:], len(bags)], strict=True):
        if first >= len(evidence.sentences):
            continue
        start, end = evidence.sentences[first].start, evidence.sentences[last - 1].end
        votes = Counter(m.sku for m in evidence.mentions if start <= m.start < end)
        marks.append((start, votes.most_common(1)[0][0] if votes else ""))
    return _runs(marks, evidence.duration)


def chat_density(evidence: Evidence, window: float = 60.0, most: int = 6) -> tuple[Labelled, ...]:
    """The busiest windows of the chat (as stream cutters do), each given to the product named last."""
    counts = Counter(int(comment.time // window) for comment in evidence.log.comments or ())
    named = last_mention(evidence)
    found = []
    for number, _ in counts.most_common(most):
        sku = next((s.sku for s in named if s.start <= (number + 0.5) * window < s.end), "")
        found.append(Labelled(number * window, (number + 1) * window, sku))
    return tuple(sorted(found))


BASELINES = {
    "last mention": last_mention,
    "60-s vote": vote,
    "cards only": cards_only,
    "TextTiling": text_tiling,
    "chat density": chat_density,
}


def _runs(marks: list[tuple[float, str]], duration: float) -> tuple[Labelled, ...]:
    found: list[Labelled] = []
    marks = sorted(marks)
    for (start, sku), (end, _) in zip(marks, [*marks[1:], (duration, "")], strict=False):
        if not sku:
            continue
        if found and found[-1].sku == sku and start - found[-1].end < 1:
            found[-1] = Labelled(found[-1].start, end, sku)
        else:
            found.append(Labelled(start, end, sku))
    return tuple(found)


def _alike(left: list[Counter[str]], right: list[Counter[str]]) -> float:
    a, b = sum(left, Counter[str]()), sum(right, Counter[str]())
    norm = (sum(n * n for n in a.values()) * sum(n * n for n in b.values())) ** 0.5
    return sum(n * b[word] for word, n in a.items()) / norm if norm else 0.0
