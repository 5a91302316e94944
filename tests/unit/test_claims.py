"""What a host promises, whether it perishes, and which sentences can go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipper.claims import ClaimOptions, find_claims, forbidden_in_title, removable
from clipper.errors import InputError
from clipper.values import Claim, Product, Sentence, Word

PAN = Product(sku="A", title="炒锅", price=129.0, list_price=299.0)
BAG = Product(sku="B", title="Backpack", price=89.0, list_price=149.0, currency="USD")
OPTIONS = ClaimOptions()


def say(text: str, start: float = 10.0, step: float = 0.25) -> Sentence:
    """One word a character, as recognizers write Chinese."""
    return Sentence(tuple(Word(start + i * step, start + (i + 1) * step, character) for i, character in enumerate(text)))


def claims(text: str, product: Product | None = PAN, language: str = "zh") -> tuple[Claim, ...]:
    return find_claims([say(text)], product, language, OPTIONS)


def told(text: str, product: Product | None = PAN, language: str = "zh") -> list[tuple[str, str, float | None, float | None, bool]]:
    return [(claim.kind, claim.text, claim.value, claim.catalogue, claim.perishable) for claim in claims(text, product, language)]


def kinds(text: str, product: Product | None = PAN, language: str = "zh") -> set[str]:
    return {claim.kind for claim in claims(text, product, language)}


def test_prices_know_the_catalogues_number() -> None:
    assert told("吊牌两百九十九，店里卖一百六十九，今天，一百二十九。") == [
        ("price", "两百九十九", 299.0, 299.0, False),
        ("price", "一百六十九", 169.0, 299.0, True),
        ("time", "今天", None, None, True),
        ("price", "一百二十九", 129.0, 129.0, True),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("现在只要99块9", [99.9]),
        ("拍下一百39", [139.0]),
        ("还是一百二十九，没涨价", [129.0, None]),
        ("一百二十九，盖子给你", [129.0]),
        ("算下来一瓶十五块都不到", [15.0]),
        ("第二盒半价", [None]),
        ("里面是三一六不锈钢", []),
        ("这口炒锅三十二公分的", []),
        ("重量一千二百克", []),
        ("今天有两百个人在", []),
        ("这边三十一，这边五十六", []),
        ("它有百分之三十的羊毛", []),
        ("今年三岁", []),
        ("放两块砖头进去", []),
        ("看第一百二十九页", []),
    ],
)
def test_what_is_a_price_in_chinese(text: str, values: list[float | None]) -> None:
    assert [claim.value for claim in claims(text) if claim.kind == "price"] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It's normally a hundred and forty-nine. Tonight it's eighty-nine.", [149.0, 89.0]),
        ("Retail is one-forty-nine, I've got them for $89.", [149.0, 89.0]),
        ("The lowest price was one-oh-nine.", [109.0]),
        ("Eighty-nine, number four.", [89.0]),
        ("It holds thirty-eight liters and weighs three pounds.", []),
        ("I loaded it with twenty-six pounds of rice.", []),
        ("Returns are free for thirty days.", []),
        ("Look at the second of the two pockets.", []),
    ],
)
def test_what_is_a_price_in_english(text: str, values: list[float]) -> None:
    assert [claim.value for claim in claims(text, BAG, "en") if claim.kind == "price"] == values


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("就八百箱，都准备好了", "zh", 800.0),
        ("还有一百来箱", "zh", 100.0),
        ("还剩三瓶了", "zh", 3.0),
        ("还有最后四十几瓶，", "zh", 40.0),
        ("已经走了三百箱，", "zh", 300.0),
        ("马上卖完了", "zh", None),
        ("only two hundred left", "en", 200.0),
        ("Large just sold out", "en", None),
    ],
)
def test_stock_perishes(text: str, language: str, value: float | None) -> None:
    (claim,) = [claim for claim in claims(text, PAN if language == "zh" else BAG, language) if claim.kind == "stock"]
    assert (claim.value, claim.perishable) == (value, True)


@pytest.mark.parametrize("text", ["就一个颜色", "还有一个叫枫叶", "还有十秒", "有三个口袋", "一盒十片"])
def test_small_counts_are_no_stock(text: str) -> None:
    assert "stock" not in kinds(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今晚十点之前下单", "zh"),
        ("最后五分钟", "zh"),
        ("只有今天", "zh"),
        ("限时特惠", "zh"),
        ("tonight only", "en"),
        ("last five minutes", "en"),
        ("a limited-time offer", "en"),
    ],
)
def test_times_perish(text: str, language: str) -> None:
    found = [claim for claim in claims(text, None, language) if claim.kind == "time"]
    assert found
    assert all(claim.perishable for claim in found)


@pytest.mark.parametrize("text", ["这是国家级的品质", "全网销量第一", "最好用的锅", "顶级面料", "唯一的选择"])
def test_absolute_words_are_marked(text: str) -> None:
    assert "superlative" in kinds(text)


@pytest.mark.parametrize(
    "text", ["最好先洗一下", "最大号的", "第一次用", "最后一个", "唯一的缺点是重", "我最喜欢这个", "最佳保质期", "最近很火", "最多三次"]
)
def test_exempt_words_are_not(text: str) -> None:
    assert "superlative" not in kinds(text)
    assert forbidden_in_title(text) == ()


def test_effects_count_unless_denied() -> None:
    assert "efficacy" in kinds("七天美白")
    assert "efficacy" in kinds("it cures acne", None, "en")
    assert "efficacy" not in kinds("面膜不能治疗")
    assert "efficacy" not in kinds("不管斑，不祛斑")
    assert "efficacy" not in kinds("it doesn't cure anything", None, "en")


def test_gifts_perish_and_carry_their_number() -> None:
    (gift,) = [claim for claim in claims("再送一块洗锅的海绵。") if claim.kind == "gift"]
    assert (gift.text, gift.value, gift.perishable) == ("再送一块洗锅的海绵", 1.0, True)
    assert "gift" not in kinds("这个能不能送人")
    assert "gift" in kinds("it comes with a free pouch", BAG, "en")


def test_claims_stand_where_they_are_said() -> None:
    (claim,) = [claim for claim in claims("这口锅，一百二十九，") if claim.kind == "price"]
    assert (claim.start, claim.end) == (11.0, 12.25)
    sentence = Sentence((Word(1, 2, " It's"), Word(2, 3, " $89"), Word(3, 4, " today.")))
    (price, time) = find_claims([sentence], BAG, "en", OPTIONS)
    assert (price.text, price.start, price.end) == ("$89", 2.0, 3.0)
    assert (time.text, time.start, time.end) == ("today", 3.0, 4.0)


def test_pounds_are_money_where_the_catalogue_says_so() -> None:
    pan = Product(sku="A", title="Pan", price=26.0, currency="GBP")
    assert [claim.value for claim in claims("that's twenty-six pounds", pan, "en")] == [26.0]


def test_signs_are_enough_in_other_languages() -> None:
    assert [(claim.kind, claim.value) for claim in claims("hoy solo 59 €", BAG, "es")] == [("price", 59.0)]


def test_without_a_product_cues_decide() -> None:
    assert [claim.value for claim in claims("原价一百二十九，", None) if claim.kind == "price"] == [129.0]
    assert [claim.value for claim in claims("今天一百二十九，", None) if claim.kind == "price"] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("原价两百九十九，今天一百二十九，一号链接，喜欢就带走。", "zh"),
        ("就八百箱，都准备好了啊，三号链接，三、二、一，上！", "zh"),
        ("还有一百来箱，没付款的赶紧付，真没有了。", "zh"),
        ("一号链接，已经挂上了，要的自己去拍。", "zh"),
        ("另外再送你们一块海绵。", "zh"),
        ("It's normally a hundred and forty-nine. Tonight it's eighty-nine.", "en"),
        ("Only two hundred left, hurry up!", "en"),
    ],
)
def test_sentences_of_offers_alone_can_go(text: str, language: str) -> None:
    assert removable(say(text), claims(text, PAN if language == "zh" else BAG, language))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("这口锅里面是三层涂层，铁铲也不怕，今天一百二十九。", "zh"),
        ("盖子拧紧，倒过来，一滴水都没有。", "zh"),
        ("一百五十毫升，早晚都能用，敏感肌的姐妹先试一下，六十九。", "zh"),
        ("今天换了个麦，声音会不会有点闷？", "zh"),
        ("The hip belt actually sits on your hips, and tonight it's eighty-nine.", "en"),
        ("The fabric's a ripstop, so you can drag it over rock.", "en"),
        ("", "zh"),
    ],
)
def test_sentences_about_the_product_stay(text: str, language: str) -> None:
    sentence = say(text) if text else Sentence((Word(0, 1, " "),))
    assert not removable(sentence, find_claims([sentence], PAN if language == "zh" else BAG, language, OPTIONS))


def test_titles_are_free_of_absolute_words() -> None:
    assert forbidden_in_title("全网最低价 国家级品质 顶级") == ("全网最低价", "最低价", "国家级", "顶级")
    assert forbidden_in_title("NO.1 销量第一") == ("NO.1", "销量第一")
    assert forbidden_in_title("包治百病") == ("包治",)
    assert forbidden_in_title("The best pan") == ("The best",)
    assert forbidden_in_title("厨见 麦饭石不粘炒锅 32cm 100%纯棉手柄套") == ()


def test_kinds_can_be_chosen_and_options_are_checked() -> None:
    found = find_claims([say("今天一百二十九，最好用")], PAN, "zh", ClaimOptions(kinds=("superlative",)))
    assert [claim.kind for claim in found] == ["superlative"]
    with pytest.raises(InputError, match="kinds = colour"):
        ClaimOptions(kinds=("colour",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="min_share"):
        ClaimOptions(min_share=0.0)


words = st.lists(
    st.text(alphabet="今天原价一二三百块九送最好锅，。 $59tonightonlyleft还有箱￥", min_size=1, max_size=6), min_size=1, max_size=12
)


@settings(max_examples=300)
@given(words, st.sampled_from(["zh", "en", "ja", ""]), st.sampled_from([PAN, BAG, None]))
def test_claims_lie_inside_their_sentence(texts: list[str], language: str, product: Product | None) -> None:
    sentence = Sentence(tuple(Word(i, i + 1, text) for i, text in enumerate(texts)))
    found = find_claims([sentence], product, language, OPTIONS)
    assert all(sentence.start <= claim.start < claim.end <= sentence.end for claim in found)
    assert [claim.start for claim in found] == sorted(claim.start for claim in found)
    assert removable(sentence, found) in (True, False)
