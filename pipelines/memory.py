"""Giving memory back between stages: rendering runs beside this process and needs the room."""

from __future__ import annotations

import ctypes
import gc
import sys


def release() -> None:
    """Collect garbage and hand freed memory back to the system.

    glibc keeps what the recognizer has freed (0.5 GB was measured) for itself until it is asked; elsewhere there is nothing
    to ask for.
    """
    gc.collect()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):  # another C library than glibc: it trims by itself
            return
