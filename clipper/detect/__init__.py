"""Pure decisions: which product is explained when, what is hot, what pulls people in.

    transcript ─ mentions ──┐
    catalogue ──┘           ├─ gather → Evidence ─ find ─┬─ explanations ─┬─ hot items ─┬─ Findings
    log ─ clocks ───────────┤                            └─ boundaries ───┴─ teasers ───┘
    picture, loudness ──────┘

Every channel is optional; nothing here touches a file, a model or a clock.
"""

from clipper.detect.boundaries import edges, pauses, usual_rest
from clipper.detect.coverage import why_none
from clipper.detect.finding import FIND_VERSION, FindOptions, find
from clipper.detect.gathering import GATHER_VERSION, GatherOptions, gather
from clipper.detect.growing import known_until, settled_explanations

__all__ = [
    "FIND_VERSION",
    "GATHER_VERSION",
    "FindOptions",
    "GatherOptions",
    "edges",
    "find",
    "gather",
    "known_until",
    "pauses",
    "settled_explanations",
    "usual_rest",
    "why_none",
]
