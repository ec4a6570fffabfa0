"""The recipe and the command line that freeze again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from freezer.bindings import Bindings
from freezer.options import Options
from freezer.recipe import Recipe, sizes_text
from freezer.report.build import Report

_FLAGS = {field.name: field.default for field in fields(Options) if field.name != "fuel"}


def recipe_of(report: Report, bindings: Bindings, options: Options, source_sha256: str = "") -> Recipe:
    """What was frozen, as a recipe for the folder that freezer ran in; too long a value is a file to make."""
    texts = {name: value_text(name, report.frozen[name], text) for name, text in bindings.origins.items()}
    target = Path((report.saved or {}).get("path", "residual.onnx"))
    shapes = {name: list(sizes) for name, sizes in bindings.given_shapes.items()}
    return Recipe(
        Path(report.source), source_sha256, texts, dict(bindings.given_dims), shapes, vars(options), output=target
    )


def command_line(recipe: Recipe) -> str:
    """As one types it, an option a line."""
    first = f"freezer freeze {shlex.quote(str(recipe.source))} -o {shlex.quote(str(recipe.output))}"
    given = [f"{name} {shlex.quote(text)}" for name, text in _given(recipe)]
    return " \\\n  ".join([first, *given, *_chosen(recipe.chosen(Options))])


def _given(recipe: Recipe) -> Iterator[tuple[str, str]]:
    yield from (("--set", f"{name}={text}") for name, text in recipe.sets.items())
    yield from (("--dim", f"{name}={size}") for name, size in recipe.dims.items())
    yield from (("--shape", f"{name}={sizes_text(sizes)}") for name, sizes in recipe.shapes.items())


def value_text(name: str, described: dict[str, Any], given: str) -> str:
    """What to write after the name: as it was given, else JSON, else a file."""
    if given and len(given) <= 200 and "\n" not in given and not given.startswith("<"):
        return given
    items = described.get("value")
    return f"@{name.replace('/', '_')}.npy" if items is None else json.dumps(nested(items, described["shape"]))


def nested(items: list[Any], shape: list[int]) -> Any:
    """Flat elements as lists in lists."""
    if not shape:
        return items[0]
    for size in reversed(shape[1:]):
        items = [items[i : i + size] for i in range(0, len(items), size)] if size else []
    return items


def _chosen(options: Options) -> Iterator[str]:
    for name, default in _FLAGS.items():
        value = getattr(options, name)
        if value != default:
            flag = f"--{name.replace('_', '-')}"
            yield flag if value is True else f"{flag} {shlex.quote(str(value))}"
