"""One player: traits, choices, skill."""
