"""What the contract suite has executors run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipper.errors import Cancelled, InputError
from pipelines.executors import Context
from pipelines.progress import Progress

Arguments = Mapping[str, Any]


def add(arguments: Arguments, context: Context) -> Any:
    context.progress(Progress("adding", 0.0))
    context.progress(Progress("adding", 1.0))
    return {"sum": arguments["a"] + arguments["b"], "text": arguments.get("text", "")}


def where(arguments: Arguments, context: Context) -> Any:
    print("said by a library")  # must not disturb the protocol
    time.sleep(arguments.get("seconds", 0.0))
    return {"pid": os.getpid(), "gpu": os.environ.get("CUDA_VISIBLE_DEVICES", "")}


def nap(arguments: Arguments, context: Context) -> Any:
    """Write down start and end, so that tests see what ran beside what."""
    log = Path(arguments["log"])
    with log.open("a") as file:
        file.write(f"+{arguments['name']}\n")
    time.sleep(arguments["seconds"])
    with log.open("a") as file:
        file.write(f"-{arguments['name']}\n")
    return None


def refuse(arguments: Arguments, context: Context) -> Any:
    raise InputError("could not use it: it is too small")


def divide(arguments: Arguments, context: Context) -> Any:
    return 1 / arguments["by"]


def die(arguments: Arguments, context: Context) -> Any:
    os.kill(os.getpid(), getattr(signal, arguments.get("signal", "SIGKILL")))
    time.sleep(60)


def leave(arguments: Arguments, context: Context) -> Any:
    os._exit(7)


def wait(arguments: Arguments, context: Context) -> Any:
    """Run until asked to stop."""
    context.progress(Progress("waiting", 0.0))
    while not context.cancelled():
        time.sleep(0.02)
    raise Cancelled("stopped: waiting")


def stubborn(arguments: Arguments, context: Context) -> Any:
    """Never ask whether to stop, and have a child that does not either; writes both numbers down."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import ctypes, time; ctypes.CDLL(None).prctl(1, 9); print(flush=True); time.sleep(120)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None
    child.stdout.read(1)
    Path(arguments["pids"]).write_text(f"{os.getpid()} {child.pid}")
    context.progress(Progress("waiting", 0.0))
    threading.Event().wait(120)
