"""Product pictures in, clips out."""
