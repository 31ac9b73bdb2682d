"""Logs: importers (a module with `FORMATS` each), decision points and splits, statistics and the fidelity report.

`FORMATS` maps a format's id to `load(path, *, home=None, zone=None) -> (ActionLog, what was left out and how often)`.
"""
