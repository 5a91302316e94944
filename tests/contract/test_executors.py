"""One suite over every executor of the table."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from clipper.errors import Cancelled, InputError
from pipelines import executors
from pipelines.batch import run_batch
from pipelines.clips import Inputs
from pipelines.executors import EXECUTORS, Executor, Needs, Task, TaskFailed, WorkerDied, run_all
from pipelines.ledger import Ledger, LedgerOptions, audit
from pipelines.progress import Progress
from pipelines.settings import RunOptions, Settings
from tests import sham

HERE = "tests.contract.executor_tasks"
LIMIT_S = 30.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=sorted(EXECUTORS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """One Ray for all tests, with more than any of them may use: starting it takes ten seconds."""
    from pipelines.executors.ray import start, stop

    start(Needs(cpus=4, gpus=2))
    yield
    stop()


@pytest.fixture
def make(name: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Executor]]:
    if name == "ray":
        request.getfixturevalue("cluster")
    made: list[Executor] = []

    def load(capacity: Needs | None = None) -> Executor:
        made.append(executors.load(name, capacity=capacity or Needs(cpus=2), patience_s=1.0))
        return made[-1]

    yield load
    for executor in made:
        executor.close()


def task(id: str, function: str = "add", *, needs: Needs | None = None, **more: Any) -> Task:
    fields = {name: more.pop(name) for name in ("group", "last", "limit_s", "inputs") if name in more}
    return Task(id=id, function=f"{HERE}:{function}", arguments=more, needs=needs or Needs(), **fields)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def until(claim: Callable[[], bool], seconds: float = LIMIT_S) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.02)
    return False


def test_values_come_back(make: Callable[..., Executor]) -> None:
    told: list[Progress] = []
    future = make().submit(task("t", a=1, b=2, text="直播 \udcff"), progress=told.append)
    assert future.result(LIMIT_S) == {"sum": 3, "text": "直播 \udcff"}
    assert [(one.stage, one.fraction) for one in told] == [("adding", 0.0), ("adding", 1.0)]


def test_what_a_library_prints_disturbs_nothing(make: Callable[..., Executor]) -> None:
    assert make().submit(task("t", "where")).result(LIMIT_S)["pid"] != os.getpid()


def test_an_error_keeps_its_message_and_code(make: Callable[..., Executor]) -> None:
    executor = make()
    with pytest.raises(TaskFailed, match=r"^could not use it: it is too small$") as found:
        executor.submit(task("t", "refuse")).result(LIMIT_S)
    assert (found.value.name, found.value.exit_code) == ("InputError", 2)
    with pytest.raises(TaskFailed, match="ZeroDivisionError: division by zero") as found:
        executor.submit(task("u", "divide", by=0)).result(LIMIT_S)
    assert "executor_tasks.py" in found.value.trace


def test_a_worker_that_is_killed_costs_its_own_task_alone(make: Callable[..., Executor]) -> None:
    executor = make()
    futures = {
        name: executor.submit(task(name, name if name in ("die", "leave") else "add", a=1, b=1)) for name in ("a", "die", "b", "leave", "c")
    }
    wait(futures.values(), LIMIT_S)
    assert [futures[name].result()["sum"] for name in "abc"] == [2, 2, 2]
    with pytest.raises(WorkerDied, match=r"die: .*") as found:
        futures["die"].result()
    assert found.value.signal in (None, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        futures["leave"].result()


def test_a_death_is_not_told_among_the_results(make: Callable[..., Executor], capfd: pytest.CaptureFixture[str]) -> None:
    """stdout carries results alone: one line of Ray's own there, and nobody can read `--json`."""
    with pytest.raises(WorkerDied):
        make().submit(task("die", "die")).result(LIMIT_S)
    time.sleep(0.5)  # it would come later
    assert capfd.readouterr().out == ""


def test_needs_are_kept_within_what_there_is(name: str, make: Callable[..., Executor], tmp_path: Path) -> None:
    executor = make(Needs(cpus=2))
    # workers of Ray take a second to start, and stay: two tasks that last as long have two of them ready
    wait([executor.submit(task(f"warm{n}", "nap", log=str(tmp_path / "warm"), name="w", seconds=1.0 * (name == "ray"))) for n in range(2)])
    seconds, log = 0.3, tmp_path / "log"
    futures = [
        executor.submit(task(f"t{n}", "nap", log=str(log), name=str(n), seconds=seconds, needs=Needs(cpus=cpus)))
        for n, cpus in enumerate([1, 1, 2, 1])
    ]
    assert not wait(futures, LIMIT_S).not_done
    running, most = set[str](), 0
    for line in log.read_text().split():
        running = running | {line[1:]} if line[0] == "+" else running - {line[1:]}
        most = max(most, len(running))
        assert not ("2" in running and len(running) > 1), "the one that needs both has them alone"
    assert most == 2, "and two small ones run beside each other"


