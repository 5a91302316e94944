"""All options of a run, one section per stage; the names are those of livecut.toml."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipper.detect import FindOptions, GatherOptions
from clipper.errors import InputError
from clipper.plan import PlanOptions
from clipper.render import RenderOptions
from clipper.speech.transcribe import SpeechOptions
from clipper.vision import LookOptions
from pipelines.generate_options import GenerateOptions
from pipelines.watch.options import WatchOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Where results go and how a run behaves."""

    out: str = "livecut-out"
    """Folder that holds one folder per recording."""
    timezone: str = "Asia/Shanghai"
    """IANA name of the zone in which times without a zone are meant, and in which a claim's day ends."""
    jobs: int = 0
    """Clips rendered at the same time, 0 to 64; 0 renders one per processor, up to 8."""
    faces: bool = True
    """Look for faces: needs the model centerface; without it a landscape picture is shown whole over a blurred background."""

    recordings: int = 0
    """Recordings worked on at the same time, 0 to 256; 0 takes two where there is more than one processor. Each may need 1.5 GB."""
    attempts: int = 3
    """Failed attempts after which a recording is quarantined, 1 to 100."""
    ledger: str = ""
    """File that keeps the ledger, on a local disk; empty: livecut.ledger in the folder of the results."""
    executor: str = "local"
    """Where the recordings of a batch are worked on: local (processes of this machine) or ray (see docs/cluster.md)."""
    scratch: str = ""
    """Folder of each machine for files that are fetched from URLs; empty: one of our own among its temporary files."""
    http: bool = False
    """Read recordings from addresses of the web, too (http://, https://)."""

    def __post_init__(self) -> None:
        for name, low, high in (("jobs", 0, 64), ("recordings", 0, 256), ("attempts", 1, 100)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low} to {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every option of `livecut`, `make_clips` and `make_videos`."""

    run: RunOptions = field(default_factory=RunOptions)
    speech: SpeechOptions = field(default_factory=SpeechOptions)
    vision: LookOptions = field(default_factory=LookOptions)
    gather: GatherOptions = field(default_factory=GatherOptions)
    find: FindOptions = field(default_factory=FindOptions)
    plan: PlanOptions = field(default_factory=PlanOptions)
    render: RenderOptions = field(default_factory=RenderOptions)
    generate: GenerateOptions = field(default_factory=GenerateOptions)
    watch: WatchOptions = field(default_factory=WatchOptions)
