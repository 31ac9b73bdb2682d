"""Travellers on a road network: assignment of demand to routes, and how people get there day by day."""
