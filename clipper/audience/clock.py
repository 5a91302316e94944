"""When a recording began, read off its name: the patterns of the recorders in use.

StreamCap and DouyinLiveRecorder `主播_2026-11-23_20-00-00_000.mp4`, bililive-go `[2026-11-23 20-00-00][…]`, BililiveRecorder
`录制-1001-20261123-200000-123-标题.flv`, blrec `blive_1001_2026-11-23-200000.flv`, streamlink `20261123200000.ts`,
you-live `20261123_20-00`.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from clipper.audience.reading import epoch_seconds
from clipper.errors import InputError

_DATE = r"(?<!\d)(20\d{2})[-_.年](\d{1,2})[-_.月](\d{1,2})日?"
PATTERNS: tuple[re.Pattern[str], ...] = (
    re.compile(_DATE + r"[ _T\-]+(\d{1,2})[-_:.：时](\d{2})[-_:.：分](\d{2})(?!\d)()"),
    re.compile(_DATE + r"[ _T\-]+(\d{2})(\d{2})(\d{2})(?!\d)()"),
    re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})[-_T ]?(\d{2})(\d{2})(\d{2})(?:-(\d{3}))?(?!\d)"),
    re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})[-_T ](\d{2})-(\d{2})(?!\d)()()"),
)
"""Groups: year, month, day, hour, minute, second, millisecond; the last two may be empty."""

_SEGMENT = re.compile(r"\d{2}[-_:.：]\d{2}[-_:.：]\d{2}_(\d{3})$")


def start_from_name(stem: str, zone: ZoneInfo) -> float | None:
    """Read the start out of a file name without suffix, as epoch seconds; None when it names none.

    Later segments (`…_001`) carry the start of the whole session and not their own, so they count as naming none.
    """
    segment = _SEGMENT.search(stem)
    if segment and int(segment.group(1)) > 0:
        return None
    for pattern in PATTERNS:
        for match in pattern.finditer(stem):
            *parts, millisecond = match.groups()
            try:
                year, month, day, hour, minute, second = (int(part or 0) for part in parts)
                moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
            except ValueError:
                continue
            return moment.timestamp() + int(millisecond or 0) / 1000
    return None


def parse_start(text: str | float, zone: ZoneInfo) -> float:
    """Read a start time that somebody typed: an ISO date and time, or epoch seconds or milliseconds.

    Raises InputError when it is neither.
    """
    found = epoch_seconds(text, zone)
    if found is None:
        raise InputError(f"could not use start time {text}: expected a date and time like 2026-11-23T20:00:00+08:00, or epoch seconds")
    return found
