"""What a run found, as a page a person can judge."""
