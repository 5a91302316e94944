"""Product pictures in, clips out."""

from clipper import errors, values

__all__ = ["errors", "values"]
