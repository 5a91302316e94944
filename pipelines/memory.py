"""Giving memory back: rendering runs beside this process and needs the room."""

from __future__ import annotations

import ctypes
import gc
import sys

_M_MMAP_THRESHOLD = -3
"""glibc's name in mallopt(3) for the size from which a block is mapped by itself."""
_APART_BYTES = 1 << 20
"""A block of a frame's size or more; a smaller one is worth no system call of its own."""


def hand_back_large_blocks() -> None:
    """Let glibc return every block of a megabyte or more to the system as soon as it is freed; for a process of our own.

    By default glibc raises that size, up to 32 MB, each time such a block is freed, and a frame's blocks then stay in its heaps:
    composing 6 s of 1080×1920 kept 0.25 GB so. Call it before the work begins, and not in a process that others share.
    """
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, _APART_BYTES)
        except (OSError, AttributeError):  # another C library than glibc
            return


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
