"""freezer inspect MODEL"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from freezer.whatif import WhatIf

_KINDS = {"dimension": "a dimension", "input": "", "pair": "together", "data": "the data: little would be left to run"}


@click.command("inspect")
@click.argument("model")
@click.option("--what-if", "what_if", is_flag=True, help="Say what freezing each input and dimension would buy.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(model: str, what_if: bool, as_json: bool) -> None:
    """Show what MODEL holds: interface, ops, control flow, bytes. No weight is read."""
    from freezer import api

    if what_if:
        gains = api.what_if(model)
        click.echo(json.dumps(gains.to_dict(), indent=2) if as_json else "\n".join(_lines(gains)))
    else:
        found = api.inspect(model)
        click.echo(json.dumps(found.to_dict(), indent=2) if as_json else "\n".join(found.lines()))


def _lines(found: WhatIf) -> Iterator[str]:
    """What freezing would buy, for people."""
    from freezer.errors import printable
    from freezer.report.values import size_words

    yield f"nodes         {found.nodes}, {found.control_flow} of them control flow"
    yield f"static        {found.static} depend on no input"
    yield f"never static  {found.random} depend on random numbers, or on what a loop changes"
    yield f"{'frozen':<34} {'static nodes':>12} {'control flow':>12} {'constants':>10} {'compute':>8}  looks like"
    for gain in found.gains:
        kind = f"a knob: {gain.why}" if gain.kind == "knob" else _KINDS[gain.kind]
        counts = f"{gain.nodes:>12} {gain.control_flow:>12} {size_words(gain.nbytes):>10} {gain.compute:>8.1%}"
        yield printable(f"{' + '.join(gain.frozen):<34} {counts}  {kind}".rstrip())