def test_needs_that_nobody_can_meet_are_refused_at_once(make: Callable[..., Executor]) -> None:
    executor = make(Needs(cpus=2, gpus=0))
    began = time.monotonic()
    with pytest.raises(InputError, match="needs 1 graphics processor"):
        executor.submit(task("t", needs=Needs(gpus=1))).result(LIMIT_S)
    with pytest.raises(InputError, match="needs 64 processors"):
        executor.submit(task("u", needs=Needs(cpus=64))).result(LIMIT_S)
    assert time.monotonic() - began < 5


def test_tasks_that_share_no_processor_get_different_graphics_processors(make: Callable[..., Executor]) -> None:
    executor = make(Needs(cpus=2, gpus=2))
    futures = [executor.submit(task(f"t{n}", "where", seconds=0.5, needs=Needs(gpus=1))) for n in range(2)]
    assert {future.result(LIMIT_S)["gpu"] for future in futures} == {"0", "1"}


def test_an_input_that_cannot_be_seen_is_said_before_the_task_starts(make: Callable[..., Executor], tmp_path: Path) -> None:
    future = make().submit(task("t", inputs=(str(tmp_path / "nowhere.mp4"),), a=1, b=1))
    with pytest.raises(InputError, match=r"nowhere.mp4 cannot be seen"):
        future.result(LIMIT_S)


def test_a_group_runs_in_order(make: Callable[..., Executor], tmp_path: Path) -> None:
    executor = make()
    log = tmp_path / "log"
    futures = [executor.submit(task(f"t{n}", "nap", log=str(log), name=str(n), seconds=0.05, group="g", last=n == 2)) for n in range(3)]
    assert not wait(futures, LIMIT_S).not_done
    assert log.read_text().split() == ["+0", "-0", "+1", "-1", "+2", "-2"]


def test_a_task_that_asks_stops_when_told(make: Callable[..., Executor]) -> None:
    executor = make()
    started = threading.Event()
    future = executor.submit(task("t", "wait"), progress=lambda told: started.set())
    assert started.wait(LIMIT_S)
    executor.cancel("t")
    with pytest.raises(Cancelled):
        future.result(LIMIT_S)


def test_a_task_that_has_not_started_is_cancelled_without_starting(make: Callable[..., Executor], tmp_path: Path) -> None:
    executor = make(Needs(cpus=1))
    first = executor.submit(task("first", "wait"))
    log = tmp_path / "log"
    log.touch()
    second = executor.submit(task("second", "nap", log=str(log), name="2", seconds=0))
    executor.cancel("second")
    with pytest.raises(Cancelled):
        second.result(LIMIT_S)
    executor.cancel("first")
    with pytest.raises(Cancelled):
        first.result(LIMIT_S)
    assert log.read_text() == ""


def stubborn(executor: Executor, tmp_path: Path, **more: Any) -> tuple[Any, list[int]]:
    pids = tmp_path / "pids"
    future = executor.submit(task("t", "stubborn", pids=str(pids), **more))
    assert until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    return future, [int(pid) for pid in pids.read_text().split()]


def test_a_task_that_does_not_stop_is_killed_with_its_children(make: Callable[..., Executor], tmp_path: Path) -> None:
    executor = make()
    future, pids = stubborn(executor, tmp_path)
    executor.cancel("t")
    with pytest.raises(Cancelled):
        future.result(LIMIT_S)
    assert until(lambda: not any(map(is_alive, pids)), 5)


def test_a_task_over_its_limit_is_killed(make: Callable[..., Executor], tmp_path: Path) -> None:
    future, pids = stubborn(make(), tmp_path, limit_s=2.0)
    with pytest.raises(WorkerDied, match="took longer than 2 s"):
        future.result(LIMIT_S)
    assert until(lambda: not any(map(is_alive, pids)), 5)


def test_closing_settles_every_future(make: Callable[..., Executor]) -> None:
    executor = make(Needs(cpus=1))
    futures = [executor.submit(task(f"t{n}", "wait")) for n in range(3)]
    executor.close()
    for future in futures:
        with pytest.raises(Cancelled):
            future.result(0)


