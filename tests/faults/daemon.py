"""A real daemon over sham recordings, in a process that may be killed: `python -m tests.faults.daemon FOLDER… -o OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines import cli, jobs, memory
from tests import sham


def finished(path: Path, text: str = "", content: str | None = None) -> Path:
    """Write a sham recording whose container has an end, whole or not at all; `text` says what its run shall do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / ".writing.part"
    part.write_bytes(whole(path.name if content is None else content, text))
    part.rename(path)
    return path


def whole(content: str, text: str = "") -> bytes:
    """The bytes of a sham recording."""
    body = f"{content}|{text}".encode("utf-8", "surrogateescape")
    return sham.HEAD + b"\0\0\0\x08moov" + (len(body) + 8).to_bytes(4, "big") + b"mdat" + body


def arguments(inbox: Path, out: Path, *more: str) -> list[str]:
    """What the daemon is started with: quick scans, no waiting for side files."""
    options = {"scan_s": "0.2", "stable_s": "0.1", "grace_s": "0", "min_bytes": "1", "free_gb": "0"}
    settings = [word for name, value in options.items() for word in ("--set", f"watch.{name}={value}")]
    return [str(inbox), "-o", str(out), *settings, *more]


def main() -> int:
    """Run the command line with sham work; after `--light` with work that takes no time at all."""
    memory.hand_back_large_blocks()
    words = sys.argv[1:]
    light = "--light" in words
    jobs.WORK = "tests.light:run_stage" if light else "tests.sham:run_stage"
    return cli.run(["watch", *(word for word in words if word != "--light")])


if __name__ == "__main__":
    sys.exit(main())
