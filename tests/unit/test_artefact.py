"""Values to JSON and back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper import artefact
from clipper.errors import ArtefactError
from clipper.values import CaptionLine, Plan, Recording, Span, Word

times = st.floats(0, 50_000, allow_nan=False).map(lambda x: round(x, 3))
words = st.builds(Word, start=times, end=times, text=st.text(max_size=8), probability=st.floats(0, 1))
captions = st.builds(CaptionLine, start=times, end=times, text=st.text(max_size=20), words=st.lists(words, max_size=3).map(tuple))
plans = st.builds(
    Plan,
    id=st.text(max_size=5),
    type=st.sampled_from(["explanation", "hot_item", "teaser"]),
    sku=st.none() | st.text(max_size=5),
    recording=st.text(max_size=9),
    recording_sha256=st.text(max_size=9),
    sources=st.lists(st.builds(Span, start=times, end=times), max_size=4).map(tuple),
    title=st.text(max_size=30),
    score=st.floats(0, 1),
    captions=st.lists(captions, max_size=3).map(tuple),
    crop=st.just(()),
    card=st.none(),
    claims=st.just(()),
    chapters=st.just(()),
)


@given(plans)
def test_what_was_saved_comes_back(plan: Plan) -> None:
    assert artefact.loads(artefact.dumps(plan, "plan", 1), Plan, "plan", 1) == plan


def test_fractions_come_back(recording: Recording) -> None:
    back = artefact.loads(artefact.dumps(recording, "recording", 1), Recording, "recording", 1)
    assert back.fps == Fraction(24000, 1001)


def test_a_key_is_read_without_the_value(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    artefact.save(path, artefact.dumps(Span(1, 2), "span", 1, key="abc"))
    assert artefact.key_of(path) == "abc"
    assert artefact.key_of(tmp_path / "absent.json") is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "expected schema livecut.span, found 'list'"),
        (b'{"schema": "livecut.plan", "version": 1, "value": {}}', "found 'livecut.plan'"),
        (b'{"schema": "livecut.span", "version": 2, "value": {}}', "version 2 is newer"),
        (b'{"schema": "livecut.span", "version": 1, "value": {"start": 1, "end": "x"}}', r"Expected `float`, got `str` - at `\$.end`"),
        (b'{"schema": "livecut.span", "version": 1, "value": {"start": 1, "ende": 2}}', "ende is not a field of span; did you mean end?"),
    ],
)
def test_a_bad_file_is_refused_by_name(data: bytes, says: str) -> None:
    with pytest.raises(ArtefactError, match=says):
        artefact.loads(data, Span, "span", 1)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    artefact.save(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        artefact.save(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
