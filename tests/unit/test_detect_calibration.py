"""Confidences are moved towards what is right, keep their order, and pieces of a pitch are believed less."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from clipper.detect import constants as c
from clipper.detect.calibration import calibrated, moved, topic_confidence
from clipper.values import Segment

FIRST = Segment(sku="A", start=0.0, end=40.0, confidence=0.9)


@pytest.mark.parametrize("shift", [c.WHOLE_SHIFT, c.PIECE_SHIFT])
def test_order_is_kept_and_certainty_is_not_invented(shift: float) -> None:
    values = [moved(n / 50, shift) for n in range(51)]
    assert all(0 < a < b < 1 for a, b in pairwise(values))
    assert all(value <= n / 50 + 0.08 for n, value in enumerate(values))
    assert moved(moved(0.7, shift), -shift) == pytest.approx(0.7)


def test_products_are_moved_and_things_without_one_are_not() -> None:
    one, other = calibrated((FIRST, replace(FIRST, sku="unknown-1")))
    assert one.confidence == round(moved(0.9, c.WHOLE_SHIFT), 3) > 0.9
    assert other.confidence == 0.9


def test_pieces_of_one_pitch_are_believed_less() -> None:
    between, again = replace(FIRST, sku="B", start=45.0, end=80.0), replace(FIRST, start=85.0, end=120.0)
    later = replace(FIRST, start=120.0 + c.PIECES_APART + 1, end=300.0)
    told = [s.confidence for s in calibrated((FIRST, between, again, later))]
    assert told[0] == told[2] == round(moved(0.9, c.PIECE_SHIFT), 3) < 0.8
    assert told[1] == told[3] == round(moved(0.9, c.WHOLE_SHIFT), 3) > 0.9


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
