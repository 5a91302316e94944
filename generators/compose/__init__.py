"""Shots to a finished video: timeline, transitions, overlays, sound, encoding, label, and the checks before it gets its name."""

from generators.compose.film import Cast, Film, Made, compose
from generators.compose.options import ComposeOptions
from generators.compose.soundtrack import Heard
from generators.compose.timeline import wanted_seconds

__all__ = ["Cast", "ComposeOptions", "Film", "Heard", "Made", "compose", "wanted_seconds"]
