"""freezer inspect MODEL"""

from __future__ import annotations

import json

import click


@click.command("inspect")
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(model: str, as_json: bool) -> None:
    """Show what MODEL holds: interface, ops, control flow, bytes. No weight is read."""
    from freezer.api import inspect
    from freezer.report.terminal import size

    found = inspect(model)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    click.echo(f"{found.source}: IR version {found.ir_version}, {_pairs(found.opsets)}")
    for label, values in (("input", found.inputs), ("output", found.outputs)):
        for value in values:
            click.echo(f"  {label:<8} {value}")
    click.echo(f"nodes      {found.nodes}: {_pairs(found.ops)}")
    click.echo(f"control    {_pairs(found.control_flow)}")
    click.echo(f"random     {_pairs(found.random)}")
    click.echo(f"functions  {', '.join(found.functions) or 'none'}")
    click.echo("constants  " + (", ".join(f"{k} {size(n)}" for k, n in found.bytes_by_dtype.items()) or "none"))
    for note in found.notes:
        click.echo(f"note       {note}")


def _pairs(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"
