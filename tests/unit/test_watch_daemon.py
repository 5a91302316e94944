"""The daemon on real folders and the real ledger, with sham recordings: what it takes up, what it leaves, how it ends."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from clipper.errors import InputError
from pipelines import batch, enrolling
from pipelines.clips import Inputs
from pipelines.ledger import Ledger, LedgerOptions, audit
from pipelines.ledger.owners import Owner
from pipelines.settings import Settings
from pipelines.verdicts import Verdict
from pipelines.watch.daemon import Daemon, options_of
from pipelines.watch.folder import Folder, Report
from pipelines.watch.logs import Calm, JsonLines
from pipelines.watch.pages import Pages, finished_files
from pipelines.watch.retention import remove_old
from tests import sham

LIMIT_S = 20.0
FLAGS = {"watch.scan_s": "0.1", "watch.stable_s": "0.05", "watch.grace_s": "0", "watch.min_bytes": "1", "watch.free_gb": "0"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)
    monkeypatch.setattr(batch, "TICK_S", 0.01)
    monkeypatch.setattr("pipelines.watch.daemon.LEDGER_AGAIN_S", 0.1)
    monkeypatch.setattr("pipelines.watch.folder.AGAIN_S", 0.2)


def finished(path: Path, text: str = "", content: str | None = None) -> Path:
    """Write a sham recording whose container has an end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = f"{path.name if content is None else content}|{text}".encode()
    whole = sham.HEAD + b"\0\0\0\x08moov" + (len(body) + 8).to_bytes(4, "big") + b"mdat" + body
    part = path.with_name(path.name + ".part")
    part.write_bytes(whole)
    part.rename(path)
    return path


class Running:
    """A daemon in a thread."""

    def __init__(self, tmp_path: Path, *roots: Path, once: bool = False, **flags: str) -> None:
        self.flags = FLAGS | {"run.out": str(tmp_path / "out")} | {name.replace("__", "."): value for name, value in flags.items()}
        self.ledger = Ledger(tmp_path / "out" / batch.NAME, LedgerOptions(backoff_s=0.0))
        self.executor = sham.Threads()
        self.daemon = Daemon(roots=roots, load=self.load, ledger=self.ledger, executor=self.executor, once=once)
        self.codes: list[int] | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def load(self, root: Path | None) -> Settings:
        return options_of(root, None, dict(self.flags))

    def _run(self) -> None:
        self.codes = self.daemon.run()

    def report(self, root: Path) -> Report:
        folder = self.daemon.folders.get(root)
        return folder.report if folder else Report(root)

    def states(self) -> dict[str, str]:
        return {row.path.name: row.state for row in self.ledger.files()}

    def until(self, claim: Callable[[], bool]) -> None:
        end = time.monotonic() + LIMIT_S
        while not claim():
            assert time.monotonic() < end, self.states()
            time.sleep(0.02)

    def close(self) -> None:
        self.daemon.stop()
        self.thread.join(LIMIT_S)
        assert not self.thread.is_alive()
        if self.codes is None:
            return  # it ended with an error that its test expects
        assert audit(self.ledger).is_clean, audit(self.ledger).findings
        self.ledger.close()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(*roots: Path, **more: Any) -> Running:
        for root in roots:
            root.mkdir(exist_ok=True)
        made.append(Running(tmp_path, *roots, **more))
        return made[-1]

    yield start
    for one in made:
        if one.thread.is_alive():
            one.close()


