"""freezer: a partial evaluator for ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer._version import __version__

if TYPE_CHECKING:
    from freezer.api import Frozen, canonicalize, diff, fingerprint, freeze, inspect, verify
    from freezer.errors import FreezerError
    from freezer.routes import compare_routes, trace

__all__ = [
    "FreezerError", "Frozen", "__version__", "canonicalize", "compare_routes", "diff", "fingerprint", "freeze",
    "inspect", "trace", "verify",
]  # fmt: skip
# Where the names that are not in freezer.api live; all are imported when first used, so `import freezer` is fast.
_HOMES = {"FreezerError": "freezer.errors", "compare_routes": "freezer.routes"}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'freezer' has no attribute {name!r}")
    if name == "trace":
        return importlib.import_module("freezer.routes.trace")
    found = getattr(importlib.import_module(_HOMES.get(name, "freezer.api")), name)
    globals()[name] = found
    return found
