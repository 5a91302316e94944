"""A batch: each recording once, none stopping another; on sham recordings, with the real ledger."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from clipper.errors import Cancelled
from pipelines import batch, cli, cli_batch, enrolling, executors, jobs
from pipelines.batch import Outcome, run_batch
from pipelines.clips import Inputs, Known, Run
from pipelines.ledger import Ledger, LedgerError, LedgerOptions, audit
from pipelines.settings import RunOptions, Settings
from tests import sham


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)
    monkeypatch.setattr(batch, "TICK_S", 0.01)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[Outcome]]:
    def go(recordings: Sequence[Path], *, at_once: int = 2, **more: Any) -> list[Outcome]:
        settings = Settings(run=RunOptions(out=str(tmp_path / "out")))
        with Ledger(tmp_path / "out" / batch.NAME, LedgerOptions(backoff_s=0.0)) as ledger:
            executor = more.pop("executor", None) or sham.Threads()
            found = run_batch((Inputs(recording=path) for path in recordings), settings, ledger, executor, at_once=at_once, **more)
            assert audit(ledger).is_clean, audit(ledger).findings
            return sorted(found, key=lambda outcome: outcome.recording.name)

    return go


def test_a_machine_that_starts_no_process_is_no_failure_of_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("pipelines.executors.local.subprocess.Popen", refuse)
    path = sham.recording(tmp_path / "in" / "show.mp4")
    settings = Settings(run=RunOptions(out=str(tmp_path / "out")))
    executor = executors.load("local", capacity=executors.Needs(cpus=1))
    with Ledger(tmp_path / "out" / "livecut.ledger") as ledger:
        (found,) = run_batch([Inputs(recording=path)], settings, ledger, executor, at_once=1)
        (job,) = ledger.jobs()
    executor.close()
    assert (found.state, found.code, job.failures) == ("waiting", 4, 0)
    assert "could not start a process" in found.reason and "temporarily unavailable" in found.reason


def test_everything_is_done_and_then_not_again(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    recordings = [sham.recording(tmp_path / "in" / f"{n}.mp4", "rest") for n in range(6)]
    executor = sham.Threads()
    first = run(recordings, executor=executor)
    assert [(one.state, one.code, one.reused, one.attempt) for one in first] == [("done", 0, False, 1)] * 6
    assert executor.most == 2
    assert (tmp_path / "out" / "0" / "calls").read_text().split() == ["recognise", "plan", "None"]
    second = run(recordings)
    assert [(one.state, one.reused) for one in second] == [("done", True)] * 6
    assert (tmp_path / "out" / "0" / "calls").read_text().split() == ["recognise", "plan", "None"]


@pytest.mark.parametrize(
    ("text", "state", "code", "attempts", "why"),
    [
        ("poison", "quarantined", 1, 3, "failed 3 times, last: its process was killed"),
        ("fail", "quarantined", 1, 3, "failed 3 times, last: it failed"),
        ("bug", "quarantined", 1, 3, "a bug in livecut: ZeroDivisionError"),
        ("damaged index", "quarantined", 2, 1, "damaged: no index"),
        ("no model", "waiting", 4, 1, "weights are missing"),
        ("no space", "waiting", 1, 1, "no space left"),
        ("nothing", "done", 5, 1, "nothing to cut"),
        ("damaged", "degraded", 0, 1, "1.5 s of the recording are damaged"),
    ],
)
def test_one_recording_stops_no_other(
    run: Callable[..., list[Outcome]], tmp_path: Path, text: str, state: str, code: int, attempts: int, why: str
) -> None:
    recordings = [sham.recording(tmp_path / f"{n}.mp4", text if n == 1 else "") for n in range(4)]
    found = run(recordings)
    assert [one.state for one in found] == ["done", state, "done", "done"]
    assert (found[1].code, found[1].attempt) == (code, attempts)
    assert why in found[1].reason


def test_what_was_killed_for_memory_is_tried_again_with_all_of_it(tmp_path: Path) -> None:
    """Alone on its machine, one clip at a time; any other failure changes nothing."""
    source, machine = sham.recording(tmp_path / "a.mp4"), executors.Needs(cpus=4, memory_mb=16_000)
    with Ledger(tmp_path / batch.NAME, LedgerOptions(backoff_s=0.0)) as ledger:
        job = enrolling.enrol(ledger, Inputs(recording=source), Settings(run=RunOptions(out=str(tmp_path / "out"))))

        def tasks(reason: str) -> list[tuple[int, int]]:
            claim = ledger.claim(job.id)
            assert claim is not None
            found = jobs.stage_tasks(claim.job, claim.job.task, machine, recording=source, attempt=claim.attempt)
            ledger.fail(claim, reason)
            return [(task.needs.memory_mb, task.arguments["settings"]["run"]["jobs"]) for task in found]

        usual = tasks("it failed")
        assert usual == [(1500, 0), (1000, 0), (1500, 0)]
        assert tasks("its process was killed (signal 9): out of memory, or by somebody") == usual
        assert tasks("") == [(16_000, 1)] * 3


def test_a_recording_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest goes with the job, and counts for as long as the file looks as it did."""
    given: list[str] = []

    def make_clips(source: Path, *, known: Known, **more: Any) -> Run:
        given.append(known.digest_of(Path(source)))
        with Path(source).open("ab") as file:
            file.write(b"|")
        given.append(known.digest_of(Path(source)))
        return sham.make_clips(source, **more)

    monkeypatch.setattr("pipelines.jobs.make_clips", make_clips)
    source = sham.recording(tmp_path / "a.mp4")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with Ledger(tmp_path / batch.NAME, LedgerOptions(backoff_s=0.0, max_attempts=1)) as ledger:
        settings = Settings(run=RunOptions(out=str(tmp_path / "out")))
        (found,) = run_batch([Inputs(recording=source)], settings, ledger, sham.Threads(), at_once=1)
    assert given == [digest, ""] + ["", ""] * 2
    assert "changed while it was worked on" in found.reason, "what was hashed before says nothing about what it is now"


