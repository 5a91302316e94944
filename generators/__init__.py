"""Product pictures in, clips out."""

from clipper import errors
from generators import values

__all__ = ["errors", "values"]
