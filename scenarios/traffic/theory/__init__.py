"""Theory: assignment, equilibria, estimation, known answers."""
