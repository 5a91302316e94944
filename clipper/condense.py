"""Which sentences of an explanation a clip keeps: whole sentences only, cut inside real pauses.

Three things go: interruptions longer than a limit, sentences that carry nothing but claims which perish (tonight's price,
the stock left), and, when an explanation is longer than the clip may be, the sentences that say least about the product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from clipper.detect.boundaries import Edges, pauses_between
from clipper.errors import InputError
from clipper.values import Segment, Sentence, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CondenseOptions:
    """How an explanation becomes a clip's pieces."""

    min_s: float = 20.0
    """Seconds below which nothing perishable is dropped any more; a shorter explanation is taken whole. 0 to 600."""
    max_s: float = 120.0
    """Seconds above which an explanation is condensed. More than `min_s`."""
    interruption_s: float = 8.0
    """Interruptions longer than this are cut out; seconds, 0 or more."""
    lead_s: float = 0.2
    """Air before the first word at a joint; seconds in [0.05, 0.4]."""
    tail_s: float = 0.25
    """Air after the last word at a joint; seconds in [0, 1]."""
    joint_sure: float = 0.9
    """Probability that an utterance ends at a pause from which it may be a joint; others may lie inside a thought. 0 to 1."""
    min_piece_s: float = 2.5
    """A piece between two joints is not shorter than this; seconds, 0 or more."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_s < self.max_s:
            raise InputError(f"min_s = {self.min_s} and max_s = {self.max_s}: expected 0 ≤ min_s < max_s")
        if not 0.05 <= self.lead_s <= 0.4:
            raise InputError(f"lead_s = {self.lead_s}: expected 0.05 to 0.4 s")
        if not 0 <= self.joint_sure <= 1:
            raise InputError(f"joint_sure = {self.joint_sure}: expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences between two real pauses: the smallest piece that may stand alone."""

    sentences: tuple[Sentence, ...]
    span: Span
    """With its air; spans of neighbouring blocks do not overlap."""

    @property
    def text(self) -> str:
        """What is said in it."""
        return "".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Condensed:
    """The pieces of a clip, and what was left out of it."""

    pieces: tuple[Span, ...]
    notes: tuple[str, ...]


def blocks_of(span: Span, sentences: Sequence[Sentence], pauses: Sequence[Span], options: CondenseOptions) -> tuple[Block, ...]:
    """Split a stretch into blocks at the pauses that lie between its sentences.

    `pauses` are silences of the sound, sorted. A sentence edge without a pause is no place to cut, whatever the recognizer
    says.
    """
    inside = [sentence for sentence in sentences if span.start <= (sentence.start + sentence.end) / 2 < span.end]
    if not inside:
        return ()
    groups: list[list[Sentence]] = [[inside[0]]]
    gaps: list[Span] = []
    for (_, after), pause in zip(pairwise(inside), pauses_between(inside, pauses), strict=True):
        if pause is None:
            groups[-1].append(after)
        else:
            gaps.append(pause)
            groups.append([after])
    starts = [span.start, *(_cut_in(gap, options) for gap in gaps)]
    ends = [*(_cut_out(gap, options) for gap in gaps), span.end]
    return tuple(Block(tuple(group), Span(start, end)) for group, start, end in zip(groups, starts, ends, strict=True))


