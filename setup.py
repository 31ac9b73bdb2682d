"""The package list: agents/ and scenarios/ lie at the top and are imported as lam_env.agents and lam_env.scenarios."""

from setuptools import find_packages, setup

MOVED = {"lam_env.agents": "agents", "lam_env.scenarios": "scenarios"}
packages = find_packages(include=["lam_env", "lam_env.*"])
for name, folder in MOVED.items():
    packages += [name, *(f"{name}.{sub}" for sub in find_packages(folder))]
setup(packages=packages, package_dir=MOVED)
