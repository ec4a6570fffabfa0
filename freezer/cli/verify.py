"""freezer verify OUT --against MODEL"""

from __future__ import annotations

import json

import click

from freezer.cli import parse
from freezer.cli.shared import allow_link
from freezer.errors import VerificationError


@click.command("verify")
@click.argument("frozen", metavar="OUT")
@click.option("--against", required=True, metavar="MODEL", help="The file that OUT was frozen from.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A value of which OUT holds only the sha256.")
@click.option("--feeds", type=click.IntRange(1), default=3, show_default=True, help="How many random feeds to run.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What the feeds are drawn from.")
@allow_link
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON document.")
def command(
    frozen: str, against: str, sets: tuple[str, ...], feeds: int, seed: int, allow_link: str | None, as_json: bool
) -> None:
    """Prove again that OUT does what MODEL does with the values that OUT's metadata says were frozen.

    Exit code 0 means proven, 1 that it is not, or could not be.
    """
    values = parse.values(sets)
    from freezer.proof import prove

    verdict = prove(frozen, against, values, feeds=feeds, seed=seed, allow_link=allow_link)
    if as_json:
        click.echo(json.dumps(verdict.to_dict(), indent=2))
    if verdict.status not in ("equal", "close"):
        raise VerificationError(verdict.message)
    if not as_json:
        click.echo(f"verified  {verdict.message}")
