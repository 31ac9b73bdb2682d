"""Settings of all tests: one torch thread, no display, repeatable hypothesis examples."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["RAY_AUTH_MODE"] = "disabled"

from hypothesis import HealthCheck, settings

# no deadline: the machine may be busy; derandomized: a test gives the same result on every machine
settings.register_profile("kit", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kit")
