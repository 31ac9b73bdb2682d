"""Settings: typed dataclasses from the command line and from YAML."""
