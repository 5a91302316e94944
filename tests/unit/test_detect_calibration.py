"""Confidences are moved towards what is right, per set of channels, and keep their order."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from clipper.detect import constants as c
from clipper.detect.calibration import adjusted, calibrated, family_of, topic_confidence
from clipper.detect.explanations import ALL_CHANNELS
from clipper.values import AudienceLog, Box, Card, Comment, Evidence, Order, Picture, Segment, Sighting

EMPTY = Evidence(duration=60.0, language="zh", sentences=(), mentions=(), log=AudienceLog())


@pytest.mark.parametrize("family", sorted(c.CALIBRATION))
def test_order_is_kept_and_certainty_is_not_invented(family: str) -> None:
    values = [adjusted(n / 50, family) for n in range(51)]
    assert all(0 <= a < b <= 1 for a, b in pairwise(values[1:-1]))
    assert all(value <= n / 50 + 0.03 for n, value in enumerate(values) if n >= 25)


def test_what_is_oftener_wrong_is_believed_less() -> None:
    cards, others, speech, pieces = (adjusted(0.95, family) for family in ("cards", "others", "speech", "pieces"))
    assert cards > others > pieces
    assert speech > pieces
    assert adjusted(0.7, "topics") == pytest.approx(0.7)


def test_the_family_is_what_speaks() -> None:
    sighting = Sighting(3.0, "A", Box(0, 0, 1, 1), 0.9)
    picture = Picture(looks=(), cuts=(), faces=(), sightings=(sighting,))
    logs = {
        "cards": AudienceLog(cards=(Card(1.0, "A"),), orders=(Order(1.0, "A", 1.0),)),
        "others": AudienceLog(comments=(Comment(1.0, "u", "A?"),), cards=()),
        "speech": AudienceLog(comments=(), orders=()),
    }
    for family, log in logs.items():
        assert family_of(replace(EMPTY, log=log), ALL_CHANNELS) == family
    assert family_of(replace(EMPTY, picture=picture), ALL_CHANNELS) == "others"
    assert family_of(replace(EMPTY, picture=replace(picture, sightings=())), ALL_CHANNELS) == "speech"
    assert family_of(replace(EMPTY, log=logs["cards"]), ("speech",)) == "speech"


def test_products_and_topics_are_told_apart() -> None:
    product = Segment(sku="A", start=0.0, end=20.0, confidence=0.9)
    unknown = replace(product, sku="unknown-1")
    one, other = calibrated((product, unknown), EMPTY, ALL_CHANNELS, matched=True)
    assert one.confidence == round(adjusted(0.9, "speech"), 3) != 0.9
    assert other.confidence == 0.9
    assert calibrated((product,), EMPTY, ALL_CHANNELS, matched=False)[0].confidence == 0.9


def test_pieces_of_one_pitch_are_believed_less_where_only_speech_tells() -> None:
    first = Segment(sku="A", start=0.0, end=40.0, confidence=0.9)
    between, again = replace(first, sku="B", start=45.0, end=80.0), replace(first, start=85.0, end=120.0)
    later = replace(first, start=120.0 + c.PIECES_APART + 1, end=300.0)
    told = [s.confidence for s in calibrated((first, between, again, later), EMPTY, ALL_CHANNELS, matched=True)]
    assert told[0] == told[2] == round(adjusted(0.9, "pieces"), 3) < 0.8
    assert told[1] == told[3] == round(adjusted(0.9, "speech"), 3) > 0.8
    shown = replace(EMPTY, log=AudienceLog(cards=(Card(1.0, "A"),)))
    assert {s.confidence for s in calibrated((first, again), shown, ALL_CHANNELS, matched=True)} == {round(adjusted(0.9, "cards"), 3)}


def test_each_sign_of_a_whole_topic_raises_its_confidence() -> None:
    usual = topic_confidence(40.0, 0.5, False, 0.3)
    assert usual < min(
        topic_confidence(80.0, 0.5, False, 0.3),
        topic_confidence(40.0, 1.0, False, 0.3),
        topic_confidence(40.0, 0.5, True, 0.3),
        topic_confidence(40.0, 0.5, False, 0.6),
    )
    assert topic_confidence(600.0, 1.0, True, 0.99) == c.TOPIC_MOST
    assert 0 < topic_confidence(1.0, 0.0, False, 0.02) < 0.05
