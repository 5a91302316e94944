"""Explanations of every shape from speech alone: short, long, interrupted, repeated, by two hosts; and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clipper import detect
from clipper.detect.cues import find_cues
from clipper.detect.explanations import find_explanations
from clipper.values import AudienceLog, Catalog, Product, Segment, Transcript
from tests.bench.detect.scripts import spoken

LADDER = Product(sku="L", title="稳步 家用折叠梯 四步 加厚踏板", aliases=("折叠梯", "梯子"), price=189.0, list_price=329.0, link=1)
DRILL = Product(sku="D", title="钻邦 无线手电钻 12V 套装", aliases=("手电钻", "电钻"), price=159.0, list_price=299.0, link=2)
TAPE = Product(sku="T", title="粘得牢 纳米双面胶 透明 3米", aliases=("双面胶",), price=12.9, list_price=29.0, link=3)
TENT = Product(sku="N", title="Brookline Two Person Tent, 3 Season", aliases=("tent",), price=129.0, list_price=210.0, link=1)
STOVE = Product(sku="S", title="Embercroft Folding Camp Stove", aliases=("camp stove", "stove"), price=39.0, list_price=65.0, link=2)
LANTERN = Product(sku="A", title="Embercroft Lantern, USB, 400 lumen", aliases=("lantern",), price=24.0, list_price=40.0, link=3)
GREETING = ("", "大家晚上好，欢迎来到直播间，刚进来的朋友先坐。")
CLOSING = ("", "今天就到这里，记得点个关注，明天见，拜拜。")
OF_LADDER = (
    ("L", "接下来这把折叠梯，四步的，铝合金。"),
    ("L", "你看我一百八十斤站上去，踏板一点都不晃。"),
    ("L", "折叠梯收起来只有一个手掌这么厚，塞门后面就行。"),
    ("L", "外面卖三百二十九，今天到手价一百八十九，一号链接，抓紧拍。"),
)
OF_DRILL = (
    ("D", "下一个是手电钻，十二伏的，女生一只手拿得动。"),
    ("D", "这把手电钻打木板，你看一下子就进去了。"),
    ("D", "两块电池，二十八个钻头，全在箱子里。"),
    ("D", "原价两百九十九，今天只要一百五十九，二号链接去拍。"),
)
OF_TAPE = (
    ("T", "然后是这个双面胶，透明的，贴墙上不留印子。"),
    ("T", "双面胶挂一桶水，纹丝不动。"),
    ("T", "十二块九一卷，三号链接，只剩两百卷。"),
)
OF_TENT = (
    ("N", "First up, this is the two person tent, and it goes up in four minutes."),
    ("N", "The tent has two doors, so nobody climbs over anybody."),
    ("N", "I poured a bucket of water on it and the floor stayed dry."),
    ("N", "Two hundred and ten in the shops, one hundred and twenty nine tonight, link number one, hurry."),
)
OF_STOVE = (
    ("S", "Next up, the camp stove, it folds down to the size of a book."),
    ("S", "The stove boils a litre in three minutes, watch the flame."),
    ("S", "Sixty five is the regular price, thirty nine dollars tonight, link number two, only eighty left."),
)


def explained(lines: Sequence[tuple[str, str]], products: tuple[Product, ...], language: str = "zh") -> tuple[tuple[Segment, ...], float]:
    """Find the explanations of a script of (sku or nothing, sentence), and the share of its seconds that are right."""
    sentences = spoken([text for _, text in lines], language)
    transcript = Transcript(language=language, sentences=sentences, heard=(), duration=sentences[-1].end + 2, engine="s", model="s")
    evidence = detect.gather(transcript, Catalog(path=None, products=products), AudienceLog(), None, None)
    segments = find_explanations(evidence, products).segments
    right = total = 0.0
    for (sku, _), sentence in zip(lines, sentences, strict=True):
        middle = (sentence.start + sentence.end) / 2
        found = next((s for s in segments if s.start <= middle < s.end), None)
        is_cut_out = found is not None and any(gap.start <= middle < gap.end for gap in found.interruptions)
        right += (sentence.end - sentence.start) * (("" if found is None or is_cut_out else found.sku) == sku)
        total += sentence.end - sentence.start
    return segments, right / total


ALL = (LADDER, DRILL, TAPE)


def test_a_short_explanation_between_others_is_one() -> None:
    segments, right = explained([GREETING, *OF_LADDER, *OF_TAPE, *OF_DRILL, CLOSING], ALL)
    assert [s.sku for s in segments] == ["L", "T", "D"]
    assert right >= 0.95
    assert 8 <= segments[1].span.duration <= 20


def test_a_pitch_of_three_minutes_with_little_to_tell_it_by_stays_whole() -> None:
    middle = (
        "我爸那年换灯泡，踩着凳子摔下来，躺了三个月。",
        "从那以后我们家就不让人踩凳子了。",
        "你看这个铆钉，一颗一颗打的，不是焊的。",
        "脚上有胶垫，瓷砖上蹬都蹬不动。",
        "我邻居借去刷墙，刷了一个礼拜没还我。",
        "最上面这一格能放油漆桶，还能挂刷子。",
        "扶手比一般的高二十公分，膝盖能靠着。",
        "小孩爬上去也翻不了，下面这个宽度是算过的。",
        "颜色两种，白的和灰的，我家用灰的，耐脏。",
        "重量五公斤，我妈七十岁，单手拎上楼。",
        "收起来的时候这个扣子一按，咔的一声就锁住了。",
        "工厂在永康，我去看过，一天只出三百把。",
        "还有一个事，踏板背面你们看，也是加厚的。",
        "装灯、擦玻璃、够柜顶，一年用不了几次，可是没有真不行。",
        "物业的师傅看见了，问我哪儿买的。",
    )
    pitch = [*OF_LADDER[:3], *(("L", text) for text in middle * 2), ("L", "折叠梯，三百二十九的，今天一百八十九，一号链接，手慢无。")]
    segments, right = explained([GREETING, *pitch, *OF_DRILL, CLOSING], ALL)
    assert [s.sku for s in segments] == ["L", "D"]
    assert segments[0].span.duration >= 120
    assert right >= 0.95


def test_what_was_interrupted_and_resumed_leaves_the_interruption_out() -> None:
    aside = [
        ("", "等我一下，门口好像有人敲门。"),
        ("", "是送水的师傅，放门口就行，谢谢啊，钱我转你。"),
        ("", "哈哈，评论区说我家天天送水，我家人多嘛。"),
        ("", "来抽个奖吧，评论区打一个字，截图抽三位，送小礼物。"),
        ("", "恭喜这三位中奖的朋友，联系客服领奖。"),
    ]
    back = ("L", "好，接着说梯子，折叠梯的踏板是防滑的，下雨天也不怕。")
    segments, right = explained([GREETING, *OF_LADDER[:3], *aside, back, OF_LADDER[3], *OF_DRILL, CLOSING], ALL)
    assert [s.sku for s in segments] in (["L", "D"], ["L", "L", "D"])
    assert right >= 0.88


def test_a_product_that_comes_again_later_is_explained_twice() -> None:
    again = [("L", "刚进来的朋友，再讲一遍这把折叠梯。"), *OF_LADDER[1:]]
    segments, right = explained([GREETING, *OF_LADDER, *OF_DRILL, *OF_TAPE, *again, CLOSING], ALL)
    assert [s.sku for s in segments] == ["L", "D", "T", "L"]
    assert right >= 0.95


def test_two_hosts_who_hand_over_and_talk_into_it_are_one_show() -> None:
    lines = [
        GREETING,
        ("", "旁边这位是小陈，今天我俩一人讲一半。"),
        *OF_LADDER[:2],
        ("L", "我补一句啊，梯子的胶垫我换过，十块钱一副。"),
        ("L", "你别打岔，我站着呢，你扶一下。"),
        ("L", "不用扶，稳得很。"),
        *OF_LADDER[2:],
        ("", "行，该你了小陈。"),
        *OF_DRILL[:2],
        ("D", "给我试试，哎这个劲儿真大。"),
        ("D", "他昨天拿它拧了一天的柜子。"),
        *OF_DRILL[2:],
        CLOSING,
    ]
    segments, right = explained(lines, ALL)
    assert [s.sku for s in segments] == ["L", "D"]
    assert right >= 0.85


QUARREL_ZH = ("", "谁在骂人呢，说双面胶一撕墙皮就掉，你买过吗，没买过别喷。")
QUARREL_EN = ("", "Whoever wrote that the stove is junk, calm down, I'm not arguing with you.")


@pytest.mark.parametrize(
    ("lines", "products", "language", "expected"),
    [
        ([GREETING, *OF_LADDER, QUARREL_ZH, ("", "算了，懒得跟他说。"), *OF_DRILL, CLOSING], ALL, "zh", ["L", "D"]),
        (
            [*OF_TENT, QUARREL_EN, ("", "Anyway, let's be kind to each other."), ("", "See you tomorrow, good night everyone.")],
            (TENT, STOVE),
            "en",
            ["N"],
        ),
    ],
)
def test_a_product_named_in_a_quarrel_is_not_explained(
    lines: list[tuple[str, str]], products: tuple[Product, ...], language: str, expected: list[str]
) -> None:
    segments, _ = explained(lines, products, language)
    assert [s.sku for s in segments] == expected


def test_an_answer_after_the_last_offer_is_no_second_explanation() -> None:
    end = [
        ("", "Somebody's asking for the tent again, yes, it's still there, number one, forty or so."),
        ("", "And no, I did not sleep in it, my neighbour did, and he snores."),
        ("", "So that's tent at one, stove at two, lantern three."),
        ("", "Go to bed, all of you, see you tomorrow, good night."),
    ]
    segments, right = explained([*OF_TENT, *OF_STOVE, *end], (TENT, STOVE, LANTERN), "en")
    assert [s.sku for s in segments] == ["N", "S"]
    assert right >= 0.95


def test_an_answer_after_an_offer_does_not_belong_to_it() -> None:
    asked = [("", "问能不能开发票，能的，找客服。"), ("", "外面又下雨了，这个天气真是的。")]
    _, right = explained([GREETING, *OF_LADDER, *asked, *OF_DRILL, CLOSING], ALL)
    assert right >= 0.95


def test_a_word_that_something_is_shortened_onto_is_the_same_word() -> None:
    (cue, *_) = find_cues(spoken(["Somebody's back on the scales."], "en"), "en")
    assert (cue.kind, cue.text) == ("question", "Somebody's")
