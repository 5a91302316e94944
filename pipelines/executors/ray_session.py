"""Ray's session: started on this machine alone, on the loopback interface and behind a token, or joined where it runs."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from clipper.errors import InputError, ToolError
from pipelines.executors import Needs
from pipelines.executors.local import PATIENCE_S
from pipelines.executors.machine import machine

log = logging.getLogger(__name__)

OBJECT_STORE_BYTES = 80 * 2**20
"""Ray's least: nothing large ever goes through it."""


def start(capacity: Needs | None = None) -> None:
    """Start Ray on this machine alone: loopback, a token of its own, no dashboard, no usage reports.

    Ray reads these settings when it is imported: a program that imports it before has to make them itself. Ends with `stop`, or
    with this process. Raises ToolError when Ray is not installed or does not start.
    """
    there = capacity or machine()
    settings = {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what makes Ray bind to the loopback interface on Linux as well
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_task_oom_retries": "0",
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
    }
    with _environment(settings):
        ray = installed()
        _hush(ray)
        try:
            with _lean(ray):
                ray.init(
                    address="local",
                    num_cpus=max(1, round(there.cpus)),
                    num_gpus=round(there.gpus),
                    include_dashboard=False,
                    log_to_driver=False,
                    configure_logging=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    _node_ip_address="127.0.0.1",
                )
        except Exception as error:
            raise ToolError(f"could not start Ray on this machine: {error}; try --executor local") from error


@contextlib.contextmanager
def _lean(ray: Any) -> Iterator[None]:
    """Leave out what Ray starts for people who look at a cluster: an API server, an autoscaler, a reader of logs.

    Each is a Python program of its own that nothing here talks to; ray.init waits for the first and has no switch for any.
    Without them and the packages of the dashboard a start takes less than half as long. Where a Ray calls them otherwise, it
    starts them as ever.
    """
    node, utils = ray._private.node.Node, ray._private.utils
    instead: list[tuple[Any, str, Any]] = [(node, name, _nothing) for name in ("start_api_server", "start_monitor", "start_log_monitor")]
    instead.append((utils, "get_dashboard_dependency_error", lambda: ImportError("not wanted")))
    own = [(place, name, getattr(place, name), other) for place, name, other in instead if hasattr(place, name)]
    for place, name, _, other in own:
        setattr(place, name, other)
    try:
        yield
    finally:
        for place, name, before, _ in own:
            setattr(place, name, before)


def _nothing(*given: Any, **named: Any) -> None:
    """Start nothing."""


def stop() -> None:
    """End the session of this process, and wait for the processes that it started."""
    ray = installed()
    node = getattr(ray._private.worker, "_global_node", None)
    started = [info.process for infos in getattr(node, "all_processes", {}).values() for info in infos]
    ray.shutdown()
    for process in started:
        with suppress(Exception):
            process.wait(PATIENCE_S)


def join(address: str) -> None:
    """Join a running cluster. Raises InputError when it is not protected by a token, ToolError when it cannot be reached."""
    ray = installed()
    _hush(ray)
    if os.environ.get("RAY_AUTH_MODE") != "token":
        raise InputError(
            f"could not use the cluster at {address}: token authentication is off, so anybody who reaches it runs code on it; "
            "set RAY_AUTH_MODE=token on all its machines and here, see docs/cluster.md"
        )
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:
        raise ToolError(f"could not reach the Ray cluster at {address}: {error}; does it run, and is the token the same?") from error


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Set variables for what is started inside; a token has to stay for the life of the session."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if name.startswith("RAY_AUTH"):
                continue
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def installed() -> Any:
    """Import Ray. Raises ToolError when it is not there."""
    try:
        import ray
    except ImportError as error:
        raise ToolError("could not use the executor ray: Ray is not installed; run pip install 'livecut[ray]'") from error
    return ray


def _hush(ray: Any) -> None:
    """Let what Ray says of workers that died go to the log: it would print it on stdout, among our results."""

    def note(data: dict[str, Any], ignore_prefix: bool = False) -> None:
        log.info("Ray: %s", " ".join(str(line) for line in data.get("lines", ())))

    if hasattr(ray._private.worker, "print_to_stdstream"):
        ray._private.worker.print_to_stdstream = note
