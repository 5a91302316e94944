"""Memory is handed back: a freed block of a frame's size leaves the process, though glibc has learned to keep such blocks."""

from __future__ import annotations

import subprocess
import sys

KEPT = """
import ctypes
from pathlib import Path
from pipelines import memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
if {asked}:
    memory.hand_back_large_blocks()
libc.free(libc.malloc(30 << 20))  # glibc now keeps blocks of up to 30 MB in its heap
blocks = [libc.malloc(6 << 20) for _ in range(20)]
for block in blocks:
    ctypes.memset(block, 1, 6 << 20)
last = libc.malloc(2 << 20)  # lies above them in the heap
for block in blocks:
    libc.free(block)
print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20)
"""


def resident_mb(asked: bool) -> int:
    done = subprocess.run([sys.executable, "-c", KEPT.replace("{asked}", str(asked))], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_blocks_of_frames_are_handed_back_as_soon_as_they_are_free() -> None:
    assert resident_mb(asked=False) - resident_mb(asked=True) > 100
