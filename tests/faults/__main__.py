"""Run every test that the fault matrix names, then the soak, and print the table: `python -m tests.faults [--soak SECONDS]`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.faults import soak
from tests.faults.test_matrix import ROOT, rows


class Outcomes:
    """Collects what became of each test function."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.ran: set[str] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Hear of a test's end."""
        name = re.sub(r"\[.*", "", report.nodeid, flags=re.DOTALL).removeprefix("tests/")
        if report.when == "call" or report.failed:
            self.ran.add(name)
        if report.failed:
            self.failed.add(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return 0 when every row holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--soak", type=float, default=float(os.environ.get("SOAK_S", "600")), help="seconds of random kills; 0 leaves them out"
    )
    options = parser.parse_args(arguments)
    named = {f"{file}::{test}" for _, _, proof in rows() for file, test in re.findall(r"`([\w/.]+\.py)::(\w+)`", proof)}
    outcomes = Outcomes()
    pytest.main(
        ["-q", "-p", "no:cacheprovider", str(ROOT / "tests" / "faults"), *sorted(str(ROOT / "tests" / name) for name in named)], [outcomes]
    )
    bad = 0
    for name, fault, proof in rows():
        tests = {f"{file}::{test}" for file, test in re.findall(r"`([\w/.]+\.py)::(\w+)`", proof)}
        state = "waived" if proof.startswith("waived") else "FAILED" if tests & outcomes.failed or tests - outcomes.ran else "holds"
        bad += state == "FAILED"
        print(f"{name}  {state:<7} {fault}")
    if options.soak:
        bad += not soak.run(options.soak)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
