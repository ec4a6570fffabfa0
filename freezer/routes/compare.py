"""Freeze a module both ways and say whether the two files are the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx_ir as ir
import torch

from freezer.bindings import bind as bind_values
from freezer.canonical import canonicalize, diff, fingerprint
from freezer.engines import NATIVE, chosen_engine, specialise
from freezer.errors import UsageError
from freezer.evaluate.child import Child
from freezer.model_io import load, serialise, to_proto
from freezer.model_io.walk import all_nodes
from freezer.options import Options
from freezer.routes.call import Call, Leaf, bind
from freezer.routes.exporters import EXPORTERS, OPSET, Exported, ExportRefused
from freezer.routes.torch_outputs import NotRunError, OutputDistance, distances
from freezer.routes.trace import export_call, is_any_input, is_free
from freezer.routes.traced import float_type

IDENTICAL, CONSTANTS, DIFFERENT, NOT_COMPARABLE = "identical", "constants differ", "different", "not comparable"


@dataclass(frozen=True)
class Route:
    """One route's files. name: "trace" (frozen, then exported) or "graph" (exported, then frozen).

    exported, residual, canonical: the model as torch wrote it, specialised, in canonical form. nodes,
    nbytes: of the canonical form. outputs: how far the residual's outputs are from the module's own; problem: why
    that is not known.
    """

    name: str
    exported: ir.Model
    residual: ir.Model
    canonical: ir.Model
    fingerprint: str
    nodes: int
    nbytes: int
    export_seconds: float
    freeze_seconds: float
    outputs: list[OutputDistance]
    problem: str = ""


@dataclass(frozen=True)
class Comparison:
    """What comparing found. verdict: IDENTICAL (byte for byte), CONSTANTS (same structure), DIFFERENT, NOT_COMPARABLE.

    routes: the trace route first; the graph route is missing if not comparable. frozen: the inputs of
    the full model that were frozen and count. notes: what the reader must know. difference: of canonical.diff.
    """

    verdict: str
    message: str
    exporter: str
    routes: tuple[Route, ...]
    frozen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    difference: Any = None


@dataclass(frozen=True)
class _Request:
    """What both exports share. engine: what specialises both."""

    module: torch.nn.Module
    call: Call
    exporter: str
    opset: int
    dynamic_shapes: Mapping[str, Any] | None
    engine: str

    def export(self, held: Callable[[Leaf], bool], folding: bool = False) -> tuple[Exported, float]:
        start = time.perf_counter()
        exported = export_call(self.module, self.call, self.exporter, self.opset, self.dynamic_shapes, folding, held)
        return exported, time.perf_counter() - start


def compare(
    module: torch.nn.Module,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    freeze: Mapping[str, Any],
    exporter: str = "dynamo",
    opset: int = OPSET,
    dynamic_shapes: Mapping[str, Any] | None = None,
    default_export: bool = False,
    engine: str = NATIVE,
    worker: Child | None = None,
    runner: Child | None = None,
) -> Comparison:
    """Export partially and fully, specialise both, and compare the canonical forms.

    A frozen value replaces an example of the same argument. default_export: the full model as anyone
    exports it, with the exporter's own folding. engine: what folds both (of freezer.engines). worker,
    runner: children that stay open (of freezer.evaluate.worker, for another engine of
    engines.start_engine, and of freezer.routes.runner). Arguments and errors otherwise as in
    `trace.export`; ExportRefused only if the partial export fails, EngineError if the engine does.
    """
    if exporter not in EXPORTERS:
        raise UsageError(f"unknown exporter '{exporter}'; there are: {', '.join(EXPORTERS)}")
    chosen_engine(engine)
    call = bind(module, args, kwargs, freeze, override=True)
    request = _Request(module, call, exporter, opset, dynamic_shapes, engine)
    partial, seconds = request.export(is_free)
    trace = _route("trace", request, partial, seconds, is_free, worker, runner)
    full = _full_export(request, partial, default_export)
    if isinstance(full, str):
        return Comparison(NOT_COMPARABLE, full, exporter, (trace,))
    graph = _route("graph", request, full.exported, full.seconds, full.held, worker, runner)
    return _judged(exporter, trace, graph, full.frozen, full.notes)


@dataclass(frozen=True)
class _Full:
    exported: Exported
    seconds: float
    held: Callable[[Leaf], bool]
    frozen: list[str]
    notes: list[str]


def _full_export(request: _Request, partial: Exported, folding: bool) -> _Full | str:
    """The full export with all frozen values as inputs, else only the tensors; or why there is none."""
    reasons: list[str] = []
    for held in (is_any_input, lambda leaf: leaf.is_tensor):
        names = [leaf.name for leaf in request.call.leaves if leaf.frozen and held(leaf)]
        if not names:
            return reasons[0] if reasons else "no frozen value can be an input: None and strings are part of the trace"
        try:
            exported, seconds = request.export(held, folding)
        except ExportRefused as error:
            reasons.append(f"the full export cannot have {_listed(names)} as inputs: {error.reason}")
            continue
        unused = _unused(exported.model, names)
        new = [w for w in exported.warnings if w not in partial.warnings]
        if new or unused == names:
            why = new[0] if new else "the trace does not depend on them"
            reasons.append(f"the full export cannot have {_listed(names)} as inputs: {why}")
            continue
        notes = [f"numbers are constants of both traces: {reason}" for reason in reasons]
        notes += [f"the full export does not depend on '{name}': it holds for this value only" for name in unused]
        return _Full(exported, seconds, held, [name for name in names if name not in unused], notes)
    return reasons[0]


def _unused(model: ir.Model, names: Sequence[str]) -> list[str]:
    used = {v.name for v in model.graph.inputs if v.uses() or v.is_graph_output()}
    return [name for name in names if name not in used]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _route(
    name: str, request: _Request, exported: Exported, seconds: float, held: Callable[[Leaf], bool],
    worker: Child | None, runner: Child | None,
) -> Route:  # fmt: skip
    """Specialise with the frozen values among the inputs bound."""
    start = time.perf_counter()
    source = load(exported.model)
    bindings = bind_values(source.model, _frozen_values(request, held))
    residual = specialise(source, bindings, Options(max_growth=_UNBOUNDED, engine=request.engine), worker).model
    freeze_seconds = time.perf_counter() - start
    canonical = canonicalize(residual)
    outputs, problem = _against_torch(request, residual, runner)
    return Route(
        name, exported.model, residual, canonical, fingerprint(residual), sum(1 for _ in all_nodes(canonical.graph)),
        len(serialise(to_proto(canonical))), seconds, freeze_seconds, outputs, problem,
    )  # fmt: skip


def _frozen_values(request: _Request, held: Callable[[Leaf], bool]) -> dict[str, torch.Tensor]:
    number = float_type(request.module, request.call)
    frozen = {leaf.name: leaf.value for leaf in request.call.leaves if leaf.frozen and held(leaf)}
    return {k: torch.as_tensor(v, dtype=number if isinstance(v, float) else None) for k, v in frozen.items()}


def _against_torch(request: _Request, residual: ir.Model, runner: Child | None) -> tuple[list[OutputDistance], str]:
    try:
        return distances(request.module, request.call, residual, runner), ""
    except NotRunError as error:
        return [], f"not compared with torch: {error}"


_UNBOUNDED = 1 << 62  # the two exports have different sizes, and their budgets must not decide what is folded


def _judged(exporter: str, trace: Route, graph: Route, frozen: list[str], notes: list[str]) -> Comparison:
    routes = (trace, graph)
    if serialise(to_proto(trace.canonical)) == serialise(to_proto(graph.canonical)):
        return Comparison(IDENTICAL, "both routes give the same file, byte for byte", exporter, routes, frozen, notes)
    difference = diff(trace.canonical, graph.canonical)
    verdict = CONSTANTS if difference.verdict == "constants" else DIFFERENT
    return Comparison(verdict, str(difference), exporter, routes, frozen, notes, difference)
