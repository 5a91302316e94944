"""A shot from Kling, from picture to checked footage, against the loopback server: orders, kills, resumes, films that are wrong."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipper.errors import Cancelled, InputError, ToolError
from clipper.values import Box
from generators.animators import animator
from generators.animators.kling import Kling, KlingOptions, confirm, estimate
from generators.kling_client import KlingTimes
from generators.kling_models import kling_model, kling_models
from generators.styles import style_named
from generators.values import Cutout, Photo, Shot, ShotRequest
from tests.kling_server import ACCESS, SECRET, KlingServer, Step, film_of

QUICK = KlingTimes(answer_s=10, poll_s=0.002, longest_poll_s=0.005, deadline_s=60, tries=3, pause_s=0.001)
ROOT = Path(__file__).parent.parent.parent


@lru_cache(maxsize=4)
def film(seconds: float = 5.0) -> bytes:
    return film_of(seconds)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_ACCESS_KEY", ACCESS)
    monkeypatch.setenv("KLING_SECRET_KEY", SECRET)


@pytest.fixture
def server() -> Iterator[KlingServer]:
    with KlingServer(film=film()) as server:
        yield server


def request(**changes: Any) -> ShotRequest:
    pixels = np.full((400, 300, 3), 240, np.uint8)
    pixels[100:300, 80:220] = (30, 90, 160)
    mask = np.zeros((400, 300), np.uint8)
    mask[100:300, 80:220] = 255
    shot = Shot(id="s1", photo=0, seconds=2.0, move="push_in", prompt="a mug, slow push in", negative="text", seed=7)
    return ShotRequest(
        shot=replace(shot, **changes),
        photo=Photo(path="/p/mug.png", sha256="a" * 64, pixels=pixels),
        cutout=Cutout(mask=mask, box=Box(80 / 300, 0.25, 140 / 300, 0.5), confidence=0.9, method="key"),
        style=style_named("bright-home"),
        width_px=1080,
        height_px=1920,
        fps=Fraction(30),
    )


def kling(server: KlingServer, **changes: Any) -> Kling:
    return Kling(KlingOptions(base_url=server.url, times=QUICK, **changes), confirmed=True)


def shoot(one: Kling, work: Path, asked: ShotRequest | None = None, cancelled: Any = lambda: False) -> Any:
    return one.animate(asked or request(), work, progress=lambda share: None, cancelled=cancelled)


def test_a_shot(server: KlingServer, tmp_path: Path) -> None:
    footage, origin = shoot(kling(server), tmp_path)
    assert (footage.width_px, footage.height_px, footage.fps, footage.count) == (144, 256, 24, 48)
    assert sum(1 for _ in footage.frames()) == 48
    body = server.tasks[0].body
    assert body["model_name"] == "kling-v2-5-turbo" and body["mode"] == "pro" and body["duration"] == "5"
    assert body["prompt"] == "a mug, slow push in" and body["negative_prompt"] == "text"
    assert "cfg_scale" not in body and "image_tail" not in body
    assert base64.b64decode(body["image"], validate=True)[:3] == b"\xff\xd8\xff", "raw base64 of a JPEG, no data: prefix"
    assert origin.is_generated and origin.backend == "kling" and origin.model == "kling-v2-5-turbo"
    assert dict(origin.settings)["task"] == "task-1" and dict(origin.settings)["units"] == "2.5"


def test_the_picture_is_fitted_and_not_stretched(server: KlingServer, tmp_path: Path) -> None:
    import cv2

    shoot(kling(server), tmp_path)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(server.tasks[0].body["image"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (1920, 1080, 3)
    blue = np.argwhere((picture[..., 0].astype(int) - picture[..., 2]) > 60)
    tall, wide = np.ptp(blue, axis=0)
    assert abs(tall / wide - 200 / 140) < 0.03


def test_the_same_order_is_paid_once(server: KlingServer, tmp_path: Path) -> None:
    first, _ = shoot(kling(server), tmp_path)
    asked = len(server.requests)
    again, origin = shoot(kling(server), tmp_path)
    assert len(server.requests) == asked and again.count == first.count and dict(origin.settings)["task"] == "task-1"
    shoot(kling(server), tmp_path / "elsewhere")
    assert server.paid == 1, "another folder, another machine: the service knows the task by its name"


@pytest.mark.parametrize(
    "asked",
    [request(seed=8), request(prompt="a cup"), replace(request(), photo=replace(request().photo, sha256="b" * 64)), request(seconds=7.0)],
    ids=["seed", "prompt", "picture", "length"],
)
def test_another_order_is_another_task(server: KlingServer, tmp_path: Path, asked: ShotRequest) -> None:
    shoot(kling(server), tmp_path)
    server.film = film(10.0)
    shoot(kling(server), tmp_path, asked)
    assert server.paid == 2


def test_without_consent_nothing_is_sent(server: KlingServer, tmp_path: Path) -> None:
    one = Kling(KlingOptions(base_url=server.url, times=QUICK))
    with pytest.raises(InputError, match=r"US\$0\.35.*--yes"):
        shoot(one, tmp_path)
    assert server.requests == []


def test_what_is_finished_needs_no_consent(server: KlingServer, tmp_path: Path) -> None:
    shoot(kling(server), tmp_path)
    footage, _ = shoot(Kling(KlingOptions(base_url=server.url, times=QUICK)), tmp_path)
    assert footage.count == 48


KILL = """
import sys
from pathlib import Path
from tests.e2e import test_kling as t
server = type("S", (), {"url": sys.argv[1]})
t.shoot(t.kling(server), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("at", ["POST", "GET task-1", "GET film"])
def test_a_killed_run_goes_on_with_what_it_has_paid(server: KlingServer, tmp_path: Path, at: str) -> None:
    """The process is killed with SIGKILL when the server has this request before it."""
    running: list[subprocess.Popen[bytes]] = []

    def kill(method: str, path: str) -> None:
        if running and f"{method} {path.rpartition('/')[2]}".startswith(at):
            os.kill(running.pop().pid, signal.SIGKILL)

    server.on_request = kill
    if at == "GET film":
        server.send = [Step(slow_s=0.3, cut=2000)]
        original = server.film_headers
        server.film_headers = _Calling(original, lambda: kill("GET", "/film"))  # type: ignore[assignment]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", KILL, server.url, str(tmp_path)], cwd=ROOT, env=environ)
    running.append(process)
    assert process.wait(60) == -signal.SIGKILL
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and server.paid == 1


class _Calling(list[dict[str, str]]):
    """A list that tells when something is added."""

    def __init__(self, items: list[dict[str, str]], call: Any) -> None:
        super().__init__(items)
        self.call = call

    def append(self, item: dict[str, str]) -> None:
        super().append(item)
        self.call()


def test_a_stopped_run_goes_on(server: KlingServer, tmp_path: Path) -> None:
    server.states = ("processing",)
    seen = [0]

    def cancelled() -> bool:
        seen[0] += 1
        return seen[0] > 20

    with pytest.raises(Cancelled):
        shoot(kling(server), tmp_path, cancelled=cancelled)
    server.tasks[0].states = ["succeed"]
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and server.paid == 1


def test_the_state_is_on_the_disk_before_the_order_is_sent(server: KlingServer, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    def look(method: str, path: str) -> None:
        if method == "POST":
            seen.extend(json.loads(file.read_text()) for file in tmp_path.glob("*.json"))

    server.on_request = look
    shoot(kling(server), tmp_path)
    assert seen[0]["stage"] == "ordered" and seen[0]["name"] == server.tasks[0].external_id


@pytest.mark.parametrize("text", ["", "{", "[]", '{"task": 5}'])
def test_a_damaged_state_file_costs_nothing(server: KlingServer, tmp_path: Path, text: str) -> None:
    shoot(kling(server), tmp_path)
    for file in tmp_path.iterdir():
        if file.suffix == ".json":
            file.write_text(text)
        else:
            file.unlink()
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and server.paid == 1


def test_what_failed_is_ordered_under_another_name(server: KlingServer, tmp_path: Path) -> None:
    server.states, server.fail_message = ("failed",), "risk control"
    with pytest.raises(InputError, match="risk control"):
        shoot(kling(server), tmp_path)
    server.states = ("succeed",)
    shoot(kling(server), tmp_path)
    assert [task.external_id.count("-") for task in server.tasks] == [1, 2]


def test_an_address_that_ran_out_is_asked_for_anew(server: KlingServer, tmp_path: Path) -> None:
    server.send = [Step(status=403)]
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and server.paid == 1
    server.send = [Step(status=403)] * 4
    with pytest.raises(ToolError, match="run again"):
        shoot(kling(server), tmp_path / "other")


@pytest.mark.parametrize("bytes_", [b"<html>not a film</html>", film()[:3000], film(1.0)], ids=["html", "half", "short"])
def test_a_wrong_film_is_not_used(server: KlingServer, tmp_path: Path, bytes_: bytes) -> None:
    server.film = bytes_
    with pytest.raises(ToolError, match="could not use the film"):
        shoot(kling(server), tmp_path)
    server.film = film()
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and server.paid == 1


def test_a_damaged_shot_is_made_again_from_the_film(server: KlingServer, tmp_path: Path) -> None:
    shoot(kling(server), tmp_path)
    next(tmp_path.glob("*.nut")).write_bytes(b"nonsense")
    asked = len(server.requests)
    footage, _ = shoot(kling(server), tmp_path)
    assert footage.count == 48 and len(server.requests) == asked


@pytest.mark.parametrize(
    ("asked", "options", "says"),
    [
        (request(seconds=12.0), {}, "it makes 5 or 10 s"),
        (request(prompt="x" * 2501), {}, "2501 characters"),
        (replace(request(), width_px=280), {}, "300 px"),
        (replace(request(), width_px=700, height_px=1900), {}, "2.5:1"),
        (replace(request(), last=request().photo), {"mode": "std"}, "use mode pro"),
        (replace(request(), last=request().photo), {"model": "kling-v2-master"}, "takes none"),
        (replace(request(seconds=8.0), last=request().photo), {"model": "kling-v1"}, "only shots of 5 s"),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_it_is_sent(
    server: KlingServer, tmp_path: Path, asked: ShotRequest, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        shoot(kling(server, **options), tmp_path, asked)
    assert server.requests == []


def test_a_last_picture_and_a_scale_are_sent_where_the_model_takes_them(server: KlingServer, tmp_path: Path) -> None:
    shoot(kling(server, model="kling-v1-6", cfg_scale=0.7), tmp_path, replace(request(), last=request().photo))
    body = server.tasks[0].body
    assert base64.b64decode(body["image_tail"])[:3] == b"\xff\xd8\xff" and body["cfg_scale"] == 0.7


@pytest.mark.parametrize("name", sorted(kling_models()))
def test_every_row_of_the_table_is_whole(name: str) -> None:
    model = kling_model(name)
    for mode in model.modes or ("",):
        for length in model.seconds:
            assert 0 < model.cost(mode, length) < 10
    assert set(model.last_image) <= set(model.modes) and set(model.last_image_seconds) <= set(model.seconds)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="did you mean kling-v2-5-turbo"):
        KlingOptions(model="kling-v2-5-trubo")
    with pytest.raises(InputError, match="has std and pro"):
        KlingOptions(mode="ultra")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 to 1"):
        KlingOptions(cfg_scale=2)


def test_the_estimate_adds_up_and_says_its_day() -> None:
    shots = [request().shot, request(seconds=6.0).shot, request(seconds=5.0).shot]
    found = estimate(shots)
    assert found.dollars == pytest.approx(0.35 + 0.70 + 0.35) and "2 × 5 s + 1 × 10 s" in found.text and "estimate" in found.text
    with pytest.raises(InputError, match=r"US\$1\.40"):
        confirm(shots, confirmed=False)


def test_the_table_of_animators_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(animator("kling"), Kling)
    monkeypatch.delenv("KLING_SECRET_KEY")
    with pytest.raises(InputError, match="KLING_SECRET_KEY not set"):
        animator("kling")
