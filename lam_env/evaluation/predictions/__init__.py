"""Predictions on the held-out part of a log, told in full."""
