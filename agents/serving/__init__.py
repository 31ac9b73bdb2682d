"""Policies served to one's own stream of events."""
