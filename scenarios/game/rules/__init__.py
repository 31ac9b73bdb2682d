"""The game's rules."""
