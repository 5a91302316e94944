"""Recording in, clips out.

The stages live in modules of their own (`clipper.detect`, `clipper.plan`, `clipper.render`, …); this package only offers the
words that all of them speak.
"""

from clipper import errors, values
from clipper.version import __version__

__all__ = ["__version__", "errors", "values"]
