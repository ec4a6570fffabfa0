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
from freezer.options import Options
from freezer.recipe import Recipe, read_recipe, write_recipe


@dataclass
class Job:
    """One freeze. texts: input -> VALUE as it is written. options: keyword arguments of api.freeze."""

    model: str
    output: str
    texts: dict[str, str]
    values: dict[str, RawValue]
    dims: dict[str, int]
    shapes: dict[str, list[int | None]]
    options: dict[str, Any]

    def write(self, path: str) -> None:
        """Write the recipe of this job."""
        chosen = Options(**{k: v for k, v in self.options.items() if k in Options.__dataclass_fields__})
        write_recipe(
            path, self.model, sets=self.texts, dims=self.dims, shapes=self.shapes, options=chosen, output=self.output
        )  # fmt: skip


def job(
    model: str | None, output: str | None, sets: Iterable[str], dims: Iterable[str], shapes: Iterable[str],
    recipe: str | None, options: dict[str, Any],
) -> Job:  # fmt: skip
    """Read the recipe, if any, and put the command line over it. Raises UsageError, or ModelError for changed files."""
    base = Recipe() if recipe is None else read_recipe(recipe)
    texts = parse.texts(sets)
    kept = {name: text for name, text in base.sets.items() if name not in texts}
    base.sets = kept
    source = model if model is not None else base.source
    target = output if output is not None else base.output
    if source is None:
        raise UsageError("no model is given: freezer freeze MODEL -o OUT, or a recipe with a source")
    if target is None:
        raise UsageError("no output is given: add -o OUT")
    base.check_source(Path(source))
    values = base.values() | parse.values(sets)
    ways = parse.dims(dims), parse.shapes(shapes)
    chosen = {**options, **base.options, **_explicit(options)}
    return Job(
        str(source), str(target), base.texts() | texts, values, base.dims | ways[0], base.shapes | ways[1], chosen
    )


def _explicit(options: dict[str, Any]) -> dict[str, Any]:
    """The options that stand on the command line."""
    context = click.get_current_context()
    return {k: v for k, v in options.items() if context.get_parameter_source(k) is not ParameterSource.DEFAULT}
