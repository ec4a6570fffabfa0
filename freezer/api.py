"""What freezer does, as functions. A model is a path, onnx.ModelProto, onnx_ir.Model or onnx_graphsurgeon.Graph."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from freezer import engines, verification
from freezer.bindings import Bindings, bind
from freezer.errors import FreezerError, VerificationError
from freezer.evaluate.child import Limits
from freezer.model_io import Saved, Source, load, save, to_kind
from freezer.options import Options
from freezer.pipeline import Specialised, start_worker
from freezer.provenance import record
from freezer.report.build import Report, build_report, origin_of, saved_to_dict
from freezer.report.inspection import Inspection, inspection_of
from freezer.verification import Verdict, Verification, start_judge
from freezer.verification.bisect import bisect

if TYPE_CHECKING:
    from freezer.canonical import Difference
    from freezer.report.trace import Trace
    from freezer.whatif import WhatIf

Progress = Callable[[str], None]
Values = Mapping[str, Any] | None
Dims = Mapping[str, int] | None
Shapes = Mapping[str, Sequence[int | None]] | None
Pathlike = str | os.PathLike[str]


@dataclass
class Frozen:
    """A residual model, and the report of how it came about."""

    report: Report
    residual: ir.Model
    source: Source
    bindings: Bindings
    options: Options
    specialised: Specialised
    again: Callable[[], Source]  # loads the source once more: specialising changed source.model in place

    @cached_property
    def model(self) -> Any:
        """The residual in the kind of model that was given; for a path it is an onnx_ir.Model."""
        return self.residual if self.source.kind == "path" else to_kind(self.residual, self.source.kind)

    @cached_property
    def trace(self) -> Trace | None:
        """What became of each node of the source; None where another engine folded."""
        from freezer.report.trace import trace_of

        if self.options.engine != engines.NATIVE or self.options.then not in (None, engines.NATIVE):
            return None
        return trace_of(self.residual, self.specialised.log, self.specialised.origins)

    def save(self, path: Pathlike, **how: Any) -> Saved:
        """Write the residual, whole or not at all; `report.saved` says what was written.

        how: external_data ("auto", "inline", "external"), data_file, overwrite, progress, as model_io.save takes
        them. Raises UsageError for a path that cannot be meant, FreezerError if the system refuses.
        """
        start = time.perf_counter()
        saved = save(self.residual, path, source=self.source.path, **how)
        seconds = {**self.report.seconds, "save": round(time.perf_counter() - start, 4)}
        self.report = replace(self.report, saved=saved_to_dict(saved), seconds=seconds)
        return saved

    def write_report(self, path: Pathlike, *, overwrite: bool = True) -> None:
        """Write one HTML page about this freeze, whole or not at all; save first if it is to name the file.

        Raises UsageError for a path that cannot be meant, FreezerError if the system refuses, ModelError if the
        source changed.
        """
        from freezer.report.html.write import write  # jinja2 is only needed here

        write(self, Path(path), overwrite)


def freeze(
    model: Any, values: Values = None, *, dims: Dims = None, shapes: Shapes = None,
    verify: bool = True, feeds: int = 3, seed: int = 0, progress: Progress = lambda stage: None,
    base_dir: Pathlike | None = None, allow_link: Pathlike | None = None, **options: Any,
) -> Frozen:  # fmt: skip
    """Specialise a model to frozen inputs and dimensions, and prove the result equal. The model stays as it is.

    values: input name to value; arrays must have the model's dtype, Python literals are converted losslessly.
    dims: dimension symbol to size. shapes: input name to shape, None keeps a dimension.
    verify: run both on `feeds` random feeds, drawn from `seed`, and compare every bit; where an engine fuses, with
    relaxed=True or with tolerance=SHARE, how far apart they are.
    base_dir: where the external data of a model given as an object lies. allow_link: a folder that external
    data may be linked from. options: the fields of freezer.options.Options (freeze_defaults, prune_inputs, engine,
    then, ...).
    Raises UsageError (a value, name or shape that cannot be meant), ModelError (a broken file),
    VerificationError (the residual differs), EngineError (an engine did what it must not), LimitError and ChildError.
    """
    chosen, stage = Options(**options), Stages(progress)
    tolerance = engines.tolerances(chosen)
    limits = Limits() if chosen.memory is None else Limits(memory=chosen.memory)
    with contextlib.ExitStack() as running:
        native = chosen.engine == engines.NATIVE
        worker = (
            running.enter_context(start_worker(chosen.memory)) if native else None
        )  # first: imports run while the model is read
        judge = running.enter_context(start_judge(limits)) if verify else None
        with stage("load"):
            source = load(model, base_dir=base_dir, allow_link=allow_link)
            origin = origin_of(source)
            bindings = bind(source.model, values, dims, shapes, chosen.freeze_defaults)
        checking = verdict = None
        if judge is not None:
            checking = Verification(source, bindings, feeds=feeds, seed=seed, child=judge, tolerance=tolerance)
            running.callback(checking.close)
        progress("specialise")
        result = engines.specialise(source, bindings, chosen, worker)
        record(result.model, source, bindings, chosen)
        if checking is not None:
            with stage("verify"):
                verdict = checking.finish(result.model)
    again = lambda: load(model, base_dir=base_dir, allow_link=allow_link)  # noqa: E731
    if verdict is not None and verdict.equal is False:
        raise VerificationError(_refusal(verdict, again, bindings, chosen, result))
    report = build_report(origin, result, bindings, verdict, stage.seconds)
    return Frozen(report, result.model, source, bindings, chosen, result, again)


@dataclass
class Stages:
    """Announces stages and adds up their time."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.progress(name)
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def _refusal(
    verdict: Verdict, reload: Callable[[], Source], bindings: Bindings, options: Options, result: Specialised
) -> str:
    """The verdict with the change that made the outputs differ."""
    if foreign := [name for name in (options.engine, options.then) if name and name != engines.NATIVE]:
        return f"engine '{foreign[-1]}' changed the model: {verdict.message}; nothing was written. Use another engine"
    if not verdict.feeds:
        return f"{verdict.message}; nothing was written. Give values and sizes that the model runs with"
    culprit = None
    with contextlib.suppress(FreezerError):
        culprit = bisect(reload, bindings, options, result.log.changes, verdict.tolerance)
    blame = f"; first wrong after {culprit}" if culprit else ""
    advice = "Please report this, or try --no-verify"
    if result.log.relaxed:
        advice = "Leave out --relaxed, or allow more: --tolerance SHARE, of an output's largest value"
    return f"{verdict.message}{blame}; nothing was written. {advice}"


