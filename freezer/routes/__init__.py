"""The trace route: a torch module with frozen arguments becomes a model; and both routes compared."""

from freezer.errors import UsageError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise UsageError("the trace route needs torch; install it with: pip install 'onnx-freezer[torch]'") from error
