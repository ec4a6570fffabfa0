"""What can go wrong, and the exit code it means."""


class FreezerError(Exception):
    """A freeze that could not be done. The message is one line: what, where, expected, what to do."""

    exit_code = 1


class UsageError(FreezerError):
    """The caller asked for something that cannot be meant: an unknown input, a value of the wrong type."""

    exit_code = 2


class ModelError(FreezerError):
    """The model file is missing, broken or breaks ONNX's rules."""


class LimitError(FreezerError):
    """A limit on size, depth or time was reached; the message names the option that raises it."""


class VerificationError(FreezerError):
    """The residual model differs from the original; nothing was written."""


class ChildError(FreezerError):
    """The child process died, hung or passed a limit. `reason` says which."""
