"""What other policies would have earned in logged decisions: estimates, and tables of other systems."""
