"""Judge facts by what a run gave: dims and elements must evaluate to the arrays' own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import onnx
import onnx_ir as ir

from freezer.facts.dims import SIGNED, Derived, Dim, Expr, substitute, symbol
from freezer.facts.fact import Fact
from freezer.facts.table import LARGEST_ELEMENTS, Facts
from freezer.facts.transfer import infer
from freezer.facts.transfer.content import RANGES, TRACKED, content

Feed = dict[str, object]
Bound = dict[str, Dim]  # what each symbol stands for in this run


def dtype_of(array: np.ndarray) -> ir.DataType:
    return ir.DataType.STRING if array.dtype.kind in "OUS" else ir.DataType.from_numpy(array.dtype)


def value_of(dim: Dim, bound: Bound) -> int | None:
    """The dim in this run; None if it has a symbol that is not bound."""
    found = substitute(dim, bound)
    return None if isinstance(found, Expr) else int(found)


def agrees(dim: Dim, actual: int, bound: Bound) -> bool:
    """Whether a dim is what it is in this run. A lone unbound symbol is bound by it."""
    found = substitute(dim, bound)
    if not isinstance(found, Expr):
        return int(found) == actual
    lone = found.terms[0][0][0] if found.terms[0][0] and len(found.terms) == 1 else None
    if lone is not None and found == symbol(lone) and not isinstance(lone, Derived):
        bound[lone] = actual
        return actual >= 0 or lone.startswith(SIGNED)
    return True


def faults(fact: Fact, actual: object, bound: Bound) -> list[str]:
    """What a fact says that is not so."""
    if isinstance(actual, onnx.TensorProto):
        actual = onnx.numpy_helper.to_array(actual)
    if np.isscalar(actual):
        actual = np.asarray(actual)
    if not isinstance(actual, np.ndarray):
        return [f"dtype {fact.dtype} of what is no tensor"] if fact.dtype is not None else []
    array, found = np.asarray(actual), []
    if fact.dtype is not None and fact.dtype != dtype_of(array):
        found.append(f"dtype {fact.dtype}, not {dtype_of(array)}")
    if fact.shape is not None:
        if len(fact.shape) != array.ndim or not all(map(agrees, fact.shape, array.shape, [bound] * array.ndim)):
            found.append(f"shape {[str(d) for d in fact.shape]}, not {array.shape}")
    if fact.elements is not None:
        items = array.reshape(-1).tolist()
        if len(items) != len(fact.elements) or not all(map(agrees, fact.elements, items, [bound] * len(items))):
            found.append(f"elements {[str(e) for e in fact.elements]}, not {items}")
    if array.size and fact.low is not None and array.min() < fact.low:
        found.append(f"low {fact.low}, not {array.min()}")
    if array.size and fact.high is not None and array.max() > fact.high:
        found.append(f"high {fact.high}, not {array.max()}")
    return found


def input_fact(name: str, array: np.ndarray, bound: Bound, dims: str, elements: str) -> Fact:
    """A fact of an input. dims: known, own (symbols), shared (by size). elements: none, half, symbols."""
    dtype, shape = dtype_of(array), tuple(array.shape)
    count = array.size
    if elements != "none" and dtype in TRACKED and count <= LARGEST_ELEMENTS:
        items = [_item(name, i, v, bound, elements) for i, v in enumerate(array.reshape(-1).tolist())]
        return content(ir.Value(name=name), dtype, shape, items)
    if dims == "known":
        return Fact(dtype, shape)
    names = [f"{name}.{i}" if dims == "own" else f"size{d}" for i, d in enumerate(shape)]
    bound.update(zip(names, shape, strict=True))
    return Fact(dtype, tuple(symbol(n) for n in names))


def _item(name: str, index: int, item: int, bound: Bound, elements: str) -> int | Expr:
    if elements == "half" and index % 2 == 0:
        return item
    sign = SIGNED if isinstance(item, bool) or item < 0 else ""
    text = f"{sign}{name}.{index}.e"
    bound[text] = item
    return symbol(text)


def constants(model: ir.Model, feed: Feed, wanted: Callable[[np.ndarray], bool]) -> None:
    """Turn the inputs whose value is wanted into initializers."""
    for value in list(model.graph.inputs):
        array = feed.get(value.name)
        if isinstance(array, np.ndarray) and array.dtype.kind in "iubfc" and wanted(array):
            value.const_value = ir.tensor(array, name=value.name)
            model.graph.inputs.remove(value)
            model.graph.initializers.add(value)


def walk(model: ir.Model, feed: Feed, bound: Bound, dims: str, elements: str) -> tuple[Facts, list[ir.Node]]:
    """Facts of all nodes of a graph; and the nodes that there is no transfer function for."""
    facts, unknown = Facts(dict(model.opset_imports)), []
    for value in model.graph.inputs:
        array = feed.get(value.name)
        if isinstance(array, np.ndarray):
            facts.set(value, input_fact(value.name, array, bound, dims, elements))
        elif value.type is not None:
            facts.set(value, Fact(type=value.type))
    for node in model.graph:
        found = infer(node, facts)
        if found is None:
            unknown.append(node)
            continue
        for value, fact in zip(node.outputs, found, strict=True):
            facts.set(value, fact)
    return facts, unknown


def integers_only(array: np.ndarray) -> bool:
    return array.dtype.kind in "iub" and array.size <= LARGEST_ELEMENTS


def judged(model: onnx.ModelProto, feed: Feed, results: Iterable[object], dims: str, elements: str,
           constant: Callable[[np.ndarray], bool] | None) -> tuple[list[str], list[ir.Node]]:  # fmt: skip
    """Faults of the facts of a model's outputs, in one way of knowing its inputs."""
    graph = ir.from_proto(model)
    if constant is not None:
        constants(graph, feed, constant)
    bound: Bound = {}
    facts, unknown = walk(graph, feed, bound, dims, elements)
    found = []
    for value, result in zip(graph.graph.outputs, results, strict=True):
        found += [f"{value.name}: {fault}" for fault in faults(facts.of(value), result, bound)]
    return found, unknown


__all__ = ["RANGES", "agrees", "constants", "faults", "integers_only", "judged", "walk"]
