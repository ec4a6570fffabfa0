"""The step of a freeze that folds: freezer's own specialiser, another engine, or both."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx_ir as ir

from freezer import pipeline
from freezer.engines.registry import NATIVE, Engine, chosen_engine
from freezer.engines.run import LIMITS, SLACK, WORKER, attempt
from freezer.errors import LimitError, UsageError
from freezer.evaluate.child import Child
from freezer.model_io import save
from freezer.naming import make_names_unique
from freezer.options import Options
from freezer.passes import tidy
from freezer.passes.bind import bind, forget_declared_types
from freezer.passes.log import Log
from freezer.passes.origins import Origins
from freezer.pipeline import Specialised

if TYPE_CHECKING:
    from freezer.bindings import Bindings
    from freezer.model_io import Source


def specialise(
    source: Source, bindings: Bindings, options: Options | None = None, worker: Child | None = None
) -> Specialised:
    """As pipeline.specialise, with the engines that the options name; notes on them join the bindings' notes.

    worker: of pipeline.start_worker() or, for another engine, of start_engine(); it stays open.
    Raises EngineError for an engine that crashes, hangs, fails, grows the file, changes the interface or
    writes an invalid model; UsageError for one that there is not.
    """
    options = options or Options()
    engine, then = chosen_engine(options.engine), chosen_engine(options.then or NATIVE)
    most_bytes = budget(source, options.max_growth)
    child = worker if worker is not None and worker.module == WORKER else None
    if engine.name == NATIVE:
        result = pipeline.specialise(source, bindings, options, worker)
    else:
        result = _by_engine(engine, source, bindings, options, most_bytes, child)
    if then.name != NATIVE:
        result.model = _run(then, result.model, most_bytes, result.log, bindings, "then", child)
    return result


def budget(source: Source, max_growth: int) -> int:
    """The bytes that a result may have as one file."""
    nbytes = source.nbytes() + sum(source.data_files.values())
    return nbytes + nbytes // 100 + SLACK + max_growth


def put_in(model: ir.Model, bindings: Bindings) -> None:
    """Bind a model for an engine: names used twice are told apart, declared types are dropped, as they may lie."""
    make_names_unique(model)
    bind(model, bindings.values, bindings.dims, bindings.shapes)
    forget_declared_types(model)


def write_whole(model: ir.Model, path: Path) -> Path:
    """Write a model as one file: engines get no other, so no place that a model names. Raises LimitError."""
    try:
        return save(model, path, external_data="inline").path
    except LimitError as error:
        raise LimitError(f"engines get models as one file, of less than 2 GB: {error}; use --engine native") from error


def _by_engine(
    engine: Engine, source: Source, bindings: Bindings, options: Options, most_bytes: int, child: Child | None
) -> Specialised:  # fmt: skip
    if options.relaxed:
        raise UsageError(f"relaxed rules are freezer's own; engine '{engine.name}' does not take them: drop --relaxed")
    model, log = source.model, Log()
    origins = Origins(model, log)
    with log.stage("bind"):
        put_in(model, bindings)
    folded = _run(engine, model, most_bytes, log, bindings, "folded", child)
    if options.prune_inputs:
        tidy.prune_dead_inputs(folded)
    origins.release()
    return Specialised(folded, log, origins)


def _run(
    engine: Engine, model: ir.Model, most_bytes: int, log: Log, bindings: Bindings, how: str, child: Child | None
) -> ir.Model:
    """The model as the engine leaves it, with the metadata that the engine dropped."""
    with tempfile.TemporaryDirectory(prefix="freezer-") as folder, log.stage(engine.name):
        copy = write_whole(model, Path(folder, "bound.onnx"))
        outcome = attempt(engine, copy, model, most_bytes, LIMITS, child)
    if outcome.fault or outcome.model is None:
        raise outcome.error()
    tidy.drop_unused_opsets(outcome.model)  # onnxruntime imports all that it has
    outcome.model.metadata_props.update({**model.metadata_props, **outcome.model.metadata_props})
    bindings.notes.append(f"{how} by {engine.name} {engine.version}")
    return outcome.model
