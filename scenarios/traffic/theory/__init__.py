"""Theory: assignment of flows to routes, by descent and by choice."""
