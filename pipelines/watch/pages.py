"""Health, metrics and a recorder's webhook over HTTP, on the loopback interface alone.

`/healthz` says whether the daemon lives, `/readyz` whether it takes work, `/metrics` is Prometheus' text format
(https://prometheus.io/docs/instrumenting/exposition_formats/). `POST /webhook` takes what recorders send when a file is
finished: BililiveRecorder (webhook v2), blrec, and the neutral body of biliLive-tools.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clipper.errors import LivecutError
from clipper.version import __version__
from pipelines.ledger import STATES
from pipelines.progress import peak_memory_mb
from pipelines.watch.daemon import Daemon

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY = 64 * 1024
STALLED_SCANS = 10
"""A folder that was not scanned for so many intervals makes the daemon unhealthy."""
NAMES = ("127.0.0.1", "localhost", "[::1]")


class Pages:
    """Serves the pages in threads of its own until closed. Raises InputError through `OSError` when the port is taken."""

    def __init__(self, daemon: Daemon, port: int) -> None:
        handler = type("Handler", (_Handler,), {"daemon": daemon})
        self._server = ThreadingHTTPServer((HOST, port), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="pages", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    daemon: Daemon
    timeout = 10
    server_version = "livecut"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one of the three pages."""
        if not self._is_local():
            return
        if self.path == "/healthz":
            reason = why_unhealthy(self.daemon)
            self._answer(503 if reason else 200, reason or "ok")
        elif self.path == "/readyz":
            reason = why_not_ready(self.daemon)
            self._answer(503 if reason else 200, reason or "ready")
        elif self.path == "/metrics":
            try:
                self._answer(200, metrics(self.daemon), "text/plain; version=0.0.4; charset=utf-8")
            except LivecutError as error:
                self._answer(503, str(error))
        else:
            self._answer(404, "there are /healthz, /readyz, /metrics, and POST /webhook")

    def do_POST(self) -> None:
        """Take a recorder's word that a file is finished."""
        if not self._is_local():
            return
        if self.path != "/webhook":
            self._answer(404, "POST goes to /webhook")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self._answer(413, f"a body of at most {MAX_BODY} bytes is expected")
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            self._answer(400, "JSON is expected")
            return
        paths = list(finished_files(body, [str(root) for root in self.daemon.roots]))
        known = [path for path in paths if path.is_file() and self.daemon.closed(path)]  # a relative name is tried in every folder
        log.info("webhook: %d files in watched folders are finished", len(known))
        self._answer(200, json.dumps({"taken": len(known)}), "application/json")

    def _is_local(self) -> bool:
        """Refuse web pages that a browser here was told to send: another host name, or an origin."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host in NAMES and "Origin" not in self.headers:
            return True
        self._answer(403, "only programs of this machine are answered")
        return False

    def _answer(self, code: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        data = text.encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Leave requests to the debug log."""
        log.debug(format, *args)


def finished_files(body: Any, roots: list[str]) -> Iterator[Path]:
    """Name the files that a recorder's message says are finished; nothing for other messages, and for what is no such message."""
    if not isinstance(body, Mapping):
        return
    what = body.get("EventType", body.get("type", body.get("event")))
    if what not in ("FileClosed", "VideoFileCompletedEvent", "DanmakuFileCompletedEvent"):
        return
    data = body.get("EventData", body.get("data", body))
    if not isinstance(data, Mapping):
        return
    names = [data.get(key) for key in ("RelativePath", "path", "filePath", "danmuPath")]
    for name in names:
        if isinstance(name, str) and name and "\0" not in name:
            yield from [Path(name)] if name.startswith("/") else [Path(root) / name for root in roots]


def why_unhealthy(daemon: Daemon) -> str:
    """Say why the daemon had better be restarted; empty when it lives."""
    now = time.monotonic()
    for root, folder in daemon.folders.items():
        report, interval = folder.report, folder.settings.watch.scan_s
        watched = report.scans and report.state == "watching"
        if watched and not daemon.is_stopping and now - report.scanned_at > max(60.0, STALLED_SCANS * interval) and not report.is_giving:
            return f"{root} was not scanned for {now - report.scanned_at:.0f} s"
    return ""


def why_not_ready(daemon: Daemon) -> str:
    """Say why no new work is taken; empty when it is."""
    if daemon.is_stopping:
        return "stopping"
    if daemon.trouble:
        return daemon.trouble
    bad = [f"{root}: {folder.report.state}" for root, folder in daemon.folders.items() if folder.report.state != "watching"]
    return "; ".join(bad)


def metrics(daemon: Daemon) -> str:
    """Write the metrics. Raises LedgerError when the ledger cannot be read."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector

    files = daemon.ledger.counts()

    class Now(Collector):
        def collect(self) -> Iterator[Any]:
            info = GaugeMetricFamily("livecut_info", "Version of livecut; always 1.", labels=["version"])
            info.add_metric([__version__], 1)
            yield info
            states = GaugeMetricFamily("livecut_files", "Files ever seen, by their state.", labels=["state"])
            for state in STATES:
                states.add_metric([state], files.get(state, 0))
            yield states
            settled = CounterMetricFamily("livecut_recordings", "Recordings that ended since the start, by state.", labels=["state"])
            for ended, count in sorted(daemon.counts.settled.items()):
                settled.add_metric([ended], count)
            yield settled
            yield CounterMetricFamily("livecut_work_seconds", "Seconds of work on recordings since the start.", value=daemon.counts.seconds)
            yield CounterMetricFamily("livecut_reloads", "Times a folder's options were read anew.", value=daemon.counts.reloads)
            yield CounterMetricFamily("livecut_ledger_errors", "Times the ledger could not be used.", value=daemon.counts.ledger_errors)
            yield from _folders(daemon, GaugeMetricFamily, CounterMetricFamily)
            yield GaugeMetricFamily("livecut_peak_memory_bytes", "Peak memory of the daemon's own process.", value=peak_memory_mb() * 1e6)
            yield GaugeMetricFamily("livecut_ready", "Whether new work is taken.", value=float(not why_not_ready(daemon)))

    registry = CollectorRegistry()
    registry.register(Now())
    return generate_latest(registry).decode().rstrip("\n")


def _folders(daemon: Daemon, gauge: Any, counter: Any) -> Iterator[Any]:
    scans = counter("livecut_scans", "Complete scans of a folder.", labels=["folder"])
    seconds = gauge("livecut_scan_seconds", "Seconds that the last scan of a folder took.", labels=["folder"])
    missing = gauge("livecut_folder_missing", "Whether a folder cannot be listed.", labels=["folder"])
    fed = counter("livecut_fed", "Recordings of a folder given to the workers.", labels=["folder"])
    for root, folder in daemon.folders.items():
        name, report = str(root).encode("utf-8", "backslashreplace").decode(), folder.report
        scans.add_metric([name], report.scans)
        seconds.add_metric([name], round(report.scan_s, 4))
        missing.add_metric([name], float(report.state.startswith("missing")))
        fed.add_metric([name], report.fed)
    yield from (scans, seconds, missing, fed)
