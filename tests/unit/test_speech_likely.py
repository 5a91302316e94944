"""Names for a second look at windows, from a catalogue that is too large for one prompt."""

from __future__ import annotations

from clipper.speech.hot_words import all_fit
from clipper.speech.likely import is_misspelt, leaks, likely_products
from clipper.speech.recognizer import Decoding
from clipper.speech.transcribe import SpeechOptions, transcribe
from clipper.speech.voice import Samples
from clipper.values import Product, Word
from tests.unit.test_speech_transcribe import Told, chat, loudness, stream

HEADS = (
    "毛巾",
    "被子",
    "枕头",
    "凉席",
    "拖鞋",
    "衣架",
    "雨伞",
    "地毯",
    "浴帘",
    "台灯",
    "坐垫",
    "香薰",
    "拼图",
    "字帖",
    "积木",
    "手链",
    "戒指",
)
MANY = tuple(Product(sku=f"M{n}", title=f"{head}{n}", aliases=(f"加厚{head}",)) for n, head in enumerate(HEADS * 3))
DRESS = Product(sku="D", title="碎花连衣裙", aliases=("连衣裙",))


def pieces(text: str) -> tuple[Word, ...]:
    return tuple(Word(n * 0.2, n * 0.2 + 0.2, char, 0.9) for n, char in enumerate(text))


def test_products_that_something_sounds_like_are_likely() -> None:
    windows = [pieces("这条连益群很显瘦"), pieces("今天天气很好"), ()]
    assert [product.sku for product in likely_products(windows, (*MANY, DRESS), "zh")] == ["D"]
    assert likely_products([()], (DRESS,), "zh") == ()


def test_only_what_is_written_in_another_way_is_misspelt() -> None:
    assert is_misspelt(pieces("这条连益群很显瘦"), (DRESS,), "zh")
    assert not is_misspelt(pieces("这条连衣裙很显瘦"), (DRESS,), "zh")
    assert not is_misspelt((), (DRESS,), "zh")


def test_a_name_that_nothing_sounded_like_is_a_leak() -> None:
    assert not leaks("这条连益群很显瘦", "这条连衣裙很显瘦", ("连衣裙",))
    assert leaks("今天天气很好", "今天连衣裙很好", ("连衣裙",))
    assert not leaks("这条连衣裙", "这条连衣裙", ("连衣裙",))
    assert leaks("这条连益群很显瘦", "这条连衣裙和连衣裙", ("连衣裙",))


CUP = Product(sku="C", title="不锈钢水杯", aliases=("保温杯",))


def test_a_large_catalogue_is_looked_at_twice_and_a_small_one_is_not() -> None:
    def say(samples: Samples, decoding: Decoding) -> str:
        text = chat(samples, decoding)
        return text if "保温杯" in decoding.prompt else text.replace("保温杯", "包瘟杯")

    assert not all_fit((*MANY, CUP), 120)
    assert all_fit((CUP,), 120)
    engine = Told(say)
    found = transcribe(stream(), (*MANY, CUP), SpeechOptions(), recognizer=engine, detector=loudness)
    text = "".join(sentence.text for sentence in found.sentences)
    assert "保温杯" in text
    assert "包瘟杯" not in text
    assert not any("加厚" in decoding.prompt for decoding in engine.asked)


def test_a_second_look_invents_nothing() -> None:
    def say(samples: Samples, decoding: Decoding) -> str:
        text = chat(samples, decoding)
        return text.replace("通勤包", "保温杯") if "保温杯" in decoding.prompt else text.replace("保温杯", "包瘟杯")

    found = transcribe(stream(), (*MANY, CUP), SpeechOptions(), recognizer=Told(say), detector=loudness)
    assert "保温杯里" not in "".join(sentence.text for sentence in found.sentences)
