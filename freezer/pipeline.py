"""The way through the house: bind, specialise to a fixed point, store what pays, tidy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import onnx_ir as ir

from freezer.evaluate.child import Child, Limits
from freezer.evaluate.evaluator import Evaluator
from freezer.naming import make_names_unique
from freezer.options import Options
from freezer.passes import tidy
from freezer.passes.bind import bind, forget_declared_types, lift_constants
from freezer.passes.cse import merge_equal_nodes
from freezer.passes.log import Kept, Log
from freezer.passes.merge_constants import ConstantMerger
from freezer.passes.specialise import Specialiser
from freezer.passes.spread import candidates, repeating_part, spread
from freezer.passes.storage import plan

__all__ = ["Options", "Specialised", "specialise", "start_worker"]


@dataclass
class Specialised:
    """The residual model and the log of how it came about."""

    model: ir.Model
    log: Log


def start_worker() -> Child:
    """The process that evaluates; started early, its imports cost no waiting."""
    return Child("freezer.evaluate.worker", Limits())


def specialise(source: Any, bindings: Any, options: Options | None = None, worker: Child | None = None) -> Specialised:
    """Specialise source.model (a freezer.model_io.Source's private copy, changed in place) to its bindings.

    A worker that is given stays open, for the next model.
    """
    options = options or Options()
    if worker is not None:
        return _specialise(source.model, bindings, options, worker)
    with start_worker() as child:
        return _specialise(source.model, bindings, options, child)


def _specialise(model: ir.Model, bindings: Any, options: Options, child: Child) -> Specialised:
    log = Log(fuel=options.fuel)
    size = constant_bytes(model)
    with log.stage("bind"):
        typed = {v.name or "" for g in tidy.graphs(model) for n in g for v in n.outputs if v.shape is not None}
        names = make_names_unique(model)
        bind(model, bindings.values, bindings.dims, bindings.shapes)
        forget_declared_types(model)
        lift_constants(model, names)
    specialiser = Specialiser(model, names, Evaluator(model, child, options.largest_constant), options, log)
    specialiser.run()
    bound = {model.graph.initializers[n] for n in bindings.values if n in model.graph.initializers}
    merger = ConstantMerger()
    while _improve(specialiser, merger, size + options.max_growth, bound):
        pass
    with log.stage("tidy"):
        _tidy(specialiser, typed)
    return Specialised(model, log)


def _improve(specialiser: Specialiser, merger: ConstantMerger, budget: int, bound: set[ir.Value]) -> bool:
    """One more round: merge what is equal, store what the plan wants. False if nothing changed."""
    model, editor, log = specialiser.model, specialiser.editor, specialiser.log
    with log.stage("merge"):
        tidy.drop_unused_constants(model)
        merger.merge(model, editor, log)
        merged = merge_equal_nodes(model, editor, log)
    with log.stage("specialise"):
        specialiser.settle()
    with log.stage("plan"):
        choice = plan(model, specialiser.facts, specialiser.unfoldable, budget - constant_bytes(model))
    facts = specialiser.facts
    log.kept = [Kept(v.name or "", _op_type(v), facts.of(v).nbytes or 0) for v in choice.compute]
    wanted = choice.store or specialiser.wanted()
    before = log.changes
    if wanted:
        specialiser.evaluate(wanted)
        specialiser.run_wanted()
    return bool(log.changes > before or merged or _spread(specialiser, choice.compute, bound))


def _spread(specialiser: Specialiser, values: list[ir.Value], bound: set[ir.Value]) -> bool:
    """Replace values that are too large to store, but repeat, by an Expand of the part that repeats."""
    editor = specialiser.editor
    found = specialiser.evaluator.evaluate(candidates(values, bound, editor)).tensors
    parts = {v: (repeating_part(t.numpy()), t.shape.numpy()) for v, t in found.items() if t.dtype != ir.DataType.STRING}
    worth = {v: (part, shape) for v, (part, shape) in parts.items() if part is not None}
    spent = [v for v in worth if specialiser.log.spend("spread", v.name)]
    for value in spent:
        spread(value, *worth[value], editor)  # type: ignore[arg-type]
    specialiser.settle()
    return bool(spent)


def _tidy(specialiser: Specialiser, typed: set[str]) -> None:
    model, editor = specialiser.model, specialiser.editor
    if specialiser.options.prune_inputs:
        tidy.prune_dead_inputs(model)
    tidy.drop_unused_constants(model)
    tidy.drop_unused_functions(model)
    tidy.drop_unused_opsets(model)
    tidy.drop_export_traces(model)
    tidy.write_certain_types(model, editor, typed)
    specialiser.log.settle(model)


def constant_bytes(model: ir.Model) -> int:
    """Bytes of all constants, initializers or Constant nodes."""
    total = 0
    for graph in tidy.graphs(model):
        total += sum(v.const_value.nbytes for v in graph.initializers.values() if v.const_value is not None)
        tensors = (a for n in graph if n.op_type == "Constant" for a in n.attributes.values())
        total += sum(a.as_tensor().nbytes for a in tensors if a.type == ir.AttributeType.TENSOR)
    return total


def _op_type(value: ir.Value) -> str:
    node = value.producer()
    return node.op_type if node is not None else ""
