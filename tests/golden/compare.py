"""Text files that decisions are compared with; `make golden` writes them anew, and the diff is the review."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def matches(request: pytest.FixtureRequest, name: str, text: str) -> None:
    """Compare a text with its golden file, or write it with --golden."""
    path = FOLDER / name
    if request.config.getoption("--golden"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{name} changed; if that is meant, run make golden and review the diff"
