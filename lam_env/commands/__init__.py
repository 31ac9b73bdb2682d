"""The commands: `python -m lam_env NAME`, one module each."""
