"""A watched folder: what lies in it, what of it is ready, and the daemon that works it off."""
