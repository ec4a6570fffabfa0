"""The first value, in the order of computation, in which two models part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import onnx_ir as ir

from freezer.bindings import Bindings
from freezer.model_io import Source, to_proto
from freezer.verification.verdict import DIFFERENT, OutputVerdict
from freezer.verification.verification import start_judge, verify

_AT_ONCE = 200  # values that are compared in one run: the child keeps them all


@dataclass(frozen=True)
class Parting:
    """value: how it differs. expected, found: the node that makes it in either model; found is None for a constant.
    constants: names of constants that both nodes read and whose contents differ. alike: values before it that agree.
    """

    value: OutputVerdict
    expected: ir.Node
    found: ir.Node | None
    constants: list[str]
    alike: int


def part(
    reference: Source, model: ir.Model, bindings: Bindings, *,
    feeds: int = 3, seed: int = 0, tolerance: Mapping[str, float] | None = None,
) -> Parting | None:  # fmt: skip
    """Compare what both models compute under the same names, in reference.model's order; None if nothing differs.

    Only main graphs are looked into. Both models get more outputs while they run, and lose them again. Arguments as
    for verify().
    """
    made, here = _made(reference.model), _made(model)
    common = [name for name in made if name in here or name in model.graph.initializers]
    parts = [common[start : start + _AT_ONCE] for start in range(0, len(common), _AT_ONCE)]
    with start_judge() as child:
        for number, names in enumerate(parts):
            with _exposed(reference.model, names), _exposed(model, names):
                source = replace(reference, path=None, original=partial(to_proto, reference.model))
                verdict = verify(source, model, bindings, feeds=feeds, seed=seed, child=child, tolerance=tolerance)
            different = {row.name: row for row in verdict.outputs if row.status == DIFFERENT}
            name = next((n for n in names if n in different), None)
            if name is not None:
                node = here.get(name)
                constants = [] if node is None else _unlike(made[name], node)
                return Parting(different[name], made[name], node, constants, number * _AT_ONCE + names.index(name))
    return None


def _made(model: ir.Model) -> dict[str, ir.Node]:
    """Value of the main graph to the node that makes it, in order."""
    return {v.name: node for node in model.graph for v in node.outputs if v.name}


@contextlib.contextmanager
def _exposed(model: ir.Model, names: list[str]) -> Iterator[None]:
    """Give a model the values of those names as outputs, after its own."""
    values = {v.name: v for node in model.graph for v in node.outputs} | dict(model.graph.initializers)
    own = list(model.graph.outputs)
    there = {v.name for v in own}
    model.graph.outputs.extend(values[name] for name in names if name not in there)
    try:
        yield
    finally:
        model.graph.outputs[len(own) :] = []


def _unlike(a: ir.Node, b: ir.Node) -> list[str]:
    """Constants of one name that both nodes read and that differ."""
    theirs = {v.name: v.const_value for v in a.inputs if v is not None and v.const_value is not None}
    mine = {v.name: v.const_value for v in b.inputs if v is not None and v.const_value is not None}
    return [name or "" for name in mine if name in theirs and not _same(mine[name], theirs[name])]


def _same(a: ir.TensorProtocol, b: ir.TensorProtocol) -> bool:
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    if a.dtype == ir.DataType.STRING:
        return np.array_equal(a.numpy(), b.numpy())
    return a.tobytes() == b.tobytes()
