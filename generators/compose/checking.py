"""What a composed file is held to before it gets its name: streams, length, first frames, and its label written last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clipper.errors import ToolError
from clipper.media.container import opened
from clipper.render import verify
from clipper.render.graph import VIDEO
from generators import labels
from generators.compose.encoding import Glimpses, glimpse
from generators.compose.timeline import frame_count
from generators.labels import Label, LabelOptions
from generators.values import Storyboard

LABELLED = "labelled.mp4"
UNLIKE = 14.0
"""Mean difference of a glimpse of a file's frame to what was composed, in 8-bit steps, above which it is another frame."""
BLACK = 12.0


def check_file(board: Storyboard, work: Path, glimpses: Glimpses) -> verify.Output:
    """Hold the encoded file to what was composed: streams, length, and its first frames."""
    found = verify.inspect(work / VIDEO)
    verify.check(found, board, frame_count(board), sound=True)
    if abs(found.frames - frame_count(board)) > 0:
        raise ToolError(f"could not finish {board.id}: {found.frames} frames were written, {frame_count(board)} composed; render again")
    head = _decoded_head(work / VIDEO, len(glimpses.head))
    if len(head) < len(glimpses.head):
        raise ToolError(f"could not finish {board.id}: its first frames cannot be decoded; render again")
    apart = max(float(np.abs(one - other).mean()) for one, other in zip(head, glimpses.head, strict=True))
    if apart > UNLIKE:
        raise ToolError(f"could not finish {board.id}: its first frames are not the composed ones ({apart:.0f} steps apart); render again")
    if all(float(picture.mean()) < BLACK for picture in head):
        raise ToolError(f"could not finish {board.id}: it begins black; choose another picture, move or transition for its first shot")
    return found


def _decoded_head(path: Path, count: int) -> list[Any]:
    head: list[Any] = []
    with opened(path, "mov") as container:
        for frame in container.decode(video=0):
            if len(head) >= count:
                break
            head.append(glimpse(frame.to_ndarray(format="rgb24")))
    return head


def write_label(board: Storyboard, label: Label, work: Path, options: LabelOptions) -> tuple[dict[str, str], str]:
    """Write the metadata as the last step, and read it back; returns what the file holds, and its content's digest."""
    content = labels.content_digest(work / VIDEO)
    ident = f"{board.id}-{content[:16]}".encode("ascii", "ignore").decode().replace(" ", "-")
    ident = "".join(char for char in ident if char.isalnum() or char in "-_.")[-64:]
    tags = labels.metadata(label, content, ident, options)
    labels.write(work / VIDEO, work / LABELLED, tags)
    labels.check_metadata(work / LABELLED, label)
    return tags, content
