"""Every diffusion family from the command line to a labelled file, with tiny random models of the real classes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clipper.render import verify
from generators import labels
from pipelines import cli
from tests import tiny_pipelines
from tests.tiny_pipelines import ACCEPTED

SAMPLE = Path(__file__).parent.parent.parent / "samples" / "images" / "L001-white.jpg"
TINY = (
    *("plan.width_px=128", "plan.height_px=192", "plan.fps=12", "generate.cutout.work_px=256", "generate.diffusers.steps=2"),
    *("generate.takes.enforce=false", "generate.takes.camera=false", "generate.fidelity.read_text=false", "generate.fidelity.frames=3"),
)
"""Random weights make mush: the gate measures it, and is told to report only."""

pytestmark = [
    pytest.mark.slow,
    # torch 2.13 tensors given to numpy 2.4 by diffusers' schedulers
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


def generate(name: str, out: Path, *more: str) -> int:
    options = [part for setting in TINY for part in ("--set", setting)]
    accepted = [part for licence in ACCEPTED for part in ("--accept-license", licence)]
    model = ("--backend", "diffusers", "--model", str(tiny_pipelines.folder(name)))
    return cli.run(
        ["generate", str(SAMPLE), "-o", str(out), "--title", "茉莉花茶", "--seconds", "3", *model, *accepted, *options, "-q", *more]
    )


@pytest.mark.parametrize("name", tiny_pipelines.NAMES)
def test_a_family_makes_a_labelled_video(name: str, tmp_path: Path) -> None:
    assert generate(name, tmp_path) == 0
    folder = tmp_path / SAMPLE.stem
    data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (video,) = data["videos"]
    path = folder / video["file"]
    found = verify.inspect(path)
    assert (found.width_px, found.height_px, found.frames, found.audio_codec) == (128, 192, 36, "aac")
    assert json.loads(labels.read(path)["AIGC"])["Label"] == "1"
    assert video["label"]["text"] == "AI生成" and len(video["synthetic_elements"]) == len(video["shots"])
    sidecar = json.loads((folder / video["sidecar"]).read_text(encoding="utf-8"))
    for shot in sidecar["shots"]:
        assert shot["generated"] and shot["scheduler"] and shot["picture_sha256"]
        assert {"torch", "diffusers"} <= set(shot["versions"])
    shots = {path: path.stat().st_mtime_ns for path in (folder / "shots").rglob("*.nut")}
    path.unlink()
    assert generate(name, tmp_path) == 0, "composed again"
    assert {path: path.stat().st_mtime_ns for path in (folder / "shots").rglob("*.nut")} == shots, "from the shots that were made"


def test_a_licence_has_to_be_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = ("--backend", "diffusers", "--model", str(tiny_pipelines.folder("svd")))
    assert cli.run(["generate", str(SAMPLE), "-o", str(tmp_path), *model, "-q"]) == 2
    assert "--accept-license" in capsys.readouterr().err
