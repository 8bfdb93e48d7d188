"""What can go wrong, by who has to act. The command line turns each into an exit code of its own."""

from pathlib import Path


class InputError(ValueError):
    """The user's input is at fault. The message is one line: what, where, and what would be right. Exit code 1."""


class ToolError(RuntimeError):
    """A tool that we ran failed: ``message`` says which and at what, ``log`` holds its output. Exit code 2."""

    def __init__(self, message: str, log: Path | None = None):
        super().__init__(message)
        self.log = log


class CheckError(RuntimeError):
    """Something was compared and differs. The message names the first mismatch (tick, core, neuron, expected, got), the
    seed and the command that repeats it. Exit code 3."""
