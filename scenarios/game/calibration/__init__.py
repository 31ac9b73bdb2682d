"""Calibration to a log of plays, and what it is checked by."""
