"""A body with everything nested in it as one flat list of terms, in an order where operands come first.

Every live value hangs from an output: output k, its producer, the producer's operands in order. The outputs of the
bodies of an If, Loop or Scan count as further operands of that node. Dead nodes are never reached. So but for
commutative operands, walking from the outputs visits isomorphic bodies in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import onnx_ir as ir

from freezer.canonical.bodies import bodies_of
from freezer.canonical.constants import constant_of, is_constant_node
from freezer.canonical.encode import pack
from freezer.canonical.label import Labels
from freezer.errors import ModelError

Ref = tuple[int, int]  # (term, output), or (LEAF, leaf)
LEAF = -1


@dataclass(slots=True)
class Leaf:
    """What a term reads that no term makes: nothing, an input, a constant."""

    label: bytes
    value: ir.Value | None = None
    tensor: ir.TensorProtocol | None = None


@dataclass(slots=True)
class Term:
    """A node without its names. operands: its inputs, then the outputs of its bodies."""

    node: ir.Node
    graph: ir.Graph | ir.Function | None
    label: bytes
    operands: tuple[Ref, ...]
    inputs: int
    bodies: list[tuple[str, ir.Graph]]
    commutative: bool
    outputs: list[bool] = field(default_factory=list)  # which are present


@dataclass(slots=True)
class Flat:
    """The terms a body's outputs hang from. uses[t]: (user, slot, output) of term t; user LEAF is the body's output."""

    terms: list[Term]
    leaves: list[Leaf]
    outputs: tuple[Ref, ...]
    uses: list[list[tuple[int, int, int]]]

    def leaf(self, ref: Ref) -> Leaf | None:
        """The leaf a reference means, None if it means the output of a term."""
        return self.leaves[ref[1]] if ref[0] == LEAF else None


def flatten(body: ir.Graph | ir.Function, labels: Labels) -> Flat:
    """The flat form of a graph or function. Raises ModelError for cycles and for values nobody makes."""
    return _Flattening(labels).run(body)


class _Flattening:
    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._index: dict[ir.Node, int | None] = {}  # None: entered, not left yet
        self._scope: dict[ir.Graph | ir.Function | None, tuple[int, int]] = {}
        self._leaves = [Leaf(pack("none"))]
        self._leaf_of: dict[ir.Value, int] = {}
        self._terms: list[Term] = []

    def run(self, body: ir.Graph | ir.Function) -> Flat:
        self._enter_body(body, 0, 0)
        for value in body.outputs:
            self._walk(value)
        outputs = tuple(self._ref(value) for value in body.outputs)
        uses = self._uses(outputs)
        for term, term_uses in zip(self._terms, uses, strict=True):
            term.outputs = self._labels.present_outputs(term.node, {output for _, _, output in term_uses})
            term.label = pack(term.label, *term.outputs)
        return Flat(self._terms, self._leaves, outputs, uses)

    def _enter_body(self, body: ir.Graph | ir.Function, depth: int, place: int) -> None:
        self._scope[getattr(body, "graph", body)] = (depth, place)
        named = isinstance(body, ir.Graph) and depth == 0  # the inputs of the model: their names are part of it
        for position, value in enumerate(body.inputs):
            self._leaf_of[value] = len(self._leaves)
            label = pack("input", value.name or "") if named else pack("input", depth, place, position)
            self._leaves.append(Leaf(label, value))

    def _walk(self, root: ir.Value | None) -> None:
        """Everything the value depends on becomes a term, operands first. No recursion: graphs are deep."""
        stack: list[tuple[ir.Node, Iterator[ir.Value | None]]] = []
        if (node := self._unseen(root)) is not None:
            stack.append((node, self._enter(node)))
        while stack:
            node, operands = stack[-1]
            below = next((n for n in map(self._unseen, operands) if n is not None), None)
            if below is None:
                self._leave(node)
                stack.pop()
            else:
                stack.append((below, self._enter(below)))

    def _unseen(self, value: ir.Value | None) -> ir.Node | None:
        node = None if value is None else value.producer()
        if node is None or is_constant_node(node):
            return None
        if node not in self._index:
            return node
        if self._index[node] is None:
            raise ModelError(f"the graph has a cycle through node '{node.name}' ({node.op_type})")
        return None

    def _enter(self, node: ir.Node) -> Iterator[ir.Value | None]:
        self._index[node] = None
        bodies = bodies_of(node)
        depth = self._scope[node.graph][0] if bodies else 0
        for place, (_, body) in enumerate(bodies):
            self._enter_body(body, depth + 1, place)
        return iter(_operands(node, bodies))

    def _leave(self, node: ir.Node) -> None:
        bodies = bodies_of(node)
        count = self._labels.input_count(node)
        operands = [*node.inputs[:count], *_operands(node, bodies)[len(node.inputs) :]]
        label = self._labels.of(node, *self._place(node), count)
        refs = tuple(map(self._ref, operands))
        commutative = self._labels.is_commutative(node) and count > 1
        self._index[node] = len(self._terms)
        self._terms.append(Term(node, node.graph, label, refs, count, bodies, commutative))

    def _place(self, node: ir.Node) -> tuple[int, int]:
        if node.graph not in self._scope:
            raise ModelError(f"node '{node.name}' ({node.op_type}) is read outside of the graph that holds it")
        return self._scope[node.graph]

    def _ref(self, value: ir.Value | None) -> Ref:
        if value is None:
            return LEAF, 0
        node = value.producer()
        if node is not None and (term := self._index.get(node)) is not None:
            return term, value.index() or 0
        if value not in self._leaf_of:
            self._leaf_of[value] = len(self._leaves)
            self._leaves.append(self._constant(value))
        return LEAF, self._leaf_of[value]

    def _constant(self, value: ir.Value) -> Leaf:
        tensor = constant_of(value)
        if tensor is None:
            raise ModelError(f"value '{value.name}' is read, but nothing in the model makes it")
        return Leaf(self._labels.constant(tensor), value, tensor)

    def _uses(self, outputs: Sequence[Ref]) -> list[list[tuple[int, int, int]]]:
        uses: list[list[tuple[int, int, int]]] = [[] for _ in self._terms]
        for user, term in enumerate(self._terms):
            for slot, (source, output) in enumerate(term.operands):
                if source != LEAF:
                    uses[source].append((user, slot, output))
        for slot, (source, output) in enumerate(outputs):
            if source != LEAF:
                uses[source].append((LEAF, slot, output))
        return uses


def _operands(node: ir.Node, bodies: list[tuple[str, ir.Graph]]) -> list[ir.Value | None]:
    return [*node.inputs, *(value for _, body in bodies for value in body.outputs)]
