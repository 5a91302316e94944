"""One real run on the sample, shared by the tests that look at its results."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import cli

SAMPLES = Path(__file__).parent.parent.parent / "samples"


@dataclass(frozen=True)
class SampleRun:
    """A finished run on a copy of the sample."""

    recording: Path
    folder: Path
    out: Path
    truth: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "manifest.json").read_text(encoding="utf-8")))


def copy_sample(folder: Path) -> Path:
    """Copy the sample and its side files; return the recording."""
    folder.mkdir(parents=True)
    for path in SAMPLES.iterdir():
        if path.suffix in (".mp4", ".xml", ".jsonl", ".csv", ".json"):
            shutil.copy(path, folder / path.name)
    shutil.copytree(SAMPLES / "images", folder / "images")
    return folder / "show.mp4"


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """`livecut clip` on the sample, from a folder with spaces and Chinese characters in its name."""
    root = tmp_path_factory.mktemp("直播 录像")
    recording = copy_sample(root / "in")
    assert cli.run(["clip", str(recording), "-o", str(root / "out"), "-q"]) == 0
    truth = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
    return SampleRun(recording=recording, folder=root / "out" / "show", out=root / "out", truth=truth)
