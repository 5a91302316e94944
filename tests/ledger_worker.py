"""Does the jobs of a ledger with nothing but it: claim, write, publish, acknowledge. Made to be killed at any instant."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pipelines.ledger import Ledger, LedgerOptions, publish


def work(root: Path, acknowledged: Path) -> None:
    with Ledger(root / "livecut.ledger", LedgerOptions(max_deaths=1000)) as ledger:
        print("ready", flush=True)
        while any(job.state in ("waiting", "running") for job in ledger.jobs()):
            claim = ledger.claim()
            if claim is None:
                time.sleep(0.01)
                continue
            staged = root / f"attempt-{claim.job_id}-{claim.attempt}.part"
            staged.write_bytes(os.urandom(20_000))
            time.sleep(0.04)
            publish(ledger, claim, staged=[(staged, claim.job.folder / "manifest.json")])
            with acknowledged.open("a") as file:
                file.write(f"{claim.job_id}\n")


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
