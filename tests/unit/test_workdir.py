"""Values on disk are used again exactly when they would come out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipper.values import Span
from pipelines.workdir import Workdir, digest


def test_a_step_is_made_once(tmp_path: Path) -> None:
    first = Workdir(tmp_path)
    assert first.step("span", Span, 1, ("a",), lambda: Span(1, 2)) == Span(1, 2)
    again = Workdir(tmp_path)

    def never() -> Span:
        raise AssertionError("made again")

    assert again.step("span", Span, 1, ("a",), never) == Span(1, 2)
    assert (first.made, again.reused) == (["span"], ["span"])


@pytest.mark.parametrize(("version", "parts"), [(2, ("a",)), (1, ("b",)), (1, ("a", "c"))])
def test_another_version_or_input_is_made_again(tmp_path: Path, version: int, parts: tuple[str, ...]) -> None:
    Workdir(tmp_path).step("span", Span, 1, ("a",), lambda: Span(1, 2))
    assert Workdir(tmp_path).step("span", Span, version, parts, lambda: Span(3, 4)) == Span(3, 4)


def test_a_damaged_file_is_made_again_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Workdir(tmp_path).step("span", Span, 1, ("a",), lambda: Span(1, 2))
    path = tmp_path / "span.json"
    path.write_bytes(path.read_bytes()[:-12])
    assert Workdir(tmp_path).step("span", Span, 1, ("a",), lambda: Span(1, 2)) == Span(1, 2)
    assert "not valid JSON" in caplog.text


def test_a_stage_that_fails_saves_nothing(tmp_path: Path) -> None:
    def fail() -> Span:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Workdir(tmp_path).step("span", Span, 1, (), fail)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_tells_values_apart() -> None:
    assert digest(Span(1, 2)) == digest(Span(1, 2)) != digest(Span(1, 3))