def condense(
    segment: Segment,
    sentences: Sequence[Sentence],
    pauses: Sequence[Span],
    options: CondenseOptions,
    *,
    perishable: Callable[[Sentence], bool],
    worth: Callable[[Block], float],
) -> Condensed:
    """Choose an explanation's pieces in playing order.

    `perishable` says whether a sentence may go without harm; `worth` how much a block says about the product (only used when
    the explanation is too long). The first block always stays: it says what the product is.
    """
    blocks = blocks_of(segment.span, sentences, pauses, options)
    if not blocks:
        return Condensed((segment.span,), ())
    kept = list(range(len(blocks)))
    notes = []
    away = [index for index in kept[1:] if _is_interruption(blocks[index], segment, options)]
    if away:
        kept = [index for index in kept if index not in away]
        notes.append(f"interruption left out: {_seconds(blocks, away):.0f} s")
    kept, dropped = _drop_perishable(blocks, kept, perishable, options)
    if dropped:
        notes.append(f"perishable offer left out: {_seconds(blocks, dropped):.0f} s")
    kept, shortened = _shorten(blocks, kept, worth, options)
    if shortened:
        notes.append(f"condensed: {_seconds(blocks, shortened):.0f} s left out")
    kept = _without_scraps(blocks, kept, options)
    pieces = _joined(blocks, kept)
    if sum(piece.duration for piece in pieces) < options.min_s:
        notes.append("short explanation, taken whole")
    return Condensed(pieces, tuple(notes))


def joints(sentences: Sequence[Sentence], pauses: Sequence[Span], placed: Sequence[Edges], options: CondenseOptions) -> tuple[Span, ...]:
    """Keep the pauses at which an utterance surely ends, so that what lies between two of them may be cut out.

    `placed` are the edges of the sentences. How long such pauses are is the host's affair: some breathe for a fifth of a second.
    """
    between = zip(pauses_between(sentences, pauses), placed, strict=False)
    return tuple(sorted({pause for pause, edge in between if pause is not None and edge.ended[1] >= options.joint_sure}))


def _cut_in(pause: Span, options: CondenseOptions) -> float:
    return max((pause.start + pause.end) / 2, pause.end - options.lead_s)


def _cut_out(pause: Span, options: CondenseOptions) -> float:
    return min((pause.start + pause.end) / 2, pause.start + options.tail_s)


def _is_interruption(block: Block, segment: Segment, options: CondenseOptions) -> bool:
    long = [span for span in segment.interruptions if span.duration > options.interruption_s]
    return sum(span.shared(block.span) for span in long) > 0.6 * block.span.duration


def _drop_perishable(
    blocks: Sequence[Block], kept: list[int], perishable: Callable[[Sentence], bool], options: CondenseOptions
) -> tuple[list[int], list[int]]:
    """Drop blocks that only carry perishable claims, the last first, while the clip stays long enough."""
    dropped: list[int] = []
    total = _seconds(blocks, kept)
    for index in reversed(kept[1:]):
        length = blocks[index].span.duration
        if total - length >= options.min_s and all(perishable(sentence) for sentence in blocks[index].sentences):
            dropped.append(index)
            total -= length
    return [index for index in kept if index not in dropped], dropped


def _shorten(
    blocks: Sequence[Block], kept: list[int], worth: Callable[[Block], float], options: CondenseOptions
) -> tuple[list[int], list[int]]:
    """Drop the blocks that say least per second until the rest fits."""
    dropped: list[int] = []
    total = _seconds(blocks, kept)
    for index in sorted(kept[1:], key=lambda i: worth(blocks[i]) / max(blocks[i].span.duration, 0.1)):
        if total <= options.max_s:
            break
        dropped.append(index)
        total -= blocks[index].span.duration
    return [index for index in kept if index not in dropped], dropped


def _without_scraps(blocks: Sequence[Block], kept: list[int], options: CondenseOptions) -> list[int]:
    """Leave out runs of blocks that would flash by between two joints."""
    runs: list[list[int]] = []
    for index in kept:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    long = [run for run in runs if _seconds(blocks, run) >= options.min_piece_s]
    return [index for run in (long or runs[:1]) for index in run]


def _joined(blocks: Sequence[Block], kept: Sequence[int]) -> tuple[Span, ...]:
    pieces: list[Span] = []
    last = None
    for index in kept:
        span = blocks[index].span
        if last is not None and index == last + 1:
            pieces[-1] = replace(pieces[-1], end=span.end)
        else:
            pieces.append(span)
        last = index
    return tuple(pieces)


def _seconds(blocks: Sequence[Block], indexes: Sequence[int]) -> float:
    return sum(blocks[index].span.duration for index in indexes)
