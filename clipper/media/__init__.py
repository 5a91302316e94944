"""Reading recordings: what a file is, what it holds, its sound in blocks and its picture in frames, all on one clock.

Time 0 is the first decoded frame; sound that begins earlier is cut, sound that begins later is preceded by silence.
"""

from clipper.digest import sha256
from clipper.media.formats import sniff
from clipper.media.frames import Frame, frame_at, frames, key_frames, packet_sizes
from clipper.media.probing import probe
from clipper.media.repair import normalise
from clipper.media.samples import AudioBlock, audio_blocks

__all__ = [
    "AudioBlock",
    "Frame",
    "audio_blocks",
    "frame_at",
    "frames",
    "key_frames",
    "normalise",
    "packet_sizes",
    "probe",
    "sha256",
    "sniff",
]
