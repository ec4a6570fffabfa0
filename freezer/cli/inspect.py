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

    found = inspect(model)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else "\n".join(found.lines()))