def test_what_was_there_before_and_what_comes_later_is_done_once(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    for number in range(5):
        finished(inbox / f"{number}.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: list(daemon.states().values()) == ["done"] * 5)
    finished(inbox / "later" / "5.mp4")
    (inbox / "6.mp4.part").write_bytes(b"begun")
    (inbox / "noise.mp4").write_bytes(bytes(range(256)))
    daemon.until(lambda: daemon.states().get("5.mp4") == "done" and "noise.mp4" in daemon.states())
    assert daemon.states()["6.mp4.part"] == "ignored" and daemon.states()["noise.mp4"] == "rejected"
    assert all(job.attempt == 1 for job in daemon.ledger.jobs())
    daemon.close()
    again = watch(inbox)
    again.until(lambda: again.report(inbox).scans > 2)
    assert all(job.attempt == 1 for job in again.ledger.jobs())


def test_a_growing_recording_waits_for_its_end(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    daemon = watch(inbox)
    source = finished(tmp_path / "whole.mp4", content="a long one").read_bytes()
    with (inbox / "show.mp4").open("wb") as file:
        for at in range(0, len(source), 20):
            file.write(source[at : at + 20])
            file.flush()
            time.sleep(0.15)
    daemon.until(lambda: daemon.states().get("show.mp4") == "done")
    (job,) = daemon.ledger.jobs()
    assert job.attempt == 1
    assert (job.folder / "clips" / "001.mp4").read_bytes() == b"clip of " + source


def test_a_replaced_file_is_another_job_and_a_deleted_one_is_gone(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "stays.mp4")
    show = finished(inbox / "show.mp4", content="first")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states() == {"show.mp4": "done", "stays.mp4": "done"})
    finished(show, content="second")
    daemon.until(lambda: len(list(daemon.ledger.jobs())) == 3 and daemon.states()["show.mp4"] == "done")
    show.unlink()
    daemon.until(lambda: daemon.states()["show.mp4"] == "gone")
    assert daemon.states()["stays.mp4"] == "done"


def test_what_was_deleted_while_nobody_watched_is_gone(watch: Callable[..., Running], tmp_path: Path) -> None:
    """Its job waited, or its worker was killed with the daemon; neither waits for ever."""
    inbox = tmp_path / "in"
    waits, ran, stays = (finished(inbox / f"{name}.mp4") for name in ("waits", "ran", "stays"))
    settings = options_of(inbox, None, FLAGS | {"run.out": str(tmp_path / "out")})
    with Ledger(tmp_path / "out" / batch.NAME, owner=Owner("earlier", "", 1, 0)) as ledger:
        first, second = (enrolling.enrol(ledger, Inputs(recording=path), settings) for path in (waits, ran))
        assert ledger.claim(second.id) is not None and first.state == "waiting"
    waits.unlink()
    ran.unlink()
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states() == {"waits.mp4": "gone", "ran.mp4": "gone", "stays.mp4": "done"})
    assert stays.exists()


def test_a_lost_folder_loses_nothing(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox, away = tmp_path / "in", tmp_path / "away"
    for number in range(3):
        finished(inbox / f"{number}.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: list(daemon.states().values()) == ["done"] * 3)
    inbox.rename(away)
    daemon.until(lambda: daemon.report(inbox).state.startswith("missing"))
    inbox.mkdir()  # an empty mount point
    scans = daemon.report(inbox).scans
    daemon.until(lambda: daemon.report(inbox).scans > scans + 1)
    assert list(daemon.states().values()) == ["done"] * 3
    inbox.rmdir()
    away.rename(inbox)
    finished(inbox / "new.mp4")
    daemon.until(lambda: daemon.states().get("new.mp4") == "done")
    assert all(job.attempt == 1 for job in daemon.ledger.jobs())


def test_poison_stops_nobody_and_is_put_aside(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4", "poison")
    finished(inbox / "b.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states() == {"a.mp4": "quarantined", "b.mp4": "done"})
    assert [job.attempt for job in daemon.ledger.jobs(state="quarantined")] == [3]


def test_what_came_back_is_tried_again_when_the_machine_is_well(
    watch: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.verdicts.LATER_S", 0.1)
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4", "no space")
    daemon = watch(inbox)
    daemon.until(lambda: any(job.attempt >= 2 for job in daemon.ledger.jobs()))
    monkeypatch.setattr(sham, "_misbehave", lambda *_: None)
    daemon.until(lambda: daemon.states()["a.mp4"] == "done")


def test_side_files_are_waited_for_and_taken_late(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "show.mp4")
    daemon = watch(inbox, watch__grace_s="1.0")
    daemon.until(lambda: any("catalogue" in row.reason for row in daemon.ledger.files()))
    daemon.until(lambda: daemon.states().get("show.mp4") == "done")
    (inbox / "catalog.csv").write_text("sku,title\nA1,杯子\n")
    daemon.until(lambda: len(list(daemon.ledger.jobs())) == 2 and daemon.states()["show.mp4"] == "done")
    (inbox / "show.xml").write_text("<i></i>")
    daemon.until(lambda: len(list(daemon.ledger.jobs())) == 3 and daemon.states()["show.mp4"] == "done")


def test_each_folder_has_its_own_options(watch: Callable[..., Running], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        finished(root / "show.mp4", content=root.name)
    (two / "livecut.toml").write_text('[plan]\nroom = "小店"\n[watch]\nignore = ["*.flv"]\n')
    (two / "x.flv").write_bytes(b"FLV")
    daemon = watch(one, two)
    daemon.until(lambda: len(list(daemon.ledger.jobs())) == 2 and set(daemon.states().values()) <= {"done", "ignored"})
    rooms = {
        Path(json.loads(job.task)["inputs"]["recording"]).parent.name: json.loads(job.task)["settings"]["plan"]["room"]
        for job in daemon.ledger.jobs()
    }
    assert rooms == {"one": "", "two": "小店"}


def test_folders_of_product_pictures_become_videos(watch: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def generate(arguments: Mapping[str, Any], context: object) -> Verdict:
        asked.append(arguments["inputs"]["recording"])
        folder = Path(arguments["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.mp4").write_bytes(b"video")
        (folder / "manifest.json").write_text(json.dumps({"videos": [{"file": "a.mp4"}]}))
        return Verdict(outcome="finished")

    monkeypatch.setattr("pipelines.jobs._generate", generate)
    inbox = tmp_path / "in"
    for name in ("cup/a.png", "cup/b.png", "live/images/c.png", "loose.png"):
        picture = inbox / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(picture), np.full((300, 300, 3), 200 + len(name), np.uint8))
    finished(inbox / "live" / "show.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states().get("cup") == "done" and daemon.states().get("show.mp4") == "done")
    assert asked == [str(inbox / "cup")]
    assert {daemon.states()[name] for name in ("a.png", "c.png", "loose.png")} == {"ignored"}
    cv2.imwrite(str(inbox / "cup" / "d.png"), np.full((300, 300, 3), 90, np.uint8))
    daemon.until(lambda: len(asked) == 2)
    daemon.until(lambda: daemon.states()["cup"] == "done")


def test_new_options_are_read_and_bad_ones_are_told(
    watch: Callable[..., Running], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = tmp_path / "in"
    daemon = watch(inbox)
    daemon.until(lambda: daemon.report(inbox).scans > 0)
    before = daemon.daemon.folders[inbox]
    (inbox / "livecut.toml").write_text("[plan\n")
    daemon.daemon.reload()
    daemon.until(lambda: "kept as they were" in caplog.text)
    assert daemon.daemon.folders[inbox] is before
    (inbox / "livecut.toml").write_text('[plan]\nroom = "小店"\n')
    daemon.daemon.reload()
    daemon.until(lambda: daemon.daemon.folders[inbox] is not before)
    finished(inbox / "show.mp4")
    daemon.until(lambda: daemon.states().get("show.mp4") == "done")
    (job,) = daemon.ledger.jobs()
    assert json.loads(job.task)["settings"]["plan"]["room"] == "小店"


def test_draining_lets_what_runs_end_and_begins_nothing(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    for number in range(12):
        finished(inbox / f"{number:02}.mp4", "rest")
    daemon = watch(inbox)
    daemon.until(lambda: bool(daemon.ledger.counts().get("running")))
    daemon.daemon.stop()
    daemon.thread.join(LIMIT_S)
    counts = daemon.ledger.counts()
    assert not counts.get("running") and counts.get("done", 0) >= 1 and counts.get("waiting", 0) >= 1
    assert all(job.failures == 0 for job in daemon.ledger.jobs())
    daemon.close()


def test_the_second_stop_hands_back_what_runs(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4", "slow")
    daemon = watch(inbox)
    daemon.until(lambda: bool(daemon.ledger.counts().get("running")))
    daemon.daemon.stop()
    daemon.daemon.stop()
    daemon.thread.join(LIMIT_S)
    (job,) = daemon.ledger.jobs()
    assert (job.state, job.failures, job.attempt) == ("waiting", 0, 1)
    daemon.close()


def test_once_ends_when_nothing_is_ready_any_more(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4")
    finished(inbox / "b.mp4", "nothing")
    finished(inbox / "c.mp4", "fail")
    (inbox / "half.mp4").write_bytes(sham.HEAD)
    daemon = watch(inbox, once=True)
    daemon.thread.join(LIMIT_S)
    assert sorted(daemon.codes or ()) == [0, 1, 5]
    assert daemon.states() == {"a.mp4": "done", "b.mp4": "done", "c.mp4": "quarantined", "half.mp4": "waiting"}
    daemon.close()


def test_nothing_new_is_begun_on_a_full_disk(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4")
    daemon = watch(inbox, watch__free_gb="1000000")
    daemon.until(lambda: daemon.report(inbox).state.startswith("paused"))
    assert daemon.states() == {}
    daemon.flags["watch.free_gb"] = "0"
    daemon.daemon.reload()
    daemon.until(lambda: daemon.states().get("a.mp4") == "done")


def test_a_folder_is_watched_by_one_daemon_and_never_lies_in_its_results(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    first = watch(inbox)
    first.until(lambda: first.report(inbox).scans > 0)
    second = Daemon(roots=(inbox,), load=first.load, ledger=first.ledger, executor=first.executor)
    with pytest.raises(InputError, match="another livecut watches it"):
        second.run()
    inside = Daemon(roots=(tmp_path / "out",), load=first.load, ledger=first.ledger, executor=first.executor)
    with pytest.raises(InputError, match="which holds it"):
        inside.run()
    with pytest.raises(InputError, match="no such folder"):
        Daemon(roots=(tmp_path / "none",), load=first.load, ledger=first.ledger, executor=first.executor).run()


def test_old_results_are_deleted_and_not_made_again(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    show = finished(inbox / "a.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states().get("a.mp4") == "done")
    (job,) = daemon.ledger.jobs()
    assert list(remove_old(daemon.ledger, inbox, days=1)) == []
    assert list(remove_old(daemon.ledger, inbox, days=0)) == [job.folder]
    assert not job.folder.exists() and show.exists()
    scans = daemon.report(inbox).scans
    daemon.until(lambda: daemon.report(inbox).scans > scans + 2)
    daemon.close()
    again = watch(inbox)
    again.until(lambda: again.report(inbox).scans > 3)
    assert again.states() == {"a.mp4": "gone"} and [job.attempt for job in again.ledger.jobs()] == [1]


def test_results_of_a_later_run_outlive_those_that_were_deleted_in_their_folder(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    show = finished(inbox / "a.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states().get("a.mp4") == "done")
    (old,) = daemon.ledger.jobs()
    assert list(remove_old(daemon.ledger, inbox, days=0)) == [old.folder]
    settings = options_of(inbox, None, daemon.flags | {"plan.room": "another"})
    (again,) = batch.run_batch([Inputs(recording=show)], settings, daemon.ledger, sham.Threads(), at_once=1)
    assert (again.state, again.folder) == ("done", old.folder)
    assert list(remove_old(daemon.ledger, inbox, days=1)) == []
    assert (old.folder / "manifest.json").is_file()


def test_results_may_go_to_a_url_and_are_deleted_there(
    watch: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.store.clear()
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4")
    daemon = watch(inbox, run__out="memory://store/out", run__scratch=str(tmp_path / "scratch"))
    daemon.until(lambda: daemon.states().get("a.mp4") == "done")
    assert store.cat_file("/store/out/a/clips/001.mp4").startswith(b"clip of ")
    assert audit(daemon.ledger).is_clean
    assert list(remove_old(daemon.ledger, inbox, days=0)) == [Path("memory:/store/out/a")]
    assert not store.exists("/store/out/a/manifest.json")
    asked: list[Path] = []

    def full(place: Path) -> Any:
        asked.append(place)
        return SimpleNamespace(free=0)

    monkeypatch.setattr("pipelines.watch.folder.shutil.disk_usage", full)
    daemon.flags["watch.free_gb"] = "1"
    daemon.daemon.reload()
    daemon.until(lambda: daemon.report(inbox).state.startswith("paused"))
    assert asked[0] == tmp_path / "scratch", "where the work is done"


# --- pages ------------------------------------------------------------------------------------------


def ask(port: int, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with closing(error):
            return error.code, error.read().decode()


def test_the_pages_tell_how_it_is(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    finished(inbox / "a.mp4")
    daemon = watch(inbox)
    daemon.until(lambda: daemon.states().get("a.mp4") == "done" and daemon.report(inbox).state == "watching")
    with closing(Pages(daemon.daemon, 0)) as pages:
        assert ask(pages.port, "/healthz") == (200, "ok\n")
        assert ask(pages.port, "/readyz") == (200, "ready\n")
        code, text = ask(pages.port, "/metrics")
        assert code == 200 and 'livecut_files{state="done"} 1.0' in text and 'livecut_recordings_total{state="done"} 1.0' in text
        assert f'livecut_folder_missing{{folder="{inbox}"}} 0.0' in text
        assert ask(pages.port, "/etc/passwd")[0] == 404
        assert ask(pages.port, "/metrics", Host="evil.example")[0] == 403
        assert ask(pages.port, "/webhook", {"event": "FileClosed"}, Origin="http://evil.example")[0] == 403
        inbox.rename(tmp_path / "away")
        daemon.until(lambda: ask(pages.port, "/readyz")[0] == 503)
        (tmp_path / "away").rename(inbox)
        daemon.daemon.stop()
        assert ask(pages.port, "/readyz") == (503, "stopping\n")


def test_a_recorder_says_that_a_file_is_finished(watch: Callable[..., Running], tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    daemon = watch(inbox, watch__stable_s="3600")
    show = finished(inbox / "room" / "show.mp4")
    with closing(Pages(daemon.daemon, 0)) as pages:
        daemon.until(lambda: daemon.states().get("show.mp4") == "waiting")
        assert ask(pages.port, "/webhook", {"event": "FileOpening", "filePath": str(show)}) == (200, '{"taken": 0}\n')
        assert ask(pages.port, "/webhook", {"event": "FileClosed", "filePath": "/etc/passwd"}) == (200, '{"taken": 0}\n')
        assert ask(pages.port, "/webhook", [1, 2]) == (200, '{"taken": 0}\n')
        assert (
            ask(pages.port, "/webhook", {"EventType": "FileClosed", "EventData": {"RelativePath": "room/show.mp4"}})[1] == '{"taken": 1}\n'
        )
        daemon.until(lambda: daemon.states().get("show.mp4") == "done")


def test_paths_out_of_recorders_messages() -> None:
    assert list(finished_files({"type": "VideoFileCompletedEvent", "data": {"path": "/a/b.flv"}}, [])) == [Path("/a/b.flv")]
    assert list(finished_files({"EventType": "FileClosed", "EventData": {"RelativePath": "x.flv"}}, ["/r"])) == [Path("/r/x.flv")]
    assert list(finished_files({"EventType": "FileOpening", "EventData": {"RelativePath": "x.flv"}}, ["/r"])) == []
    assert list(finished_files({"event": "FileClosed", "filePath": "a\0b"}, ["/r"])) == []


# --- the log ----------------------------------------------------------------------------------------


def test_one_record_is_one_line_whatever_its_name_is() -> None:
    record = logging.makeLogRecord(
        {"msg": 'x\n{"level": "fake"}\x1b]0;title\x07\udcff', "levelno": 20, "levelname": "INFO", "recording": "a\nb"}
    )
    line = JsonLines().format(record)
    assert "\n" not in line and "\x1b" not in line
    assert json.loads(line)["recording"] == "a\nb"


def test_a_flood_of_one_text_is_held_back_and_counted() -> None:
    calm = Calm()
    passed = sum(calm.filter(logging.makeLogRecord({"msg": "ffmpeg complains", "levelno": 30})) for _ in range(100_000))
    assert 20 <= passed <= 25
    assert all(calm.filter(logging.makeLogRecord({"msg": "%s: %s", "levelno": 20, "state": "done"})) for _ in range(100))


def test_what_was_judged_is_not_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    for number in range(2000):
        (inbox / f"{number}.mp4").write_bytes(b"x")
    settings = options_of(inbox, None, dict(FLAGS) | {"run.out": str(tmp_path / "out")})
    with Ledger(tmp_path / "out" / batch.NAME) as ledger:
        folder = Folder(root=inbox, settings=settings, ledger=ledger, wake=threading.Event(), over=lambda: False)
        assert list(folder._scan()) == []
        assert ledger.counts() == {"waiting": 2000}
        time.sleep(0.06)
        assert list(folder._scan()) == []
        assert ledger.counts() == {"rejected": 2000}
        writing = ledger.writing

        def never() -> Any:
            raise AssertionError("what has not changed is not written again")

        monkeypatch.setattr(ledger, "writing", never)
        assert list(folder._scan()) == []
        monkeypatch.setattr(ledger, "writing", writing)
