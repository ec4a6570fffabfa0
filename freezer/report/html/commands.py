"""The command line that freezes again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from freezer.bindings import Bindings
from freezer.options import Options
from freezer.report.build import Report

_FLAGS = {field.name: field.default for field in fields(Options) if field.name != "fuel"}


def command_line(report: Report, bindings: Bindings, options: Options) -> str:
    """As one types it, an option a line. A value too long to be typed is a file to be made."""
    target = (report.saved or {}).get("path", "residual.onnx")
    first = f"freezer freeze {shlex.quote(report.source)} -o {shlex.quote(target)}"
    options_given = [f"{name} {shlex.quote(text)}" for name, text in _options(report, bindings)]
    return " \\\n  ".join([first, *options_given, *_chosen(options)])


def _options(report: Report, bindings: Bindings) -> Iterator[tuple[str, str]]:
    for name, described in report.frozen.items():
        if bindings.origins.get(name) != "default":
            yield "--set", f"{name}={value_text(name, described, bindings.origins.get(name, ''))}"
    yield from (("--dim", f"{name}={size}") for name, size in bindings.given_dims.items())
    for name, sizes in bindings.given_shapes.items():
        yield "--shape", f"{name}={','.join('_' if size is None else str(size) for size in sizes)}"


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
