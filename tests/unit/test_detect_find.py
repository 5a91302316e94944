"""Deciding: explanations, hot items, teasers, edges and clocks, on scripted streams of other domains."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from clipper import detect
from clipper.detect.boundaries import BoundaryOptions, edges, rested, silences, usual_rest
from clipper.detect.chatter import cleaned
from clipper.detect.clocks import ClockOptions
from clipper.detect.explanations import ExplanationOptions, find_explanations
from clipper.detect.finding import FindOptions
from clipper.detect.hot_items import HotOptions
from clipper.detect.lags import attribute, deconvolve, kernel
from clipper.detect.nouns import nouns
from clipper.detect.semi_markov import Model, decode
from clipper.detect.teasers import TeaserOptions
from clipper.errors import InputError
from clipper.values import AudienceLog, Card, Catalog, Comment, Evidence, Order, Product, Sentence, Span, Track, Transcript, Viewers
from tests.bench.detect.scripts import FARM, JEWEL, SCRIPTS, Script, spoken


def evidence_of(script: Script, log: AudienceLog | None = None) -> Evidence:
    sentences = script.sentences
    transcript = Transcript(
        language=script.language, sentences=sentences, heard=(), duration=sentences[-1].end + 3, engine="script", model="script"
    )
    return detect.gather(transcript, Catalog(path=None, products=script.products), log or AudienceLog(), None, None)


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    return Span(*a).iou(Span(*b))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_explanations_are_found_from_speech_alone(script: Script) -> None:
    findings = detect.find(evidence_of(script), script.products)
    assert [segment.sku for segment in findings.segments] == [sku for sku, _, _ in script.truth]
    for segment, (_, start, end) in zip(findings.segments, script.truth, strict=True):
        assert overlap((segment.start, segment.end), (start, end)) > 0.8
        assert segment.confidence > 0.6
        assert segment.reasons


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_findings_keep_their_promises(script: Script) -> None:
    evidence = evidence_of(script)
    findings = detect.find(evidence, script.products)
    for before, after in zip(findings.segments, findings.segments[1:], strict=False):
        assert before.start < before.end <= after.start
    for teaser in findings.teasers:
        assert len(teaser.pieces) >= 1
        assert 10 <= sum(piece.duration for piece in teaser.pieces) <= 30
        assert all(0 <= piece.start < piece.end <= evidence.duration for piece in teaser.pieces)
    words = [word for sentence in evidence.sentences for word in sentence.words]
    cuts = [t for segment in findings.segments for t in (segment.start, segment.end)]
    assert not [t for t in cuts for word in words if word.start + 0.03 < t < word.end - 0.03]
    assert detect.find(evidence, script.products) == findings


def test_every_product_without_an_explanation_gets_a_reason() -> None:
    extra = Product(sku="X", title="从没出现过的 电饭煲 5升", aliases=("电饭煲",))
    products = (*FARM.products, extra)
    findings = detect.find(evidence_of(FARM), products)
    reasons = dict(detect.why_none(evidence_of(replace(FARM, products=products)), products, findings))
    assert set(reasons) == {"X"}
    assert "没有提到" in reasons["X"]
    in_english = replace(evidence_of(FARM), language="en")
    assert "never named" in dict(detect.why_none(in_english, products, findings))["X"]


def test_a_stream_without_a_catalogue_is_cut_into_topics() -> None:
    findings = detect.find(evidence_of(FARM), ())
    assert len(findings.segments) == 3
    assert all(segment.sku.startswith("unknown-") and segment.reasons and segment.confidence >= 0.3 for segment in findings.segments)
    for segment, (_, start, end) in zip(findings.segments, FARM.truth, strict=True):
        assert overlap((segment.start, segment.end), (start, end)) > 0.6


def test_topics_are_named_by_nouns_of_the_speech() -> None:
    heard = replace(FARM, lines=tuple((sku, told, text.replace("苹过", "苹果").replace("风蜜", "蜂蜜")) for sku, told, text in FARM.lines))
    findings = detect.find(evidence_of(heard), ())
    assert [segment.name for segment in findings.segments] == ["苹果", "蜂蜜", "大米"]
    assert "转场" in findings.segments[1].reasons
    assert "2号链接" in findings.segments[1].reasons
    assert all(item.confidence <= 0.45 for item in findings.hot_items)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("慢慢打开，最后都不着急。", ()),
        ("大家今天晚上赶紧抢。", ()),
        ("这口炒锅的锅盖是玻璃的。", ("炒锅", "锅盖", "玻璃")),
        ("The waxed canvas tote is right here on the table.", ("tote",)),
        ("We are going around under there really quickly tonight.", ()),
    ],
)
def test_only_nouns_are_names(text: str, expected: tuple[str, ...]) -> None:
    assert nouns(text) == expected


def test_links_that_change_part_two_topics() -> None:
    lines = [
        "这个杯子很好看，大家看一下这个杯子。",
        "杯子是双层的，特别保暖，放包里也不漏。",
        "杯子今天三十九块，一号链接，喜欢的赶紧去下单，数量不多。",
        "这个毛巾是纯棉的，特别柔软，你看这条毛巾。",
        "毛巾吸水很快，洗了不掉色，毛巾很厚。",
        "毛巾今天九块九，二号链接，喜欢的赶紧去下单，数量不多。",
    ]
    evidence = evidence_of(Script("links", "zh", (), tuple((None, False, line) for line in lines)))
    first, second = detect.find(evidence, ()).segments
    assert second.start == pytest.approx(evidence.sentences[3].start, abs=0.5)
    assert (first.name, second.name) == ("杯子", "毛巾")


def test_one_link_called_twice_is_one_topic() -> None:
    lines = [
        "这个杯子很好看，大家看一下这个杯子。",
        "杯子今天三十九块，一号链接，喜欢的赶紧去下单，数量不多。",
        "昨天我在车上想起来一件事，路上人很多。",
        "这个杯子是双层的，特别保暖，放包里也不漏。",
        "杯子就是三十九块，一号链接，喜欢的赶紧去下单，数量不多。",
    ]
    evidence = evidence_of(Script("twice", "zh", (), tuple((None, False, line) for line in lines)))
    (topic,) = detect.find(evidence, ()).segments
    assert topic.end - topic.start > 0.8 * evidence.sentences[-1].end


def test_the_catalogue_of_another_shop_explains_nothing() -> None:
    others = (Product(sku="Z1", title="汽车轮胎 195/65R15", aliases=("轮胎",), price=399.0, link=1),)
    others += (Product(sku="Z2", title="儿童绘本 全8册", aliases=("绘本",), price=59.0, link=2),)
    evidence = evidence_of(replace(FARM, products=others))
    assert {mention.kind for mention in evidence.mentions} <= {"link"}
    findings = detect.find(evidence, others)
    assert findings.segments
    assert all(segment.sku.startswith("unknown-") for segment in findings.segments)
    assert [sku for sku, _ in detect.why_none(evidence, others, findings)] == ["Z1", "Z2"]
    assert any("catalogue" in warning for warning in findings.warnings)
    only = FindOptions(explanations=ExplanationOptions(unknown=False))
    assert detect.find(evidence, others, only).segments == ()


def test_a_link_number_counts_for_a_product_that_is_described() -> None:
    nameless = tuple(replace(product, title="型号甲", aliases=()) for product in FARM.products)
    evidence = evidence_of(replace(FARM, products=nameless))
    assert detect.find(evidence, nameless).segments[0].sku.startswith("unknown-")
    described = tuple(replace(p, points=("结晶 温水 土蜂",)) if p.sku == "F2" else p for p in nameless)
    assert "F2" in {segment.sku for segment in detect.find(evidence, described).segments}


def test_silence_is_no_stream() -> None:
    empty = Evidence(duration=60.0, language="", sentences=(), mentions=(), log=AudienceLog())
    findings = detect.find(empty, FARM.products)
    assert (findings.segments, findings.hot_items, findings.teasers) == ((), (), ())
    assert detect.find(empty, ()).segments == ()


def test_distractors_of_a_long_catalogue_do_not_disturb() -> None:
    others = tuple(Product(sku=f"D{n}", title=f"型号{n} 户外折叠桌椅 露营", price=1000.0 + n) for n in range(60))
    findings = detect.find(evidence_of(replace(JEWEL, products=(*others, *JEWEL.products))), (*others, *JEWEL.products))
    assert [segment.sku for segment in findings.segments] == [sku for sku, _, _ in JEWEL.truth]


def orders_for(script: Script, factor: dict[str, float], seed: int = 5) -> tuple[Order, ...]:
    rng, found = random.Random(seed), []
    for sku, start, end in script.truth:
        begin = start + 0.6 * (end - start)
        for _ in range(round(4 * factor.get(sku, 1.0))):
            found.append(Order(round(begin + rng.lognormvariate(3.0, 0.5), 3), sku, 1.0, None))
    return tuple(sorted(found))


def test_only_the_product_that_sells_far_more_is_hot() -> None:
    log = AudienceLog(orders=orders_for(FARM, {"F2": 8.0}), viewers=(Viewers(0.0, 500.0),))
    (item,) = detect.find(evidence_of(FARM, log), FARM.products).hot_items
    assert item.sku == "F2"
    assert item.basis == "orders"
    assert 2 < item.uplift < 20
    assert item.uplift_low < item.uplift < item.uplift_high
    assert item.start <= item.peak <= item.end
    assert 8 <= item.end - item.start <= 46


def test_equal_sellers_are_not_hot() -> None:
    for seed in range(8):
        log = AudienceLog(orders=orders_for(FARM, {}, seed), viewers=(Viewers(0.0, 500.0),))
        assert detect.find(evidence_of(FARM, log), FARM.products).hot_items == ()


def test_a_giveaway_storm_makes_nothing_hot() -> None:
    storm = tuple(Comment(59 + n * 0.1, f"u{n}", "1" if n % 2 else "扣1") for n in range(120))
    calm = tuple(Comment(5.0 + 4 * n, f"v{n}", "晚上好") for n in range(20))
    log = AudienceLog(comments=tuple(sorted(storm + calm)))
    assert detect.find(evidence_of(FARM, log), FARM.products).hot_items == ()


def test_chat_is_cleaned_of_bots_repeats_and_prompts() -> None:
    bot = tuple(Comment(5.0 * n, "bot", "领券看主页") for n in range(20))
    raid = tuple(Comment(30 + 0.1 * n, f"r{n}", "退钱退钱") for n in range(40))
    prompted = tuple(Comment(60 + 0.1 * n, f"p{n}", "111") for n in range(40))
    real = (Comment(10.0, "a", "这个多少钱"), Comment(12.0, "a", "有蓝色吗"), Comment(40.0, "b", "已拍"))
    kept = cleaned(tuple(sorted(bot + raid + prompted + real)))
    texts = [comment.text for comment in kept]
    assert "领券看主页" not in texts
    assert "111" not in texts
    assert texts.count("退钱退钱") <= 3
    assert {"这个多少钱", "已拍"} <= set(texts)
    assert "有蓝色吗" not in texts


def test_the_lag_is_undone() -> None:
    lag, viewers = kernel(1.0), np.ones(400)
    offer = np.zeros(400)
    offer[100:120] = 2.0
    seen = np.convolve(offer, lag)[:400]
    found = deconvolve(seen, viewers, lag)
    assert abs(int(np.argmax(np.convolve(found, np.ones(20), "same"))) - 110) <= 8
    assert found[95:130].sum() > 0.7 * found.sum()


def test_counts_are_shared_out_among_offers() -> None:
    lag, viewers = kernel(1.0), np.ones(600)
    shapes = [np.zeros(600), np.zeros(600)]
    shapes[0][50:80], shapes[1][300:330] = 1.0, 1.0
    counts = 0.1 * np.convolve(shapes[0], lag)[:600] + 0.8 * np.convolve(shapes[1], lag)[:600]
    fit = attribute(counts, viewers, shapes, lag, 1.0)
    rates = [count / exposure for count, exposure in zip(fit.counts, fit.exposures, strict=True)]
    assert rates[0] == pytest.approx(0.1, rel=0.1)
    assert rates[1] == pytest.approx(0.8, rel=0.1)


BOTH = Script("both", "zh", FARM.products + JEWEL.products, FARM.lines + JEWEL.lines)


def test_pauses_and_edges_come_from_the_sound() -> None:
    levels = [-55.0] * 10 + [-20.0] * 40 + [-55.0] * 6 + [-20.0] * 40 + [-55.0] * 10
    silent = silences(Track(0.1, tuple(levels)))
    assert [(round(s.start, 1), round(s.end, 1)) for s in silent] == [(0.0, 1.0), (5.0, 5.6), (9.6, 10.6)]
    lines = spoken(["一二三四五六七八九十一二三四五六七八九十。"])
    first, second = (replace_times(lines[0], 0.8, 5.2), replace_times(lines[0], 5.3, 9.7))
    placed = edges((first, second), silent, (), 10.6)
    assert 0.6 <= placed[0].start <= 0.95
    assert 5.0 <= placed[0].end <= 5.25
    assert placed[0].end <= placed[1].start
    assert 5.2 <= placed[1].start <= 5.55
    assert 9.6 <= placed[1].end <= 9.85


def test_the_host_says_how_long_a_rest_is() -> None:
    lines = tuple(replace_times(spoken(["一二三。"])[0], start, start + 2) for start in (1.0, 3.2, 5.8, 8.4, 12.0))
    silent = (Span(0.0, 1.0), Span(3.0, 3.2), Span(5.2, 5.8), Span(7.8, 8.4), Span(10.4, 12.0), Span(14.0, 15.0))
    placed = edges(lines, silent, (), 15.0)
    assert usual_rest(edge.pause_before for edge in placed[1:]) == pytest.approx(0.6)
    ends = rested(placed)
    assert ends[0] == ends[-1] == 1.0
    assert ends[1] < 0.5 < ends[4]
    assert usual_rest((1.0, 0.2, 0.4, 0.3), share=0.9) == 1.0
    assert usual_rest(()) == 0.0
    assert rested(()).tolist() == [1.0]


def test_a_hot_window_moves_to_a_rest_that_is_near() -> None:
    log = AudienceLog(orders=orders_for(FARM, {"F2": 8.0}), viewers=(Viewers(0.0, 500.0),))
    evidence = evidence_of(FARM, log)
    (item,) = detect.find(evidence, FARM.products).hot_items
    at = next(n for n, s in enumerate(evidence.sentences) if s.start >= item.start)
    words = evidence.sentences[at - 1].words
    late = (*words[:-1], replace(words[-1], end=evidence.sentences[at].start - 0.02))
    hurried = replace(evidence, sentences=(*evidence.sentences[: at - 1], Sentence(late), *evidence.sentences[at:]))
    (moved,) = detect.find(hurried, FARM.products).hot_items
    assert abs(moved.start - item.start) > 1.0


def test_an_edge_avoids_a_camera_cut() -> None:
    silent = (Span(0.0, 1.0), Span(5.0, 5.6))
    line = replace_times(spoken(["一二三。"])[0], 1.0, 5.0)
    (placed,) = edges((line,), silent, (0.9,), 6.0)
    assert not placed.start < 0.9 <= placed.start + 0.5
    assert 0.6 <= placed.start <= 0.95


def replace_times(sentence, start, end):  # type: ignore[no-untyped-def]
    from clipper.values import Sentence, Word

    step = (end - start) / len(sentence.words)
    return Sentence(tuple(Word(start + n * step, start + (n + 1) * step, w.text) for n, w in enumerate(sentence.words)))


def model_of(seed: int, units: int = 120) -> Model:
    rng = np.random.default_rng(seed)
    starts = np.arange(units) * 4.0
    emission = rng.normal(0, 1, (units, 4))
    emission[:, 3] = 0
    for k in range(3):
        emission[10 + 35 * k : 40 + 35 * k, k] += 2
    mixtures = (((1.0, 60.0, 0.8),),) * 3 + (((1.0, 15.0, 1.0),),)
    zeros = np.zeros((units, 4))
    return Model(starts, starts + 3.5, emission, zeros, np.zeros((units + 1, 4)), mixtures, -0.5, -2.0, np.full(3, -1.1), -6.0, 300.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_decoding_is_consistent(seed: int) -> None:
    decoding = decode(model_of(seed))
    assert decoding.path[0][0] == 0
    assert decoding.path[-1][1] == 120
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in zip(decoding.path, decoding.path[1:], strict=False))
    assert np.allclose(decoding.posterior.sum(axis=1), 1)
    best = np.array([state for first, last, state in decoding.path for _ in range(first, last)])
    assert (decoding.posterior.argmax(axis=1) == best).mean() > 0.9
    assert np.allclose(decoding.begin.sum(), decoding.finish[1:].sum(), atol=1e-6)


def test_states_far_from_their_evidence_cost_nothing_and_change_nothing() -> None:
    whole = model_of(4)
    active = np.zeros((120, 4), bool)
    for k in range(3):
        active[max(0, 5 + 35 * k) : 50 + 35 * k, k] = True
    narrow = decode(replace(whole, active=active))
    assert [run for run in narrow.path if run[1] <= 110] == [run for run in decode(whole).path if run[1] <= 110]
    assert narrow.posterior[:, :3][~active[:, :3]].max() < 1e-9
    assert np.allclose(narrow.posterior.sum(axis=1), 1)


def test_a_growing_stream_is_decided_as_the_whole_one() -> None:
    both, lines = BOTH, BOTH.lines
    whole = find_explanations(evidence_of(both), both.products).posterior.argmax(axis=1)
    names = [product.sku for product in find_explanations(evidence_of(both), both.products).products]
    evidence = evidence_of(both)
    agree = total = 0
    for upto in range(len(lines) // 2, len(lines), 4):
        part = replace(evidence, sentences=evidence.sentences[:upto], duration=evidence.sentences[upto - 1].end)
        found = find_explanations(part, both.products)
        labels = [found.products[k].sku if k < len(found.products) else None for k in found.posterior.argmax(axis=1)]
        lagged = [at for at in range(upto) if evidence.sentences[at].end < evidence.sentences[upto - 1].end - 60]
        agree += sum(labels[at] == (names[whole[at]] if whole[at] < len(names) else None) for at in lagged)
        total += len(lagged)
    assert agree / total >= 0.98


@pytest.mark.parametrize(
    ("options", "values", "message"),
    [
        (ExplanationOptions, {"min_s": -1}, "explanations.min_s"),
        (ExplanationOptions, {"channels": ("smell",)}, "explanations.channels names smell"),
        (HotOptions, {"least_uplift": 1}, "hot.least_uplift"),
        (TeaserOptions, {"pieces": 1}, "teasers.pieces"),
        (BoundaryOptions, {"air_s": 2}, "boundaries.air_s"),
        (ClockOptions, {"reach_s": -1}, "clocks.reach_s"),
    ],
)
def test_options_say_what_is_wrong(options: type, values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        options(**values)


def test_channels_can_be_left_out() -> None:
    cards = tuple(Card(start + 3, sku) for sku, start, _ in FARM.truth)
    evidence = evidence_of(FARM, AudienceLog(cards=cards))
    only = FindOptions(explanations=ExplanationOptions(channels=("cards",)))
    assert {segment.sku for segment in detect.find(evidence, FARM.products, only).segments} <= {"F1", "F2", "F3"}


def test_a_short_name_may_sound_further_off_after_this_and_a_measure_word() -> None:
    from clipper.detect.mentions import find_mentions
    from clipper.values import Product
    from tests.conftest import sentence

    scarf = (Product(sku="S", title="羊毛围巾", aliases=("围巾",)),)
    pointed = find_mentions((sentence(0, 3, "这条味精才是你的"),), scarf, "zh")
    plain = find_mentions((sentence(0, 3, "菜里少放点味精"),), scarf, "zh")
    assert [mention.sku for mention in pointed] == ["S"]
    assert plain == ()
