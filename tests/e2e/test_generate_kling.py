"""`livecut generate --backend kling` from the command line to a labelled file, against the loopback server: the cost agreed to first."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from clipper.render import verify
from generators import labels
from pipelines import cli
from tests.kling_server import ACCESS, SECRET, KlingServer, Step, film_of

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "samples" / "images"
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


def command(out: Path, *more: str, pictures: tuple[str, ...] = ("L001-white.jpg",), seconds: int = 3) -> list[str]:
    options = [part for setting in SMALL for part in ("--set", setting)]
    named = [str(IMAGES / picture) for picture in pictures]
    return ["generate", *named, "-o", str(out), "--seconds", str(seconds), "--backend", "kling", *options, *more]


def generate(out: Path, *more: str, pictures: tuple[str, ...] = ("L001-white.jpg",)) -> int:
    return cli.run(command(out, *more, pictures=pictures))


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


# --- kill -9 ---------------------------------------------------------------------------------------


def killed(arguments: list[str], when: Callable[[], bool]) -> None:
    """Run the command in a process of its own and kill it with SIGKILL as soon as something is so."""
    process = subprocess.Popen([sys.executable, "-m", "pipelines", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if when():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait(60) == -signal.SIGKILL, "it came to its end before"


def test_a_run_that_was_killed_goes_on_where_it_was(server: KlingServer, tmp_path: Path) -> None:
    """Killed when the second shot is ordered, and again when the film is being composed: no shot is paid or made twice."""
    arguments = command(tmp_path, "--yes", "-q", seconds=4)
    killed(arguments, lambda: server.paid == 2)
    first = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nut")}
    assert len(first) == 1 and not list(tmp_path.rglob("videos/*.mp4"))

    killed(arguments, lambda: any(tmp_path.rglob("videos/.livecut-*.part/*")))
    shots = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nut")}
    assert len(shots) == 2 and first.items() <= shots.items() and server.paid == 2
    assert not list(tmp_path.rglob("videos/*.mp4")) and not list(tmp_path.rglob("manifest.json"))

    assert cli.run(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nut")} == shots and server.paid == 2
    (video,) = tmp_path.rglob("videos/*.mp4")
    assert verify.inspect(video).frames == 120 and json.loads(labels.read(video)["AIGC"])["Label"] == "1"
    assert not list(tmp_path.rglob(".*.part"))
