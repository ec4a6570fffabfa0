"""freezer engines MODEL: every installed engine on one case."""

from __future__ import annotations

import json
from typing import Any

import click

from freezer.cli import parse
from freezer.cli.shared import allow_link, positive

_WIDTHS = (12, 6, 18, 9, 7, 8)


@click.command("engines")
@click.argument("model", required=False)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Freeze an input, as for freezer freeze.")
@click.option("--dim", "dims", multiple=True, metavar="SYMBOL=INT", help="Freeze a dimension by its name.")
@click.option("--shape", "shapes", multiple=True, metavar="INPUT=D0,D1,...", help="Freeze a shape; _ keeps a dim.")
@click.option("--freeze-defaults", is_flag=True, help="Freeze every input that has a default value to it.")
@allow_link
@click.option("--engine", "names", multiple=True, metavar="NAME", help="Only this one; may be given again.")
@click.option(
    "--seconds", default=600.0, show_default=True, callback=positive, help="The most that one engine may take."
)
@click.option("--tolerance", type=float, metavar="SHARE", help="Judge all engines with this tolerance.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    model: str | None, sets: tuple[str, ...], dims: tuple[str, ...], shapes: tuple[str, ...],
    names: tuple[str, ...], seconds: float, tolerance: float | None, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Freeze MODEL with every installed engine, one after another, and say what each makes of it. Nothing is kept.

    \b
    freezer engines silero_vad.onnx --set sr=16000 --shape input=1,576 --shape state=2,1,128

    Without MODEL: which engines there are.
    """
    values, sizes, given = parse.values(sets), parse.dims(dims), parse.shapes(shapes)
    from freezer.engines import ENGINES, chosen_engine

    engines = [chosen_engine(name) for name in names] or list(ENGINES)
    if model is None:
        click.echo("\n".join(f"{e.name:14}{e.version or e.missing.partition(': ')[2]}" for e in engines))
        return
    from freezer.engines.table import open_case, run_engines

    case = open_case(model, values, sizes, given, **options)
    rows = run_engines(case, engines, seconds=seconds, tolerance=tolerance)
    if as_json:
        before = {"nodes": case.before.nodes, "control_flow": case.before.control_flow, "nbytes": case.nbytes}
        document = {"source": model, "before": before, "engines": [row.to_dict() for row in rows]}
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(_line(("engine", "nodes", "control flow", "MB", "s", "peak MB", "verdict")))
    click.echo(_line(("(source)", case.before.nodes, _flow(case.before.control_flow), _mb(case.nbytes), "", "", "")))
    for row in rows:  # each is shown as soon as its engine ends
        click.echo(_line(_cells(row)))


def _cells(row: Any) -> tuple[Any, ...]:
    nodes = "" if row.nodes is None else row.nodes
    seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
    peak = "" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f}"
    return row.engine, nodes, _flow(row.control_flow), _mb(row.nbytes), seconds, peak, _verdict(row)


def _verdict(row: Any) -> str:
    from freezer.errors import printable

    far = f", {row.max_rel:.1g} off" if row.verdict == "within tolerance" else ""
    grew = ", but the file grew" if row.grew else ""
    detail = f": {printable(row.detail)}" if row.detail else ""
    return f"{row.verdict}{far}{grew}{detail}"


def _line(cells: tuple[Any, ...]) -> str:
    engine, *numbers, verdict = map(str, cells)
    aligned = [number.rjust(width) for number, width in zip(numbers, _WIDTHS[1:], strict=True)]
    return "  ".join([engine.ljust(_WIDTHS[0]), *aligned, verdict]).rstrip()


def _flow(counts: dict[str, int] | None) -> str:
    if counts is None:
        return ""
    return ", ".join(f"{n} {op}" for op, n in counts.items()) or "none"


def _mb(nbytes: int | None) -> str:
    return "" if nbytes is None else f"{nbytes / 1e6:.2f}"
