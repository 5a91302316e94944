"""What every diffusion family does around its own call of diffusers: choose, load, encode, watch, keep, decode.

Each family's file in `generators.animators` is a straight line through these functions; none of them knows a family.
"""

from generators.diffusion.choosing import Choice, choose, family_of, outline, ready
from generators.diffusion.decoding import decode, tiled, write
from generators.diffusion.denoising import denoise, seeded
from generators.diffusion.kept import Kept, kept, save_tensors
from generators.diffusion.loading import Loaded, load_pipeline
from generators.diffusion.options import DiffusersOptions
from generators.diffusion.telling import origin
from generators.diffusion.text import TextEncoder, check_length

__all__ = [
    "Choice",
    "DiffusersOptions",
    "Kept",
    "Loaded",
    "TextEncoder",
    "check_length",
    "choose",
    "decode",
    "denoise",
    "family_of",
    "kept",
    "load_pipeline",
    "origin",
    "outline",
    "ready",
    "save_tensors",
    "seeded",
    "tiled",
    "write",
]
