"""What a run has to do: its jobs, in turns with those of others, and how far they are."""
