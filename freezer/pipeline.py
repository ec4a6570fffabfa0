"""The way through the house: bind, specialise to a fixed point, store what pays, tidy."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx_ir as ir

from freezer.errors import ModelError
from freezer.evaluate import early
from freezer.evaluate.child import Child, Limits
from freezer.evaluate.evaluator import Evaluator
from freezer.model_io.walk import graphs_in
from freezer.naming import make_names_unique
from freezer.options import Options
from freezer.passes import tidy
from freezer.passes.bind import bind, forget_declared_types, lift_constants
from freezer.passes.log import Log
from freezer.passes.origins import Origins
from freezer.passes.rounds import Rounds
from freezer.passes.size import declared_bytes, model_bytes
from freezer.passes.specialise import Specialiser

if TYPE_CHECKING:
    from freezer.bindings import Bindings
    from freezer.model_io import Source

__all__ = ["Log", "Options", "Specialised", "specialise", "start_worker"]


_METADATA = 1024  # bytes that provenance may add to a file
_LEAST_LIMIT, _MOST_LIMIT = 128 << 20, 1 << 30  # bytes of one value


@dataclass
class Specialised:
    """The residual model, the log of how it came about, and where its nodes and constants came from."""

    model: ir.Model
    log: Log
    origins: Origins


def start_worker(memory: int | None = None) -> Child:
    """The process that evaluates; started early, its imports cost no waiting. memory: bytes, if not the default."""
    return early.take(early.WORKER) if memory is None else Child(early.WORKER, Limits(memory=memory))


def specialise(
    source: Source, bindings: Bindings, options: Options | None = None, worker: Child | None = None
) -> Specialised:
    """Specialise source.model (the source's private copy, changed in place) to its bindings.

    A worker that is given stays open, for the next model.
    """
    options = options or Options()
    with contextlib.nullcontext(worker) if worker is not None else start_worker() as child:
        try:
            return _specialise(source.model, bindings, options, child)
        except ir.serde.SerdeError:  # in attributes, types and names of bodies, which loading does not read
            raise ModelError(
                "the model holds text that is not UTF-8, or attributes of another type than they say"
            ) from None


def _specialise(model: ir.Model, bindings: Bindings, options: Options, child: Child) -> Specialised:
    log = Log(fuel=options.fuel)
    typed = declared_bytes(model)
    most_bytes = model_bytes(model, {v: now for v, (now, _) in typed.items()}) - _METADATA + options.max_growth
    with log.stage("bind"):
        origins = Origins(model, log)
        names = make_names_unique(model)
        bind(model, bindings.values, bindings.dims, bindings.shapes)
        forget_declared_types(model)
        lift_constants(model, names, origins)
    bound = {model.graph.initializers[n] for n in bindings.values if n in model.graph.initializers}
    originals = {v for g in graphs_in(model.graph) for v in g.initializers.values()} - bound
    evaluator = Evaluator(model, child, _largest(options, most_bytes), options.seconds)
    specialiser = Specialiser(model, names, evaluator, options, log, origins)
    specialiser.run()
    Rounds(specialiser, most_bytes, {v: then for v, (_, then) in typed.items()}, bound, originals).run()
    if evaluator.unanswered:
        log.notes.append(f"types of {len(evaluator.unanswered)} nodes are not known: {evaluator.unanswered[0]}")
    with log.stage("tidy"):
        _tidy(specialiser, typed)
    origins.release()
    specialiser.facts.clear()  # as large as the model's graph; the specialiser itself lies in cycles
    return Specialised(model, log, origins)


def _largest(options: Options, most_bytes: int) -> int:
    """Bytes of the largest value to evaluate: nothing much larger than the model's constants could be stored."""
    if options.largest_constant is not None:
        return options.largest_constant
    return min(max(_LEAST_LIMIT, 2 * most_bytes), _MOST_LIMIT)


def _tidy(specialiser: Specialiser, typed: Collection[str]) -> None:
    model = specialiser.model
    if specialiser.options.prune_inputs:
        tidy.prune_dead_inputs(model)
    tidy.drop_unused_constants(model)
    tidy.drop_unused_functions(model)
    tidy.drop_unused_opsets(model)
    tidy.drop_export_traces(model)
    tidy.write_certain_types(model, specialiser.editor, typed)
    tidy.refine_outputs(model, specialiser.editor)
    specialiser.log.settle(model)
