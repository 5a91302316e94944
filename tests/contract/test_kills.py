"""kill -9 at any instant, over and over: nothing lost, nothing made twice, no process left."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from pipelines.ledger import Ledger, Seen, audit
from tests import sham

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
LIMIT_S = 120.0


def start(module: str, *words: object) -> subprocess.Popen[bytes]:
    """Start a driver and wait until it is at work; the clock of its life begins then, however busy the machine is."""
    driver = subprocess.Popen([sys.executable, "-m", module, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"ready\n"
    return driver


def end(driver: subprocess.Popen[bytes]) -> None:
    driver.kill()
    driver.wait()
    assert driver.stdout is not None
    driver.stdout.close()


def killed_until_done(words: list[object], seed: int, kills: list[int]) -> None:
    """Kill a driver again and again after a moment, until one lives to the end."""
    dice, limit = random.Random(seed), time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        driver = start("tests.ledger_worker", *words)
        try:
            if driver.wait(dice.uniform(0.02, 0.3)) == 0:
                return
        except subprocess.TimeoutExpired:
            kills.append(driver.pid)
        finally:
            end(driver)


def test_two_owners_of_a_ledger_that_are_killed_again_and_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "livecut.ledger") as ledger:
        for number in range(30):
            seen = Seen(path=tmp_path / f"{number}.mp4", size=1, mtime_ns=1, device=1, inode=number)
            folder = tmp_path / "out" / str(number)
            ledger.add(seen, kind="clip", content=str(number), options="o", task="{}", folder=folder, spare=folder)
    acknowledged, kills = tmp_path / "acknowledged", list[int]()
    both = [threading.Thread(target=killed_until_done, args=([tmp_path, acknowledged], seed, kills)) for seed in (5, 6)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    with Ledger(tmp_path / "livecut.ledger") as ledger:
        assert [job.state for job in ledger.jobs()] == ["done"] * 30
        found = audit(ledger)
        assert found.is_clean, found.findings
        assert found.outputs == 30
        done = Counter(event.job_id for job in ledger.jobs() for event in ledger.history(job_id=job.id) if event.what == "done")
        attempts = sum(job.attempt for job in ledger.jobs())
    assert set(done.values()) == {1}, "each was published once"
    assert max(Counter(acknowledged.read_text().split()).values()) == 1, "none was acknowledged twice"
    assert len(kills) >= 4
    assert 30 <= attempts <= 30 + len(kills), "a kill costs the running attempt, no more"


def test_a_batch_on_real_workers_that_is_killed_again_and_again(tmp_path: Path) -> None:
    for number in range(4):
        sham.recording(tmp_path / "in" / f"{number}.mp4", "kill" if number == 1 else "rest")
    workers: set[psutil.Process] = set()
    for wait_s in (1.5, 3.0, LIMIT_S):
        driver = start("tests.sham", tmp_path, 2)
        try:
            driver.wait(wait_s)
        except subprocess.TimeoutExpired:
            workers |= set(psutil.Process(driver.pid).children(recursive=True))
        finally:
            code = driver.poll()
            end(driver)
    assert code == 0
    assert not psutil.wait_procs(list(workers), timeout=2)[1], "workers die with their batch"
    with Ledger(tmp_path / "out" / "livecut.ledger") as ledger:
        states = {job.path.name: job.state for job in ledger.jobs()}
        assert states == {f"{number}.mp4": "quarantined" if number == 1 else "done" for number in range(4)}
        poisoned = next(job for job in ledger.jobs() if job.path.name == "1.mp4")
        assert poisoned.reason.startswith("failed 3 times, last:")
        assert "killed (signal 9)" in poisoned.reason
        assert audit(ledger).is_clean
