"""Suites of the benchmark: one YAML file each, and what makes their tables."""
