"""The variants that a recipe lists: a base, [[variant]] tables that add to it, and a matrix of all combinations.

    [set]                      # the base: for all
    mask = "ones"

    [[variant]]
    name = "german"
    set.language = 3

    [matrix.set]               # one variant for each combination of these
    speaker = [0, 1, 2]
    [matrix.dims]
    batch = [1, 8]

The first is then called german-speaker0-batch1, and written as german-speaker0-batch1.onnx.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from freezer.errors import UsageError
from freezer.options import Options, Running
from freezer.recipe import Recipe
from freezer.recipe.read import read_toml, size, table, to_recipe, value_text

_OWN = {"set", "dims", "shapes", "options"}
_BASE = _OWN | {"source", "source_sha256", "files"}
_NAME = re.compile(r"[A-Za-z0-9_+=][A-Za-z0-9._+=-]*")
MOST = 10_000


@dataclass(frozen=True)
class Variant:
    """One freeze: the name of its file, without .onnx, and what it freezes."""

    name: str
    recipe: Recipe


def read_variants(path: str | os.PathLike) -> list[Variant]:
    """The variants in a recipe file, in its order. Raises UsageError for what it cannot hold, or none."""
    path = Path(path)
    document = read_toml(path)
    base = to_recipe(
        {k: v for k, v in document.items() if k not in ("variant", "matrix")}, path, _BASE, Options, Running
    )
    listed = _listed(document, base, path)
    cells = list(itertools.islice(_cells(table(document, "matrix", path), path), MOST + 1))
    if len(listed) * len(cells) > MOST:
        raise UsageError(f"the recipe '{path}' lists more than {MOST} variants")
    found = [_joined(variant, cell) for variant in listed for cell in cells]
    _check_names([v.name for v in found], path)
    return found


def _listed(document: dict[str, Any], base: Recipe, path: Path) -> list[Variant]:
    tables = document.get("variant", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise UsageError(f"the recipe '{path}': variants must be tables, [[variant]]")
    return [_variant(t, base, path) for t in tables] or [Variant("", base)]


def _variant(document: dict[str, Any], base: Recipe, path: Path) -> Variant:
    own = to_recipe({k: v for k, v in document.items() if k != "name"}, path, _OWN, Options, Running)
    if not isinstance(document.get("name"), str):
        raise UsageError(f"the recipe '{path}': each [[variant]] needs a name, a text")
    return Variant(document["name"], _over(base, own))


def _over(base: Recipe, own: Recipe) -> Recipe:
    return replace(
        base, sets=base.sets | own.sets, dims=base.dims | own.dims, shapes=base.shapes | own.shapes,
        options=base.options | own.options,
    )  # fmt: skip


def _cells(matrix: dict[str, Any], path: Path) -> Iterator[Variant]:
    """Every combination, with the name it adds; one that adds nothing if there is no matrix."""
    axes = [
        [(kind, name, value) for value in values]
        for kind in ("set", "dims") for name, values in table(matrix, kind, path).items()
        if _is_list(values, name, path)
    ]  # fmt: skip
    if unknown := matrix.keys() - {"set", "dims"}:
        raise UsageError(f"the recipe '{path}': a matrix has [matrix.set] and [matrix.dims], not {min(unknown)}")
    for cell in itertools.product(*axes):
        sets = {name: value_text(value, name, path) for kind, name, value in cell if kind == "set"}
        dims = {name: size(value, f"matrix.dims.{name}", path) for kind, name, value in cell if kind == "dims"}
        name = "-".join(f"{name}{value}" for name, value in (sets | dims).items())
        yield Variant(name, Recipe(sets=sets, dims=dims))


def _is_list(values: Any, name: str, path: Path) -> bool:
    if not isinstance(values, list) or not values:
        raise UsageError(f"the recipe '{path}': matrix.{name} must be a list of values")
    return True


def _joined(variant: Variant, cell: Variant) -> Variant:
    return Variant("-".join(filter(None, (variant.name, cell.name))), _over(variant.recipe, cell.recipe))


def _check_names(names: list[str], path: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if not name:
            raise UsageError(f"the recipe '{path}' lists no variant: add [[variant]] tables, or a [matrix.set]")
        if not _NAME.fullmatch(name):
            raise UsageError(f"the recipe '{path}': '{name}' is no name of a file; use letters, digits and . _ + = -")
        if name.casefold() in seen:
            raise UsageError(f"the recipe '{path}' has two variants called '{name}'")
        seen.add(name.casefold())
