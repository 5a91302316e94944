"""The Kling client against a loopback server that plays every status, every error and the line's bad days."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipper.errors import Cancelled, InputError, LivecutError, ToolError
from generators.kling_access import CHINA, GLOBAL, Keys, check_base, sign
from generators.kling_client import KlingClient, KlingTimes, NotThere, Refused
from tests.kling_server import ACCESS, SECRET, KlingServer, Step

KEYS = Keys(ACCESS, SECRET)
QUICK = KlingTimes(answer_s=5, poll_s=0.002, longest_poll_s=0.004, deadline_s=20, tries=4, pause_s=0.001)
BODY = {"external_task_id": "livecut-1", "image": "aGk=", "prompt": "a mug", "model_name": "kling-v2-5-turbo", "duration": "5"}


@pytest.fixture
def server() -> Iterator[KlingServer]:
    with KlingServer(film=bytes(range(256)) * 400) as server:
        yield server


def client(server: KlingServer, times: KlingTimes = QUICK, **tools: Any) -> KlingClient:
    return KlingClient(KEYS, server.url, times, dice=random.Random(1), **tools)


def ignore(_share: float) -> None:
    pass


def test_a_token_is_a_jwt_that_lasts_half_an_hour() -> None:
    from tests.kling_server import _decoded

    head, payload, _ = sign(KEYS, 1_000_000.7).split(".")
    assert json.loads(_decoded(head)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(_decoded(payload)) == {"iss": ACCESS, "exp": 1_001_800, "nbf": 999_995}
    assert "=" not in head + payload


def test_the_signature_is_hmac_sha256_of_what_it_signs() -> None:
    import base64
    import hashlib
    import hmac

    text, _, signature = sign(Keys("ak", "sk"), 1_700_000_000).rpartition(".")
    expected = hmac.new(b"sk", text.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == expected


def test_a_task_is_created_asked_for_and_fetched(server: KlingServer, tmp_path: Path) -> None:
    one = client(server)
    seen: list[float] = []
    task = one.wait(one.create(BODY), progress=seen.append)
    one.download(task.url, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == server.film
    assert task.status == "succeed" and task.units == "2.5"
    assert server.paid == 1 and seen == sorted(seen)
    assert "Authorization" not in server.film_headers[0], "the film's server must not get the key"


FATAL = [
    (401, 1000, InputError, "check KLING_ACCESS_KEY"),
    (401, 1001, InputError, "check KLING_ACCESS_KEY"),
    (401, 1002, InputError, "check KLING_ACCESS_KEY"),
    (401, 1003, InputError, "clock"),
    (401, 1004, InputError, "clock"),
    (429, 1100, ToolError, "account"),
    (429, 1101, ToolError, "balance"),
    (429, 1102, ToolError, "packs"),
    (403, 1103, ToolError, "permissions"),
    (429, 1304, ToolError, "allowed addresses"),
    (400, 1200, Refused, "words of the service"),
    (400, 1201, Refused, "words of the service"),
    (400, 1300, Refused, "words of the service"),
    (400, 1301, Refused, "words of the service"),
]


@pytest.mark.parametrize(("status", "code", "kind", "says"), FATAL)
def test_errors_that_no_patience_helps(server: KlingServer, status: int, code: int, kind: type[LivecutError], says: str) -> None:
    server.create = [Step(status=status, code=code, message="words of the service") for _ in range(3)]
    with pytest.raises(kind, match=says) as caught:
        client(server).create(BODY)
    assert str(code) in str(caught.value) and "words of the service" in str(caught.value)
    assert server.paid == 0
    posts = [request for request in server.requests if request[0] == "POST"]
    assert len(posts) == (2 if code in (1003, 1004) else 1)


@pytest.mark.parametrize(("status", "code"), [(429, 1302), (429, 1303), (500, 5000), (503, 5001), (504, 5002)])
def test_errors_that_patience_helps(server: KlingServer, status: int, code: int) -> None:
    server.create = [Step(status=status, code=code, message="later")] * 2
    assert client(server).create(BODY).id == "task-1"
    server.query = [Step(status=status, code=code, message="later")] * 2
    found = client(server).look_up("task-1")
    assert found is not None and server.paid == 1


@pytest.mark.parametrize("code", [1202, 1203])
def test_what_is_not_there_is_none(server: KlingServer, code: int) -> None:
    server.query = [Step(status=404, code=code, message="nothing")]
    assert client(server).look_up("livecut-9") is None


def test_busy_for_good_is_given_up(server: KlingServer) -> None:
    server.query = [Step(status=429, code=1303, message="parallel task over resource pack limit")] * 500
    with pytest.raises(ToolError, match="nothing is paid twice"):
        client(server, KlingTimes(answer_s=5, deadline_s=0.05, tries=3, pause_s=0.01)).look_up("task-1")


@pytest.mark.parametrize(
    "step",
    [
        Step(lost=True),
        Step(dropped=True),
        Step(status=502, garbage=b"<html>bad gateway</html>"),
        Step(garbage=b"{"),
        Step(garbage=b"[]"),
        Step(garbage=b'{"code": 0, "data": {}}'),
        Step(status=500, code=5000),
    ],
    ids=["lost", "dropped", "html", "half", "list", "nameless", "5000"],
)
def test_a_lost_answer_never_pays_twice(server: KlingServer, step: Step) -> None:
    server.create = [step]
    assert client(server).create(BODY).id == "task-1"
    assert server.paid == 1
    between = [method for method, _ in server.requests][1:]
    assert between[0] == "GET", "it asks before it sends again"
    assert between.count("POST") == (0 if step.lost else 1)


def test_a_late_task_is_found_by_its_name(server: KlingServer) -> None:
    """The service does not show a task at once, the creation is sent again, and it says that the name is taken."""
    server.create = [Step(lost=True)]
    server.query = [Step(status=404, code=1203)]
    assert client(server).create(BODY).id == "task-1"
    assert server.paid == 1 and [method for method, _ in server.requests].count("POST") == 2


def test_no_line_at_all(server: KlingServer) -> None:
    server.create = [Step(dropped=True)] * 9
    server.query = [Step(dropped=True)] * 99
    with pytest.raises(ToolError, match="no answer"):
        client(server).create(BODY)
    assert server.paid == 0


@pytest.mark.parametrize("skew", [-4000.0, 4000.0])
def test_a_wrong_clock_is_corrected_once(server: KlingServer, skew: float) -> None:
    server.skew_s = skew
    assert client(server).create(BODY).id == "task-1"
    assert len(server.requests) == 2


def test_a_token_is_used_again_and_replaced_in_time(server: KlingServer) -> None:
    now = [time.time()]
    one = client(server, clock=lambda: now[0])
    first = one._bearer()
    now[0] += 1000
    assert one._bearer() == first
    now[0] += 600
    assert one._bearer() != first


def test_a_failed_task_says_why(server: KlingServer) -> None:
    server.states, server.fail_message = ("submitted", "failed"), "the picture shows a trademark"
    one = client(server)
    with pytest.raises(Refused, match="the picture shows a trademark"):
        one.wait(one.create(BODY), progress=ignore)


def test_a_failed_task_without_words(server: KlingServer) -> None:
    server.states = ("failed",)
    one = client(server)
    with pytest.raises(Refused, match="no reason"):
        one.wait(one.create(BODY), progress=ignore)


def test_a_status_nobody_knows(server: KlingServer) -> None:
    server.states = ("on holiday",)
    one = client(server)
    with pytest.raises(ToolError, match="on holiday"):
        one.wait(one.create(BODY), progress=ignore)


def test_the_deadline(server: KlingServer) -> None:
    server.states = ("processing",)
    one = client(server, KlingTimes(answer_s=5, poll_s=0.002, longest_poll_s=0.004, deadline_s=0.05, tries=2, pause_s=0.001))
    with pytest.raises(ToolError, match="run again to go on waiting"):
        one.wait(one.create(BODY), progress=ignore)


def test_stopping_while_waiting(server: KlingServer) -> None:
    server.states = ("processing",)
    asked = [0]

    def cancelled() -> bool:
        asked[0] += 1
        return asked[0] > 8

    one = client(server, cancelled=cancelled)
    with pytest.raises(Cancelled, match="the next run fetches it"):
        one.wait(one.create(BODY), progress=ignore)


def test_pauses_grow_and_are_bounded(server: KlingServer) -> None:
    server.states = ("submitted",) * 12 + ("succeed",)
    slept: list[float] = []
    times = KlingTimes(answer_s=5, poll_s=0.1, longest_poll_s=0.2, deadline_s=60, tries=2, pause_s=0.01)
    one = client(server, times, sleep=slept.append)
    one.wait(one.create(BODY), progress=ignore)
    assert 0.08 <= slept[0] <= 0.12 and max(slept) <= 0.2 and slept[3] > slept[0]
    assert len({round(pause, 5) for pause in slept[:4]}) == 4, "pauses vary, so that many clients do not ask together"


def test_a_broken_film_goes_on_where_it_was(server: KlingServer, tmp_path: Path) -> None:
    server.send = [Step(cut=30_000), Step(cut=20_000)]
    client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == server.film
    assert [headers.get("Range") for headers in server.film_headers] == [None, "bytes=30000-", "bytes=50000-"]


def test_a_server_without_ranges_begins_again(server: KlingServer, tmp_path: Path) -> None:
    server.send, server.ranges = [Step(cut=30_000)], False
    client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == server.film


@pytest.mark.parametrize("step", [Step(cut=0), Step(status=500), Step(cut=100)], ids=["nothing", "500", "short"])
def test_a_film_that_never_comes_leaves_nothing(server: KlingServer, tmp_path: Path, step: Step) -> None:
    server.send, server.ranges = [step] * 9, False
    with pytest.raises(ToolError, match="4 attempts"):
        client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_a_film_that_has_gone(server: KlingServer, tmp_path: Path) -> None:
    server.send = [Step(status=403)]
    with pytest.raises(NotThere):
        client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")


def test_a_slow_service_is_given_up(server: KlingServer) -> None:
    server.query = [Step(slow_s=0.4)] * 4
    with pytest.raises(ToolError, match="timed out"):
        client(server, KlingTimes(answer_s=0.05, tries=2, pause_s=0.001)).look_up("task-1")


@pytest.mark.parametrize("url", ["http://films.example.com/a.mp4", "ftp://127.0.0.1/a", "file:///etc/passwd", ""])
def test_films_come_over_https_only(server: KlingServer, tmp_path: Path, url: str) -> None:
    with pytest.raises(ToolError, match="not https"):
        client(server).download(url, tmp_path / "film.mp4")


def test_redirects_follow_the_same_rules(server: KlingServer, tmp_path: Path) -> None:
    server.send = [Step(redirect="http://films.example.com/a.mp4")]
    with pytest.raises(ToolError, match="only https"):
        client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")
    server.send = [Step(redirect=f"{server.url}/film-2.mp4")]
    client(server).download(f"{server.url}/film.mp4", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").exists()


def test_the_api_is_never_followed_elsewhere(server: KlingServer) -> None:
    server.query = [Step(redirect=f"{server.url}/elsewhere")]
    with pytest.raises(ToolError, match="only for films"):
        client(server).look_up("task-1")


@pytest.mark.parametrize("url", ["http://api.example.com", "https://", "ftp://host", "https://user@host", "https://host/?a=1"])
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="expected https"):
        check_base(url)


def test_addresses_that_are_taken() -> None:
    assert check_base(GLOBAL + "/") == GLOBAL and check_base(CHINA) == CHINA
    assert check_base("http://127.0.0.1:99") == "http://127.0.0.1:99"


@pytest.mark.parametrize("environ", [{}, {"KLING_ACCESS_KEY": "a"}, {"KLING_SECRET_KEY": "s", "KLING_ACCESS_KEY": " "}])
def test_missing_keys_are_named(environ: dict[str, str]) -> None:
    with pytest.raises(InputError, match="not set in the environment") as caught:
        Keys.from_environment(environ)
    assert ("KLING_SECRET_KEY" in str(caught.value)) == ("KLING_SECRET_KEY" not in environ)


def test_keys_and_tokens_are_never_shown(server: KlingServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    one = client(server)
    token = one._bearer()
    server.create = [Step(lost=True), Step(status=401, code=1002, message="no")]
    server.query = [Step(status=401, code=1002, message="no")]
    with pytest.raises(InputError) as caught:
        one.create(BODY)
    shown = f"{KEYS!r} {KEYS} {one!r} {caught.value} {caplog.text}"
    assert SECRET not in shown and token not in shown


@pytest.mark.parametrize("change", [{"answer_s": 0}, {"tries": 0}, {"deadline_s": -1}, {"pause_s": 0}])
def test_times_are_checked(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match="kling"):
        KlingTimes(**change)  # type: ignore[arg-type]
