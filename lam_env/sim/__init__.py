"""Worlds and people in SimPy."""
