"""freezer why OUT NAME"""

from __future__ import annotations

import difflib

import click

from freezer.errors import UsageError


@click.command("why")
@click.argument("frozen", metavar="OUT")
@click.argument("name")
@click.option("--trace", metavar="FILE", help="What `freezer freeze --trace FILE` wrote: what became of each node.")
def command(frozen: str, name: str, trace: str | None) -> None:
    """Say why the node or value NAME of OUT is there, or what became of the source's node NAME.

    \b
    freezer freeze silero_vad.onnx -o vad.onnx --set sr=16000 --trace vad.json
    freezer why vad.onnx output --trace vad.json
    """
    from freezer.model_io import load
    from freezer.report.reasons import explain, names_in
    from freezer.report.trace import Trace, names_of

    model = load(frozen).model
    told = Trace.read(trace) if trace is not None else None
    there = set(names_in(model))
    if told is not None and (missing := sorted(told.reasons.keys() - there)):
        raise UsageError(f"the trace '{trace}' is of another file: '{frozen}' has no node '{missing[0]}'")
    lines = explain(model, name, told)
    if not lines:
        there.update(names_of(told) if told is not None else ())
        close = difflib.get_close_matches(name, there, 1)
        hint = f"did you mean '{close[0]}'?" if close else "--trace FILE knows the source's nodes too"
        raise UsageError(f"'{frozen}' has no node or value '{name}'; {hint}")
    click.echo("\n".join(lines))
