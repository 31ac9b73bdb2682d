"""What pyproject.toml cannot say: where packages lie, and the README as an index shows it.

agents/ and scenarios/ lie at the top and are imported as lam_env.agents and lam_env.scenarios.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

MOVED = {"lam_env.agents": "agents", "lam_env.scenarios": "scenarios"}
PICTURES = r"(?s)<picture>.*?</picture>|<img\b[^>]*>|!\[[^\]]*\]\([^)]*\)"
LINKS = r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)"  # to files of the checkout

packages = find_packages(include=["lam_env", "lam_env.*"])
for name, folder in MOVED.items():
    packages += [name, *(f"{name}.{sub}" for sub in find_packages(folder))]
readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
setup(
    packages=packages,
    package_dir=MOVED,
    long_description=re.sub(LINKS, r"\1", re.sub(PICTURES, "", readme)),
    long_description_content_type="text/markdown",
)
