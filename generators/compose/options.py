"""What a caller may choose about composition; what a video shows is the storyboard's business."""

from __future__ import annotations

from dataclasses import dataclass

from clipper.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeOptions:
    """How shots become a video."""

    loudness_lufs: float = -14.0
    """Integrated loudness of music and voice together, LUFS; -40 to -6."""
    true_peak_dbtp: float = -1.0
    """Ceiling of the sound's true peak, dBTP; -9 to 0."""
    threads: int = 2
    """Threads of the encoder; 1 to 64."""
    cover_at: float = 0.62
    """Where in the first shot's own time the cover is taken, as a share of it; 0 to 1."""

    def __post_init__(self) -> None:
        bounds = {"loudness_lufs": (-40, -6), "true_peak_dbtp": (-9, 0), "threads": (1, 64), "cover_at": (0, 1)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}")
