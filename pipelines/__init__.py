"""Runs: from a recording or a picture to finished files, from the command line or from Python."""
