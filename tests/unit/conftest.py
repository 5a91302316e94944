"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest

from clipper.fonts import Face, find_font


@pytest.fixture(scope="session")
def face() -> Face:
    """The font that clips are set in on this machine."""
    return find_font()
