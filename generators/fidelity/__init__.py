"""Is it still the product? Measures that gate a shot, and the lock that puts the product's own pixels back.

Every measure is that of the worst frame, on the product's mask, after undoing the camera's motion: a mean, or a best frame,
forgives a label that melts slowly.
"""

from generators.fidelity.gate import VERSION, measure, survives
from generators.fidelity.lock import Lock, pixel_lock, try_lock
from generators.fidelity.options import FidelityOptions
from generators.fidelity.text import RapidReader, TextLine, TextReader, find_reader

__all__ = [
    "VERSION",
    "FidelityOptions",
    "Lock",
    "RapidReader",
    "TextLine",
    "TextReader",
    "find_reader",
    "measure",
    "pixel_lock",
    "survives",
    "try_lock",
]
