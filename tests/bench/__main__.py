"""Every benchmark, those of clips on one recording: `make bench RECORDING=show.mp4`.

Each compares with the plain alternative in the same run: trust the ratios, not the seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from tests.bench import (
    bench_camera,
    bench_diffusers,
    bench_executors,
    bench_fidelity,
    bench_job,
    bench_ledger,
    bench_recognition,
    bench_render,
    bench_vision,
    bench_watch,
)

SAMPLE = Path(__file__).parent.parent.parent / "samples" / "show.mp4"


def main(arguments: list[str]) -> None:
    recording = arguments[0] if arguments else str(SAMPLE)
    for bench in (bench_job, bench_recognition, bench_render, bench_vision, bench_camera, bench_fidelity):
        _title(bench)
        bench.main([recording])
    for bench in (bench_diffusers, bench_executors, bench_ledger, bench_watch):
        _title(bench)
        bench.main([])


def _title(bench: ModuleType) -> None:
    print(f"\n## {bench.__doc__.splitlines()[0] if bench.__doc__ else bench.__name__}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
