"""Options of a watched folder: section `[watch]` of livecut.toml, in the folder itself or for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clipper.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """When a file counts as finished, and what happens around the work."""

    scan_s: float = 30.0
    """Seconds between scans when nothing happens, 0.1 to 86,400."""
    stable_s: float = 10.0
    """Seconds for which size and time of change must have stood still; 0 to 86,400."""
    scans: int = 2
    """Scans that must have found a file unchanged; 1 to 100."""
    min_bytes: int = 1024
    """A smaller file may be the beginning of one; 0 or more."""
    unfinished_s: float = 3600.0
    """Seconds without a change after which a file that shows no end, or is too small, is taken as it is: whoever wrote it has died.
    0 to 31,536,000."""
    ignore: tuple[str, ...] = ()
    """Further name patterns (`*.bak`) that are left alone."""
    events: bool = True
    """Let file events wake the scan; without, and on network shares, scans come by the clock alone."""
    grace_s: float = 60.0
    """Seconds that a finished recording waits for its catalogue and logs when it has none; 0 to 86,400."""
    late_s: float = 86_400.0
    """Seconds after a recording was first seen in which side files that come late, or change, make it be cut again; 0 to 31,536,000."""
    pictures: Literal["auto", "generate", "ignore"] = "auto"
    """Folders of product pictures: auto makes videos of those in which, and above which, there is no recording and no catalogue."""
    keep_days: float = 0.0
    """Days after which the results of a finished recording are deleted; 0 keeps them. 0 to 36,500."""
    history_days: float = 90.0
    """Days for which the ledger keeps what happened to a file, the newest of each for ever; 1 to 36,500."""
    free_gb: float = 2.0
    """Free space on the disk of the results, in 10⁹ bytes, below which nothing new is begun; 0 to 1,000,000."""
    drain_s: float = 600.0
    """Seconds in which running work may end after SIGTERM, before it is stopped and handed back; 0 to 86,400."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("scan_s", 0.1, 86_400),
            ("stable_s", 0, 86_400),
            ("scans", 1, 100),
            ("min_bytes", 0, 2**40),
            ("unfinished_s", 0, 31_536_000),
            ("grace_s", 0, 86_400),
            ("late_s", 0, 31_536_000),
            ("keep_days", 0, 36_500),
            ("history_days", 1, 36_500),
            ("free_gb", 0, 1_000_000),
            ("drain_s", 0, 86_400),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"watch.{name} = {value}: expected {low:g} to {high:g}")
        if self.pictures not in ("auto", "generate", "ignore"):
            raise InputError(f"watch.pictures = {self.pictures!r}: expected auto, generate or ignore")
