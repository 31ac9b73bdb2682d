"""The world: players' lives with the game."""
