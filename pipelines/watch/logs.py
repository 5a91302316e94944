"""The daemon's log: one JSON object a line, bounded in size and in how often one thing may be said."""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

FIELDS = ("recording", "state", "reason", "attempt", "seconds", "folder", "reused")
MAX_BYTES = 10 * 2**20
BACKUPS = 5
BURST = 20
"""Lines with one text that may come at once."""
PER_MINUTE = 20.0
MAX_TEXT = 4000
"""Characters of one line's text that are kept."""
REMEMBERED = 1000
"""Texts whose frequency is watched at once."""


class JsonLines(logging.Formatter):
    """One record, one line, whatever its text holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as JSON; bytes of names that are no UTF-8 are escaped."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_TEXT],
        }
        line |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) not in (None, "")}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-MAX_TEXT:]
        return json.dumps(line, ensure_ascii=True)


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    dropped: int = 0


@dataclass(slots=True)
class Calm:
    """Lets one text through only so often; says how many were left out when it may speak again."""

    buckets: dict[str, _Bucket] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is written."""
        now, key = time.monotonic(), f"{record.name}:{record.levelno}:{record.msg}"
        bucket = self.buckets.get(key)
        if bucket is None:
            if len(self.buckets) >= REMEMBERED:
                self.buckets.clear()
            bucket = self.buckets[key] = _Bucket(BURST, now)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_MINUTE / 60.0)
        bucket.at = now
        if bucket.left < 1.0 and not hasattr(record, "state"):  # what became of a recording is always said
            bucket.dropped += 1
            return False
        bucket.left -= 1.0
        if bucket.dropped:
            record.msg = f"{record.msg} ({bucket.dropped} more like it were left out)"
            bucket.dropped = 0
        return True


def set_up(level: int, file: Path | None) -> None:
    """Send the log to stderr, or to a file that is rotated at 10 MiB, five old ones kept."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.setFormatter(JsonLines())
    handler.addFilter(Calm())
    logging.basicConfig(level=level, handlers=[handler], force=True)
