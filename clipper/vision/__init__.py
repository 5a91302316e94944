"""Looking at a recording: one decode, many meters — sharpness, cuts, faces, product sightings."""

from clipper.vision.looking import VERSION, LookOptions, look

__all__ = ["VERSION", "LookOptions", "look"]
