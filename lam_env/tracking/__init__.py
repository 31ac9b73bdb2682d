"""Where a run's curves and scores go besides its own files: a module a place, found by its dictionary `SINKS`."""
