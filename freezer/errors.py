"""What can go wrong, and the exit code it means."""

_LONGEST = 1500  # characters of an error


def printable(text: str) -> str:
    """Names come from files: a newline, a terminal's control sequence or a megabyte of one must not get through."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 400]} ... {text[-300:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class FreezerError(Exception):
    """A freeze that could not be done. The message is one line: what, where, expected, what to do."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(str(message)))


class UsageError(FreezerError):
    """The caller asked for something that cannot be meant: an unknown input, a value of the wrong type."""

    exit_code = 2


class ModelError(FreezerError):
    """The model file is missing, broken or breaks ONNX's rules."""


class LimitError(FreezerError):
    """A limit on size, depth or time was reached; the message names the option that raises it."""


class VerificationError(FreezerError):
    """The residual model differs from the original; nothing was written."""


class EngineError(FreezerError):
    """Another engine crashed, hung, failed, grew the file, changed the interface or wrote an invalid model."""


class ChildError(FreezerError):
    """The child process died, hung or passed a limit; the message says which.

    killed: nothing it did itself: something outside killed it, as a system does that is short of memory.
    """

    def __init__(self, message: str, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed
