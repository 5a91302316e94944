"""Numbers as they are said, and as recognizers write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper.spoken_numbers import find_numbers, narrow

Found = list[tuple[str, float, str]]


def found(text: str, language: str) -> Found:
    """(what was read, its value, $ for money and ~ for rough)"""
    marks = [("$" if number.is_money else "") + ("~" if number.is_rough else "") for number in find_numbers(text, language)]
    return [(text[number.start : number.end], number.value, mark) for number, mark in zip(find_numbers(text, language), marks, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("九十九块九", [("九十九块九", 99.9, "$")]),
        ("三十九块九包邮", [("三十九块九", 39.9, "$")]),
        ("九十九块九毛九", [("九十九块九毛九", 99.99, "$")]),
        ("一百二十九", [("一百二十九", 129, "")]),
        ("39.9元", [("39.9元", 39.9, "$")]),
        ("两百三十九", [("两百三十九", 239, "")]),
        ("十五块都不到", [("十五块", 15, "$")]),
        ("99块9", [("99块9", 99.9, "$")]),
        ("一百39", [("一百39", 139, "")]),
        ("1百39块钱", [("1百39块钱", 139, "$")]),
        ("¥59.9", [("¥59.9", 59.9, "$")]),
        ("１２９元", [("１２９元", 129, "$")]),
        ("两毛钱一只", [("两毛钱", 0.2, "$"), ("一", 1, "")]),
        ("五毛", [("五毛", 0.5, "$")]),
        ("一百三", [("一百三", 130, "")]),
        ("一百零三", [("一百零三", 103, "")]),
        ("一千零五十", [("一千零五十", 1050, "")]),
        ("三万五", [("三万五", 35000, "")]),
        ("3.9万", [("3.9万", 39000, "")]),
        ("七八十", [("七八十", 70, "~")]),
        ("两三百", [("两三百", 200, "~")]),
        ("十五六块", [("十五六块", 15, "$~")]),
        ("四十几瓶", [("四十几", 40, "~")]),
        ("一百来箱", [("一百来", 100, "~")]),
        ("两百出头", [("两百", 200, "~")]),
        ("几十块", []),
        ("六十九一瓶", [("六十九", 69, ""), ("一", 1, "")]),
        ("三十九块一箱", [("三十九块", 39, "$"), ("一", 1, "")]),
        ("一百一瓶", [("一百", 100, ""), ("一", 1, "")]),
        ("三块五一斤", [("三块五", 3.5, "$"), ("一", 1, "")]),
        ("放两块砖头", [("两", 2, "")]),
        ("三一六不锈钢", [("三一六", 316, "")]),
        ("二零二六年", [("二零二六", 2026, "")]),
        ("百分之三十", []),
        ("30%的羊毛", []),
        ("五点九", [("五点九", 5.9, "")]),
        ("十点之前", [("十", 10, "")]),
        ("八点三十", [("八", 8, ""), ("三十", 30, "")]),
        ("三、二、一", [("三", 3, ""), ("二", 2, ""), ("一", 1, "")]),
        ("万一千万别", [("一千万", 10_000_000, "")]),
    ],
)
def test_chinese(text: str, expected: Found) -> None:
    assert found(text, "zh") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fifty-nine dollars", [("fifty-nine dollars", 59, "$")]),
        ("one-oh-nine", [("one-oh-nine", 109, "")]),
        ("one twenty", [("one twenty", 120, "")]),
        ("$59", [("$59", 59, "$")]),
        ("$1,299.00", [("$1,299.00", 1299, "$")]),
        ("US$ 9.50", [("US$ 9.50", 9.5, "$")]),
        ("59 bucks", [("59 bucks", 59, "$")]),
        ("a hundred and forty-nine", [("a hundred and forty-nine", 149, "")]),
        ("one thousand two hundred and fifty", [("one thousand two hundred and fifty", 1250, "")]),
        ("fifty-nine ninety-nine", [("fifty-nine ninety-nine", 59.99, "")]),
        ("59 dollars and 99 cents", [("59 dollars and 99 cents", 59.99, "$")]),
        ("ninety-nine cents", [("ninety-nine cents", 0.99, "$")]),
        ("about two hundred of these", [("two hundred", 200, "~")]),
        ("Three, two, one, go", [("Three", 3, ""), ("two", 2, ""), ("one", 1, "")]),
        ("twenty percent off", []),
        ("a pack", []),
    ],
)
def test_english(text: str, expected: Found) -> None:
    assert found(text, "en") == expected


def test_other_languages_have_digits_alone() -> None:
    assert found("Nur 59,90 € und one two", "de")[0][0].startswith("59")
    assert found("solo 59 € hoy", "es") == [("59 €", 59, "$")]


def chinese(value: int) -> str:
    """Write a number below 10,000 as Chinese numerals."""
    if value < 10:
        return "零一二三四五六七八九"[value]
    for unit, name in ((1000, "千"), (100, "百"), (10, "十")):
        if value >= unit:
            head, rest = divmod(value, unit)
            tail = "" if rest == 0 else ("零" if rest < unit // 10 else "") + chinese(rest)
            return chinese(head) + name + tail
    raise AssertionError(value)


@given(st.integers(1, 9999))
def test_every_written_number_is_read(value: int) -> None:
    assert [number.value for number in find_numbers(chinese(value), "zh")] == [value]
    assert [number.value for number in find_numbers(f"{chinese(value)}块钱", "zh")] == [value]
    assert [number.value for number in find_numbers(str(value), "zh")] == [value]


@given(st.integers(11, 9999), st.integers(1, 9))
def test_every_price_with_a_tenth_is_read(value: int, tenth: int) -> None:
    (number,) = find_numbers(f"{chinese(value)}块{chinese(tenth)}，", "zh")
    assert number.is_money
    assert number.value == pytest.approx(value + tenth / 10)


@settings(max_examples=300)
@given(
    st.text(alphabet="零一二两三四五六七八九十百千万亿点几块元毛分半多来0123456789.,¥%第 -oneandtwentyhundredoh$瓶", max_size=24),
    st.sampled_from(["zh", "en", "fr"]),
)
def test_places_are_in_order_and_inside(text: str, language: str) -> None:
    numbers = find_numbers(text, language)
    edges = [edge for number in numbers for edge in (number.start, number.end)]
    assert edges == sorted(edges)
    assert all(0 <= number.start < number.end <= len(text) and number.value >= 0 for number in numbers)


@given(st.text(max_size=40))
def test_narrowing_keeps_every_place(text: str) -> None:
    assert len(narrow(text)) == len(text)
