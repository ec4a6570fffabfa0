"""The command line. Each command lives in a module of its own, imported only when it runs."""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

import click

from freezer._version import __version__
from freezer.errors import FreezerError

# command: (module, help) - the help stands here, so that listing the commands imports none of them.
COMMANDS = {
    "freeze": ("freezer.cli.freeze", "Freeze inputs and dimensions of an ONNX file."),
    "inspect": ("freezer.cli.inspect", "Show what a model holds, without reading its weights."),
    "variants": ("freezer.cli.variants", "Freeze many bindings of one model, which share their weights."),
    "verify": ("freezer.cli.verify", "Prove a frozen file again, from its metadata."),
    "bisect": ("freezer.cli.bisect", "Say where a frozen file that is wrong parts from its source."),
    "fingerprint": ("freezer.cli.fingerprint", "Print what identifies a model up to names and order."),
    "why": ("freezer.cli.why", "Say why a node of a frozen model is there, or what became of one."),
    "diff": ("freezer.cli.diff", "Show where two models differ."),
    "engines": ("freezer.cli.engines", "Run other engines on one case and say what each makes of it."),
    "routes": ("freezer.cli.routes", "Compare freezing a torch module before and after export."),
}
_OBJECTS = 100_000  # new ones before a collection: Python's 700 would search a growing model again and again
DEBUG = "FREEZER_DEBUG"  # set in the environment, it shows tracebacks and warnings


class Lazy(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        if name not in COMMANDS:
            close = difflib.get_close_matches(name, COMMANDS, 1)
            there = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f"no such command '{name}'; {there}")
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
    if not os.environ.get(DEBUG):
        warnings.simplefilter("ignore")
    gc.set_threshold(_OBJECTS)
    code = run(sys.argv[1:])
    gc.freeze()  # a model is one large cycle; the end of the process frees it faster
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line; without arguments it asks for help."""
    if "" in arguments:  # an unset variable of the shell; as a path it would be the folder
        before = arguments[arguments.index("") - 1] if arguments[0] else "freezer"
        return _fail(f"the argument after '{before}' is empty; give it a value, or leave it out", 2)
    try:
        return cli(list(arguments) or ["--help"], prog_name="freezer", standalone_mode=False) or 0
    except click.ClickException as error:
        return _fail(_advised(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except FreezerError as error:
        return _fail(str(error), error.exit_code)
    except MemoryError:
        return _fail("not enough memory", 1)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return _fail(f"internal error: {what}; please report it, with what {DEBUG}=1 shows", 1)


def _advised(error: click.ClickException) -> str:
    """What click says, and where to read what it expects."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    if not isinstance(error, click.UsageError) or ";" in message or "?" in message:
        return message
    return f"{message}; see {'freezer' if context is None else context.command_path} --help"


def _fail(message: str, code: int) -> int:
    click.echo(f"error: {FreezerError(message)}", err=True)
    return code
