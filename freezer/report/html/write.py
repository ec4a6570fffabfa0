"""The page of a finished freeze, as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import onnx_ir as ir

from freezer.bindings import Bindings
from freezer.model_io import Source
from freezer.model_io.atomic import whole_files
from freezer.model_io.target import check_report, check_target
from freezer.options import Options
from freezer.report.build import Report
from freezer.report.html.page import Content, render


class Finished(Protocol):
    """What freezer.freeze gives."""

    report: Report
    residual: ir.Model
    source: Source
    bindings: Bindings
    options: Options

    @property
    def again(self) -> Callable[[], Source]:
        """Loads the source once more."""


def write(frozen: Finished, path: Path, overwrite: bool = True) -> None:
    """Render and write, whole or not at all."""
    saved = frozen.report.saved or {}
    used = [str(file) for file in frozen.source.data_files]
    used += [file for file in (saved.get("data_file"), *saved.get("shared_files", ())) if file is not None]
    check_target(path, frozen.source.path, used, overwrite)
    if saved:
        check_report(path, frozen.source.path, Path(saved["path"]))
    text = render(
        Content(
            frozen.report,
            frozen.again().model,
            frozen.residual,
            frozen.bindings,
            frozen.options,
            frozen.source.sha256() if frozen.source.kind == "path" else "",
            getattr(frozen, "trace", None),
        )
    )
    with whole_files(path) as (pending,):
        pending.file.write(text.encode())
