"""Topics of a stream without a catalogue: what it keeps talking about, and when.

A thing that is explained is named again and again for a minute or two and hardly elsewhere. Words that come in such bursts
stand for the things; words that burst together are one thing. Each becomes a stand-in product with those words as its names,
and the same decoding as with a catalogue cuts the stream (burstiness: Kleinberg 2002; here a count against its own mean).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clipper.detect.names import cut, is_cjk
from clipper.values import Evidence, Mention, Product, Segment, Sentence

if TYPE_CHECKING:
    from clipper.detect.emissions import Read
    from clipper.detect.explanations import Explained, ExplanationOptions

BURST_S = 90.0
"""Seconds of a burst: the usual length of an explanation."""
LEAST_SAID = 3
"""A thing that is sold is named at least so often."""
WITHIN = 0.6
"""Share of a word's sentences that have to lie in its bursts: product names come back, but not everywhere."""
MOST = 60
NAMES_EACH = 4
TOPIC_LEAST_S = 12.0
"""Seconds that a topic lasts at least before the host moves on."""
TOPIC_DOUBT = 0.7
"""Confidence that is left when the thing itself is not known."""
_DULL = frozenset(
    [
        "大家",
        "今天",
        "这个",
        "那个",
        "我们",
        "你们",
        "他们",
        "一个",
        "一下",
        "真的",
        "就是",
        "什么",
        "怎么",
        "没有",
        "可以",
        "不是",
        "还有",
        "现在",
        "时候",
        "东西",
        "这样",
        "那样",
        "这么",
        "那么",
        "自己",
        "所以",
        "因为",
        "但是",
        "如果",
        "然后",
        "已经",
        "觉得",
        "知道",
        "里面",
        "外面",
        "上面",
        "下面",
        "链接",
        "价格",
        "朋友",
        "姐妹",
        "宝宝",
        "直播间",
        "直播",
        "主播",
        "评论",
        "客服",
        "一样",
        "出来",
        "起来",
        "下来",
        "有人",
        "多少",
        "喜欢",
        "晚上",
        "早上",
        "明天",
        "后面",
        "前面",
        "刚才",
        "刚刚",
        "chat",
        "link",
        "number",
        "tonight",
        "today",
        "dollar",
        "dollars",
        "price",
        "people",
        "everybody",
        "everyone",
        "thing",
        "things",
        "yeah",
        "okay",
        "really",
        "going",
        "gonna",
        "want",
        "ones",
        "lot",
        "bit",
        "way",
        "day",
        "days",
        "time",
        "times",
        "minutes",
        "back",
        "side",
    ]
)


@dataclass(frozen=True, slots=True)
class Burst:
    """A word and the stretch it is said in."""

    word: str
    centre: float
    strength: float
    places: tuple[int, ...]


def telling_words(sentences: tuple[Sentence, ...], first: int, last: int) -> tuple[str, ...]:
    """List the words that set a stretch apart from the rest, the most telling first."""
    inside, outside = Counter[str](), Counter[str]()
    for at, sentence in enumerate(sentences):
        (inside if first <= at < last else outside).update(set(topic_words(sentence.text)))
    size = max(len(sentences), 1)
    scored = {w: n * np.log((n / max(last - first, 1)) / ((outside[w] + 0.5) / size)) for w, n in inside.items() if n >= 2}
    return tuple(sorted(scored, key=lambda w: (-scored[w], w)))


def topic_words(text: str) -> tuple[str, ...]:
    """Give the words of a sentence that could name a thing."""
    from clipper.detect.emissions import content_words
    from clipper.detect.names import CLUTTER

    found = [w for w in cut(text) if len(w) >= 2 and is_cjk(w)] if is_cjk(text) else list(content_words(text))
    found = [w for w in found if not w[0].isdigit() and w[0] not in "一二三四五六七八九十两几半每第"]
    return tuple(w for w in found if w not in _DULL and w not in CLUTTER and w not in _cue_words())


def _cue_words() -> frozenset[str]:
    from clipper.detect.cues import lexicon

    return frozenset(phrase for language in ("zh", "en") for phrases in lexicon(language).values() for phrase in phrases)


def find_topics(evidence: Evidence, options: ExplanationOptions) -> Explained:
    """Cut a stream without a catalogue into topics, named from the speech: unknown-1, unknown-2, … in order of appearance."""
    from clipper.detect.explanations import find_explanations

    things = stand_ins(evidence.sentences)
    mentions = tuple(mention for thing in things for mention in _mentions(evidence.sentences, thing))
    bare = replace(evidence, mentions=tuple(sorted(mentions, key=lambda m: (m.start, m.sku))))
    speech = replace(options, unknown=False, channels=tuple(channel for channel in options.channels if channel == "speech"))
    explained = find_explanations(bare, (*things, *SLOTS), speech, always=frozenset(slot.sku for slot in SLOTS))
    return replace(explained, segments=_named(explained, {thing.sku: thing.title for thing in things}))


