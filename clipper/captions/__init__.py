"""Captions: when each line stands, where it breaks, and how it looks, as ASS for burning in and SRT for beside.

`lines` decides on the recording's clock and lands in the plan; `ass` and `srt` print a plan's lines on the clip's clock.
"""

from clipper.captions.ass import ass
from clipper.captions.clock import Piece, Shown, shown
from clipper.captions.lines import CaptionOptions, lines
from clipper.captions.srt import srt
from clipper.captions.style import Style, load_style, style_names

__all__ = ["CaptionOptions", "Piece", "Shown", "Style", "ass", "lines", "load_style", "shown", "srt", "style_names"]