def inspect(model: Any) -> Inspection:
    """What a model holds: interface, ops, control flow, bytes. No weight in external data is read."""
    return inspection_of(load(model))


def what_if(model: Any) -> WhatIf:
    """What freezing each input and dimension would make static, best first, without any value."""
    from freezer import whatif

    return whatif.what_if(load(model).model)


def verify(
    original: Any, frozen: Any, values: Values = None, *, dims: Dims = None, shapes: Shapes = None,
    freeze_defaults: bool = False, feeds: int = 3, seed: int = 0, tolerance: float | None = None,
) -> Verdict:  # fmt: skip
    """Whether a frozen model gives what the original gives with the frozen values fed, bit for bit.

    tolerance: how far outputs of floats may be from the original's, as a share of an output's largest value.
    Arguments as for freeze(); what is not frozen is drawn at random. A difference is a verdict, not an error.
    """
    source = load(original)
    bindings = bind(source.model, values, dims, shapes, freeze_defaults)
    allowed = engines.uniform(tolerance)
    return verification.verify(source, load(frozen).model, bindings, feeds=feeds, seed=seed, tolerance=allowed)


def fingerprint(model: Any) -> str:
    """The SHA-256, in hex, of the canonical form: equal exactly for the same graph with the same constants."""
    from freezer import canonical  # freezing does not need it

    return canonical.fingerprint(load(model).model)


def diff(a: Any, b: Any) -> Difference:
    """Where two models differ: false if they do not."""
    from freezer import canonical

    return canonical.diff(load(a).model, load(b).model)


def canonicalize(model: Any) -> Any:
    """The canonical form, as a new model of the kind that was given; for a path it is an onnx_ir.Model."""
    from freezer import canonical

    source = load(model)
    form = canonical.canonicalize(source.model)
    return form if source.kind == "path" else to_kind(form, source.kind)
