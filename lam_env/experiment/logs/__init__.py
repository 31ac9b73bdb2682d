"""The logs of a run that come from outside, and those that are too large for one file."""
