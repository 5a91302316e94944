"""A soak: recordings arrive, are replaced, poisoned and deleted while the daemon is killed at random; then the ledger is audited.

python -m tests.faults.soak [SECONDS]
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.ledger import Ledger, audit
from tests.faults.daemon import arguments, finished

ROOT = Path(__file__).parents[2]
KILL_S = (0.2, 2.0)
EARLY = 0.2
"""Share of the daemons that are killed while they may still be starting."""
UP_S = 60.0
TEXTS = ("", "", "", "", "rest", "nothing", "damaged", "fail", "kill")


@dataclass(slots=True)
class World:
    """A watched folder and what was done to it."""

    root: Path
    seed: int = 1
    rng: random.Random = field(init=False)
    written: int = 0
    kills: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.inbox.mkdir(parents=True, exist_ok=True)

    @property
    def inbox(self) -> Path:
        return self.root / "in"

    @property
    def out(self) -> Path:
        return self.root / "out"

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start the daemon, in a process of its own."""
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.daemon", *arguments(self.inbox, self.out, *more)], cwd=ROOT, stdout=log, stderr=log
            )

    def write(self, text: str | None = None) -> Path:
        """Let another recording arrive."""
        self.written += 1
        text = self.rng.choice(TEXTS) if text is None else text
        return finished(self.inbox / f"room {self.written % 3}" / f"show {self.written}.mp4", text, f"{self.written}")

    def stir(self) -> None:
        """Replace or delete a recording that is there."""
        there = sorted(self.inbox.rglob("show*.mp4"))
        if there and self.rng.random() < 0.15:
            chosen = self.rng.choice(there)
            if self.rng.random() < 0.5:
                finished(chosen, "", f"again {self.written} {self.rng.random()}")
            else:
                chosen.unlink(missing_ok=True)

    def kill_loop(self, seconds: float, *, per_turn: int = 3) -> None:
        """Let things happen while daemons are killed at random instants."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(self.rng.randint(0, per_turn)):
                self.write()
                self.stir()
            self.kill_one()

    def kill_one(self) -> None:
        """Start a daemon and kill it 0.2–2 s later: after it began to work four times of five, else after its process began."""
        log = self.root / "log"
        before = log.stat().st_size if log.exists() else 0
        daemon = self.start()
        works = self.rng.random() >= EARLY
        end = time.monotonic() + UP_S
        while works and time.monotonic() < end and daemon.poll() is None and b": watching" not in log.read_bytes()[before:]:
            time.sleep(0.02)
        time.sleep(self.rng.uniform(*KILL_S))
        daemon.kill()
        daemon.wait()
        self.kills += 1

    def settle(self, patience_s: float = 300.0) -> None:
        """Let the daemon run undisturbed until nothing waits any more; it fails when nothing ends for `patience_s`."""
        daemon = self.start()
        try:
            last, since = -1, time.monotonic()
            while time.monotonic() - since < patience_s and daemon.poll() is None:
                time.sleep(0.5)
                self.hurry()
                ended = self.ended()
                if ended is None:
                    return
                if ended != last:
                    last, since = ended, time.monotonic()
            raise AssertionError(f"nothing ended for {patience_s:g} s: {self.counts()}")
        finally:
            daemon.terminate()
            assert daemon.wait(60) == 0, (self.root / "log").read_text()[-2000:]

    def hurry(self) -> None:
        """Let what waits for its time after many kills be due now."""
        if (self.out / "livecut.ledger").is_file():
            with Ledger(self.out / "livecut.ledger") as ledger:
                for job in list(ledger.jobs(state="waiting")):
                    if job.due_at:
                        ledger.hurry(job.id)

    def ended(self) -> int | None:
        """How many recordings have come to an end; None when all have, those that were deleted as well."""
        there = {path for path in self.inbox.rglob("show*.mp4")}
        if not (self.out / "livecut.ledger").is_file():
            return 0
        with Ledger(self.out / "livecut.ledger") as ledger:
            waiting = {row.path for row in ledger.files() if row.state in ("waiting", "running")}
            known = {row.path for row in ledger.files()}
        return len(known - waiting) if waiting or there - known else None

    def counts(self) -> dict[str, int]:
        """Files by state."""
        with Ledger(self.out / "livecut.ledger") as ledger:
            return {str(state): count for state, count in ledger.counts().items()}

    def complaints(self) -> Iterator[str]:
        """What was lost, made twice, or is not as the ledger says."""
        with Ledger(self.out / "livecut.ledger") as ledger:
            yield from (f"{finding.path}: {finding.text}" for finding in audit(ledger).findings if finding.wrong)
            for job in ledger.jobs():
                done = [event for event in ledger.history(job_id=job.id) if event.what in ("done", "degraded") and event.job_id == job.id]
                again = [event for event in ledger.history(job_id=job.id) if event.what == "waiting" and "back" in event.detail]
                if len(done) > 1:
                    yield f"{job.path} was published {len(done)} times"
                if again:
                    yield f"{job.path} was given up {len(again)} times while it lay there"
        yield from (f"{path} was left" for path in self.out.rglob("*.part"))


def run(seconds: float, seed: int = 1) -> bool:
    """Soak, settle, audit; print what was found and return whether all promises hold."""
    with tempfile.TemporaryDirectory(prefix="livecut-soak-") as folder:
        world = World(Path(folder), seed)
        world.kill_loop(seconds)
        world.settle()
        complaints = list(world.complaints())
        print(f"soak of {seconds:g} s: {world.written} recordings, {world.kills} kills, {world.counts()}")
        print("audit: " + ("clean" if not complaints else "; ".join(complaints)))
        return not complaints


if __name__ == "__main__":
    sys.exit(0 if run(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0) else 1)
