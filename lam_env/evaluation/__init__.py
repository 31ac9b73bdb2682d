"""Scores, statistics, tables and reports, made from results."""
