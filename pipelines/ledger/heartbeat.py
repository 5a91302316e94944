"""Keeping claims alive while work goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pipelines.ledger.states import LedgerError
from pipelines.ledger.store import Ledger


class Heartbeat:
    """Renews every lease of a ledger from a thread of its own, and tells which claims were lost."""

    def __init__(self, ledger: Ledger, *, broken: Callable[[LedgerError], None] = lambda error: None) -> None:
        self._ledger = ledger
        self._broken = broken
        self._stop = threading.Event()
        self._held: frozenset[tuple[int, int]] | None = None
        self._thread = threading.Thread(target=self._beat, name="ledger heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._ledger.options.lease_s / 4):
            try:
                self._ledger.renew()
            except LedgerError as error:
                self._broken(error)
