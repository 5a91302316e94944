"""The ledger: what was ever seen, what is to be done, who does it, and what came of it.

>>> with Ledger("out/livecut.ledger") as ledger:                        # doctest: +SKIP
...     job = ledger.add(Seen.of(path), kind="clip", content=…, options=…, task=…, folder=…, spare=…)
...     claim = ledger.claim(job.id)
...     publish(ledger, claim, files)
"""

from pipelines.ledger.audit import Audit, Finding, audit
from pipelines.ledger.heartbeat import Heartbeat
from pipelines.ledger.owners import Clock, Owner
from pipelines.ledger.publishing import is_fresh, publish, seal
from pipelines.ledger.states import (
    FINISHED,
    STATES,
    Claim,
    Event,
    FileRow,
    Job,
    LedgerError,
    LedgerOptions,
    LostLease,
    Output,
    Seen,
    State,
)
from pipelines.ledger.store import Ledger

__all__ = [
    "FINISHED",
    "STATES",
    "Audit",
    "Claim",
    "Clock",
    "Event",
    "FileRow",
    "Finding",
    "Heartbeat",
    "Job",
    "Ledger",
    "LedgerError",
    "LedgerOptions",
    "LostLease",
    "Output",
    "Owner",
    "Seen",
    "State",
    "audit",
    "is_fresh",
    "publish",
    "seal",
]
