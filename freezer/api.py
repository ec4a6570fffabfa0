"""What freezer does, as functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx_ir as ir

from freezer.bindings import Bindings, bind
from freezer.errors import VerificationError
from freezer.model_io import Saved, Source, load, save, to_kind
from freezer.options import Options
from freezer.pipeline import Specialised, specialise, start_worker
from freezer.provenance import record
from freezer.report.build import Report, build_report
from freezer.verification import Verdict, Verification, start_judge
from freezer.verification.bisect import bisect

Progress = Callable[[str], None]


@dataclass
class Frozen:
    """A residual model, in the kind that came in, and the report of how it came about.

    model: a path came in: an onnx_ir.Model; else onnx.ModelProto, onnx_ir.Model or onnx_graphsurgeon.Graph.
    """

    report: Report
    residual: ir.Model
    source: Source

    @property
    def model(self) -> Any:
        """The residual in the kind of model that was given."""
        return self.residual if self.source.kind == "path" else to_kind(self.residual, self.source.kind)

    def save(self, path: str | os.PathLike[str], **how: Any) -> Saved:
        """Write the residual atomically. `how`: external_data, data_file, overwrite, as model_io.save takes them."""
        return save(self.residual, path, source=self.source.path, **how)


def freeze(
    model: Any,
    values: Mapping[str, Any] | None = None,
    *,
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | None]] | None = None,
    verify: bool = True,
    freeze_defaults: bool = False,
    progress: Progress = lambda stage: None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_link: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Frozen:
    """Specialise a model to frozen inputs and dimensions, and prove the result equal.

    model: a path, onnx.ModelProto, onnx_ir.Model or onnx_graphsurgeon.Graph; never changed.
    values: input name to value; arrays must have the model's dtype, Python literals are converted losslessly.
    dims: dimension symbol to size. shapes: input name to shape, None keeps a dimension.
    options: the fields of freezer.options.Options (relaxed, max_growth, prune_inputs, ...).
    Raises UsageError (a value, name or shape that cannot be meant), ModelError (a broken file),
    VerificationError (the residual differs), LimitError and ChildError.
    """
    chosen = Options(freeze_defaults=freeze_defaults, **options)
    with start_worker() as worker:
        judge = start_judge() if verify else None
        try:
            progress("loading")
            source = load(model, base_dir=base_dir, allow_link=allow_link)
            before = Report.of_source(source)
            bindings = bind(source.model, values, dims, shapes, freeze_defaults)
            checking = Verification(source, bindings, child=judge) if verify else None
            progress("specialising")
            result = specialise(source, bindings, chosen, worker)
            if checking is not None:
                progress("verifying")
            verdict = checking.finish(result.model) if checking is not None else None
        finally:
            if judge is not None:
                judge.close()
    if verdict is not None and verdict.equal is False:
        _refuse(verdict, model, bindings, chosen, result)
    record(result.model, source, bindings)
    return Frozen(build_report(before, result, bindings, verdict), result.model, source)


def _refuse(verdict: Verdict, model: Any, bindings: Bindings, options: Options, result: Specialised) -> None:
    """Name the change that made the outputs differ."""
    culprit = bisect(lambda: load(model), bindings, options, result.log.changes)
    blame = f"; first wrong after {culprit}" if culprit else ""
    raise VerificationError(f"{verdict.message}{blame}; nothing was written. Please report this, or try --no-verify")


def inspect(model: str | Path | Any) -> Any:
    """What a model holds, read without its weights: see freezer.report.inspection.Inspection."""
    from freezer.report.inspection import inspection_of

    return inspection_of(load(model))
