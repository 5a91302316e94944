"""File events, which only say that a scan is worth while; without them scans come by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.ledger.filesystem import network_name

log = logging.getLogger(__name__)


class Wake:
    """Listens for file events below folders and calls `changed` with the folder; does nothing where there are no events."""

    def __init__(self, roots: Sequence[Path], changed: Callable[[Path], None]) -> None:
        self._observer: Any = None
        local = [root for root in roots if _has_events(root)]
        if not local:
            return
        from watchdog.observers import Observer

        observer = Observer()
        try:
            for root in local:
                observer.schedule(_handler(root, changed), str(root), recursive=True)
            observer.start()
        except OSError as error:  # no more watches, no inotify: the clock will do
            log.warning("no file events (%s): folders are scanned by the clock alone", error.strerror or error)
            return
        self._observer = observer

    def close(self) -> None:
        """Stop listening."""
        if self._observer is not None:
            with suppress(RuntimeError):
                self._observer.stop()
                self._observer.join(5.0)


def _has_events(root: Path) -> bool:
    kind = network_name(root)
    if kind:
        log.info("%s lies on %s, where changes of others raise no events: it is scanned by the clock alone", root, kind)
    return kind is None


def _handler(root: Path, changed: Callable[[Path], None]) -> Any:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type not in ("opened", "closed_no_write"):  # our own scans
                changed(root)

    return Handler()
