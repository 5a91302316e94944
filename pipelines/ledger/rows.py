"""Rows of the ledger's file and the values they stand for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.ledger.states import Job

JOB = "id, kind, content, options, state, reason, attempt, failures, deaths, code, folder, task, path, due_at, changed_at, owner"
"""Columns that `job_of` takes."""


def storable(text: str) -> str:
    """Text that SQLite takes: a message may name a file whose name is no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def job_of(row: Sequence[Any]) -> Job:
    """Build a job from the columns of `JOB`."""
    id, kind, content, options, state, reason, attempt, failures, deaths, code, folder, task, path, due_at, changed_at, owner = row
    return Job(
        id=id,
        kind=kind,
        content=content,
        options=options,
        state=state,
        reason=reason,
        attempt=attempt,
        failures=failures,
        deaths=deaths,
        code=code,
        folder=Path(os.fsdecode(folder)),
        task=task,
        path=Path(os.fsdecode(path)),
        due_at=due_at,
        changed_at=changed_at,
        owner=owner,
    )
