"""Recognizers, their weights, and the transcription that drives them."""
