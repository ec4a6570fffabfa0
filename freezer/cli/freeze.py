"""freezer freeze MODEL -o OUT"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freezer.cli.outputs import Outputs
from freezer.cli.shared import allow_link, positive
from freezer.errors import UsageError, VerificationError
from freezer.evaluate import early
from freezer.options import PLACES, Options, Running, Saving

if TYPE_CHECKING:
    from freezer.api import Frozen
    from freezer.recipe import Recipe
    from freezer.report.trace import Trace

_VALUES = (
    "Freeze an input: a JSON literal, ones, zeros, full(x), arange, ones[1,128], "
    "@file.npy, @file.npz:key, @file.json, @file.pb."
)


@click.command("freeze")
@click.argument("model", required=False)
@click.option("-o", "--output", metavar="OUT", help="Where the residual model goes.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help=_VALUES)
@click.option("--dim", "dims", multiple=True, metavar="SYMBOL=INT", help="Freeze a dimension by its name.")
@click.option("--shape", "shapes", multiple=True, metavar="INPUT=D0,D1,...", help="Freeze a shape; _ keeps a dim.")
@click.option("--prune-inputs", is_flag=True, help="Drop inputs that nothing reads any more.")
@click.option("--freeze-defaults", is_flag=True, help="Freeze every input that has a default value to it.")
@click.option("--relaxed", is_flag=True, help="Also fuse, which may change the last bits; the report names each use.")
@click.option(
    "--max-growth", default=Options.max_growth, type=click.IntRange(0), metavar="BYTES",
    help="Let the file grow by this much to save nodes.", show_default=True,
)  # fmt: skip
@click.option(
    "--unroll-nodes", default=Options.unroll_nodes, type=click.IntRange(0), metavar="N",
    help="Unroll loops that make at most N nodes.", show_default=True,
)  # fmt: skip
@click.option(
    "--largest-constant", type=click.IntRange(0), metavar="BYTES",
    help="Make no constant larger than this; by default twice the model's constants, at least 128 MiB, at most 1 GiB.",
)  # fmt: skip
@click.option(
    "--seconds", default=Options.seconds, callback=positive, metavar="S",
    help="Evaluate nothing for longer than this; a loop for a twelfth of it.", show_default=True,
)  # fmt: skip
@click.option(
    "--memory", type=click.IntRange(1 << 28), metavar="BYTES",
    help="What each child process may take; by default half of the machine's memory, at most 16 GiB.",
)  # fmt: skip
@click.option(
    "--engine", default="native", metavar="NAME", help="Let another engine fold; `freezer engines` lists them."
)
@click.option("--then", metavar="NAME", help="Give freezer's residual to this engine.")
@click.option(
    "--tolerance", type=float, metavar="SHARE", help="Of an output's largest value: how far what fuses may move it."
)
@click.option("--external-data", type=click.Choice(PLACES), default="auto", help="Where constants go.")
@click.option("--data-file", metavar="NAME", help="Name of the file for external constants.")
@allow_link
@click.option("--recipe", metavar="FILE", help="Freeze what a recipe says; MODEL, -o and options here count more.")
@click.option("--write-recipe", metavar="FILE", help="Write what this command line freezes as a recipe (TOML).")
@click.option("--verify/--no-verify", default=True, help="Run the original and the residual side by side, or not.")
@click.option("--strict", is_flag=True, help="Fail when the result could not be verified.")
@click.option("--report", metavar="FILE", help="Write a page about it, one HTML file that works offline.")
@click.option("--trace", metavar="FILE", help="Write what became of each node, as JSON, for `freezer why`.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
def command(
    model: str | None, output: str | None, sets: tuple[str, ...], dims: tuple[str, ...], shapes: tuple[str, ...],
    as_json: bool, report: str | None, trace: str | None, recipe: str | None, write_recipe: str | None, **options: Any,
) -> None:  # fmt: skip
    """Freeze inputs and dimensions of MODEL, resolve what they decide, verify, and write OUT.

    \b
    freezer freeze silero_vad.onnx -o vad16k.onnx --set sr=16000 --shape input=1,576 --shape state=2,1,128
    freezer freeze bert.onnx -o bert128.onnx --set attention_mask=ones --dim batch=1 --dim sequence=128
    freezer freeze --recipe vad16k.toml
    """
    if options["memory"] is None:
        early.start(early.WORKER)  # before the imports of this process
    from freezer.cli.job import job

    work = job(model, output, sets, dims, shapes, recipe, options)
    running = work.recipe.chosen(Running)
    named = {"output": work.output, "report": report, "trace": trace, "recipe": write_recipe}
    files = {what: Path(path) for what, path in named.items() if path is not None}
    outputs = Outputs(work.model, work.recipe.value_files(), files)
    outputs.check()
    if trace is not None:
        _check_trace(work.recipe.chosen(Options))
    from freezer.api import freeze

    with _progress() as progress:
        frozen = freeze(
            work.model, work.values, dims=work.recipe.dims, shapes=work.recipe.shapes, verify=running.verify,
            allow_link=running.allow_link, progress=progress, **vars(work.recipe.chosen(Options)),
        )  # fmt: skip
        if running.strict and frozen.report.unverified:
            raise VerificationError(f"{frozen.report.unverified}; nothing was written, as --strict wants it")
        outputs.check(frozen.source.data_files)
        progress("save")
        frozen.save(work.output, progress=lambda n: progress(_copied(n)), **vars(work.recipe.chosen(Saving)))
        if write_recipe is not None:
            _write_recipe(write_recipe, work.recipe)
        if trace is not None:
            _trace_of(frozen).write(trace)
        if report is not None:
            progress("report")
            frozen.write_report(report)
    if as_json:
        click.echo(json.dumps(frozen.report.to_dict(), indent=2))
    else:
        from freezer.report.terminal import show

        show(frozen.report)


def _write_recipe(path: str, recipe: Recipe) -> None:
    from freezer.recipe import write_recipe

    write_recipe(path, recipe)


def _check_trace(options: Options) -> None:
    for option, engine in (("--engine", options.engine), ("--then", options.then)):
        if engine not in ("native", None):
            raise UsageError(f"there is no trace of what engine '{engine}' does: drop --trace or {option}")


def _trace_of(frozen: Frozen) -> Trace:
    assert frozen.trace is not None
    return frozen.trace


def _copied(nbytes: int) -> str:
    return f"save: {nbytes / 1e9:.2f} GB"


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A spinner with the stage's name, when stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage: None
        return
    from rich.console import Console

    with Console(stderr=True).status("start") as status:
        yield status.update
