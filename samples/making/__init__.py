"""How the sample stream is made: words, voice, audience, pictures, film. Run `python samples/make_samples.py`."""
