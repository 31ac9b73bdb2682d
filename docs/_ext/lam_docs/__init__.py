"""The site's own directives: tables of worlds and commands, made from the code, so that no page holds a copy."""

from __future__ import annotations

from typing import Any


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    from . import directives

    directives.register(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
