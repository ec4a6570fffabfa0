"""Specialise a text fixture, and judge what came out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort

from freezer.bindings import Bindings, bind
from freezer.canonical import diff
from freezer.model_io import load
from freezer.options import Options
from freezer.pipeline import Specialised, specialise
from freezer.verification.compare import key
from tests.rules.feeds import Feed, feeds
from tests.rules.text import Case, parse_model

LEAST_RUNS = 3
_ROUNDING = 1e-6


def freeze(case: Case, worker: Any) -> tuple[Specialised, Bindings]:
    """The residual of a case's model."""
    source = load(parse_model(case.before, case))
    bindings = bind(source.model, case.values, case.dims, case.shapes, False)
    return specialise(source, bindings, Options(**case.options), worker), bindings  # type: ignore[arg-type]


def complaint(case: Case, result: Specialised, bindings: Bindings) -> str:
    """What the residual's structure, the reasons in the log or the rules that fired get wrong; "" if nothing."""
    if found := difference(case, result, bindings):
        return found
    reasons = [stayed.reason for stayed in result.log.residuals]
    if case.unchanged and not any(case.unchanged in reason for reason in reasons):
        return f"no reason contains {case.unchanged!r}: {reasons}"
    fired = case.rule is not None and result.log.events[case.rule] > 0
    if case.rule and fired == case.refuses:
        return f"the rule {'fired' if fired else 'did not fire'}: {dict(result.log.events)}"
    return ""


def difference(case: Case, result: Specialised, bindings: Bindings) -> str:
    """How the residual differs from what the case expects, up to names inside; "" if it does not."""
    got = ir.to_proto(result.model)
    expected = parse_model(case.after, case) if case.after else _bound(parse_model(case.before, case), bindings)
    if complaint := _same_interface(got, expected):
        return complaint
    found = diff(load(got).model, load(expected).model)
    return f"A is the result, B what was expected\n{found}\n{onnx.printer.to_text(got)}" if found else ""


def _bound(model: onnx.ModelProto, bindings: Bindings) -> onnx.ModelProto:
    """The model with frozen inputs made initializers, nothing else."""
    kept = [i for i in model.graph.input if i.name not in bindings.values]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    for name, tensor in bindings.values.items():
        proto = ir.to_proto(tensor)
        proto.name = name
        model.graph.initializer.append(proto)
    return model


def _same_interface(got: onnx.ModelProto, expected: onnx.ModelProto) -> str:
    """Give both the same types; "" if names and element types agree already."""
    for field in ("input", "output"):
        ours, theirs = getattr(got.graph, field), getattr(expected.graph, field)
        both = [[(v.name, v.type.tensor_type.elem_type) for v in side] for side in (ours, theirs)]
        if both[0] != both[1]:
            return f"{field}s are {both[0]}, expected {both[1]}"
        for mine, other in zip(ours, theirs, strict=True):
            other.type.CopyFrom(mine.type)
    return ""


def wrong_bits(case: Case, result: Specialised, bindings: Bindings) -> str:
    """The first feed for which the residual gives other bits than the original; "" if none does."""
    original, residual = parse_model(case.before, case), ir.to_proto(result.model)
    if case.valid:
        onnx.checker.check_model(residual)
    if not case.runs:
        return ""
    run_original, run_residual = _session(original), _session(residual)
    values = {n: _array(t) for n, t in bindings.values.items()}
    left, runs, failed = {i.name for i in residual.graph.input}, 0, ""
    for feed in feeds(original, case, bindings, values):
        try:
            wanted = run_original.run(None, feed)
        except Exception as error:  # sizes that do not fit each other
            failed = str(error)
            continue
        found = run_residual.run(None, {n: v for n, v in feed.items() if n in left})
        runs += 1
        if message := _first_difference(wanted, found, feed, _near if case.options.get("relaxed") else _equal):
            return message
    assert runs >= LEAST_RUNS, f"only {runs} feeds run: {failed}"
    return ""


def _array(tensor: ir.TensorProtocol) -> np.ndarray:
    array = tensor.numpy()
    if tensor.dtype != ir.DataType.STRING:
        return array
    return np.array([s.decode() if isinstance(s, bytes) else s for s in array.reshape(-1)], object).reshape(array.shape)


def _first_difference(wanted: list[Any], found: list[Any], feed: Feed, same: Callable[[Any, Any], bool]) -> str:
    for i, (a, b) in enumerate(zip(wanted, found, strict=True)):
        if not same(a, b):
            return f"output {i} was\n{a!r}\nand is\n{b!r}\nfor {feed!r}"
    return ""


def _session(model: onnx.ModelProto) -> ort.InferenceSession:
    return ort.InferenceSession(model.SerializeToString(), _options(), providers=["CPUExecutionProvider"])


def _equal(a: Any, b: Any) -> bool:
    return bool(key(a) == key(b))


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether numbers are equal but for the sign of zero and of NaN, and for roundings of the largest one."""
    if a.dtype.kind != "f" or a.dtype != b.dtype or a.shape != b.shape:
        return _equal(a, b)
    largest = np.abs(a[np.isfinite(a)]).max(initial=0)
    return bool(np.allclose(a, b, rtol=0, atol=float(largest) * _ROUNDING, equal_nan=True))


@functools.cache
def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return options
