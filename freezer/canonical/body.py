"""The new nodes of one body, in canonical order, with names by position."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

from freezer.canonical.bodies import body_input_types, body_output_types
from freezer.canonical.copies import copied_attribute, copy_interface, named
from freezer.canonical.flat import Leaf, Ref, Term
from freezer.canonical.form import BodyForm, Form
from freezer.naming import Names


class BodyBuilder:
    """Makes values and nodes once each. taken: names that only the interface may bear."""

    def __init__(self, form: BodyForm, model: Form, taken: Iterable[str] = ()) -> None:
        self._ordered, self._flat, self._calls = form.ordered, form.ordered.flat, model.calls
        self._labels = form.labels
        self._names = Names(taken)
        self._inputs: dict[ir.Value, ir.Value] = {}
        self._outputs: dict[Ref, ir.Value] = {}
        self._constants: dict[bytes, tuple[ir.Value, ir.TensorProtocol]] = {}
        self._nodes: dict[object, list[ir.Node]] = {}

    def input(self, value: ir.Value, base: str | None = None) -> ir.Value:
        """The new value of an input of the body or of a body within; named once `base` is given."""
        made = self._inputs.setdefault(value, ir.Value())
        if base is not None:
            made.name = self._names.fresh(base)
        return made

    def interface_input(self, value: ir.Value) -> ir.Value:
        """An input of the main graph: name, type, shape and default are kept."""
        made = self.input(value)
        copy_interface(value, made)
        made.const_value = named(value.const_value, value.name) if value.const_value is not None else None
        return made

    def interface_output(self, ref: Ref, value: ir.Value) -> ir.Value:
        """An output of the main graph. A constant is an initializer of its own, even if nodes read its equal."""
        leaf = self._flat.leaf(ref)
        if leaf is not None and leaf.tensor is None:
            return self._inputs[value]
        made = ir.Value() if leaf is not None else self._outputs.setdefault(ref, ir.Value())
        copy_interface(value, made)
        made.const_value = named(leaf.tensor, value.name) if leaf is not None and leaf.tensor is not None else None
        return made

    def body_output(self, ref: Ref, name: str, nodes: list[ir.Node]) -> ir.Value:
        """An output of a body that is not the main graph. A constant is a Constant node of its own, put into nodes."""
        leaf = self._flat.leaf(ref)
        if leaf is None:
            return self._outputs[ref]
        if leaf.tensor is None:
            assert leaf.value is not None
            return self._inputs[leaf.value]
        made = ir.Value(name=self._names.fresh(name))
        nodes.append(constant_node(made, leaf.tensor))
        return made

    def make_nodes(self, body: object) -> list[ir.Node]:
        """All nodes of the body, those of the bodies within included; returns its own."""
        for position, index in enumerate(self._ordered.terms):
            self._make(self._flat.terms[index], index, position)
        return self._nodes.pop(body, [])

    def constants(self) -> list[tuple[ir.Value, ir.TensorProtocol]]:
        """The constants that nodes read, each once, in the order of their first use."""
        return list(self._constants.values())

    def _make(self, term: Term, index: int, position: int) -> None:
        bodies = self._bodies(term, index, position)
        kept = self._labels.attributes(term.node)
        attributes = [copied_attribute(kept[name], [g for n, g in bodies if n == name]) for name in sorted(kept)]
        inputs = [self._value(ref) for ref in self._ordered.operands[index][: term.inputs]]
        outputs = [self._output((index, slot), position) for slot in range(len(term.outputs))]
        called = self._calls.get(term.node.op_identifier())
        domain, op_type = called.name if called else (term.node.domain, term.node.op_type)
        node = ir.Node(domain, op_type, inputs, attributes, outputs=outputs, name=f"n{position}")
        self._nodes.setdefault(term.graph, []).append(node)

    def _output(self, ref: Ref, position: int) -> ir.Value:
        term, slot = ref
        if not self._flat.terms[term].outputs[slot]:
            return ir.Value(name="")
        made = self._outputs.setdefault(ref, ir.Value())
        if made.name is None:
            made.name = self._names.fresh(f"v{position}" if slot == 0 else f"v{position}_{slot}")
        return made

    def _value(self, ref: Ref) -> ir.Value | None:
        leaf = self._flat.leaf(ref)
        if leaf is None:
            return self._outputs[ref]
        if leaf.tensor is not None:
            return self._constant(leaf, leaf.tensor)
        return None if leaf.value is None else self.input(leaf.value)

    def _constant(self, leaf: Leaf, tensor: ir.TensorProtocol) -> ir.Value:
        if leaf.label not in self._constants:
            name = self._names.fresh(f"c{len(self._constants)}")
            self._constants[leaf.label] = ir.Value(name=name), tensor
        return self._constants[leaf.label][0]

    def _bodies(self, term: Term, index: int, position: int) -> list[tuple[str, ir.Graph]]:
        made, first = [], term.inputs
        for place, (attribute, graph) in enumerate(term.bodies):
            refs = self._ordered.operands[index][first : first + len(graph.outputs)]
            first += len(refs)
            made.append((attribute, self._body(term.node, graph, refs, f"{position}_{place}")))
        return made

    def _body(self, node: ir.Node, graph: ir.Graph, refs: tuple[Ref, ...], path: str) -> ir.Graph:
        inputs = [self.input(value, f"b{path}_{position}") for position, value in enumerate(graph.inputs)]
        for value, (type_, shape) in zip(inputs, body_input_types(node, graph), strict=True):
            value.type, value.shape = type_, shape
        nodes = self._nodes.pop(graph, [])
        outputs = [self.body_output(ref, f"k{path}_{position}", nodes) for position, ref in enumerate(refs)]
        for value, type_ in zip(outputs, body_output_types(node, graph), strict=True):
            value.type = value.type if type_ is None else type_
        return ir.Graph(inputs, outputs, nodes=nodes, name="body")


def constant_node(value: ir.Value, tensor: ir.TensorProtocol) -> ir.Node:
    """A Constant node that makes this value."""
    return ir.Node("", "Constant", [], [ir.AttrTensor("value", named(tensor, None))], outputs=[value], name=value.name)