def test_what_waits_for_its_time_is_done_when_asked_for(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    source = sham.recording(tmp_path / "a.mp4", "no space")
    assert run([source])[0].state == "waiting"
    began = time.monotonic()
    assert run([source])[0].attempt == 2
    assert time.monotonic() - began < 5, "not after the minute that a daemon would wait"


def test_what_is_no_recording_is_rejected_and_what_is_not_there_said(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("hello")
    found = run([tmp_path / "absent.mp4", bad, sham.recording(tmp_path / "good.mp4")])
    assert [(one.state, one.code) for one in found] == [("gone", 2), ("rejected", 2), ("done", 0)]
    with Ledger(tmp_path / "out" / batch.NAME) as ledger:
        assert ledger.counts() == {"done": 1, "rejected": 1}


def test_equal_content_is_done_once(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    recordings = [sham.recording(tmp_path / name / f"{name}.mp4", content="same") for name in "abc"]
    found = run([*recordings, recordings[0]])
    assert len(found) == 3
    assert [one.same_as for one in found] == [None, recordings[0], recordings[0]]
    assert {one.folder for one in found} == {tmp_path / "out" / "a"}
    assert [path.name for path in sorted((tmp_path / "out").iterdir()) if path.is_dir()] == ["a"]


def test_recordings_of_one_name_do_not_meet_in_one_folder(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    found = run([sham.recording(tmp_path / folder / "show.mp4", content=folder) for folder in "abcd"], at_once=4)
    assert len({one.folder for one in found}) == 4
    assert {one.state for one in found} == {"done"}


def test_results_that_changed_are_made_again(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    source = sham.recording(tmp_path / "a.mp4")
    run([source])
    (tmp_path / "out" / "a" / "clips" / "001.mp4").unlink()
    assert [(one.reused, one.attempt) for one in run([source])] == [(False, 2)]
    assert [(one.reused, one.attempt) for one in run([source], replan=True)] == [(False, 3)]


def test_a_recording_that_changes_under_its_run_is_not_published(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    source = sham.recording(tmp_path / "a.mp4")

    def grow(path: Path, told: Any) -> None:
        if told.stage == "plan":
            sham.recording(source, content="grown")

    found = run([source], progress=grow)
    assert found[0].state == "quarantined"
    assert "changed while it was worked on" in found[0].reason
    assert [one.state for one in run([source])] == ["done"], "its new content is another job"


def test_a_batch_that_is_stopped_hands_back_and_goes_on_later(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    slow = sham.recording(tmp_path / "slow.mp4", "slow")
    stopping = threading.Event()
    with pytest.raises(Cancelled):
        run([slow, sham.recording(tmp_path / "b.mp4")], progress=lambda path, told: stopping.set(), cancelled=stopping.is_set)
    with Ledger(tmp_path / "out" / batch.NAME) as ledger:
        assert {job.state for job in ledger.jobs()} <= {"waiting", "done"}
        assert [job.failures for job in ledger.jobs()] == [0] * len(list(ledger.jobs()))
    sham.recording(slow, content="slow.mp4")
    assert {one.state for one in run([slow, tmp_path / "b.mp4"])} == {"done"}


def test_two_batches_share_the_work(run: Callable[..., list[Outcome]], tmp_path: Path) -> None:
    recordings = [sham.recording(tmp_path / f"{n}.mp4") for n in range(10)]
    found: list[list[Outcome]] = []
    both = [threading.Thread(target=lambda: found.append(run(recordings))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert [{one.state for one in each} for each in found] == [{"done"}] * 2
    for n in range(10):
        assert (tmp_path / "out" / str(n) / "calls").read_text().split() == ["recognise", "plan", "None"]


def test_a_ledger_that_cannot_be_written_ends_the_batch(
    run: Callable[..., list[Outcome]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **more: Any) -> None:
        raise LedgerError("could not write the ledger: the disk is full; nothing was marked as done")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "claim", full)
        with pytest.raises(LedgerError, match="disk is full"):
            run([sham.recording(tmp_path / "a.mp4")])
    assert [one.state for one in run([tmp_path / "a.mp4"])] == ["done"]


# --- pictures -----------------------------------------------------------------------------------


def test_a_folder_of_pictures_is_a_job_too(run: Callable[..., list[Outcome]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    made: list[Path] = []

    def make_videos(pictures: Sequence[str], *, folder: str, **_: Any) -> None:
        made.append(Path(folder))
        (Path(folder) / "videos").mkdir(parents=True)
        (Path(folder) / "videos" / "001.mp4").write_bytes(b"video")
        manifest = {"kind": "videos", "videos": [{"file": "videos/001.mp4", "cover": None, "sidecar": None, "plan": None}]}
        (Path(folder) / "manifest.json").write_text(json.dumps(manifest))

    monkeypatch.setattr("pipelines.videos.make_videos", make_videos)
    for name, colour in (("cup", "red"), ("other/cup", "blue")):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.new("RGB", (600, 600), colour).save(tmp_path / "in" / name / "front.png")
    folders = [tmp_path / "in" / "cup", tmp_path / "in" / "other" / "cup"]
    assert [(one.state, one.reused) for one in run(folders, at_once=1)] == [("done", False)] * 2
    assert made[0] == tmp_path / "out" / "cup"
    assert len(set(made)) == 2, "equal names do not meet in one folder"
    assert [(one.state, one.reused) for one in run(folders)] == [("done", True)] * 2
    Image.new("RGB", (600, 600), "green").save(folders[0] / "front.png")
    shutil.rmtree(tmp_path / "out" / "cup")
    assert sorted(one.reused for one in run(folders)) == [False, True]


# --- one recording ------------------------------------------------------------------------------


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr("pipelines.attempts.make_clips", sham.make_clips)
    monkeypatch.setattr("pipelines.clips.make_clips", lambda path, **more: sham.make_clips(path, folder=tmp_path / "out" / "plain", **more))
    return lambda *words: cli.run(["clip", *map(str, words), "-o", str(tmp_path / "out"), "-q"])


@pytest.mark.parametrize(
    ("text", "code", "state"),
    [("", 0, "done"), ("fail", 1, "waiting"), ("nothing", 5, "done"), ("bug", 1, "waiting"), ("no model", 4, "waiting")],
)
def test_one_recording_is_recorded_too(one: Callable[..., int], tmp_path: Path, text: str, code: int, state: str) -> None:
    source = sham.recording(tmp_path / "a.mp4", text)
    for attempt in (1, 2):
        assert one(source) == code, "asked for, it runs whatever the ledger says"
        with Ledger(tmp_path / "out" / batch.NAME) as ledger:
            assert [(job.state, job.attempt) for job in ledger.jobs()] == [(state, attempt)]
            assert audit(ledger).is_clean


def test_one_recording_that_another_process_is_at_is_left_to_it(
    one: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = sham.recording(tmp_path / "a.mp4", "fail")
    one(source)
    with Ledger(tmp_path / "out" / batch.NAME) as ledger:
        job = next(ledger.jobs())
        ledger.retry(job.id)
        assert ledger.claim() is not None
        assert one(source) == 2
        assert "another livecut is at work" in capfd.readouterr().err
        assert ledger.job(job.id).state == "running"


def test_where_no_ledger_can_live_one_recording_is_done_all_the_same(
    one: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ledger.filesystem.network_name", lambda folder: "NFS")
    source = sham.recording(tmp_path / "a.mp4")
    assert one(source) == 0
    assert "not recorded" in capfd.readouterr().err
    assert (tmp_path / "out" / "plain" / "manifest.json").exists()
    assert one(source, sham.recording(tmp_path / "b.mp4")) == 1
    assert "network file system (NFS)" in capfd.readouterr().err


def test_a_clip_that_was_rendered_anew_is_recorded_anew(one: Callable[..., int], tmp_path: Path) -> None:
    one(sham.recording(tmp_path / "a.mp4"))
    clip, plan = tmp_path / "out" / "a" / "clips" / "001.mp4", tmp_path / "out" / "a" / "plans" / "001.json"
    clip.write_bytes(b"rendered from an edited plan")
    with Ledger(tmp_path / "out" / batch.NAME) as ledger:
        assert not audit(ledger).is_clean
        cli_batch.amend([plan], Settings())
        assert audit(ledger).is_clean
        cli_batch.amend([tmp_path / "elsewhere" / "plans" / "001.json"], Settings())


# --- the command line ---------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setitem(executors.EXECUTORS, "local", "tests.sham:Threads")
    monkeypatch.setattr(batch, "open_ledger", lambda settings: Ledger(batch.ledger_path(settings), LedgerOptions(backoff_s=0.0)))
    monkeypatch.chdir(tmp_path)
    return lambda *words: cli.run([*map(str, words), "-o", str(tmp_path / "out")])


def test_a_batch_prints_lines_as_they_come_and_a_table(
    command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("好的.mp4", ""), ("bad.mp4", "fail"), ("nothing.mp4", "nothing")):
        sham.recording(tmp_path / "in" / name, text)
    (tmp_path / "in" / "later.mp4.part").write_bytes(sham.HEAD)
    assert command("clip", "in", "--json") == 3
    out, err = capfd.readouterr()
    rows = {Path(row["recording"]).name: row for row in map(json.loads, out.splitlines())}
    assert {name: (row["state"], row["exit_code"]) for name, row in rows.items()} == {
        "好的.mp4": ("done", 0), "bad.mp4": ("quarantined", 1), "nothing.mp4": ("done", 5),
    }  # fmt: skip
    assert rows["好的.mp4"]["manifest"]["clips"] == [{"file": "clips/001.mp4"}]
    assert "3 recordings: 2 done, 1 quarantined" in err
    assert command("status") == 0
    out, _ = capfd.readouterr()
    assert "1 ignored" in out
    assert "temporary" in out
    assert command("clip", "in", "-q") == 3
    assert capfd.readouterr().out.splitlines() == [str(tmp_path / "out" / "好的" / "clips" / "001.mp4")]


def test_status_says_why_and_what_happened(command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sham.recording(tmp_path / "in" / "a.mp4", "fail")
    sham.recording(tmp_path / "in" / "b.mp4")
    command("clip", "in", "-q")
    capfd.readouterr()
    assert command("status", "in/a.mp4") == 0
    out, _ = capfd.readouterr()
    assert "a.mp4: quarantined: failed 3 times, last: it failed" in out
    assert out.count("running") == 3
    assert command("status", "in/b.mp4", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["state"], [one["what"] for one in told["history"]]) == ("done", ["waiting", "seen", "running", "done"])
    assert {Path(one["file"]).name for one in told["outputs"]} == {"manifest.json", "001.mp4"}
    assert command("status", "--state", "done", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["counts"] == {"done": 1, "quarantined": 1}
    assert [Path(one["file"]).name for one in told["files"]] == ["b.mp4"]
    assert command("status", "in/c.mp4") == 2
    assert "could not find" in capfd.readouterr().err


def test_retry_gives_all_attempts_again(command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = sham.recording(tmp_path / "in" / "a.mp4", "fail")
    assert command("clip", "in", "-q") == 1
    assert command("clip", "in", "-q") == 1, "given up is given up"
    assert len((tmp_path / "out" / "a" / "calls").read_text().split()) == 3
    assert command("retry") == 2
    assert command("retry", "--all-quarantined") == 0
    assert command("clip", "in", "-q") == 1
    assert len((tmp_path / "out" / "a" / "calls").read_text().split()) == 6
    assert command("retry", source) == 0


def test_the_audit_has_an_exit_code(command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sham.recording(tmp_path / "in" / "a.mp4")
    command("clip", "in", "-q")
    assert command("ledger", "audit") == 0
    assert "clean: 1 files, 1 jobs, 2 results compared" in capfd.readouterr().out
    (tmp_path / "out" / "a" / "clips" / "001.mp4").write_text("tampered")
    assert command("ledger", "audit") == 1
    assert "WRONG" in capfd.readouterr().out
    assert command("ledger", "audit", "--json") == 1


def test_forget_and_a_missing_ledger(command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command("status") == 2
    assert "no such file" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
    sham.recording(tmp_path / "in" / "a.mp4")
    command("clip", "in", "-q")
    assert command("forget", "in/a.mp4", "--dry-run") == 0
    assert command("forget", "in/a.mp4") == 0
    assert command("ledger", "audit") == 0
    assert command("status", "in/a.mp4") == 2


def test_an_empty_folder_is_said(command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert command("clip", "in", "-q") == 2
    assert "found no recordings in in" in capfd.readouterr().err


def test_side_files_and_options_make_another_job_and_threads_do_not(command: Callable[..., int], tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        sham.recording(tmp_path / "in" / name)

    def attempts() -> int:
        with Ledger(tmp_path / "out" / batch.NAME) as ledger:
            return sum(job.attempt for job in ledger.jobs())

    command("clip", "in", "-q")
    command("clip", "in", "-q", "--jobs", "1", "--set", "speech.threads=1")
    assert attempts() == 2
    command("clip", "in", "-q", "--set", "plan.title_max=20")
    assert attempts() == 4
    (tmp_path / "in" / "catalog.csv").write_text("sku,title\nA1,杯子\n")
    command("clip", "in", "-q", "--set", "plan.title_max=20")
    assert attempts() == 6
    assert command("ledger", "audit") == 0


def test_a_copied_folder_of_recordings_is_known_by_content(
    command: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sham.recording(tmp_path / "in" / "a.mp4")
    command("clip", "in", "-q")
    shutil.copytree(tmp_path / "in", tmp_path / "copy")
    capfd.readouterr()
    began = time.monotonic()
    assert command("clip", "copy", "--json") == 0
    row = json.loads(capfd.readouterr().out)
    assert (row["reused"], row["folder"]) == (True, str(tmp_path / "out" / "a"))
    assert time.monotonic() - began < 5
