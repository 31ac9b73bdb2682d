"""lam_env: build and judge Large Action Models on simulated people who answer."""

__version__ = "0.1.0"
