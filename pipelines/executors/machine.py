"""What this machine has for tasks."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.executors import Needs


def machine() -> Needs:
    """What this machine has: processors we may use, graphics processors, memory that is free now."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = len([path for path in Path("/dev").glob("nvidia*") if path.name[6:].isdigit()])
    return Needs(cpus=float(cpus), gpus=float(gpus), memory_mb=_free_mb())


def _free_mb() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 // 10**6
    except OSError:
        pass
    return 0
