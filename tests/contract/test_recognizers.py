"""One suite over every engine of the table, on real speech: the project's own sample.

The engines run on the same verified weights; `livecut models fetch` has put them into the cache before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from clipper import media
from clipper.catalog import find_catalog, read_catalog
from clipper.errors import ModelError
from clipper.media import AudioBlock
from clipper.speech.recognizer import RECOGNIZERS, Decoding, Recognizer, load
from clipper.speech.transcribe import SpeechOptions, transcribe
from clipper.speech.voice import RATE_HZ, Samples, VoiceOptions, Window, windows
from clipper.values import Transcript
from tests.bench.metrics import boundary_errors, cer

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "samples" / "show.mp4"
STRETCH_S = 44.5
"""The second engine is slow: it hears the sample's first product only."""

ZH = Decoding(language="zh", prompt="以下是普通话的句子，用简体中文。", beam_size=1)


@lru_cache(maxsize=2)
def engine(name: str) -> Recognizer:
    return load(name, "base", device="cpu", threads=1 if name == "whisper" else 2)


@pytest.fixture(params=sorted(RECOGNIZERS))
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    return engine(request.param)


@lru_cache(maxsize=1)
def speech() -> tuple[Window, ...]:
    blocks = media.audio_blocks(media.probe(SAMPLE), end=24.0)
    return tuple(windows(blocks, VoiceOptions(window_s=8.0)))


def blocks(samples: Samples) -> Iterator[AudioBlock]:
    for start in range(0, len(samples), 30 * RATE_HZ):
        yield AudioBlock(start / RATE_HZ, samples[start : start + 30 * RATE_HZ])


def lines(until: float) -> list[dict[str, object]]:
    truth = json.loads((SAMPLE.parent / "truth.json").read_text(encoding="utf-8"))
    return [line for line in truth["lines"] if line["end"] < until]


def hear(name: str, until: float) -> Transcript:
    catalog = find_catalog(SAMPLE.parent)
    assert catalog is not None
    sound = media.audio_blocks(media.probe(SAMPLE), end=until)
    return transcribe(sound, read_catalog(catalog).products, SpeechOptions(engine=name), recognizer=engine(name))


def error_rate(found: Transcript, until: float) -> float:
    return cer("".join(str(line["text"]) for line in lines(until)), "".join(sentence.text for sentence in found.sentences))


def test_says_who_it_is(recognizer: Recognizer) -> None:
    assert RECOGNIZERS[recognizer.name].endswith(type(recognizer).__name__)
    assert recognizer.model == "base"
    assert 1 <= recognizer.count_tokens("保温杯") <= 9


def test_knows_the_language(recognizer: Recognizer) -> None:
    ((language, probability),) = recognizer.languages([speech()[0].samples])
    assert language == "zh"
    assert 0.5 < probability <= 1.0


def test_hears_words_in_order_and_in_time(recognizer: Recognizer) -> None:
    (heard,) = recognizer.recognise([speech()[0].samples], ZH)
    length = len(speech()[0].samples) / RATE_HZ
    assert sum("\u4e00" <= char <= "\u9fff" for char in heard.text) > 10
    assert -1.0 < heard.mean_logprob < 0.0
    assert 0.0 <= heard.no_speech < 0.5
    starts = [piece.start for piece in heard.pieces]
    assert starts == sorted(starts)
    assert all(0 <= piece.start <= piece.end <= length + 0.1 and 0 <= piece.probability <= 1 for piece in heard.pieces)


def test_answers_in_the_order_it_was_asked(recognizer: Recognizer) -> None:
    one, two = (window.samples for window in speech()[:2])
    forth, back = recognizer.recognise([one, two], ZH), recognizer.recognise([two, one], ZH)
    assert [heard.text for heard in forth] == [heard.text for heard in reversed(back)]
    assert forth[0].text != forth[1].text
    assert recognizer.recognise([], ZH) == []


@pytest.mark.parametrize("kind", ["digital silence", "white noise"])
def test_invents_nothing(recognizer: Recognizer, kind: str) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 40 * RATE_HZ).astype(np.float32)
    samples = np.zeros(40 * RATE_HZ, np.float32) if kind == "digital silence" else noise
    found = transcribe(blocks(samples), (), SpeechOptions(engine=recognizer.name), recognizer=recognizer)
    assert found.sentences == ()


def test_engines_agree_on_the_sample() -> None:
    rates = {name: error_rate(hear(name, STRETCH_S), STRETCH_S) for name in RECOGNIZERS}
    assert max(rates.values()) - min(rates.values()) <= 0.03, rates


def test_the_default_is_accurate_on_the_sample() -> None:
    duration = media.probe(SAMPLE).duration
    found = hear("faster-whisper", duration)
    assert found.language == "zh"
    assert error_rate(found, duration) <= 0.12
    spoken = [(float(str(line["start"])), float(str(line["end"]))) for line in lines(duration)]
    errors = sorted(abs(error) for error in boundary_errors(spoken, [(sentence.start, sentence.end) for sentence in found.sentences]))
    assert errors[len(errors) // 2] < 0.08
    assert errors[len(errors) * 9 // 10] < 0.2


@pytest.mark.parametrize("name", sorted(RECOGNIZERS))
def test_weights_that_are_none_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"could not (load|read)"):
        load(name, str(tmp_path))