SLOTS = tuple(Product(sku=f"slot-{number}", title="") for number in (1, 2))
"""Stand-ins for things that are sold but hardly named: two, so that one can follow the other."""


def _named(explained: Explained, titles: Mapping[str, str]) -> tuple[Segment, ...]:
    """Number the topics in order of appearance; a thing that is named again keeps its number."""
    numbers: dict[str, int] = {}
    named = []
    sentences = explained.stream.sentences
    for segment in explained.segments:
        for first, last in _split(explained.stream, segment):
            title = titles.get(segment.sku, "")
            said = title if title and any(title in sentences[at].text.lower() for at in range(first, last)) else ""
            name = said or name_of(sentences, first, last)
            number = numbers.setdefault(said or f"@{first}", len(numbers) + 1)
            confidence = round(TOPIC_DOUBT * float(1 - explained.posterior[first:last, -1].mean()), 3)
            start, end = sentences[first].start, sentences[last - 1].end
            named.append(
                replace(segment, sku=f"unknown-{number}", name=name, confidence=confidence, start=start, end=end, interruptions=())
            )
    return tuple(named)


def _split(stream: Read, segment: Segment) -> list[tuple[int, int]]:
    """Split a stretch of product talk where the host moves on: without names, that is what tells one thing from the next."""
    inside = [at for at, s in enumerate(stream.sentences) if segment.start <= s.start and s.end <= segment.end + 0.001]
    none = np.zeros(len(stream.sentences), np.int32)
    moves, ends = stream.cue_counts.get("transition", none), stream.cue_counts.get("finish", none)
    pieces: list[tuple[int, int]] = []
    first = inside[0]
    for at in inside[1:]:
        long = stream.sentences[at - 1].end - stream.sentences[first].start >= TOPIC_LEAST_S
        if long and stream.closed[at] and (moves[at] or ends[at]):
            pieces.append((first, at))
            first = at + 1 if ends[at] and at + 1 <= inside[-1] else at
    pieces.append((first, inside[-1] + 1))
    return pieces


def name_of(sentences: tuple[Sentence, ...], first: int, last: int) -> str:
    """Name a stretch: the word said most there and hardly elsewhere, else the longest word of its opening."""
    words = telling_words(sentences, first, last)
    if words:
        return words[0]
    opening = [word for sentence in sentences[first : min(first + 2, last)] for word in topic_words(sentence.text)]
    return max(opening, key=len, default="")


def stand_ins(sentences: tuple[Sentence, ...]) -> tuple[Product, ...]:
    """Make a stand-in product for every thing the stream keeps naming in bursts."""
    groups = _grouped(_bursts(sentences))
    return tuple(
        Product(sku=f"topic-{number}", title=group[0].word, aliases=tuple(burst.word for burst in group[:NAMES_EACH]))
        for number, group in enumerate(groups[:MOST], 1)
    )


def _bursts(sentences: tuple[Sentence, ...]) -> list[Burst]:
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(sentences):
        for word in set(topic_words(sentence.text)):
            places.setdefault(word, []).append(at)
    found = []
    for word, ats in places.items():
        if len(ats) < LEAST_SAID:
            continue
        times = np.array([(sentences[at].start + sentences[at].end) / 2 for at in ats])
        inside = np.abs(times[:, None] - times[None, :]) <= BURST_S / 2
        best = int(np.argmax(inside.sum(axis=1)))
        count = int(inside[best].sum())
        if count >= LEAST_SAID and count >= WITHIN * len(ats) ** 0.85:
            found.append(Burst(word, float(times[inside[best]].mean()), count + 0.3 * len(word), tuple(ats)))
    return sorted(found, key=lambda burst: (-burst.strength, burst.word))


def _grouped(bursts: list[Burst]) -> list[list[Burst]]:
    """Put bursts together that share their stretch; the strongest word names the group."""
    groups: list[list[Burst]] = []
    for burst in bursts:
        near = next((group for group in groups if abs(group[0].centre - burst.centre) <= BURST_S / 2), None)
        if near is None:
            groups.append([burst])
        else:
            near.append(burst)
    return groups


def _mentions(sentences: tuple[Sentence, ...], thing: Product) -> list[Mention]:
    from clipper.detect.mentions import times

    found = []
    for sentence in sentences:
        text = sentence.text.lower()
        for rank, word in enumerate(thing.aliases):
            at = text.find(word)
            if at >= 0:
                start, end = times(sentence, at, at + len(word))
                found.append(Mention(start, end, thing.sku, 1.0 if rank == 0 else 0.7, word, "learned"))
    return found
