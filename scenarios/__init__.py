"""Scenarios: one folder each. Imported as `lam_env.scenarios`."""

if __name__ == "scenarios":
    raise ImportError("import lam_env.scenarios, not scenarios")
