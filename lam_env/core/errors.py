"""The one root of errors that are the user's to mend: a command prints them as one line and exits with 2."""

EXTRAS = {"sb3_contrib": "contrib"}  # module that an agent may import -> the extra of the kit that brings it


class UserError(ValueError):
    """Something given from outside cannot be used; the message is one line: what, where, what to do."""


def hint(error: BaseException) -> str:
    """Where a module is missing that an extra of the kit brings: how to install it."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return f"; pip install 'lam-env[{EXTRAS[missing]}]'" if missing in EXTRAS else ""
