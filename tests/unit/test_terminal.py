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
