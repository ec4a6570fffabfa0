"""Options that several commands have. Imports nothing heavy: a freeze starts its child process first."""

from __future__ import annotations

import click

allow_link = click.option(
    "--allow-link", metavar="ROOT", type=click.Path(exists=True, file_okay=False),
    help="Let external data be links that stay below this folder.",
)  # fmt: skip


def positive(context: click.Context, option: click.Parameter, value: float) -> float:
    """A time limit; not a number is none."""
    if not value > 0:
        raise click.BadParameter(f"{value} is no time; give seconds > 0", context, option)
    return value
