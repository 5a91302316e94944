"""What pulls a viewer in: peaks of demonstrations, results, the opening of an offer; not what leads to them or follows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clipper import detect
from clipper.detect import drama
from clipper.detect.reading import Read, read
from clipper.detect.teasers import find_teasers
from clipper.values import AudienceLog, Catalog, Evidence, Product, Segment, Track, Transcript
from tests.bench.detect.scripts import spoken

KETTLE = Product(sku="K", title="Larkfield Gooseneck Kettle 0.9 L", aliases=("kettle",), price=48.0, list_price=80.0)
LINES = [
    "So this is the kettle, and I have owned mine for a year.",
    "The spout is long and thin, and the handle is made of walnut.",
    "The base is wide and it stands on any kind of hob you own.",
    "Now watch, I tip it all the way over and shake it.",
    "Not a single drop came out of there.",
    "The lid has a small vent so the steam goes up and not at you.",
    "You pay eighty dollars in the shops for this one.",
    "With me the price is forty eight dollars.",
    "Two hundred kettles only, hurry, three, two, one, it is live.",
    "One hundred and forty left, hurry.",
    "Ninety left now, be quick.",
]
RAISED = {4: 6.0, 8: 7.0, 9: 6.0, 10: 6.0}
"""Decibels above the host's usual level."""


def stream_of(lines: list[str], raised: dict[int, float], language: str = "en") -> tuple[Evidence, Read]:
    sentences = spoken(lines, language)
    levels = np.full(int((sentences[-1].end + 3) / 0.05), -60.0)
    for number, sentence in enumerate(sentences):
        levels[int(sentence.start / 0.05) : int(sentence.end / 0.05)] = -20.0 + raised.get(number, 0.1 * (number % 3))
    transcript = Transcript(
        language=language, sentences=sentences, heard=(), duration=sentences[-1].end + 3, engine="script", model="script"
    )
    loud = Track(step=0.05, values=tuple(levels.tolist()))
    evidence = detect.gather(transcript, Catalog(path=None, products=(KETTLE,)), AudienceLog(), None, loud)
    return evidence, read(evidence, (KETTLE,))


def whole(stream: Read) -> Segment:
    return Segment(sku="K", start=0.5, end=float(stream.ends[-1]) + 0.5, confidence=0.9, reasons=())


def test_the_talk_of_money_begins_with_its_first_price_and_opens_at_the_first_call() -> None:
    evidence, stream = stream_of(LINES, RAISED)
    where = drama.places(stream, [whole(stream)], drama.energy(evidence, stream.sentences))
    assert [place.sells for place in where] == [False] * 6 + [True] * 5
    assert [at for at, place in enumerate(where) if place.calls] == [8]


def test_a_result_and_an_opening_are_worth_more_than_what_leads_to_them_and_what_follows() -> None:
    evidence, stream = stream_of(LINES, RAISED)
    loud = drama.energy(evidence, stream.sentences)
    where = drama.places(stream, [whole(stream)], loud)
    worth = [drama.worth(done, place, {}, 3.0, 0.3) for done, place in zip(drama.deeds(stream, where, loud), where, strict=True)]
    assert sorted(np.argsort(worth)[-2:].tolist()) == [4, 8]


def test_without_a_log_of_loudness_words_alone_tell() -> None:
    evidence, stream = stream_of(LINES, RAISED)
    assert not drama.energy(replace(evidence, loudness=None), stream.sentences).any()
    silent = np.zeros(len(stream.sentences))
    where = drama.places(stream, [whole(stream)], silent)
    assert [at for at, place in enumerate(where) if place.calls] == [8]
    done = drama.deeds(stream, where, silent)
    assert done[4]["result"] == 1.0
    assert done[4]["shown"] == 1.0


def test_level_is_measured_over_what_is_said_and_not_over_pauses() -> None:
    evidence, stream = stream_of(LINES, {})
    assert evidence.loudness is not None
    first = stream.sentences[0]
    levels = np.array(evidence.loudness.values)
    levels[int(first.start / 0.05) : int((first.start + first.end) / 0.1)] = -60.0
    gapped = replace(evidence, loudness=replace(evidence.loudness, values=tuple(levels.tolist())))
    assert abs(drama.energy(gapped, stream.sentences)[0] - drama.energy(evidence, stream.sentences)[0]) < 0.5


def test_a_teaser_shows_result_and_opening_as_whole_sentences() -> None:
    evidence, stream = stream_of(LINES, RAISED)
    (teaser,) = find_teasers(evidence, [whole(stream)], (), stream, stream.placed)
    for at in (4, 8):
        middle = (stream.starts[at] + stream.ends[at]) / 2
        assert any(piece.start < middle < piece.end for piece in teaser.pieces)
    for piece in teaser.pieces:
        assert not [s for s in stream.sentences if s.start + 0.03 < piece.start < s.end - 0.03 or s.start + 0.03 < piece.end < s.end - 0.03]


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("摔了三回，一道印子都没有。", True),
        ("连边上那条缝都不透光。", True),
        ("才两分钟，就干透了。", True),
        ("这块表有三种颜色。", False),
        ("It didn't even leave a mark.", True),
        ("Ten minutes ago this was flour.", True),
        ("It comes in green and in grey.", False),
        ("I want the front one.", False),
    ],
)
def test_results_are_told_by_how_they_are_said(text: str, shows: bool) -> None:
    _, stream = stream_of([text, text], {}, "zh" if ord(text[0]) > 255 else "en")
    nothing = np.zeros(2)
    done = drama.deeds(stream, drama.places(stream, [], nothing), nothing)
    assert bool(done[0].keys() & {"result", "contrast"}) is shows
