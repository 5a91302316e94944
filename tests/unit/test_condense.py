"""Which sentences of an explanation a clip keeps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.condense import Block, CondenseOptions, blocks_of, condense
from clipper.errors import InputError
from clipper.values import Segment, Sentence, Span
from tests.conftest import sentence

OPTIONS = CondenseOptions(min_s=10, max_s=30)


def talk(count: int, *, length: float = 4.0, gap: float = 0.6) -> tuple[list[Sentence], list[Span]]:
    """Sentences of equal length with a real pause between any two."""
    step = length + gap
    sentences = [sentence(i * step, i * step + length, f"第{i}句话说点什么") for i in range(count)]
    return sentences, [Span(i * step + length, (i + 1) * step) for i in range(count - 1)]


def segment(sentences: list[Sentence], **more: object) -> Segment:
    return Segment(sku="A", start=sentences[0].start, end=sentences[-1].end, confidence=0.9, **more)  # type: ignore[arg-type]


def plain(block: Block) -> float:
    return block.span.duration


def test_a_fitting_explanation_is_one_piece() -> None:
    sentences, pauses = talk(5)
    done = condense(segment(sentences), sentences, pauses, OPTIONS, perishable=lambda s: False, worth=plain)
    assert done.pieces == (segment(sentences).span,)
    assert done.notes == ()


def test_perishable_sentences_go_from_the_end_and_in_the_middle() -> None:
    sentences, pauses = talk(6)
    done = condense(segment(sentences), sentences, pauses, OPTIONS, perishable=lambda s: s in (sentences[3], sentences[5]), worth=plain)
    assert len(done.pieces) == 2
    assert not any(piece.overlaps(sentences[3].span) or piece.overlaps(sentences[5].span) for piece in done.pieces)
    assert "perishable offer left out: 8 s" in done.notes[0] or "perishable offer left out: 9 s" in done.notes[0]


def test_a_perishable_sentence_stays_where_the_clip_would_be_too_short() -> None:
    sentences, pauses = talk(3)
    done = condense(segment(sentences), sentences, pauses, OPTIONS, perishable=lambda s: s is not sentences[0], worth=plain)
    assert sum(piece.duration for piece in done.pieces) >= OPTIONS.min_s - 0.5


def test_the_first_block_always_stays() -> None:
    sentences, pauses = talk(12)
    done = condense(segment(sentences), sentences, pauses, OPTIONS, perishable=lambda s: True, worth=lambda b: -1)
    assert done.pieces[0].start == sentences[0].start


def test_a_long_interruption_goes_and_a_short_one_stays() -> None:
    sentences, pauses = talk(6)
    long = Span(sentences[2].start, sentences[3].end)
    short = Span(sentences[2].start, sentences[2].end)
    cut = condense(segment(sentences, interruptions=(long,)), sentences, pauses, OPTIONS, perishable=lambda s: False, worth=plain)
    assert not any(piece.shared(sentences[2].span) > 0 for piece in cut.pieces)
    kept = condense(segment(sentences, interruptions=(short,)), sentences, pauses, OPTIONS, perishable=lambda s: False, worth=plain)
    assert len(kept.pieces) == 1


def test_too_long_loses_what_says_least() -> None:
    sentences, pauses = talk(10)
    done = condense(
        segment(sentences),
        sentences,
        pauses,
        OPTIONS,
        perishable=lambda s: False,
        worth=lambda block: 0.0 if block.sentences[0] in sentences[4:8] else 5.0,
    )
    assert sum(piece.duration for piece in done.pieces) <= OPTIONS.max_s
    assert not any(piece.shared(sentences[5].span) > 0 for piece in done.pieces)
    assert done.notes[-1].startswith("condensed: ")


def test_without_a_pause_nothing_is_cut() -> None:
    sentences, _ = talk(8)
    done = condense(segment(sentences), sentences, [], OPTIONS, perishable=lambda s: s is sentences[4], worth=plain)
    assert done.pieces == (segment(sentences).span,)


@given(st.integers(1, 20), st.lists(st.booleans(), min_size=20, max_size=20), st.floats(0.2, 3))
def test_pieces_are_sorted_disjoint_and_cut_in_pauses(count: int, drop: list[bool], gap: float) -> None:
    sentences, pauses = talk(count, gap=round(gap, 3))
    whole = segment(sentences)
    done = condense(whole, sentences, pauses, OPTIONS, perishable=lambda s: drop[sentences.index(s)], worth=plain)
    assert all(a.end <= b.start for a, b in pairwise(done.pieces))
    for edge in [edge for piece in done.pieces for edge in (piece.start, piece.end)]:
        assert edge in (whole.start, whole.end) or any(pause.start <= edge <= pause.end for pause in pauses)


def test_blocks_cover_all_sentences_once() -> None:
    sentences, pauses = talk(7)
    blocks = blocks_of(Span(sentences[0].start, sentences[-1].end), sentences, pauses[::2], OPTIONS)
    assert [s for block in blocks for s in block.sentences] == sentences


@pytest.mark.parametrize("wrong", [{"min_s": 50, "max_s": 40}, {"lead_s": 0.0}])
def test_wrong_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        CondenseOptions(**wrong)
