"""Judge facts by what a run gave: dims and elements must evaluate to the arrays' own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import onnx
import onnx_ir as ir

from freezer.facts.dims import SIGNED, Derived, Dim, Expr, is_signed, substitute, symbol
from freezer.facts.fact import Fact
from freezer.facts.table import LARGEST_ELEMENTS, Facts
from freezer.facts.transfer import infer
from freezer.facts.transfer.content import TRACKED, content

Feed = dict[str, object]
Bound = dict[str, Dim]  # what each symbol stands for in this run
Wanted = Callable[[np.ndarray], bool]


def as_array(value: object) -> object:
    """Arrays of tensors and scalars; sequences and None as they are."""
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return np.asarray(value) if np.isscalar(value) else value


def dtype_of(array: np.ndarray) -> ir.DataType:
    return ir.DataType.STRING if array.dtype.kind in "OUST" else ir.DataType.from_numpy(array.dtype)


def value_of(dim: Dim, bound: Bound) -> int | None:
    """The dim in this run; None if it has a symbol that is not bound."""
    found = substitute(dim, bound)
    return None if isinstance(found, Expr) else int(found)


def agrees(dim: Dim, actual: int, bound: Bound) -> bool:
    """Whether a dim is what it is in this run. A lone unbound symbol is bound by it."""
    found = substitute(dim, bound)
    if not isinstance(found, Expr):
        return int(found) == actual or (is_signed(dim) and (int(found) - actual) % (1 << 32) == 0)
    monomial = found.terms[0][0]
    lone = monomial[0] if monomial and not isinstance(monomial[0], Derived) else None
    if lone is None or found != symbol(lone):
        return True
    bound[lone] = actual
    return actual >= 0 or lone.startswith(SIGNED)


def _all_agree(dims: Iterable[Dim], actual: Iterable[int], bound: Bound) -> bool:
    return all([agrees(d, a, bound) for d, a in zip(dims, actual, strict=True)])


def faults(fact: Fact, actual: object, bound: Bound) -> list[str]:
    """What a fact says that is not so."""
    array = as_array(actual)
    if not isinstance(array, np.ndarray):
        return [f"dtype {fact.dtype} of what is no tensor"] if fact.dtype is not None else []
    return [*_wrong_type(fact, array, bound), *_wrong_content(fact, array, bound)]


def _wrong_type(fact: Fact, array: np.ndarray, bound: Bound) -> Iterator[str]:
    if fact.dtype not in (None, dtype_of(array)):
        yield f"dtype {fact.dtype}, not {dtype_of(array)}"
    if fact.shape is None:
        return
    if len(fact.shape) != array.ndim or not _all_agree(fact.shape, array.shape, bound):
        yield f"shape {[str(d) for d in fact.shape]}, not {array.shape}"


def _wrong_content(fact: Fact, array: np.ndarray, bound: Bound) -> Iterator[str]:
    if fact.elements is not None:
        items = array.reshape(-1).tolist()
        if len(items) != len(fact.elements) or not _all_agree(fact.elements, items, bound):
            yield f"elements {[str(e) for e in fact.elements]}, not {items}"
    if array.size and fact.low is not None and array.min() < fact.low:
        yield f"low {fact.low}, not {array.min()}"
    if array.size and fact.high is not None and array.max() > fact.high:
        yield f"high {fact.high}, not {array.max()}"


def input_fact(name: str, array: np.ndarray, bound: Bound, dims: str, elements: str) -> Fact:
    """A fact of an input. dims: known, own (symbols), shared (by size). elements: none, half, symbols."""
    dtype, shape = dtype_of(array), tuple(array.shape)
    if elements != "none" and dtype in TRACKED and array.size <= LARGEST_ELEMENTS:
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
    text = f"{SIGNED if isinstance(item, bool) or item < 0 else ''}{name}.{index}.e"
    bound[text] = item
    return symbol(text)


def integers_only(array: np.ndarray) -> bool:
    return array.dtype.kind in "iub" and array.size <= LARGEST_ELEMENTS


def _make_constant(model: ir.Model, feed: Feed, wanted: Wanted) -> None:
    for value in list(model.graph.inputs):
        array = feed.get(value.name or "")
        if isinstance(array, np.ndarray) and array.dtype.kind in "iubfc" and wanted(array):
            value.const_value = ir.tensor(array, name=value.name)
            model.graph.inputs.remove(value)
            model.graph.initializers.add(value)


def walk(model: onnx.ModelProto, feed: Feed, dims: str, elements: str, constant: Wanted | None = None) -> tuple[
    ir.Model, Facts, Bound
]:  # fmt: skip
    """The facts of all values of a model, whose inputs are known in one of several ways."""
    graph, bound = ir.from_proto(model), {}
    if constant is not None:
        _make_constant(graph, feed, constant)
    facts = Facts(dict(graph.opset_imports))
    for value in graph.graph.inputs:
        array = feed.get(value.name)
        known = isinstance(array, np.ndarray)
        facts.set(value, input_fact(value.name, array, bound, dims, elements) if known else Fact(type=value.type))
    for node in graph.graph:
        for value, fact in zip(node.outputs, infer(node, facts) or (), strict=False):
            facts.set(value, fact)
    return graph, facts, bound


def judge(model: onnx.ModelProto, feed: Feed, results: dict[str, object], dims: str, elements: str,
          constant: Wanted | None = None) -> list[str]:  # fmt: skip
    """Faults of the facts of those values whose content is in `results`."""
    graph, facts, bound = walk(model, feed, dims, elements, constant)
    found = []
    for value in (v for node in graph.graph for v in node.outputs):
        if results.get(value.name) is not None:
            found += [f"{value.name}: {fault}" for fault in faults(facts.of(value), results[value.name], bound)]
    return found
