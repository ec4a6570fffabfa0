"""What became of each node of the source: notes made while the model is specialised, read only by the trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import onnx_ir as ir

from freezer.evaluate.batch import reads
from freezer.model_io.walk import all_nodes, subgraphs
from freezer.naming import Names
from freezer.passes.log import Log


class SourceNode(NamedTuple):
    """A node of the source. scope: the bodies around it, '' in the main graph. home: the graph it was in."""

    op_type: str
    scope: str
    home: ir.Graph | ir.Function


class Gone(NamedTuple):
    """What a node read when it went, the node it went with (its control flow), and the change that took it."""

    reads: list[ir.Value]
    owner: ir.Node | None
    event: str


class Origins:
    """Notes of one specialisation.

    sources: by the name the trace uses. of: for every node there is or was, the source nodes it stands for.
    gone: the nodes that were taken out. successor: what the readers of a value read instead.
    made: for a constant the node, or the constant, that it was computed from.
    """

    def __init__(self, model: ir.Model, log: Log) -> None:
        self.log = log
        self.sources: dict[str, SourceNode] = {}
        self.of: dict[ir.Node, tuple[str, ...]] = {}
        self.gone: dict[ir.Node, Gone] = {}
        self.successor: dict[ir.Value, ir.Value] = {}
        self.made: dict[ir.Value, ir.Node | ir.Value] = {}
        self._taken: dict[ir.Node, str] = {}
        self._enter(model)

    def _enter(self, model: ir.Model) -> None:
        graphs = [("", model.graph), *((f"{f.domain}.{f.name}", f.graph) for f in model.functions.values())]
        names = _name_all([n for _, g in graphs for n in all_nodes(g)])
        while graphs:
            scope, graph = graphs.pop()
            for node in graph:
                name = names[node]
                self.sources[name] = SourceNode(node.op_type, scope, graph)
                self.of[node] = (name,)
                graphs.extend(
                    (f"{scope}/{name}/{place}" if scope else f"{name}/{place}", g) for place, g in _bodies(node)
                )

    def lift(self, node: ir.Node, constant: ir.Value) -> None:
        """A Constant node became an initializer."""
        self.made[constant] = node
        self.successor[node.outputs[0]] = constant
        self.gone[node] = Gone([], None, "")

    def make(self, constant: ir.Value, source: ir.Node | ir.Value) -> None:
        """A constant was computed from a node's outputs, or from another constant."""
        self.made[constant] = source

    def replace(self, node: ir.Node, new: Iterable[ir.Node], event: str = "") -> None:
        """New nodes stand where a node stood."""
        for entry in new:
            self.of[entry] = self.of.get(node, ())
        self.resolve(node, event)

    def resolve(self, node: ir.Node, event: str = "") -> None:
        """What takes a node out, if not that nobody reads it: the latest change, unless told otherwise."""
        self._taken[node] = event or self.log.last

    def copy(self, body: ir.Graph, copy: ir.Graph) -> None:
        """A body was copied, node by node."""
        for old, new in zip(all_nodes(body), all_nodes(copy), strict=True):
            self.of[new] = self.of.get(old, ())

    def remove(self, node: ir.Node, read: Sequence[ir.Value]) -> None:
        """A node is about to go, with its bodies."""
        self.gone[node] = Gone(list(read), None, self._taken.pop(node, ""))
        for body in subgraphs(node):
            for inner in all_nodes(body):
                self.gone[inner] = Gone(reads(inner), node, "")

    def release(self) -> None:
        """Let go of the contents of constants that are no more."""
        for value in self.made:
            if value.producer() is None and not value.is_initializer():
                value.const_value = None


def _bodies(node: ir.Node) -> Iterator[tuple[str, ir.Graph]]:
    """The bodies of a node, each with the name of its attribute."""
    for name, attribute in node.attributes.items():
        if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
            yield name, attribute.value
        elif attribute.type == ir.AttributeType.GRAPHS and not attribute.is_ref():
            yield from ((f"{name}[{i}]", graph) for i, graph in enumerate(attribute.value))


def _name_all(nodes: list[ir.Node]) -> dict[ir.Node, str]:
    """Unique names: a node's own where it is the first to have it, else its first output's, else one made up."""
    names, found = Names(), dict[ir.Node, str]()
    for node in nodes:
        if node.name and node.name not in names:
            names.claim(node.name)
            found[node] = node.name
    for node in nodes:
        if node not in found:
            output = next((v.name for v in node.outputs if v.name), None)
            found[node] = names.fresh(output or node.name or node.op_type)
    return found
