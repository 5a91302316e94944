"""Is this folder on a file system that SQLite can trust? Its write-ahead log needs shared memory and honest locks.

Network file systems give neither (https://sqlite.org/wal.html, https://sqlite.org/lockingv3.html#how_to_corrupt): two
machines would each believe to be alone.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

NETWORK = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x00C36400: "Ceph",
    0x01021997: "9P",
    0x6A656A63: "virtiofs",
    0x5346414F: "AFS",
    0x73757245: "Coda",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x19830326: "BeeGFS",
    0x564C: "NCP",
}
"""Magic numbers of statfs(2) and what they stand for."""
FUSE = 0x65735546
LOCAL_FUSE = ("fuseblk",)
"""Disks that are read through FUSE, such as NTFS; anything else under FUSE may be remote."""


def network_name(folder: Path) -> str | None:
    """Name the network file system a folder lies on; None for a local one, or where the system does not tell."""
    if sys.platform != "linux":
        return None
    magic = magic_of(folder)
    if magic == FUSE:
        kind = mount_type(folder)
        return None if kind in LOCAL_FUSE else f"FUSE ({kind})"
    return NETWORK.get(magic)


def magic_of(folder: Path) -> int:
    """Ask statfs(2) for the type of the file system a folder lies on; 0 when it does not answer."""
    buffer = ctypes.create_string_buffer(256)
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(folder), buffer) != 0:
        return 0
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder) & 0xFFFFFFFF


def mount_type(folder: Path) -> str:
    """Read the type of the mount a folder lies on, e.g. fuse.sshfs; empty when it is not listed."""
    place, best, kind = os.fsencode(folder.resolve()), b"", ""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return ""
    for line in lines:
        left, _, right = line.partition(b" - ")
        point = re.sub(rb"\\(\d{3})", lambda found: bytes([int(found.group(1), 8)]), left.split()[4])
        if (place == point or place.startswith(point.rstrip(b"/") + b"/")) and len(point) >= len(best):
            best, kind = point, right.split()[0].decode()
    return kind
