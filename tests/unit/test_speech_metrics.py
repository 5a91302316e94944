"""The evaluator is itself tested: a benchmark is worth what its ruler is worth."""

from __future__ import annotations

import pytest

from tests.bench.metrics import boundary_errors, cer, normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("五百毫升", "500毫升"),
        ("三一六不锈钢", "316不锈钢"),
        ("原价一百二十九，今天五十九", "原价129今天59"),
        ("百分之三十的羊毛", "30的羊毛"),
        ("30%的羊毛", "30的羊毛"),
        ("一万两千三百块", "12300块"),
        ("一百二", "120"),
        ("一百零二", "102"),
        ("十斤", "10斤"),
        ("三点五折", "35折"),
        ("3.5折", "35折"),
        ("早上六点倒的", "早上6点倒的"),
        ("1,299元", "1299元"),
        ("這個保溫杯", "这个保温杯"),
        ("ＡＢＣ　ok!", "abcok"),
    ],
)
def test_normalises(text: str, expected: str) -> None:
    assert normalised(text) == expected


def test_counts_edits_over_the_reference() -> None:
    assert cer("保温杯五百毫升", "保溫杯500毫升。") == 0
    assert cer("一二三四", "一二四") == 0.25
    assert cer("好", "") == 1


def test_refuses_an_empty_reference() -> None:
    with pytest.raises(ValueError, match="reference"):
        cer("，。", "好")


def test_boundary_errors_are_signed_and_per_side() -> None:
    assert boundary_errors([(1.0, 2.0)], [(1.25, 1.5), (9.0, 10.0)]) == [0.25, -0.5]
