"""Every fact about onnx's own node tests holds for the arrays they ship, however much of the inputs is known."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from tests.facts.oracle import as_array, integers_only, judge, value_of, walk

WAYS = {
    "known dims": ("known", "none", None),
    "own symbols": ("own", "none", None),
    "symbols by size": ("shared", "none", None),
    "constant integers": ("known", "none", integers_only),
    "symbols and constant integers": ("shared", "none", integers_only),
    "half of the integers": ("own", "half", None),
    "integers as symbols": ("shared", "symbols", None),
}


@functools.cache
def cases() -> list[tuple[str, onnx.ModelProto, dict, dict]]:
    """Name, model, inputs and outputs of each."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflow is part of some cases
        found = [c for c in collect_testcases(None) if c.model is not None]
    return [
        (c.name, c.model, *(_named(g, d) for g, d in zip(_ends(c.model), c.data_sets[0], strict=True))) for c in found
    ]


def _ends(model: onnx.ModelProto) -> tuple:
    return model.graph.input, model.graph.output


def _named(entries: object, values: list) -> dict[str, object]:
    return {e.name: as_array(v) for e, v in zip(entries, values, strict=False)}


@pytest.mark.parametrize("way", WAYS)
def test_facts_of_outputs_hold(way: str) -> None:
    wrong = {name: f for name, m, feed, out in cases() if (f := judge(m, feed, out, *WAYS[way]))}
    assert wrong == {}


@functools.cache
@np.errstate(all="ignore")
def intermediates() -> list[tuple[str, onnx.ModelProto, dict, dict]]:
    """The cases of several nodes, with all their values by the reference implementation."""
    chosen = [(n, m, f) for n, m, f, _ in cases() if len(m.graph.node) > 1]
    return [(n, m, f, ReferenceEvaluator(m).run(None, f, intermediate=True)) for n, m, f in chosen]


@pytest.mark.parametrize("way", ["own symbols", "symbols and constant integers"])
def test_facts_of_values_between_hold(way: str) -> None:
    wrong = {name: f for name, m, feed, values in intermediates() if (f := judge(m, feed, values, *WAYS[way]))}
    assert wrong == {}


def test_most_shapes_are_known() -> None:
    """With known dims and constant integers, and with symbols for dims: a floor under what is found."""
    assert _share("known", "none", integers_only) > 0.8
    assert _share("own", "none", integers_only) > 0.6


def _share(*way: object) -> float:
    found = []
    for _, model, feed, out in cases():
        graph, facts, bound = walk(model, feed, *way)
        for value in graph.graph.outputs:
            if isinstance(out.get(value.name), np.ndarray):
                shape = facts.of(value).shape
                found.append(shape is not None and all(value_of(d, bound) is not None for d in shape))
    return sum(found) / len(found)
