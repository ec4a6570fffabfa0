"""freezer diff A B"""

from __future__ import annotations

import json

import click

from freezer.canonical import diff
from freezer.model_io import load


@click.command("diff")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON.")
@click.pass_context
def command(context: click.Context, a: str, b: str, as_json: bool) -> None:
    """Say how the models A and B differ: not at all, in constants (which, by how much), or in structure (where).

    Exit code 0 if they are the same graph with the same constants, 1 if not.
    """
    difference = diff(load(a).model, load(b).model)
    click.echo(json.dumps(difference.to_json(), indent=2) if as_json else str(difference))
    context.exit(1 if difference else 0)
