"""SubRip captions of a clip, for players and platforms that show their own."""

from __future__ import annotations

import re

from clipper.captions.clock import shown
from clipper.values import Plan


def srt(plan: Plan) -> str:
    """Print a plan's captions as SubRip on the clip's clock.

    `<`, `>` and `{` are written as full-width signs: many players read them as markup. A blank line would end the event.
    """
    blocks = []
    for number, event in enumerate(shown(plan), 1):
        text = "\n".join(_plain(row) for row in event.texts if row)
        blocks.append(f"{number}\n{_stamp(event.start)} --> {_stamp(event.end)}\n{text}\n")
    return "\n".join(blocks)


def _plain(row: str) -> str:
    return re.sub(r"-->", "→", row).translate({ord("<"): "＜", ord(">"): "＞", ord("{"): "｛", ord("}"): "｝"})


def _stamp(seconds: float) -> str:
    whole, millis = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d},{millis:03d}"
