"""Plan to finished clip: one ffmpeg run for the picture, made from a pure argv, and nothing named before it was checked."""

from clipper.render.graph import Files, Source, command
from clipper.render.job import VERSION, render
from clipper.render.options import RenderOptions

__all__ = ["VERSION", "Files", "RenderOptions", "Source", "command", "render"]
