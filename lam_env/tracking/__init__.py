"""Where a run's curves and scores go besides its own CSV and JSON: a module a place, found by its dictionary `SINKS`."""
