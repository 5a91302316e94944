"""Recording in, clips out."""
