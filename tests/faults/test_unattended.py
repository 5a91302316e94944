"""Faults around a daemon that runs for real, in a process of its own, on sham recordings.

Sizes are those of `make faults` when LIVECUT_FAULTS=full; the usual test run does the same with fewer.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pipelines.ledger import Ledger
from tests.faults.daemon import arguments, finished, whole
from tests.faults.soak import ROOT, World

FULL = os.environ.get("LIVECUT_FAULTS") == "full"
LIMIT_S = 600.0 if FULL else 120.0

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def start(world: World) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def go(*more: str) -> subprocess.Popen[bytes]:
        started.append(world.start(*more))
        return started[-1]

    yield go
    for daemon in started:
        with suppress(ProcessLookupError):
            daemon.send_signal(signal.SIGCONT)
            daemon.terminate()
            time.sleep(0.3)
            daemon.terminate()  # hand back what runs
        daemon.wait(60)


def until(claim: Callable[[], bool], limit_s: float = LIMIT_S, *, moves: Callable[[], object] = lambda: None) -> None:
    """Wait for something; fails when it does not come in time, or for so long after `moves` last gave something new."""
    last, since = moves(), time.monotonic()
    while not claim():
        now = moves()
        if now != last:
            last, since = now, time.monotonic()
        assert time.monotonic() - since < limit_s, f"it took too long: {last}"
        time.sleep(0.1)


def counts(world: World) -> dict[str, int]:
    return world.counts() if (world.out / "livecut.ledger").is_file() else {}


def children() -> list[psutil.Process]:
    """Workers and tools that some daemon of ours has left behind or runs."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "pipelines.executors.worker" in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_killed_again_and_again_nothing_is_lost_or_made_twice(world: World) -> None:
    jobs, kills = (200, 40) if FULL else (10, 4)
    for _ in range(jobs):
        world.write("")
    for _ in range(kills):
        world.kill_one()
    world.settle(LIMIT_S)
    assert counts(world) == {"done": jobs}
    assert list(world.complaints()) == []
    clips = sorted(world.out.glob("*/clips/001.mp4"))
    assert len(clips) == jobs, "every recording has its own results"


