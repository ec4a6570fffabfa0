"""freezer bisect MODEL OUT"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from freezer.cli import parse
from freezer.cli.shared import allow_link
from freezer.errors import VerificationError

if TYPE_CHECKING:
    from freezer.proof import Blame
    from freezer.verification.parting import Parting


@click.command("bisect")
@click.argument("model", metavar="MODEL")
@click.argument("frozen", metavar="OUT")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A value of which OUT holds only the sha256.")
@click.option("--feeds", type=click.IntRange(1), default=3, show_default=True, help="How many random feeds to run.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What the feeds are drawn from.")
@allow_link
@click.pass_context
def command(
    context: click.Context, model: str, frozen: str, sets: tuple[str, ...], feeds: int, seed: int,
    allow_link: str | None,
) -> None:  # fmt: skip
    """Say where OUT, frozen from MODEL, goes wrong: the first value that differs, and the rewrite if one is to blame.

    Exit code 0 means that nothing differs, 1 that something does, or that nothing could be compared.
    """
    values = parse.values(sets)
    from freezer.proof import blame

    found = blame(frozen, model, values, feeds=feeds, seed=seed, allow_link=allow_link)
    if found.verdict.status == "unverified":
        raise VerificationError(found.verdict.message)
    click.echo("\n".join(_lines(found)))
    context.exit(1 if found.verdict.equal is False else 0)


def _lines(found: Blame) -> Iterator[str]:
    if found.verdict.equal is not False:
        yield f"nothing differs: {found.verdict.message}"
        return
    yield f"differs   {found.verdict.message}"
    if found.rewrite:
        yield f"rewrite   freezing the source again is wrong, first after {found.rewrite}"
    if found.parting is None:
        yield "values    none that both compute under one name could be found to differ"
        return
    yield from _parting(found.parting, "freezing the source again gives" if found.again else "the source gives")


def _parting(parting: Parting, reference: str) -> Iterator[str]:
    value, node = parting.value, parting.found
    ours = "a constant" if node is None else f"{node.op_type} '{node.name}'"
    sizes = [value.note]
    sizes += [f"at most {value.max_ulp} ulp"] if value.max_ulp is not None else []
    sizes += [f"at most {value.max_abs:.3g}"] if value.max_abs is not None else []
    yield f"value     '{value.name}' is the first that differs, after {parting.alike} alike: {', '.join(sizes)}"
    yield f"node      {reference} it by {parting.expected.op_type} '{parting.expected.name}', OUT by {ours}"
    names = [[v.name if v is not None else "" for v in n.inputs] for n in (parting.expected, node) if n is not None]
    if len(names) == 2 and names[0] != names[1]:
        yield f"inputs    {', '.join(map(str, names[0]))} became {', '.join(map(str, names[1]))}"
    for name in parting.constants:
        yield f"constant  '{name}', which it reads, has other contents"
