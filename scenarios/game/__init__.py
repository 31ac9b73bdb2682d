"""Players of a role-playing game who live in sessions, react to advice, and leave when it no longer pleases them."""

from .scenario import Game

SCENARIO = Game
