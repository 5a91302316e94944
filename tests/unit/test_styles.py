"""Styles that ship are complete and readable; styles of one's own are checked word by word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clipper.errors import InputError
from generators.product_words import describe_product, kind_of, short_name
from generators.styles import NEGATIVE, ORDER, prompt_for, style_named, style_names, styles
from generators.values import Style, Subject

FOLDER = Path(__file__).parent.parent.parent / "generators" / "styles"


def subject(title: str, category: str = "") -> Subject:
    return Subject(name="x", sku=None, title=title, category=category, photos=(), cutouts=())


def light_of(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((light_of(one), light_of(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_file_is_a_style_and_in_the_order() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == sorted(ORDER)
    assert style_names() == ORDER
    assert [style.name for style in styles()] == list(ORDER)
    assert len(ORDER) >= 8


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_a_style_is_readable_and_moves(style: Style) -> None:
    palette = style.palette
    assert min(contrast(palette.ink, palette.background), contrast(palette.ink, palette.background_end)) >= 4.5
    assert contrast(palette.accent, palette.on_accent) >= 4.5
    assert style.label != style.label_en
    assert len(style.moves) >= 4
    assert len(style.lights) >= 2
    assert style.negative.endswith(NEGATIVE)


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_prompts_keep_the_product_still_and_write_nothing(style: Style) -> None:
    for shot in range(len(style.moves) + 1):
        prompt = prompt_for(style, subject("Kestrow Swiftlin trail shoe"), shot)
        assert "{" not in prompt
        assert "Kestrow Swiftlin trail shoe" in prompt
        assert "the product does not move" in prompt
        assert prompt.isascii()
        assert 40 <= len(prompt.split()) <= 110
        assert not re.search(r"(?<!\w)'|'(?!\w)|[\"“”]", prompt), "what is quoted gets written"
        assert style.camera[shot % len(style.camera)][4:] in prompt
    assert "text" in style.negative


def test_styles_differ() -> None:
    for name in ("palette", "prompt", "background", "light", "negative"):
        assert len({getattr(style, name) for style in styles()}) == len(ORDER), name
    assert len({(style.backdrop, style.type, style.price_badge, style.title_at) for style in styles()}) >= 8
    assert len({style.backdrop for style in styles()}) >= 5


@pytest.mark.parametrize(
    ("asked", "found"),
    [("明亮居家", "bright-home"), ("Tech blue", "tech-blue"), (" LUXURY DARK ", "luxury-dark"), ("tech-blue", "tech-blue")],
)
def test_styles_are_found_by_label_too(asked: str, found: str) -> None:
    assert style_named(asked).name == found


def test_a_misspelt_style_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean luxury-dark"):
        style_named("luxry-drak")
    with pytest.raises(InputError, match="known: clean-studio"):
        style_named("qqqq")


def test_a_style_of_ones_own_builds_on_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('based_on = "clean-studio"\nlabel = "我的"\npace_s = 3.5\n[palette]\naccent = "#ff0000"\n', encoding="utf-8")
    style, base = style_named(str(file)), style_named("clean-studio")
    assert (style.name, style.label, style.pace_s, style.source) == ("mine", "我的", 3.5, str(file))
    assert style.palette.accent == "#ff0000"
    assert style.palette.ink == base.palette.ink
    assert style.negative == base.negative


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('based_on = "clean-studio"\npaces_s = 2\n', "paces_s is not a setting; did you mean pace_s"),
        ('based_on = "clean-studio"\n[palette]\naccents = "#ff0000"\n', "palette.accents is not a setting; did you mean accent"),
        ('based_on = "clean-studio"\n[palette]\naccent = "red"\n', "palette.accent = 'red'"),
        ('based_on = "clean-studio"\npace_s = 9\n', "pace_s = 9, expected 1 to 6"),
        ('based_on = "clean-studio"\nbackdrop = "beach"\n', "beach"),
        ('based_on = "clean-studio"\nmoves = ["push_in"]\n', "4 entries in camera and 1 in moves"),
        ('based_on = "clean-studio"\nmoves = []\ncamera = []\n', "at least one"),
        ('based_on = "clean-studio"\nprompt = "{produkt} stands"\n', "did you mean {product}"),
        ('based_on = "clean-studio"\nprompt = "a still life"\n', "no slot {product}"),
        ('based_on = "clean-studio"\nprompt = "{product} {"\n', "stray brace"),
        ('based_on = "clean-sudio"\n', "did you mean clean-studio"),
        ('label = "leer"\n', "prompt"),
        ("label = \n", "not valid TOML"),
    ],
)
def test_a_mistake_in_a_style_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        style_named(str(file))
    with pytest.raises(InputError, match="could not read style"):
        style_named(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("title", "category", "words"),
    [
        ("小满山房 茉莉花茶 浓香型", "食品/茶叶", "the pack of tea in the picture (小满山房 茉莉花茶 浓香型)"),
        ("北巷 羊毛围巾", "", "the scarf in the picture (北巷 羊毛围巾)"),
        ("Kestrow trail shoe", "", "the Kestrow trail shoe in the picture"),
        ('神秘"礼物"【限量】', "", "the product in the picture (神秘 礼物 限量)"),
        ("", "", "the product in the picture"),
        ("", "厨房", "the kitchen article in the picture"),
    ],
)
def test_products_are_named_for_models(title: str, category: str, words: str) -> None:
    assert describe_product(subject(title, category)) == words


def test_long_titles_are_cut_at_words_and_braces_are_harmless() -> None:
    assert short_name("one two three four five six seven eight nine ten") == "one two three four five six seven eight"
    assert len(short_name("很" * 100)) == 40
    assert kind_of("不锈钢保温杯") == "insulated bottle"
    assert "{light}" not in prompt_for(style_named("tech-blue"), subject("{light} lamp"), 0)
