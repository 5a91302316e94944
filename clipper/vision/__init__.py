"""One decode, many meters: cuts, faces, product sightings."""
