"""freezer fingerprint MODEL..."""

from __future__ import annotations

import json

import click

from freezer.canonical import fingerprint
from freezer.model_io import load


@click.command("fingerprint")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: path to fingerprint.")
def command(models: tuple[str, ...], as_json: bool) -> None:
    """Print the fingerprint of each MODEL: equal exactly if the models are the same graph with the same constants.

    Names inside, the order of nodes, where constants are stored and spelled-out defaults do not count.
    """
    found = {}
    for path in models:
        found[path] = fingerprint(load(path).model)
        if not as_json:
            click.echo(f"{found[path]}  {path}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
