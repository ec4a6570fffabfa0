"""freezer variants MODEL --recipe variants.toml -o DIR"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from freezer.cli.shared import allow_link
from freezer.errors import FreezerError, UsageError, printable


@click.command("variants")
@click.argument("model", required=False)
@click.option("--recipe", required=True, metavar="FILE", help="The recipe that lists the variants (TOML).")
@click.option("-o", "--output", required=True, metavar="DIR", help="The folder that the variants go to.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; by default one a core.")
@click.option("--dask", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")
@click.option("--verify/--no-verify", default=None, help="Run the original and each variant side by side, or not.")
@click.option("--strict", is_flag=True, default=None, help="A variant that could not be verified fails.")
@allow_link
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
def command(
    model: str | None, recipe: str, output: str, jobs: int | None, dask: str | None, as_json: bool, **running: Any
) -> None:  # fmt: skip
    """Freeze many bindings of MODEL into DIR; equal constants are written once, in one data file.

    A variant that fails is reported, the others are made; the exit code is then 1.
    """
    from freezer.variants import make_variants, read_variants

    listed = read_variants(recipe)
    source = model or listed[0].recipe.source
    if source is None:
        raise UsageError("no model is given: freezer variants MODEL --recipe FILE -o DIR, or a recipe with a source")
    said = {name: value for name, value in running.items() if value is not None}
    made, written = make_variants(source, listed, output, jobs=jobs, dask=dask, progress=_announce(len(listed)), **said)
    if as_json:
        data = None if written.data_file is None else str(written.data_file)
        sums = {"data_file": data, "data_bytes": written.nbytes, "shared_files": list(map(str, written.shared_files))}
        click.echo(json.dumps({"variants": [asdict(m) for m in made], **sums}, indent=2))
    else:
        _show(made, written)
    if failed := [m.name for m in made if m.error]:
        raise FreezerError(f"{len(failed)} of {len(made)} variants failed: {', '.join(failed)}")


def _announce(count: int) -> Any:
    done: list[str] = []

    def announce(name: str) -> None:
        done.append(name)
        if sys.stderr.isatty():
            click.echo(f"{len(done)} of {count}  {name}", err=True)

    return announce


def _show(made: list[Any], written: Any) -> None:
    from freezer.report.values import size_words

    width = max(len(m.name) for m in made)
    click.echo(f"{'variant':{width}}  nodes        own     shared")
    for m in made:
        sizes = f"{m.nodes:5}  {size_words(m.own_bytes):>9}  {size_words(m.shared_bytes):>9}  {m.message}"
        click.echo(printable(f"{m.name:{width}}  {'failed: ' + m.error if m.error else sizes}"))
    own = sum(m.own_bytes for m in made)
    if written.data_file is not None:
        click.echo(f"weights   {written.data_file}, {size_words(written.nbytes)}; do not delete it")
    for path in written.shared_files:
        click.echo(f"shares    {path}; do not delete it")
    click.echo(f"in all    {size_words(own + written.nbytes)}")
