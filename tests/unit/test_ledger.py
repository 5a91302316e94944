"""Jobs and files in the ledger: who may change what, and when."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest

from clipper.errors import InputError
from pipelines import ledger as led
from pipelines.ledger import Clock, Job, Ledger, LedgerOptions, LostLease, Owner, Seen, publish, publishing


class Time:
    """Clocks that tests turn."""

    def __init__(self) -> None:
        self.wall, self.uptime = 1_800_000_000.0, 5000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.uptime)

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(tmp_path: Path, time: Time) -> Iterator[Ledger]:
    with Ledger(tmp_path / "livecut.ledger", LedgerOptions(backoff_s=5.0), clock=time.clock()) as opened:
        yield opened


def other(ledger: Ledger, time: Time, **changed: int) -> Ledger:
    """The same ledger as another process has it open."""
    owner = replace(Owner.me(), **({"pid": os.getppid(), "started": 0} | changed))  # type: ignore[arg-type]
    return Ledger(ledger.path, ledger.options, clock=time.clock(), owner=owner)


def add(ledger: Ledger, path: Path, content: str = "c", options: str = "o") -> Job:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    out = ledger.path.parent / "out"
    return ledger.add(
        Seen.of(path), kind="clip", content=content, options=options, task="{}", folder=out / path.stem, spare=out / f"{path.stem}-2"
    )


def finish(ledger: Ledger, claim: led.Claim, *names: str) -> None:
    files = []
    for name in names or ("manifest.json",):
        path = claim.job.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        files.append(path)
    publish(ledger, claim, files)


def claimed(ledger: Ledger, job: Job | None = None) -> led.Claim:
    claim = ledger.claim(job.id if job else None)
    assert claim is not None
    return claim


def test_a_job_is_done_once(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    finish(ledger, claimed(ledger, job))
    assert ledger.job(job.id).state == "done"
    assert ledger.claim() is None
    assert add(ledger, tmp_path / "a.mp4").state == "done"
    assert [event.what for event in ledger.history(path=tmp_path / "a.mp4")] == ["waiting", "seen", "running", "done"]


def test_equal_content_under_two_names_is_one_job(ledger: Ledger, tmp_path: Path) -> None:
    first, second = add(ledger, tmp_path / "a.mp4"), add(ledger, tmp_path / "b.mp4")
    assert first.id == second.id
    assert ledger.paths(first.id) == (tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert ledger.counts() == {"waiting": 2}


def test_other_options_are_another_job_and_replace_the_results_before_they_change(ledger: Ledger, tmp_path: Path) -> None:
    first = add(ledger, tmp_path / "a.mp4", options="one")
    finish(ledger, claimed(ledger))
    second = add(ledger, tmp_path / "a.mp4", options="two")
    assert second.folder == first.folder
    assert ledger.job(first.id).state == "done"
    claimed(ledger, second)
    assert ledger.job(first.id).state == "gone"
    assert ledger.outputs(first.id) == ()
    assert led.audit(ledger).is_clean


def test_recordings_of_one_name_get_folders_of_their_own(ledger: Ledger, tmp_path: Path) -> None:
    first, second = add(ledger, tmp_path / "x" / "show.mp4", "1"), add(ledger, tmp_path / "y" / "show.mp4", "2")
    assert first.folder != second.folder
    assert {claimed(ledger).job_id, claimed(ledger).job_id} == {first.id, second.id}


def test_two_jobs_with_one_folder_never_run_at_once(ledger: Ledger, tmp_path: Path) -> None:
    add(ledger, tmp_path / "a.mp4", options="one")
    claim = claimed(ledger)
    second = add(ledger, tmp_path / "a.mp4", options="two")
    assert ledger.claim(second.id) is None
    finish(ledger, claim)
    assert ledger.claim(second.id) is not None


def test_the_attempt_is_counted_before_it_starts(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    assert claimed(ledger).attempt == 1
    assert ledger.job(job.id).attempt == 1


def test_failures_wait_longer_each_time_and_end_in_quarantine(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    assert ledger.fail(claimed(ledger), "boom") == "waiting"
    assert ledger.claim() is None
    time.sleep(5)
    assert ledger.fail(claimed(ledger), "boom") == "waiting"
    time.sleep(5)
    assert ledger.claim() is None
    time.sleep(15)
    assert ledger.fail(claimed(ledger), "boom", code=4) == "quarantined"
    found = ledger.job(job.id)
    assert (found.reason, found.code, found.attempt) == ("failed 3 times, last: boom", 4, 3)
    assert ledger.retry(job.id) == "waiting"
    assert claimed(ledger).attempt == 4


def test_what_is_nobodys_fault_costs_no_attempt(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    for _ in range(10):
        assert ledger.hand_back(claimed(ledger), "no model") == "waiting"
    assert ledger.job(job.id).failures == 0


def test_a_lease_that_ended_is_taken_over_and_the_late_result_dropped(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    add(ledger, tmp_path / "a.mp4")
    late = claimed(ledger)
    with other(ledger, time) as second:
        assert second.claim() is None
        time.sleep(61)
        claim = second.claim()
        assert claim is not None
        assert claim.attempt == 2
        with pytest.raises(LostLease, match=r"attempt 1 .* no longer counts"):
            finish(ledger, late)
        for end in (lambda: ledger.fail(late, "x"), lambda: ledger.give_up(late, "rejected", "x"), lambda: ledger.hand_back(late, "x")):
            with pytest.raises(LostLease):
                end()
        finish(second, claim)
        assert [job.state for job in second.jobs()] == ["done"]


def test_staged_files_stay_where_they_are_when_the_lease_was_lost(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    add(ledger, tmp_path / "a.mp4")
    late = claimed(ledger)
    time.sleep(61)
    with other(ledger, time) as second:
        assert second.claim() is not None
    staged, final = tmp_path / "staged", tmp_path / "final"
    staged.write_text("late")
    with pytest.raises(LostLease):
        publish(ledger, late, staged=[(staged, final)])
    assert staged.exists()
    assert not final.exists()


def test_renewed_leases_last(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    add(ledger, tmp_path / "a.mp4")
    claim = claimed(ledger)
    for _ in range(10):
        time.sleep(50)
        assert ledger.renew() == {(claim.job_id, 1)}
    with other(ledger, time) as second:
        assert second.claim() is None


@pytest.mark.parametrize("jump", [-(10.0**8), 10.0**8, -3600.0, 3600.0])
def test_a_clock_that_jumps_ends_no_lease_and_makes_nobody_wait(ledger: Ledger, time: Time, tmp_path: Path, jump: float) -> None:
    add(ledger, tmp_path / "a.mp4", "1")
    running = claimed(ledger)
    add(ledger, tmp_path / "b.mp4", "2")
    ledger.fail(claimed(ledger), "boom")
    time.wall += jump
    with other(ledger, time) as second:
        time.sleep(30)
        claim = second.claim()
        assert claim is not None
        assert claim.job.path.name == "b.mp4"
        assert second.claim() is None
        assert ledger.job(running.job_id).state == "running"


def test_a_dead_owner_is_seen_at_once(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    for gone in ({"pid": 2**22 + 1}, {"pid": os.getpid(), "started": 1}):  # no such process; another with its number
        with other(ledger, time, **gone) as killed:
            assert killed.claim() is not None
        assert ledger.claim() is not None, "freed without waiting for the lease"
        found = ledger.job(job.id)
        assert "was killed in attempt" in " ".join(event.detail for event in ledger.history(job_id=job.id))
        assert found.failures == 0
        ledger.hand_back(led.Claim(found, found.attempt), "again")


def test_an_owner_of_an_earlier_boot_is_dead() -> None:
    assert replace(Owner.me(), boot="earlier").is_dead()
    assert not replace(Owner.me(), space="another container's", pid=2**22 + 1).is_dead()
    assert not Owner.me().is_dead()
    assert Owner.parse(str(Owner.me())) == Owner.me()


def test_killing_its_owner_again_and_again_makes_a_job_suspect(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    for death in range(1, 11):
        with other(ledger, time, pid=2**22 + death) as killed:
            assert killed.claim() is not None, death
        ledger.free_dead()
        time.sleep(3600)
    found = ledger.job(job.id)
    assert found.state == "quarantined"
    assert found.reason.startswith("10 times the process that worked on it")


def test_history_is_kept_for_a_time_and_the_last_of_each_for_ever(ledger: Ledger, time: Time, tmp_path: Path) -> None:
    old, busy = add(ledger, tmp_path / "old.mp4", "1"), add(ledger, tmp_path / "busy.mp4", "2")
    finish(ledger, claimed(ledger, old))
    ledger.note([Seen.of(tmp_path / "old.mp4")], "gone", "deleted")
    time.sleep(100 * 86_400)
    for _ in range(300):
        ledger.hand_back(claimed(ledger, busy), "no space", wait_s=0)
    before = {path: ledger.history(path=path) for path in (tmp_path / "old.mp4", tmp_path / "busy.mp4")}
    assert ledger.prune(90) > 400
    after = {path: ledger.history(path=path) for path in before}
    assert after[tmp_path / "old.mp4"][-1] == before[tmp_path / "old.mp4"][-1]
    assert [event.what for event in ledger.history(job_id=old.id)] == ["done", "gone"]
    assert len(after[tmp_path / "busy.mp4"]) <= 202 and after[tmp_path / "busy.mp4"][-1] == before[tmp_path / "busy.mp4"][-1]
    assert ledger.prune(90) == 0


def test_a_file_that_goes_takes_its_waiting_job_along_but_not_its_results(ledger: Ledger, tmp_path: Path) -> None:
    done, waiting = add(ledger, tmp_path / "a.mp4", "1"), add(ledger, tmp_path / "b.mp4", "2")
    finish(ledger, claimed(ledger, done))
    ledger.note([Seen.of(tmp_path / "a.mp4"), Seen.of(tmp_path / "b.mp4")], "gone", "deleted")
    assert ledger.job(done.id).state == "done"
    assert ledger.job(waiting.id).state == "gone"
    assert ledger.counts() == {"gone": 2}
    assert add(ledger, tmp_path / "b.mp4", "2").state == "waiting"


def test_a_file_that_is_looked_at_again_keeps_its_job_and_what_it_has_failed(ledger: Ledger, tmp_path: Path) -> None:
    """A daemon that starts anew calls everything "not quiet for long enough" at first."""
    path = tmp_path / "a.mp4"
    job = add(ledger, path)
    ledger.fail(claimed(ledger, job), "it failed")
    before = ledger.history(path=path)
    ledger.note([Seen.of(path)], "waiting", "not quiet for long enough")
    assert (ledger.job(job.id).state, ledger.job(job.id).failures) == ("waiting", 1)
    assert ledger.history(path=path) == before
    path.write_bytes(b"other bytes, which are another job's")
    ledger.note([Seen.of(path)], "waiting", "not quiet for long enough")
    assert ledger.job(job.id).state == "gone"


def test_names_of_any_bytes_come_back_as_they_were(ledger: Ledger, tmp_path: Path) -> None:
    raw = [
        b"bad\xff\xfe.mp4",
        "é.mp4".encode(),
        "e\u0301.mp4".encode(),
        b"-rf\n$(x).mp4",
        "示🎬\u202e.mp4".encode(),
        b"n" * 251 + b".mp4",
    ]
    for number, name in enumerate(raw):
        add(ledger, Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))), str(number))  # noqa: PTH118
    assert sorted(os.fsencode(file.path.name) for file in ledger.files()) == sorted(raw)
    assert sorted(os.fsencode(job.path.name) for job in ledger.jobs()) == sorted(raw)


def test_a_reason_may_name_such_a_file(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    ledger.fail(claimed(ledger), "could not read bad\udcff.mp4")
    assert ledger.job(job.id).reason == "could not read bad\\udcff.mp4"
    ledger.note([Seen.of(tmp_path / "a.mp4")], "rejected", "bad\udcff.mp4 is text")
    assert [event.detail for event in ledger.history(path=tmp_path / "a.mp4")][-1] == "bad\\udcff.mp4 is text"


def test_forgetting_drops_the_row_and_keeps_the_results(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    claim = claimed(ledger)
    with pytest.raises(led.LedgerError, match="being worked on"):
        ledger.forget(tmp_path / "a.mp4")
    finish(ledger, claim)
    assert ledger.forget(tmp_path / "a.mp4")
    assert not ledger.forget(tmp_path / "a.mp4")
    assert list(ledger.jobs()) == []
    found = led.audit(ledger)
    assert found.is_clean
    assert [finding.path for finding in found.findings] == [job.folder]


def test_the_audit_finds_what_is_wrong(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    finish(ledger, claimed(ledger), "manifest.json", "clips/1.mp4", "clips/2.mp4")
    assert led.audit(ledger).is_clean
    (job.folder / "clips" / "1.mp4").write_text("other")
    (job.folder / "clips" / "2.mp4").unlink()
    (job.folder / "clips" / "3.mp4").write_text("new")
    stranger = job.folder.parent / "stranger"
    stranger.mkdir()
    (stranger / "manifest.json").write_text("{}")
    found = led.audit(ledger)
    assert sorted(finding.path.name for finding in found.findings if finding.path) == ["1.mp4", "2.mp4", "3.mp4", "stranger"]
    assert not found.is_clean


def test_an_edited_plan_is_worth_a_word_and_no_lie(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, tmp_path / "a.mp4")
    plan = job.folder / "plans" / "1.json"
    plan.parent.mkdir(parents=True)
    plan.write_text("{}")
    manifest = job.folder / "manifest.json"
    manifest.write_text("{}")
    outputs = publish(ledger, claimed(ledger), [manifest], editable=[plan])
    assert led.is_fresh(outputs)
    plan.write_text('{"title": "new"}')
    assert not led.is_fresh(ledger.outputs(job.id))
    found = led.audit(ledger)
    assert found.is_clean
    assert [finding.text for finding in found.findings] == ["was edited since it was written"]


@pytest.mark.parametrize("step", publishing.STEPS)
def test_a_crash_between_any_two_steps_of_a_publication_loses_and_doubles_nothing(
    ledger: Ledger, time: Time, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PulledPlug(BaseException):
        pass

    def pull(reached: str) -> None:
        if reached == step:
            raise PulledPlug

    job = add(ledger, tmp_path / "a.mp4")

    def attempt(opened: Ledger, claim: led.Claim) -> None:
        staged = tmp_path / f"attempt-{claim.attempt}"
        staged.write_text("the clip")
        publish(opened, claim, staged=[(staged, job.folder / "manifest.json")])

    monkeypatch.setattr(publishing, "reached", pull)
    with other(ledger, time, pid=2**22 + 1) as killed, pytest.raises(PulledPlug):
        attempt(killed, claimed(killed))
    monkeypatch.undo()
    assert (ledger.job(job.id).state == "done") == (step == "committed")
    claim = ledger.claim(job.id)
    assert (claim is None) == (step == "committed")
    if claim:
        attempt(ledger, claim)
    assert ledger.job(job.id).state == "done"
    assert (job.folder / "manifest.json").read_text() == "the clip"
    assert led.audit(ledger).is_clean
    assert [event.what for event in ledger.history(job_id=job.id)].count("done") == 1


def test_a_heartbeat_keeps_a_claim_and_tells_when_it_cannot(tmp_path: Path) -> None:
    with Ledger(tmp_path / "livecut.ledger", LedgerOptions(lease_s=0.3)) as ledger:
        add(ledger, tmp_path / "a.mp4")
        claim = claimed(ledger)
        broken: list[led.LedgerError] = []
        with led.Heartbeat(ledger, broken=broken.append):
            sleep(0.8)
            assert ledger.free_dead() == 0, "renewed"
            ledger._connection.execute("PRAGMA query_only = 1")
            sleep(0.3)
        assert broken
        ledger._connection.execute("PRAGMA query_only = 0")
        sleep(0.4)
        assert ledger.free_dead() == 1
        with pytest.raises(LostLease):
            finish(ledger, claim)


def test_options_say_their_range() -> None:
    with pytest.raises(InputError, match="lease_s = 0: expected"):
        LedgerOptions(lease_s=0)
