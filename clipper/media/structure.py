"""Whether a coded frame still has the shape it was written with, told without decoding it.

In MP4, FLV and Matroska each frame of H.264 and HEVC is a chain of parts, each behind its length, that fills the packet
exactly. Bytes that were overwritten rarely leave such a chain: walking it costs microseconds, decoding costs hours.
"""

from __future__ import annotations

from typing import Any

AVC_LENGTH_AT, HEVC_LENGTH_AT = 4, 21
"""Where the decoder configuration (ISO/IEC 14496-15) says how many bytes a length has."""
MAX_PARTS = 512
"""More parts than this in one frame are not walked."""


def length_bytes(codec: str, extradata: bytes | None) -> int | None:
    """Say how many bytes stand before each part of a frame; None where frames are no such chains."""
    at = {"h264": AVC_LENGTH_AT, "hevc": HEVC_LENGTH_AT}.get(codec)
    if at is None or extradata is None or len(extradata) <= at or extradata[0] != 1:
        return None
    return int(extradata[at] & 3) + 1


def is_whole(data: Any, size: int, codec: str) -> bool:
    """Say whether a frame's bytes are a chain of parts that fills them, each with the header of its codec."""
    at, buffer = 0, memoryview(data)
    end = len(buffer)
    for _ in range(MAX_PARTS):
        if at == end:
            return True
        length = int.from_bytes(buffer[at : at + size], "big")
        at += size
        if length == 0 and at <= end:
            continue
        if at + length > end or buffer[at] & 0x80:
            return False
        if codec == "h264" and not buffer[at] & 0x1F:
            return False
        at += length
    return True
