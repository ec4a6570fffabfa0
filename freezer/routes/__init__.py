"""The trace route: a torch module with frozen arguments becomes a model; and both routes compared.

Nothing here imports torch by itself: the child that runs models for the comparison does not need it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from freezer.errors import UsageError

if TYPE_CHECKING:
    from freezer.routes.compare import compare as compare_routes

__all__ = ["compare_routes"]

if find_spec("torch") is None:
    raise UsageError("the trace route needs torch; install it with: pip install 'onnx-freezer[torch]'")


def __getattr__(name: str) -> Any:
    if name != "compare_routes":
        raise AttributeError(f"module 'freezer.routes' has no attribute {name!r}")
    from freezer.routes.compare import compare

    return compare
