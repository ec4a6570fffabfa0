"""The one place that changes a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import onnx_ir as ir

from freezer.evaluate.batch import reads
from freezer.facts.table import Facts, known
from freezer.model_io.walk import graphs_in, subgraphs
from freezer.naming import Names, name_of
from freezer.passes.origins import Origins
from freezer.rewrite import Rewrite


class Editor:
    """Edits one model, keeps uses, names and facts right, and reports every node that saw a change.

    touch: called with each node whose inputs changed and, by touch_around_losses, whose outputs lost a user.
    owner: the node that a body belongs to. origins: notes of what becomes of each node.
    """

    def __init__(
        self, model: ir.Model, facts: Facts, names: Names, touch: Callable[[ir.Node], None], origins: Origins
    ) -> None:
        self.model = model
        self.facts = facts
        self.names = names
        self.touch = touch
        self.origins = origins
        self.owner: dict[ir.Graph, ir.Node] = {}
        self._lost_readers: dict[ir.Value, None] = {}
        self.node_names = Names()
        for node in model.graph:
            self.adopt(node)
        for node in [n for g in graphs_in(model.graph) for n in g]:
            # onnxruntime wants them unique, and a body may be inlined
            node.name = self.node_names.fresh(node.name or node.op_type)

    def adopt(self, node: ir.Node) -> None:
        """Remember whose bodies these are, at any depth."""
        stack = [node]
        while stack:
            owner = stack.pop()
            for graph in subgraphs(owner):
                self.owner[graph] = owner
                stack.extend(graph)

    def apply(self, node: ir.Node, rewrite: Rewrite) -> None:
        """Put a rewrite in the node's place."""
        graph = node.graph
        assert graph is not None
        base = node.outputs[0].name or node.op_type
        for value in rewrite.initializers:
            self._name(value, base)
            graph.register_initializer(value)
            self.origins.make(value, node)
        self.origins.replace(node, rewrite.nodes)
        for new in rewrite.nodes:
            new.name = self.node_names.fresh(new.name or node.name or new.op_type)
            for value in new.outputs:
                self._name(value, base)
            self.adopt(new)
        graph.insert_before(node, rewrite.nodes)
        for old, by in zip(node.outputs, rewrite.outputs, strict=True):
            if by is not None:
                self.replace(old, by)
        self.remove(node)
        for new in rewrite.nodes:
            self.touch(new)

    def insert(self, graph: ir.Graph, nodes: list[ir.Node], constants: list[ir.Value], name: str) -> None:
        """Put nodes that read only constants at the head of a graph; the outputs are called `name`."""
        for value in constants:
            self._name(value, name)
            graph.register_initializer(value)
        for node in nodes:
            node.name = self.node_names.fresh(name)
            for value in node.outputs:
                value.name = name
        graph.insert_before(graph[0], nodes)
        for node in nodes:
            self.touch(node)

    def replace(self, old: ir.Value, new: ir.Value) -> None:
        """Let every user of old, graph outputs included, use new. Output names stay as they are."""
        self.origins.successor[old] = new
        for user, index in old.uses():
            user.replace_input_with(index, new)
            self.touch(user)
        if old.is_graph_output():
            self._reroute(old, new)

    def fold(self, value: ir.Value, tensor: ir.TensorProtocol) -> ir.Value:
        """Make a node's output an initializer of its graph, under the same name."""
        node = value.producer()
        assert node is not None and node.graph is not None
        name = value.name or ""  # an output's name stays with the output
        constant = self.constant(
            node.graph, tensor, self.names.fresh(name) if value.is_graph_output() else self.retire(value)
        )
        self.origins.make(constant, node)
        self.replace(value, constant)
        self.touch(node)
        return constant

    def constant(self, graph: ir.Graph, tensor: ir.TensorProtocol, name: str) -> ir.Value:
        """A new initializer under a name that is free."""
        tensor.name = name
        shape = ir.Shape([int(d) for d in tensor.shape])  # type: ignore[arg-type]
        value = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=shape, const_value=tensor)
        graph.register_initializer(value)
        return value

    def remove(self, node: ir.Node) -> None:
        """Take a node without users out, with its bodies."""
        assert node.graph is not None
        read = reads(node)
        self.origins.remove(node, read)
        for body in [g for outer in subgraphs(node) for g in graphs_in(outer)]:
            _empty(body)
        node.graph.remove(node, safe=True)
        for value in node.outputs:
            self.facts.forget(value)
        self._lost_readers.update(dict.fromkeys(read))

    def touch_around_losses(self) -> bool:
        """Report the neighbours of values that lost readers, however many each lost. True if there were any.

        The producer may be dead now, and an only reader may merge with it.
        """
        values, self._lost_readers = self._lost_readers, {}
        for value in values:
            producer, readers = value.producer(), value.consumers()
            if producer is not None:
                self.touch(producer)
            if len(readers) == 1:
                self.touch(readers[0])
        return bool(values)

    def inline(self, body: ir.Graph, before: ir.Node) -> list[ir.Value]:
        """Move a body's nodes and initializers before a node; the values that were its outputs."""
        graph, outputs, nodes = before.graph, list(body.outputs), list(body)
        assert graph is not None
        body.outputs.clear()
        for value in list(body.initializers.values()):
            body.initializers.pop(name_of(value))
            graph.register_initializer(value)
        body.remove(nodes)
        graph.insert_before(before, nodes)
        for node in nodes:
            self.touch(node)
        return outputs

    def _reroute(self, old: ir.Value, new: ir.Value) -> None:
        """Let graph outputs that are old be new: by renaming it where that is allowed, else by a node."""
        graph = old.graph
        assert graph is not None
        positions = [i for i, v in enumerate(graph.outputs) if v is old]
        name = self.retire(old)
        value = new if self._may_be_output(new, graph) else self._copy(new, graph)
        value.name = name
        value.type, value.shape = old.type, old.shape
        for i in positions:
            graph.outputs[i] = value

    def drops_identity(self, node: ir.Node, outputs: list[ir.Value | None]) -> bool:
        """Whether the graph outputs that an Identity makes could be its input itself."""
        pairs = zip(node.outputs, outputs, strict=True)
        named = [(old, new) for old, new in pairs if old.is_graph_output() and new is not None]
        return all(known(new) is not None or self._may_be_output(new, node.graph) for _, new in named)

    def _may_be_output(self, value: ir.Value, graph: ir.Graph | None) -> bool:
        node = value.producer()
        return node is not None and node.graph is graph and not value.is_graph_output()

    def _copy(self, value: ir.Value, graph: ir.Graph) -> ir.Value:
        """A value of this graph's own with the same content: a Constant node, or an Identity."""
        tensor = known(value)
        if tensor is None:
            node = ir.Node("", "Identity", [value])
        else:
            node = ir.Node("", "Constant", [], [ir.AttrTensor("value", tensor)])
            self.origins.make(node.outputs[0], value)
        node.outputs[0].name = self.names.fresh(value.name or "constant")
        node.name = self.node_names.fresh(node.outputs[0].name)
        graph.append(node)
        self.facts.set(node.outputs[0], self.facts.of(value))
        return node.outputs[0]

    def retire(self, value: ir.Value) -> str:
        """Free a value's name for another; the value keeps a fresh one until it goes."""
        name = value.name or ""
        value.name = self.names.fresh(name)
        return name

    def _name(self, value: ir.Value, base: str) -> None:
        value.name = self.names.fresh(value.name or base)


def _empty(body: ir.Graph) -> None:
    nodes = list(body)
    for node in nodes:
        for i in range(len(node.inputs)):
            node.replace_input_with(i, None)
    body.remove(nodes)


def make_node(op_type: str, inputs: Iterable[ir.Value | None], **attributes: object) -> ir.Node:
    """A standard-domain node with one output, unnamed until it is applied."""
    return ir.Node("", op_type, list(inputs), ir.convenience.convert_attributes(attributes))  # type: ignore[arg-type]
