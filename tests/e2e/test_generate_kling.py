"""`livecut generate --backend kling` from the command line to a labelled file, against the loopback server: the cost agreed to first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from generators import labels
from pipelines import cli
from tests.kling_server import ACCESS, SECRET, KlingServer, Step, film_of

IMAGES = Path(__file__).parent.parent.parent / "samples" / "images"
SMALL = (
    *("plan.width_px=360", "plan.height_px=640", "generate.cutout.work_px=256", "generate.fidelity.frames=3"),
    *("generate.fidelity.read_text=false", "generate.takes.pixel_lock=false", "generate.takes.enforce=false"),
    *("generate.kling.times.poll_s=0.002", "generate.kling.times.longest_poll_s=0.005", "generate.kling.times.pause_s=0.001"),
)
"""What the loopback server films is no product: the gate measures it, and is told to report only."""


@lru_cache(maxsize=1)
def film() -> bytes:
    return film_of(5.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[KlingServer]:
    monkeypatch.setenv("KLING_ACCESS_KEY", ACCESS)
    monkeypatch.setenv("KLING_SECRET_KEY", SECRET)
    with KlingServer(film=film()) as server:
        monkeypatch.setenv("KLING_BASE_URL", server.url)
        yield server


def generate(out: Path, *more: str, pictures: tuple[str, ...] = ("L001-white.jpg",)) -> int:
    options = [part for setting in SMALL for part in ("--set", setting)]
    named = [str(IMAGES / picture) for picture in pictures]
    return cli.run(["generate", *named, "-o", str(out), "--seconds", "3", "--backend", "kling", *options, *more])


def test_the_cost_of_all_products_is_shown_and_nothing_is_made(
    server: KlingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(tmp_path, pictures=("L001-white.jpg", "L003-white.jpg")) == 2
    said = capsys.readouterr().err
    assert "2 × 5 s of kling-v2-5-turbo pro: about US$0.70" in said and "--yes" in said
    assert server.requests == [] and not list(tmp_path.rglob("*.mp4"))


def test_an_edited_plan_is_still_there_when_the_cost_is_not_agreed_to(server: KlingServer, tmp_path: Path) -> None:
    assert generate(tmp_path) == 2
    (plan,) = tmp_path.rglob("plans/*.json")
    edited = plan.read_text(encoding="utf-8").replace('"push_in"', '"pull_out"').replace('"fps": 30', '"fps": 25')
    plan.write_text(edited, encoding="utf-8")
    assert generate(tmp_path, "--replan") == 2
    assert plan.read_text(encoding="utf-8") == edited


def test_what_was_agreed_to_is_made_once_and_labelled(server: KlingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(tmp_path, "--yes") == 0
    assert "cost    1 × 5 s" in capsys.readouterr().err
    (video,) = tmp_path.rglob("videos/*.mp4")
    assert json.loads(labels.read(video)["AIGC"])["Label"] == "1"
    row = json.loads((video.parent.parent / "manifest.json").read_text(encoding="utf-8"))["videos"][0]
    assert row["synthetic_elements"] == ["shot s1: kling (kling-v2-5-turbo)"]
    assert server.paid == 1
    assert generate(tmp_path) == 0, "what is finished costs nothing, and needs no consent"
    plan = next(tmp_path.rglob("plans/*.json"))
    plan.write_text(plan.read_text(encoding="utf-8").replace('"seed": ', '"seed": 1'), encoding="utf-8")
    assert cli.run(["render", str(plan)]) == 2
    assert "US$0.35" in capsys.readouterr().err and server.paid == 1
    assert cli.run(["render", str(plan), "--yes"]) == 0
    assert server.paid == 2


def test_keys_that_are_wrong_are_told_and_the_camera_does_not_step_in(
    server: KlingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLING_SECRET_KEY", "another")
    assert generate(tmp_path, "--yes") == 2
    assert "KLING_ACCESS_KEY and KLING_SECRET_KEY" in capsys.readouterr().err
    monkeypatch.delenv("KLING_SECRET_KEY")
    assert generate(tmp_path, "--yes") == 2
    assert "KLING_SECRET_KEY not set" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_picture_that_was_refused_is_filmed_by_the_camera(server: KlingServer, tmp_path: Path) -> None:
    server.create = [Step(status=400, code=1301, message="risk control")]
    assert generate(tmp_path, "--yes", "-q") == 0
    row = json.loads(next(tmp_path.rglob("manifest.json")).read_text(encoding="utf-8"))["videos"][0]
    assert row["shots"][0]["backend"] == "camera" and "risk control" in row["shots"][0]["notes"][0]
    assert row["label"]["kind"] == "edited"


def test_a_dry_run_shows_the_cost_and_what_is_lacking(
    server: KlingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLING_SECRET_KEY")
    assert generate(tmp_path / "out", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "US$0.35" in said and "KLING_SECRET_KEY not set" in said
    assert not (tmp_path / "out").exists() and server.requests == []
