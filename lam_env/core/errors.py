"""The one root of errors that are the user's to mend: a command prints them as one line and exits with 2."""


class UserError(ValueError):
    """Something given from outside cannot be used; the message is one line: what, where, what to do."""
