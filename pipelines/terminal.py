"""What a person sees while a job runs: a bar on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from typing import TextIO

from pipelines.progress import Progress

BAR = 24
"""Characters of the bar."""
EVERY_S = 10.0
"""A plain log repeats a running stage at most this often."""


def printable(text: str) -> str:
    """Show control characters as \\xNN, so that a hostile name cannot move the cursor or fake a line."""
    return "".join(f"\\x{ord(char):02x}" if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)


def printable_lines(text: str) -> str:
    """Show several lines of ours, each made safe by itself."""
    return "\n".join(map(printable, text.split("\n")))


@dataclass(slots=True)
class Display:
    """Prints progress; one for a whole command."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    fancy: bool | None = None
    """Draw a bar; None asks whether the stream is a terminal."""
    _begun: dict[str, float] = field(default_factory=dict)
    _said: dict[str, float] = field(default_factory=dict)
    _width: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.fancy is None:
            self.fancy = self.stream.isatty()

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
        if self.quiet:
            return
        with self._lock:
            if progress.detail:
                for line in progress.detail.splitlines():
                    self.say(line)
            else:
                self._show(progress)

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        begun = self._begun.setdefault(progress.stage, now)
        if self.fancy:
            self._bar(progress, now - begun)
        else:
            self._line(progress, now, now - begun)
        if progress.fraction >= 1:
            self._begun.pop(progress.stage, None)
            self._said.pop(progress.stage, None)

    def say(self, text: str) -> None:
        """Print one line of its own."""
        if self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self._width = 0
        self.stream.write(printable(text) + "\n")
        self.stream.flush()

    def _bar(self, progress: Progress, seconds: float) -> None:
        full = round(progress.fraction * BAR)
        left = seconds * (1 - progress.fraction) / progress.fraction if progress.fraction > 0.02 else None
        clock = f"{seconds:4.0f} s" if left is None or progress.fraction >= 1 else f"{left:4.0f} s left"
        text = f"{printable(progress.stage):<32.32} {'━' * full}{'·' * (BAR - full)} {progress.fraction:4.0%} {clock}"
        self.stream.write("\r" + text.ljust(self._width))
        self._width = len(text)
        if progress.fraction >= 1:
            self.stream.write("\n")
            self._width = 0
        self.stream.flush()

    def _line(self, progress: Progress, now: float, seconds: float) -> None:
        stage = printable(progress.stage)
        if progress.fraction >= 1:
            self.stream.write(f"{stage}: done in {seconds:.1f} s\n")
        elif progress.fraction <= 0 and progress.stage not in self._said:
            self._said[progress.stage] = now
            self.stream.write(f"{stage} …\n")
        elif now - self._said.get(progress.stage, now) >= EVERY_S:
            self._said[progress.stage] = now
            left = f", about {seconds * (1 - progress.fraction) / progress.fraction:.0f} s left" if progress.fraction > 0.02 else ""
            self.stream.write(f"{stage}: {progress.fraction:.0%}{left}\n")
        self.stream.flush()
