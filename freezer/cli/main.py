"""The command line. Each command lives in a module of its own, imported only when it runs."""

from __future__ import annotations

import importlib
import os
import sys

import click

from freezer._version import __version__

# command: (module, help) - the help stands here, so that listing the commands imports none of them.
COMMANDS = {
    "freeze": ("freezer.cli.freeze", "Freeze inputs and dimensions of an ONNX file."),
    "inspect": ("freezer.cli.inspect", "Show what a model holds, without reading its weights."),
    "fingerprint": ("freezer.cli.fingerprint", "Print what identifies a model up to names and order."),
    "diff": ("freezer.cli.diff", "Show where two models differ."),
    "routes": ("freezer.cli.routes", "Compare freezing a torch module before and after export."),
}


class Lazy(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[name][0]).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="freezer")
def cli() -> None:
    """A partial evaluator for ONNX files: freeze inputs and dimensions, keep what is left, proven equal."""


def main() -> None:
    """Run the command line: exit code 2 for bad use, 1 for a failure, always in one line."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _fail_with(error)


def _fail_with(error: Exception) -> None:
    from freezer.errors import FreezerError

    if isinstance(error, FreezerError):
        _fail(str(error), error.exit_code)
    if os.environ.get("FREEZER_DEBUG"):
        raise error
    text = " ".join(str(error).split())[:300]
    _fail(f"internal error: {type(error).__name__}: {text} (FREEZER_DEBUG=1 shows where; please report it)", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
