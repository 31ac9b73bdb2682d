"""The parts of a home's picture."""
