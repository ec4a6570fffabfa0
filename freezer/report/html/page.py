"""The report as one page: no request, no script but its own, everything from the model escaped."""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from freezer._version import __version__
from freezer.bindings import Bindings
from freezer.errors import printable
from freezer.options import Options
from freezer.recipe import recipe_text
from freezer.report.build import Report
from freezer.report.html import tables
from freezer.report.html.commands import command_line, recipe_of
from freezer.report.html.drawing import Drawing, draw
from freezer.report.html.fates import tell_residual, tell_source
from freezer.report.html.sizes import byte_bars, node_bars, tensor_bars
from freezer.report.html.skeleton import skeleton_of
from freezer.report.terminal import kept_words

if TYPE_CHECKING:
    from markupsafe import Markup

    from freezer.report.trace import Trace

_SEPARATED = re.compile(r"(?<=[/._:,])(?=\w)")


@dataclass(frozen=True)
class Content:
    """What a page is made from.

    source: the model as it was, loaded again. source_sha256: of its file, "" where it is none. trace: None if no
    trace was kept.
    """

    report: Report
    source: ir.Model
    residual: ir.Model
    bindings: Bindings
    options: Options
    source_sha256: str = ""
    trace: Trace | None = None


def render(content: Content) -> str:
    """The page, as HTML."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["shown"] = lambda text: printable(str(text))
    environment.filters["shown_lines"] = _shown_lines
    environment.filters["name"] = _name
    template = environment.from_string(_text("page.html.jinja"))
    return template.render(_context(content))


def _shown_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _name(text: str) -> Markup:
    """A name that is broken over lines after its separators, where it must be."""
    from markupsafe import Markup

    return Markup("<wbr>").join(_SEPARATED.split(printable(str(text))))


def _context(content: Content) -> dict[str, Any]:
    report = content.report
    style, script = _text("page.css"), _text("page.js") + _text("drawing.js")
    interface = tables.interface(report, content.bindings)
    drawings = _drawings(content, interface)
    return {
        "policy": policy(style, script),
        "style": style,
        "script": script,
        "version": __version__,
        "report": report,
        "folder": os.path.join(os.path.dirname(report.source), ""),
        "file": os.path.basename(report.source),
        "kept": kept_words(report) if report.kept else "",
        "numbers": tables.numbers(report),
        "interface": interface,
        "node_bars": node_bars(report.before, report.after),
        "byte_bars": byte_bars(report.before, report.after),
        "tensor_bars": tensor_bars(content.source, content.residual),
        "drawings": drawings,
        "data": embedded({name: drawing.to_dict() for name, drawing in drawings.items() if drawing}),
        "verdict": tables.verdict(report),
        "times": tables.times(report),
        "provenance": tables.provenance(content.residual),
        **_again(content),
    }


def _again(content: Content) -> dict[str, str]:
    """The command line, and the recipe where the source is a file."""
    recipe = recipe_of(content.report, content.bindings, content.options, content.source_sha256)
    return {"command": command_line(recipe), "recipe": recipe_text(recipe, Path()) if content.source_sha256 else ""}


def _drawings(content: Content, interface: list[tables.End]) -> dict[str, Drawing | None]:
    source, residual = skeleton_of(content.source), skeleton_of(content.residual)
    return {
        "residual": draw(residual, tell_residual(source, content.trace, interface)),
        "original": draw(source, tell_source(residual, content.trace, interface)),
    }


def embedded(data: Any) -> str:
    """JSON that can stand in a script element: no tag, comment or line separator can begin in it."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _text(name: str) -> str:
    return (files("freezer.report.html") / name).read_text(encoding="utf-8")
