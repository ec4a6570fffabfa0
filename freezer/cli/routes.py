"""freezer routes: freeze a torch module before and after export, and compare the files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from freezer.errors import UsageError

_DYNAMIC = "NAME.AXIS=DIM, as in x.0=batch"
_EXPORTERS = ("dynamo", "torchscript")


@click.command("routes")
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option("--freeze", "-f", "values", multiple=True, metavar="NAME=VALUE", help="Freeze an argument of forward.")
@click.option("--exporter", type=click.Choice([*_EXPORTERS, "both"]), default="both", show_default=True)
@click.option("--opset", type=int, help="Default: the factory's, or 18.")
@click.option("--dynamic", multiple=True, metavar="NAME.AXIS=DIM", help="Make an axis dynamic, as in x.0=batch.")
@click.option("--default-export", is_flag=True, help="Export the full model with the exporter's own folding on.")
@click.option(
    "--engine", default="native", metavar="NAME", help="Let another engine fold both; `freezer engines` lists."
)
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave all files in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    factory: str, values: tuple[str, ...], exporter: str, opset: int | None, dynamic: tuple[str, ...],
    default_export: bool, engine: str, keep: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Freeze a torch module's arguments before export and after it, and compare the two files byte for byte.

    MODULE:FACTORY (or path/to/file.py:FACTORY) is a function that returns (module, args) or
    (module, args, kwargs): example arguments. Exit code 1 if the files differ.
    """
    from freezer.bindings import parse_value
    from freezer.engines import NATIVE, chosen_engine, start_engine
    from freezer.pipeline import start_worker
    from freezer.routes import report
    from freezer.routes.compare import IDENTICAL, compare
    from freezer.routes.factory import frozen_values, make
    from freezer.routes.torch_outputs import start_runner

    folder = start_worker if chosen_engine(engine).name == NATIVE else start_engine
    made = make(factory)  # before the children start: it may be wrong
    freeze = frozen_values(made, {name: parse_value(text) for name, text in _pairs(values, "--freeze").items()})
    shapes = _dynamic_shapes(dynamic) or made.dynamic_shapes
    with folder() as worker, start_runner() as runner:
        comparisons = [
            compare(
                made.module, made.args, made.kwargs, freeze=freeze, exporter=name, opset=opset or made.opset,
                dynamic_shapes=shapes, default_export=default_export, engine=engine, worker=worker, runner=runner,
            )
            for name in (_EXPORTERS if exporter == "both" else (exporter,))
        ]  # fmt: skip
    if as_json:
        click.echo(json.dumps([report.to_dict(c) for c in comparisons], indent=2))
    for comparison in comparisons:
        if keep is not None:
            report.keep(comparison, keep)
        if not as_json:
            click.echo("\n".join(report.lines(comparison)))
    sys.exit(any(c.verdict != IDENTICAL for c in comparisons))


def _pairs(texts: tuple[str, ...], option: str, form: str = "NAME=VALUE") -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise UsageError(f"{option} takes {form}, not '{text}'")
    return dict(text.split("=", 1) for text in texts)


def _dynamic_shapes(texts: tuple[str, ...]) -> dict[str, Any]:
    """x.0=batch -> {"x": {0: "batch"}}."""
    shapes: dict[str, Any] = {}
    for place, dim in _pairs(texts, "--dynamic", _DYNAMIC).items():
        name, _, axis = place.rpartition(".")
        if not name or not axis.isdigit():
            raise UsageError(f"--dynamic takes {_DYNAMIC}, not '{place}={dim}'")
        shapes.setdefault(name, {})[int(axis)] = dim
    return shapes
