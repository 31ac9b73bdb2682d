"""Advice: what it changes, and the randomised experiment that tells."""
