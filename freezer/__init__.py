"""freezer: a partial evaluator for ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer._version import __version__

if TYPE_CHECKING:
    from freezer.api import Frozen, freeze, inspect
    from freezer.canonical import canonicalize, diff, fingerprint
    from freezer.errors import FreezerError
    from freezer.routes import compare_routes, trace
    from freezer.verification.verification import verify

# Where each public name lives; imported when first used, so that `import freezer` stays fast.
_HOMES = {
    "freeze": "freezer.api",
    "inspect": "freezer.api",
    "Frozen": "freezer.api",
    "canonicalize": "freezer.canonical",
    "fingerprint": "freezer.canonical",
    "diff": "freezer.canonical",
    "compare_routes": "freezer.routes",
    "verify": "freezer.verification.verification",
    "FreezerError": "freezer.errors",
}
__all__ = [
    "FreezerError", "Frozen", "__version__", "canonicalize", "compare_routes", "diff", "fingerprint", "freeze",
    "inspect", "trace", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    import importlib

    if name == "trace":
        return importlib.import_module("freezer.routes.trace")
    if name not in _HOMES:
        raise AttributeError(f"module 'freezer' has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
