"""The report of a run: what its jobs keep for it, and the one page made of that."""
