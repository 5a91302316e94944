"""Where a clip's pieces begin and end at last: at the ends of utterances, for a cut inside one is heard at once.

What is shown was decided before; here an edge that may lie inside an utterance moves by a sentence or two, rather outwards.
A second too much costs a viewer nothing, half a sentence costs the clip.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from clipper.detect.boundaries import Edges, settle
from clipper.values import Sentence, Span

INWARD_S = 5.0
"""Seconds of speech that an edge may cost: a short sentence or two."""
WORTH_S = 60.0
"""Seconds of moving that a sure end is worth over none, in a clip of a minute: even a tenth more of certainty is worth a sentence."""
MOMENT_WORTH_S = 20.0
"""The same for a moment of a teaser, which is a few seconds long and chosen for what it shows (at 60 a third of it went astray)."""


def at_utterance_ends(
    pieces: Sequence[Span], sentences: Sequence[Sentence], placed: Sequence[Edges], grow_s: float, worth_s: float = WORTH_S
) -> tuple[Span, ...]:
    """Move the edges of a clip's pieces to where utterances end; pieces keep their order and never share a sentence.

    `placed` says for every sentence where it may be cut out, `grow_s` how many seconds the clip may grow by in all, `worth_s`
    how many a sure end is worth over none. Edges that surely lie between utterances stay to the millisecond, as does a piece
    without speech.
    """
    middles = [(sentence.start + sentence.end) / 2 for sentence in sentences]
    held = [(bisect_left(middles, piece.start), bisect_right(middles, piece.end) - 1) for piece in pieces]
    moved = list(pieces)
    for number, (first, last) in enumerate(held):
        if last < first:
            continue
        before = max((b for _, b in held if b < first), default=-1)
        behind = min((a for a, b in held if last < a <= b), default=len(sentences))
        piece = pieces[number]
        begin, _ = settle(first, last, placed, (before + 1, last), outward_s=grow_s, inward_s=INWARD_S, worth_s=worth_s)
        start = piece.start if begin == first else placed[begin].start
        grow_s = max(grow_s - max(piece.start - start, 0.0), 0.0)
        _, finish = settle(begin, last, placed, (begin, behind - 1), outward_s=grow_s, inward_s=INWARD_S, worth_s=worth_s)
        end = max(piece.end if finish == last else placed[finish].end, start)
        grow_s = max(grow_s - max(end - piece.end, 0.0), 0.0)
        held[number], moved[number] = (begin, finish), Span(start, end)
    return tuple(moved)
