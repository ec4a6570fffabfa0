"""freezer: a partial evaluator for ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer._version import __version__

if TYPE_CHECKING:
    from freezer.api import Frozen, canonicalize, diff, fingerprint, freeze, inspect, verify
    from freezer.errors import FreezerError
    from freezer.proof import prove
    from freezer.recipe import Recipe, read_recipe, write_recipe
    from freezer.routes import compare_routes, trace
    from freezer.variants import make_variants, read_variants

__all__ = [
    "FreezerError", "Frozen", "Recipe", "__version__", "canonicalize", "compare_routes", "diff", "fingerprint",
    "freeze", "inspect", "make_variants", "prove", "read_recipe", "read_variants", "trace", "verify", "write_recipe",
]  # fmt: skip
# Where the names that are not in freezer.api live; all are imported when first used, so `import freezer` is fast.
_HOMES = {
    "FreezerError": "freezer.errors", "Recipe": "freezer.recipe", "compare_routes": "freezer.routes",
    "make_variants": "freezer.variants", "prove": "freezer.proof", "read_recipe": "freezer.recipe",
    "read_variants": "freezer.variants", "write_recipe": "freezer.recipe",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'freezer' has no attribute {name!r}")
    if name == "trace":
        return importlib.import_module("freezer.routes.trace")
    found = getattr(importlib.import_module(_HOMES.get(name, "freezer.api")), name)
    globals()[name] = found
    return found
