"""Players of a role-playing game who live in sessions, react to advice, and leave when it no longer pleases them."""

from .scenario import Game

SCENARIO = Game
# since 1 an episode in which the player has left for good is terminated and not truncated; since 2 players differ in
# what advice moves them, surveys tell of true flow, and bedtimes are learned
VERSION = 2
