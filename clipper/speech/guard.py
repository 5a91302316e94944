"""Find out when a recognizer has lost the thread: loops, recited prompts, words where nobody spoke.

Every rule reads one window's text, its length and its scores. A window with a fault is decoded again by other means; one
that stays broken is dropped, because a made-up sentence in a clip is worse than a missing one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

from clipper.speech.recognizer import Heard
from clipper.values import Span, Word

MAX_COMPRESSION = 2.4
"""Bytes over zlib's bytes, as in openai-whisper; ordinary Chinese windows have 0.9–1.5."""
MIN_LOGPROB = -1.0
MAX_NO_SPEECH = 0.6
MAX_CHARS_PER_S = {"cjk": 13.0, "latin": 32.0}
"""Fast hosts reach 9 Chinese characters or 22 letters a second of voice."""
MIN_CHARS_PER_S = {"cjk": 1.8, "latin": 4.0}
"""Less than this means that phrases were left out, or that it was music."""
SPARSE_FROM_S = 4.0

HARD = frozenset({"compression", "loop", "recited", "phantom", "fast", "silence"})
"""Faults that make a window unfit to be shown; the others only earn it another try."""

LACKING = frozenset({"hole", "sparse"})
"""Faults of a window in which something was left out."""

PHANTOMS = re.compile(
    r"字幕(?:由|by|志愿者|组|製作|制作)|请不吝点赞|明镜与点点|优优独播剧场|谢谢(?:大家)?(?:观看|收看)$"
    r"|amara\.org|subtitles by|thanks? for watching",
    re.IGNORECASE,
)
"""What Whisper learnt from video captions and says over noise."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LOOP = re.compile(r"(.{1,24}?)\1{3,}")
_MARKS = re.compile(r"[\W_]+")
_ECHO = {"cjk": re.compile(r"(.{8,}?)\1"), "latin": re.compile(r"(.{24,}?)\1")}
"""A whole phrase said twice in a row: sometimes the host's, mostly the engine's."""
MAX_HOLE_S = 1.3
"""A drawn-out character takes 0.6 s."""
LOOP_CHARS = 10
"""A shorter repetition is laughter, or 好好好."""


def faults(heard: Heard, runs: Sequence[Span], names: Sequence[str] = (), prompt: str = "") -> tuple[str, ...]:
    """Name what is wrong with a window; nothing for a good one.

    `runs` are the stretches in which somebody spoke, in seconds since the window's start; `names` are the hot words and
    `prompt` the text that it was given.
    """
    voiced_s = sum(run.duration for run in runs)
    text = heard.text.strip()
    bare = _MARKS.sub("", text).lower()
    if not bare:
        return ("sparse",) if voiced_s >= SPARSE_FROM_S else ()
    script = "cjk" if len(_CJK.findall(bare)) * 3 > len(bare) else "latin"
    rate = len(bare) / max(voiced_s, 0.3)
    checks = {
        "compression": compression(text) > MAX_COMPRESSION,
        "loop": is_loop(text),
        "recited": is_recited(text, names, prompt),
        "phantom": bool(PHANTOMS.search(text)) and voiced_s < SPARSE_FROM_S,
        "fast": rate > MAX_CHARS_PER_S[script] and len(bare) > 12,
        "echo": bool(_ECHO[script].search(bare)),
        "hole": longest_hole(heard.pieces, runs) > MAX_HOLE_S,
        "sparse": voiced_s >= SPARSE_FROM_S and rate < MIN_CHARS_PER_S[script],
        "unlikely": heard.mean_logprob < MIN_LOGPROB,
        "silence": heard.no_speech > MAX_NO_SPEECH and heard.mean_logprob < MIN_LOGPROB,
    }
    return tuple(name for name, broken in checks.items() if broken)


def longest_hole(pieces: Sequence[Word], runs: Sequence[Span]) -> float:
    """Seconds of voice that the longest-drawn character covers: attention jumps over a phrase that was left out."""
    bounds = [
        min((run.start for run in runs), default=0.0),
        *(piece.start for piece in pieces),
        max((run.end for run in runs), default=0.0),
    ]
    stretches = (Span(start, max(start, end)) for start, end in pairwise(bounds))
    return max((sum(stretch.shared(run) for run in runs) for stretch in stretches), default=0.0)


def is_hopeless(found: Sequence[str]) -> bool:
    """Say whether a window with these faults must not be shown."""
    return not HARD.isdisjoint(found)


def compression(text: str) -> float:
    """Bytes of a text over the bytes zlib makes of it: high when it repeats itself."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def is_loop(text: str) -> bool:
    """Say whether the same few characters follow each other four times and more, over a good stretch."""
    bare = _MARKS.sub("", text)
    return any(len(match.group()) >= LOOP_CHARS for match in _LOOP.finditer(bare))


def is_recited(text: str, names: Sequence[str], prompt: str) -> bool:
    """Say whether the prompt came back: its own sentence, or three names in the order in which they were given."""
    bare = _MARKS.sub("", text)
    head = _MARKS.sub("", re.split(r"[。：:\n]", prompt)[0]) if prompt else ""
    if len(head) >= 6 and head in bare:
        return True
    plain = [_MARKS.sub("", name) for name in names]
    return any("".join(plain[index : index + 3]) in bare for index in range(len(plain) - 2))
