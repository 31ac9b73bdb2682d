"""Theory: assignment of flows to routes."""
