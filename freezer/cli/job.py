"""What a command line and its recipe ask for together; where both speak, the command line counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from freezer.bindings import RawValue
from freezer.cli import parse
from freezer.errors import UsageError
from freezer.recipe import Recipe, read_recipe


@dataclass
class Job:
    """One freeze. recipe: all of it, as it would be written. values: input -> what its VALUE text says."""

    model: str
    output: str
    recipe: Recipe
    values: dict[str, RawValue]


def job(
    model: str | None, output: str | None, sets: Iterable[str], dims: Iterable[str], shapes: Iterable[str],
    recipe: str | None, options: dict[str, Any],
) -> Job:  # fmt: skip
    """Read the recipe, if any, and put the command line over it. Raises UsageError, or ModelError for changed files."""
    base = Recipe() if recipe is None else read_recipe(recipe)
    texts = parse.texts(sets)
    base.sets = {name: text for name, text in base.sets.items() if name not in texts}
    source = model if model is not None else base.source
    target = output if output is not None else base.output
    if source is None:
        raise UsageError("no model is given: freezer freeze MODEL -o OUT, or a recipe with a source")
    if target is None:
        raise UsageError("no output is given: add -o OUT")
    base.check_source(Path(source))
    values = base.values() | parse.values(sets)
    whole = Recipe(
        Path(source), "", base.texts() | texts, base.dims | parse.dims(dims), base.shapes | parse.shapes(shapes),
        {**options, **base.options, **_explicit(options)}, output=Path(target),
    )  # fmt: skip
    return Job(str(source), str(target), whole, values)


def _explicit(options: dict[str, Any]) -> dict[str, Any]:
    """The options that stand on the command line."""
    context = click.get_current_context()
    given = {k: v for k, v in options.items() if context.get_parameter_source(k) is not ParameterSource.DEFAULT}
    if given.get("external_data") == "inline" and "data_file" in given:
        raise UsageError("--external-data inline writes no data file: drop it, or --data-file")
    return given
