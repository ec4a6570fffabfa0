"""Writes recipes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from freezer.options import Options, Running, Saving
from freezer.recipe.read import Recipe
from freezer.recipe.values import moved, sha256_of, value_file


def write_recipe(path: str | os.PathLike, recipe: Recipe) -> None:
    """Write a recipe that has a source, whole or not at all. Raises UsageError, FreezerError."""
    from freezer.model_io.atomic import whole_files
    from freezer.model_io.target import check_target

    target = Path(path)
    assert recipe.source is not None
    check_target(target, recipe.source, recipe.value_files())
    with whole_files(target) as (file,):
        file.file.write(recipe_text(recipe, target.parent).encode())


def recipe_text(recipe: Recipe, folder: Path) -> str:
    """The TOML of a recipe that has a source; paths in it are relative to `folder`.

    Files that are there are hashed, the source only if its sha256 is not known; default options are left out.
    """
    import tomli_w

    assert recipe.source is not None
    texts = {name: moved(text, Path(), folder) for name, text in recipe.texts().items()}
    files = {n for text in texts.values() if (n := value_file(text)) is not None and (folder / n).is_file()}
    document = {
        "source": os.path.relpath(recipe.source, folder),
        "source_sha256": recipe.source_sha256 or sha256_of(recipe.source),
        "output": "" if recipe.output is None else os.path.relpath(recipe.output, folder),
        "set": texts, "files": {name: sha256_of(folder / name) for name in sorted(files)}, "dims": recipe.dims,
        "shapes": {name: sizes_text(sizes) for name, sizes in recipe.shapes.items()},
        "options": _chosen(recipe.options, folder),
    }  # fmt: skip
    return tomli_w.dumps({key: part for key, part in document.items() if part})


def sizes_text(sizes: Sequence[int | None]) -> str:
    """A shape as `--shape` takes it: 1,_,80."""
    return ",".join("_" if size is None else str(size) for size in sizes)


def _chosen(options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Those that differ from the default."""
    defaults = {f.name: f.default for kind in (Options, Running, Saving) for f in fields(kind)}
    chosen = {name: options[name] for name in defaults if options.get(name, defaults[name]) != defaults[name]}
    return {n: os.path.relpath(v, folder) if n == "allow_link" else v for n, v in chosen.items()}
