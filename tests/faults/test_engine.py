"""Faults of the engine that runs tasks, beyond what the contract suite asks of every executor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from clipper import ffmpeg
from pipelines.executors import Needs, Task, run_all
from pipelines.ledger import Ledger, LedgerOptions, LostLease, audit
from pipelines.progress import Callback, ignore
from tests.contract.test_executors import is_alive, until

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("LIVECUT_FAULTS") == "full"


class Instant:
    """An executor whose tasks are done as soon as they are asked for."""

    capacity = Needs(cpus=2)

    def submit(self, task: Task, *, progress: Callback = ignore) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(task.arguments["number"])
        return future

    def cancel(self, task_id: str) -> None: ...

    def end_group(self, group: str) -> None: ...

    def close(self) -> None: ...


def test_ten_thousand_tasks_take_no_memory() -> None:
    drawn = most = 0
    seen: set[int] = set()

    def many() -> Iterator[Task]:
        nonlocal drawn
        for number in range(10_000):
            drawn += 1
            yield Task(id=f"t{number}", function="x:y", arguments={"number": number, "load": "x" * 50_000 + str(number)})

    process = psutil.Process()
    before = process.memory_info().rss
    for _, future in run_all(Instant(), many(), window=8):
        most = max(most, drawn - len(seen))
        seen.add(future.result())
    assert (seen, most <= 8) == (set(range(10_000)), True)
    assert process.memory_info().rss - before < 50e6, "half a gigabyte of arguments went through"


DRIVER = """
import sys
from pipelines import executors
from pipelines.executors import Needs, Task
e = executors.load("ray", capacity=Needs(cpus=1), patience_s=1.0)
try:
    e.submit(Task(id="t", function="tests.contract.executor_tasks:stubborn", arguments={"pids": sys.argv[1]})).result()
except BaseException as error:
    print(f"told: {type(error).__name__}", flush=True)
"""


@pytest.mark.slow
def test_a_node_that_dies_takes_its_work_and_tells(tmp_path: Path) -> None:
    """Ray's own process on the machine is killed: worker and child are gone, the driver learns of it or ends."""
    pids = tmp_path / "pids"
    with (tmp_path / "log").open("wb") as log:
        driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(pids)], cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        assert until(lambda: pids.exists() and len(pids.read_text().split()) == 2, 120), (tmp_path / "log").read_text()[-2000:]
        work = [int(pid) for pid in pids.read_text().split()]
        (raylet,) = [one for one in psutil.Process(driver.pid).children(recursive=True) if _name(one) == "raylet"]
        raylet.kill()
        assert until(lambda: not any(is_alive(pid) for pid in work), 60)
        assert until(lambda: driver.poll() is not None or b"told: " in (tmp_path / "log").read_bytes(), 120)
    finally:
        for one in [*psutil.Process(driver.pid).children(recursive=True)] if driver.poll() is None else []:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        driver.kill()
        driver.wait()


def _name(process: psutil.Process) -> str:
    """The name of a process; nothing for one that has just ended."""
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


LATE = """
import os, sys, time
from pathlib import Path
from pipelines.ledger import Ledger, LedgerOptions, LostLease, publish
root = Path(sys.argv[1])
with Ledger(root / "livecut.ledger", LedgerOptions(lease_s=1.0)) as ledger:
    claim = ledger.claim()
    staged = root / "late"
    staged.write_text("late")
    print("claimed", flush=True)
    sys.stdin.read(1)
    try:
        publish(ledger, claim, staged=[(staged, root / "out" / "manifest.json")])
        print("published", flush=True)
    except LostLease:
        print("fenced", flush=True)
"""


def test_a_late_finisher_is_fenced(tmp_path: Path) -> None:
    """A worker sleeps beyond its lease, another does the job; what the first brings afterwards is dropped."""
    from pipelines.ledger import Seen, publish

    recording = tmp_path / "a.mp4"
    recording.write_bytes(b"x")
    with Ledger(tmp_path / "livecut.ledger", LedgerOptions(lease_s=1.0)) as ledger:
        job = ledger.add(
            Seen.of(recording), kind="clip", content="c", options="o", task="{}", folder=tmp_path / "out", spare=tmp_path / "spare"
        )
        late = subprocess.Popen([sys.executable, "-c", LATE, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert late.stdout is not None and late.stdin is not None
        assert late.stdout.readline() == b"claimed\n"
        late.send_signal(signal.SIGSTOP)
        assert until(lambda: ledger.free_dead() == 1, 30), "its lease runs out"
        claim = ledger.claim(job.id)
        assert claim is not None and claim.attempt == 2
        staged = tmp_path / "early"
        staged.write_text("early")
        publish(ledger, claim, staged=[(staged, tmp_path / "out" / "manifest.json")])
        late.send_signal(signal.SIGCONT)
        said, _ = late.communicate(b"x", timeout=60)
        assert said == b"fenced\n"
        assert (tmp_path / "out" / "manifest.json").read_text() == "early"
        assert audit(ledger).is_clean
        with pytest.raises(LostLease):
            publish(ledger, claim, staged=[])


OFFLINE = """
import fcntl, socket, struct, sys
def refuse(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not str(arguments[1][0]).startswith(("127.", "::1", "localhost")):
        raise OSError(101, "the test allows no network")
sys.addaudithook(refuse)
if sys.argv[2] == "apart":  # a new network has its loopback down
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
from pathlib import Path
from pipelines import executors
from pipelines.executors import Needs, Task
from clipper import media
from tests.media import build_clock
executor = executors.load(sys.argv[1], capacity=Needs(cpus=1), patience_s=1.0)
print(executor.submit(Task(id="t", function="tests.contract.executor_tasks:add", arguments={"a": 1, "b": 2})).result(120)["sum"])
executor.close()
print(media.probe(build_clock(Path(sys.argv[3]) / "a.mp4", seconds=1)).duration)
"""


@pytest.mark.parametrize("name", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_everything_works_without_a_network(tmp_path: Path, name: str) -> None:
    """In a network name space of its own where the machine allows one; else every connection that leaves the machine is refused."""
    guard = ffmpeg.guards()[0]
    prefix = list(guard.command) if guard.works else []
    mode = "apart" if guard.works else "refusing"
    done = subprocess.run(
        [*prefix, sys.executable, "-c", OFFLINE, name, mode, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-2:] == ["3", "1.0"]


def test_no_engine_tries_a_task_again() -> None:
    """Ray tries a task that ran out of memory again without end, unless it is told not to, in so many words."""
    from pipelines.executors import ray as engine
    from pipelines.executors import ray_session

    assert '"RAY_task_oom_retries": "0"' in Path(ray_session.__file__).read_text(encoding="utf-8")
    assert "max_retries=0, retry_exceptions=False" in Path(engine.__file__).read_text(encoding="utf-8")
