"""Transcription with an engine that is told what to hear: order, retries, checkpoint and resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from clipper.errors import Cancelled, InputError
from clipper.speech.checkpoint import FileCheckpoint
from clipper.speech.recognizer import Decoding, Heard, load
from clipper.speech.transcribe import SpeechOptions, transcribe
from clipper.speech.voice import RATE_HZ, Samples
from clipper.values import Product, Recording, Word
from tests.unit.test_speech_voice import Block, blocks, loudness, sound

SPEECH = [(i * 10.0 + 1.0, i * 10.0 + 5.0) for i in range(24)]
LINE = "先看这个保温杯，五百毫升，拿在手里刚好一握，通勤包里也塞得下，里面是不锈钢，泡茶都不串味，杯口打磨得很圆，倒过来一滴水都没有。"
PRODUCTS = (Product(sku="D1", title="保温杯", aliases=("保温杯",)), Product(sku="D2", title="开衫", aliases=("针织开衫",)))


def chat(samples: Samples, decoding: Decoding) -> str:
    """Say as much of the line as fits into the window."""
    return LINE[: len(samples) * 4 // RATE_HZ]


class Told:
    """An engine that says what it is told to, and writes down what it was asked."""

    name = "told"
    model = "none"

    def __init__(self, say: Callable[[Samples, Decoding], str] = chat) -> None:
        self.say = say
        self.asked: list[Decoding] = []

    def count_tokens(self, text: str) -> int:
        return len(text)

    def languages(self, windows: Sequence[Samples]) -> list[tuple[str, float]]:
        return [("zh", 0.9), ("en", 0.6), ("zh", 0.8)][: len(windows)]

    def recognise(self, windows: Sequence[Samples], decoding: Decoding) -> list[Heard]:
        self.asked += [decoding] * len(windows)
        return [self._heard(self.say(samples, decoding), len(samples) / RATE_HZ) for samples in windows]

    def _heard(self, text: str, length: float) -> Heard:
        step = length / max(len(text), 1)
        return Heard(tuple(Word(i * step, (i + 1) * step, char, 0.9) for i, char in enumerate(text)), -0.3, 0.1)


def stream() -> list[Block]:
    return blocks(sound(245, SPEECH))


def test_hears_the_lines_where_they_were_said() -> None:
    shares: list[float] = []
    found = transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=Told(), detector=loudness, progress=shares.append)
    assert found.language == "zh"
    assert found.duration == pytest.approx(245, abs=0.1)
    words = list(found.words())
    assert words == sorted(words)
    for sentence in found.sentences:
        assert any(start - 0.1 <= sentence.start and sentence.end <= end + 0.1 for start, end in SPEECH)
    assert shares[-1] == 1.0
    assert [round(span.start) for span in found.heard] == [round(start) for start, _ in SPEECH]


def test_names_are_in_the_prompt_of_every_window() -> None:
    engine = Told()
    transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=engine, detector=loudness)
    assert len(engine.asked) > 5
    assert all("保温杯、针织开衫" in decoding.prompt and "简体中文" in decoding.prompt for decoding in engine.asked)
    engine = Told()
    transcribe(stream(), PRODUCTS, SpeechOptions(hot_words=False), recognizer=engine, detector=loudness)
    assert all("保温杯" not in decoding.prompt for decoding in engine.asked)


def test_a_loop_under_names_is_decoded_without_them() -> None:
    engine = Told(lambda samples, decoding: "哀" * 60 if "保温杯" in decoding.prompt else chat(samples, decoding))
    found = transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=engine, detector=loudness)
    assert "哀哀" not in "".join(sentence.text for sentence in found.sentences)
    assert "先看这个保温杯" in "".join(sentence.text for sentence in found.sentences)
    assert found.warnings == ()


def test_what_stays_broken_is_dropped_and_reported() -> None:
    engine = Told(lambda samples, decoding: "哀" * 60)
    found = transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=engine, detector=loudness)
    assert found.sentences == ()
    assert any("loop" in warning and "s:" in warning for warning in found.warnings)
    assert max(decoding.temperature for decoding in engine.asked) > 0


def test_a_second_run_decodes_nothing(tmp_path: Path) -> None:
    first, second = Told(), Told(lambda samples, decoding: pytest.fail("a finished window was decoded again"))
    options = SpeechOptions()
    one = transcribe(
        stream(), PRODUCTS, options, recognizer=first, detector=loudness, checkpoint=FileCheckpoint(tmp_path / "windows.jsonl")
    )
    two = transcribe(
        stream(), PRODUCTS, options, recognizer=second, detector=loudness, checkpoint=FileCheckpoint(tmp_path / "windows.jsonl")
    )
    assert one == two
    assert second.asked == []


@pytest.mark.parametrize("changed", ["options", "products", "sound"])
def test_another_question_is_another_answer(tmp_path: Path, changed: str) -> None:
    file = tmp_path / "windows.jsonl"
    transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=Told(), detector=loudness, checkpoint=FileCheckpoint(file))
    engine = Told()
    transcribe(
        blocks(sound(245, SPEECH) * np.float32(0.9 if changed == "sound" else 1.0)),
        PRODUCTS[:1] if changed == "products" else PRODUCTS,
        SpeechOptions(beam_size=3) if changed == "options" else SpeechOptions(),
        recognizer=engine,
        detector=loudness,
        checkpoint=FileCheckpoint(file),
    )
    assert len(engine.asked) > 5


def test_a_cancelled_job_goes_on_at_its_window(tmp_path: Path) -> None:
    file = tmp_path / "windows.jsonl"
    options = SpeechOptions(batch_size=2)
    engine = Told()
    with pytest.raises(Cancelled, match="run again to go on"):
        transcribe(
            stream(),
            PRODUCTS,
            options,
            recognizer=engine,
            detector=loudness,
            checkpoint=FileCheckpoint(file),
            cancelled=lambda: len(engine.asked) >= 4,
        )
    done = len(engine.asked)
    with file.open("ab") as out:
        out.write(b'{"key": "torn')
    rest, whole = Told(), Told()
    found = transcribe(stream(), PRODUCTS, options, recognizer=rest, detector=loudness, checkpoint=FileCheckpoint(file))
    assert found == transcribe(stream(), PRODUCTS, options, recognizer=whole, detector=loudness)
    assert len(rest.asked) == len(whole.asked) - done
    kept = [line for line in file.read_bytes().splitlines() if not line.startswith(b'{"key": "torn')]
    assert all(json.loads(line)["key"] for line in kept)


def test_nothing_said_needs_no_engine() -> None:
    found = transcribe(blocks(sound(70, [])), PRODUCTS, SpeechOptions(model="no-such-model"), detector=loudness)
    assert (found.sentences, found.language, found.heard) == ((), "", ())


def test_a_recording_without_sound(recording: Recording) -> None:
    from dataclasses import replace

    found = transcribe(replace(recording, has_audio=False), (), SpeechOptions(), detector=loudness)
    assert (found.sentences, found.duration) == ((), 60.0)


@pytest.mark.parametrize(
    "wrong", [{"beam_size": 0}, {"batch_size": 65}, {"hot_word_tokens": 300}, {"language_windows": 0}, {"engine": "wisper"}]
)
def test_refuses_options_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"speech\."):
        SpeechOptions(**wrong)  # type: ignore[arg-type]


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="faster-whisper, whisper"):
        load("wisper", "base")


def test_phrases_left_out_of_long_windows_are_heard_in_short_ones() -> None:
    engine = Told(lambda samples, decoding: chat(samples, decoding) if len(samples) < 7 * RATE_HZ else "先看")
    found = transcribe(stream(), PRODUCTS, SpeechOptions(), recognizer=engine, detector=loudness)
    assert sum(len(sentence.text) for sentence in found.sentences) > 200
    assert found.warnings == ()
    assert {decoding.temperature for decoding in engine.asked} == {0.0}