def test_thousands_of_tasks_are_drawn_only_as_places_become_free(make: Callable[..., Executor]) -> None:
    drawn = finished = 0

    def many() -> Iterator[Task]:
        nonlocal drawn
        for number in range(12):
            drawn += 1
            assert drawn - finished <= 3, "no more than the window"
            yield task(f"t{number}", a=number, b=0, group=f"g{number % 2}", last=False)

    executor = make()
    sums = []
    for _, future in run_all(executor, many(), window=3):
        finished += 1
        sums.append(future.result()["sum"])
    assert sorted(sums) == list(range(12))


def test_everything_dies_with_the_driver(name: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "from pipelines import executors; from pipelines.executors import Needs, Task\n"
        f"e = executors.load({name!r}, capacity=Needs(cpus=1), patience_s=1.0)\n"
        f"e.submit(Task(id='t', function={HERE + ':stubborn'!r}, arguments={{'pids': {str(pids)!r}}})).result()\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    assert until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    driver.kill()
    driver.wait()
    assert until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), 10)


def test_a_batch_runs_on_it_and_one_file_that_kills_workers_stops_nobody(
    make: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.jobs.WORK", "tests.sham:run_stage")
    recordings = [sham.recording(tmp_path / "in" / f"{number}.mp4", "kill" if number == 1 else "") for number in range(4)]
    settings = Settings(run=RunOptions(out=str(tmp_path / "out")))
    with Ledger(tmp_path / "out" / "livecut.ledger", LedgerOptions(backoff_s=0.0)) as ledger:
        found = run_batch((Inputs(recording=path) for path in recordings), settings, ledger, make(), at_once=2)
        assert audit(ledger).is_clean
    assert {(one.recording.name, one.state, one.attempt) for one in found} == {
        ("0.mp4", "done", 1),
        ("1.mp4", "quarantined", 3),
        ("2.mp4", "done", 1),
        ("3.mp4", "done", 1),
    }


def test_a_batch_whose_files_lie_at_urls_fetches_them_and_puts_results_back(
    make: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers see neither folder but through fsspec; a storage that everybody can reach, here this disk by its URL."""
    monkeypatch.setattr("pipelines.jobs.WORK", "tests.sham:run_stage")
    sham.recording(tmp_path / "in" / "show.mp4")
    sources = [Path((tmp_path / "in" / name).as_uri()) for name in ("show.mp4", "nowhere.mp4")]
    out, scratch = (tmp_path / "out").as_uri(), str(tmp_path / "scratch")
    settings = Settings(run=RunOptions(out=out, ledger=str(tmp_path / "livecut.ledger"), scratch=scratch))
    with Ledger(tmp_path / "livecut.ledger") as ledger:
        found = run_batch((Inputs(recording=source) for source in sources), settings, ledger, make(), at_once=2)
        assert audit(ledger).is_clean
    assert {(one.recording.name, one.state) for one in found} == {("show.mp4", "done"), ("nowhere.mp4", "gone")}
    assert (tmp_path / "out" / "show" / "clips" / "001.mp4").read_bytes().startswith(b"clip of ")
    assert (tmp_path / "out" / "show" / "calls").read_text().split() == ["recognise", "plan", "None"]
    assert list((tmp_path / "scratch").iterdir()) == [], "nothing is left on the worker's disk"


def test_an_unknown_executor_is_named() -> None:
    with pytest.raises(InputError, match=r"executor .slurm. is not known; known: .*local"):
        executors.load("slurm")


def test_ray_listens_on_loopback_alone_and_asks_for_a_token(cluster: None) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    assert address.startswith("127.0.0.1:")
    mine = {os.getpid()} | {child for child in descendants(os.getpid())}
    listening = [line for line in listeners() if line[0] in mine]
    assert listening and {host for _, host in listening} == {"127.0.0.1"}
    code = f"from ray._raylet import GcsClient; GcsClient(address={address!r}); print('let in')"
    without_token = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=without_token, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as it:
        assert it.stdout is not None
        said = next(line for line in it.stdout if "InvalidAuthToken" in line or "let in" in line)
        it.kill()
    assert "InvalidAuthToken" in said


def test_a_cluster_without_tokens_is_refused(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.executors.ray import join

    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(InputError, match="token authentication is off"):
        join("10.0.0.1:6379")


def descendants(pid: int) -> set[int]:
    """Processes that have a process among their ancestors."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def listeners() -> list[tuple[int, str]]:
    """(process, address) of every listening TCP socket that we may see."""
    sockets = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                sockets[fields[9]] = host_of(fields[1].split(":")[0])
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in sockets:
            found.append((int(link.parts[2]), sockets[target[8:-1]]))
    return found


def host_of(text: str) -> str:
    """Read an address of /proc/net/tcp or tcp6: words of four bytes, each the wrong way round."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return str(getattr(address, "ipv4_mapped", None) or address)
