"""Fresh names: deterministic, and unique in the whole model, subgraphs included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import onnx_ir as ir

from freezer.model_io.walk import graphs_in


class Names:
    """The names in use, and new ones beside them."""

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = set(used)
        self._next: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._used

    def claim(self, name: str) -> None:
        """Mark a name as used."""
        self._used.add(name)

    def fresh(self, base: str) -> str:
        """`base`, or base_1, base_2, ... : the first that is free. It is used from now on."""
        name, count = base, self._next.get(base, 0)
        while not name or name in self._used:
            count += 1
            name = f"{base}_{count}"
        self._next[base] = count
        self._used.add(name)
        return name


def make_names_unique(model: ir.Model) -> Names:
    """Rename values so that no two in the main graph and its subgraphs share a name; all names in use.

    Inputs, initializers and outputs of the main graph keep their names, and so do its other values;
    a value of a subgraph whose name is taken gets a suffix. Function bodies keep their own scope.
    """
    names = Names(v.name for v in _defined(model.graph) if v.name)
    inner = [v for g in islice(graphs_in(model.graph), 1, None) for v in _defined(g)]
    clashing = []
    for value in inner:
        if not value.name or value.name in names:
            clashing.append(value)
        else:
            names.claim(value.name)
    for value in clashing:
        if value.name or value.uses():
            value.name = names.fresh(value.name or "value")
    for function in model.functions.values():
        for graph in graphs_in(function.graph):
            for value in _defined(graph):
                names.claim(value.name or "")
    return names


def _defined(graph: ir.Graph) -> Iterator[ir.Value]:
    """The values a graph defines, each once: inputs, initializers, node outputs."""
    yield from graph.inputs
    yield from (v for v in list(graph.initializers.values()) if not v.is_graph_input())
    for node in graph:
        yield from node.outputs


def name_of(value: ir.Value) -> str:
    """The name of a value that has one, as every value of a loaded model does."""
    assert value.name is not None
    return value.name
