"""What a person sees while a job runs."""

from __future__ import annotations

import io

import pytest

from pipelines.progress import Progress
from pipelines.terminal import Display, printable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    display = Display(stream=out)
    for fraction in (0.0, 0.1, 0.2, 1.0):
        display(Progress("recognise", fraction))
    first, last = out.getvalue().splitlines()
    assert first == "recognise …"
    assert last.startswith("recognise: done in 0.")


def test_plain_lines_say_how_much_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    out, clock = io.StringIO(), iter([0.0, 30.0])
    display = Display(stream=out)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    display(Progress("video tea", 0.0))
    display(Progress("video tea", 0.25))
    assert out.getvalue().splitlines()[-1] == "video tea: 25%, about 90 s left"


def test_what_is_worth_saying_stands_on_lines_of_its_own() -> None:
    out = io.StringIO()
    Display(stream=out)(Progress("model", 0.0, "model   wan\nmemory  \x1b[1mresident"))
    assert out.getvalue() == "model   wan\nmemory  \\x1b[1mresident\n"


def test_a_bar_on_a_terminal() -> None:
    out = Terminal()
    display = Display(stream=out)
    display(Progress("recognise", 0.5))
    display(Progress("recognise", 1.0))
    assert "━━━" in out.getvalue()
    assert "100%" in out.getvalue()
    assert out.getvalue().endswith("\n")


def test_quiet_says_nothing_but_what_must_be_said() -> None:
    out = io.StringIO()
    display = Display(stream=out, quiet=True)
    display(Progress("recognise", 0.5))
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("hostile", "shown"), [("a\x1b]0;x\x07b", "a\\x1b]0;x\\x07b"), ("one\ntwo", "one\\x0atwo"), ("保温杯 ✓", "保温杯 ✓")]
)
def test_control_characters_are_shown_not_sent(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown
