"""Predicts the direction of development: which card, class or build line a player takes of those on offer."""
