"""Fixtures that several folders of tests share."""

from __future__ import annotations

from fractions import Fraction

import pytest

from clipper.values import Recording, Sentence, Word


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def recording() -> Recording:
    """A portrait recording of a minute, as a probe would describe it."""
    return Recording(
        path="/videos/show.mp4",
        sha256="0" * 64,
        size_bytes=1_000_000,
        format="mov",
        duration=60.0,
        claimed_duration=60.0,
        width_px=720,
        height_px=1280,
        rotation_deg=0,
        fps=Fraction(24000, 1001),
        is_vfr=False,
        has_audio=True,
        audio_rate_hz=48_000,
        audio_channels=2,
        video_codec="h264",
        audio_codec="aac",
        creation_time=None,
    )


def sentence(start: float, end: float, text: str) -> Sentence:
    """One sentence whose characters take equally long."""
    step = (end - start) / max(len(text), 1)
    return Sentence(tuple(Word(start + i * step, start + (i + 1) * step, char) for i, char in enumerate(text)))
