"""Agents: everything that learns or predicts. Imported as `lam_env.agents`."""

if __name__ == "agents":
    raise ImportError("import lam_env.agents, not agents")
