"""Names from the speech, for products that no catalogue tells."""

from __future__ import annotations

import pytest

from clipper.detect.naming import full_name, name_of
from clipper.detect.nouns import is_thing, things
from tests.bench.detect.scripts import spoken

LINES = (
    "Hello there, good to have you all.",
    "Okay so what you get here is wool slippers, in grey and in blue.",
    "Wool slippers keep the floor cold away, and the sole bends.",
    "They go into the washing machine and come out the same.",
    "Now for the copper kettle, this one whistles.",
    "The copper kettle boils in four minutes on gas.",
)


def test_a_thing_is_named_without_an_article_and_with_its_describing_word() -> None:
    sentences = spoken(LINES, "en")
    assert name_of(sentences, 1, 4) == "slippers"
    assert full_name(sentences, 1, 4, "slippers") == "wool slippers"
    assert full_name(sentences, 4, 6, name_of(sentences, 4, 6)) == "copper kettle"


@pytest.mark.parametrize(("noun", "expected"), [("", ""), ("炒锅", "炒锅"), ("kettle", "kettle")])
def test_a_name_without_a_steady_describing_word_stays_alone(noun: str, expected: str) -> None:
    assert full_name(spoken(["My kettle whistles.", "The old kettle is gone.", "A kettle."], "en"), 0, 3, noun) == expected


def test_things_head_phrases() -> None:
    assert things("I brought lip balm and a wool scarf with me.") == ("balm", "scarf")
    assert things("the kettle lid came off") == ()
    assert is_thing("slippers") and not is_thing("tonight")