def test_a_killed_daemon_takes_its_workers_with_it(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    world.write("slow")
    daemon = start()
    until(lambda: counts(world).get("running") == 1)
    mine = {process.pid for process in psutil.Process(daemon.pid).children(recursive=True)}
    assert mine
    daemon.kill()
    daemon.wait()
    until(lambda: not mine & {process.pid for process in children() if process.status() != psutil.STATUS_ZOMBIE}, 10)


def test_files_that_came_while_it_could_not_look_are_all_found(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    """More files than the kernel's queue of events holds, while the daemon is stopped."""
    many = 20_000 if FULL else 2_000
    daemon = start()
    until(lambda: (world.out / "livecut.ledger").is_file())
    daemon.send_signal(signal.SIGSTOP)
    folder = world.inbox / "burst"
    folder.mkdir()
    for number in range(many):
        (folder / f"{number}.mp4").write_bytes(b"no recording at all")
    daemon.send_signal(signal.SIGCONT)
    until(lambda: counts(world).get("rejected") == many, moves=lambda: counts(world))
    resident = psutil.Process(daemon.pid).memory_info().rss
    assert resident < 300e6, "memory does not grow with the folder"


def test_a_burst_waits_its_turn(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    many = 400 if FULL else 12
    for _ in range(many):
        world.write("")
    start("--light")
    until(lambda: counts(world) == {"done": many}, moves=lambda: counts(world))
    assert list(world.complaints()) == []


def test_one_poison_file_stops_nobody(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    """The file kills whoever works on it; attempts are counted before they start, so it is put aside."""
    poison = world.write("kill")
    for _ in range(4):
        world.write("")
    start()

    def ended() -> bool:
        world.hurry()  # its waits between attempts are told elsewhere
        return counts(world) == {"done": 4, "quarantined": 1}

    until(ended)
    with Ledger(world.out / "livecut.ledger") as ledger:
        (job,) = ledger.jobs(state="quarantined")
        assert (job.path, job.attempt) == (poison, 3)
        assert "signal 9" in job.reason


def test_sigterm_ends_it_with_nothing_half_done(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    for _ in range(6):
        world.write("rest")
    daemon = start()
    until(lambda: counts(world).get("running", 0) >= 1)
    daemon.terminate()
    assert daemon.wait(60) == 0
    assert counts(world).get("running", 0) == 0
    assert list(world.complaints()) == []


def test_the_second_signal_ends_it_at_once(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    world.write("slow")
    daemon = start()
    until(lambda: counts(world).get("running") == 1)
    daemon.terminate()
    time.sleep(0.5)
    daemon.terminate()
    assert daemon.wait(30) == 0
    assert counts(world) == {"waiting": 1}


def test_two_daemons_do_not_share_a_folder(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    world.write("rest")
    start()
    until(lambda: (world.out / "livecut.ledger").is_file() and bool(counts(world)))
    second = subprocess.run(
        [sys.executable, "-m", "tests.faults.daemon", *arguments(world.inbox, world.out)], cwd=ROOT, capture_output=True, timeout=60
    )
    assert second.returncode == 2 and b"another livecut watches it" in second.stderr
    until(lambda: counts(world) == {"done": 1})


def test_after_a_kill_it_starts_at_once(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    """Neither the folder's lock nor the lease of a dead owner holds anybody up."""
    world.write("slow")
    daemon = start()
    until(lambda: counts(world).get("running") == 1)
    daemon.kill()
    daemon.wait()
    start()

    def attempts() -> int:
        with Ledger(world.out / "livecut.ledger") as ledger:
            return sum(job.attempt for job in ledger.jobs())

    until(lambda: attempts() == 2, 30)


def test_names_of_every_kind_come_out_the_other_end(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    names = [
        b"bad\xff\xfe.mp4",
        b"-vf.mp4",
        b"a:b%d|c;$(touch pwned).mp4",
        b"new\nline.mp4",
        b"quote'\".mp4",
        "🍊 橙子.mp4".encode(),
        "\u202erevo.mp4".encode(),
        "caf\u00e9.mp4".encode(),
        "cafe\u0301.mp4".encode(),
        ("直" * 83).encode() + b"x.mp4",
        b"CON.mp4",
        b"...mp4.mp4",
    ]
    for name in names:
        with open(os.fsencode(world.inbox) + b"/" + name, "wb") as file:  # noqa: PTH123  Path takes no bytes
            file.write(whole(os.fsdecode(name)))
    start("--light")
    # a name that begins with a dot is hidden, and left alone
    until(lambda: counts(world) == {"done": len(names) - 1, "ignored": 1})
    with Ledger(world.out / "livecut.ledger") as ledger:
        assert {os.fsencode(row.path.name) for row in ledger.files()} == set(names)
        assert len({job.folder for job in ledger.jobs()}) == len(names) - 1
        assert all(job.folder.parent == world.out for job in ledger.jobs())
    assert list(world.complaints()) == []
    log = (world.root / "log").read_bytes()
    assert b"\x1b" not in log and not (ROOT / "pwned").exists()


def test_memory_of_the_daemon_stays_flat(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    first, last = (100, 1000) if FULL else (5, 15)
    daemon = start("--light")
    for _ in range(first):
        world.write("")
    until(lambda: counts(world).get("done") == first, moves=lambda: counts(world))
    before = psutil.Process(daemon.pid).memory_info().rss
    for _ in range(last - first):
        world.write("")
    until(lambda: counts(world).get("done") == last, moves=lambda: counts(world))
    assert psutil.Process(daemon.pid).memory_info().rss < 1.1 * before


def test_a_clock_that_is_set_back_or_forward_loses_nothing(world: World, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    for name, year in (("old", 0), ("future", 2**31 - 2)):
        path = finished(world.inbox / f"{name}.mp4")
        os.utime(path, (year, year))
    start()
    until(lambda: counts(world) == {"done": 2})
