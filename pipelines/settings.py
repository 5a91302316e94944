"""All options of a run, one section per stage; the names are those of livecut.toml."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipper.detect import FindOptions, GatherOptions
from clipper.errors import InputError
from clipper.plan import PlanOptions
from clipper.render import RenderOptions
from clipper.speech.transcribe import SpeechOptions
from clipper.vision import LookOptions


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

    def __post_init__(self) -> None:
        if not 0 <= self.jobs <= 64:
            raise InputError(f"jobs = {self.jobs}: expected 0 to 64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every option of `livecut clip` and `make_clips`."""

    run: RunOptions = field(default_factory=RunOptions)
    speech: SpeechOptions = field(default_factory=SpeechOptions)
    vision: LookOptions = field(default_factory=LookOptions)
    gather: GatherOptions = field(default_factory=GatherOptions)
    find: FindOptions = field(default_factory=FindOptions)
    plan: PlanOptions = field(default_factory=PlanOptions)
    render: RenderOptions = field(default_factory=RenderOptions)
