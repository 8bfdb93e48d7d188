"""The one exception for mistakes in what the user gave us."""


class InputError(ValueError):
    """The user's input is at fault. The message is one line: what, where, and what would be right."""
