"""The label of a node: operator, attributes and place, everything about it but names and operands."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from freezer.canonical.bodies import body_bytes
from freezer.canonical.content import Contents
from freezer.canonical.encode import attribute_bytes, pack
from freezer.canonical.laws import Law, is_commutative, law

Opsets = Mapping[str, int]


class Called:
    """A function as its callers see it: what it does, and the attributes it fills in itself."""

    def __init__(self, digest: bytes, name: tuple[str, str], defaults: dict[str, bytes]) -> None:
        self.digest, self.name, self.defaults = digest, name, defaults


class Labels:
    """Labels in one body: its opsets, the functions it may call, and what stands for a constant."""

    def __init__(
        self, opsets: Opsets, functions: Mapping[ir.OperatorIdentifier, Called], constants: Contents, exact: Contents
    ) -> None:
        self._opsets = {plain_domain(domain): version for domain, version in opsets.items()}
        self._functions, self._constants, self._exact = functions, constants, exact

    def constant(self, tensor: ir.TensorProtocol) -> bytes:
        """What stands for a constant that a node reads."""
        return pack("constant", self._constants.label(tensor))

    def of(self, node: ir.Node, depth: int, place: int, inputs: int) -> bytes:
        """The label. depth, place: how deep the node lies, and in which body of the node around it."""
        kept = self.attributes(node)
        attributes = [part for name in sorted(kept) for part in (name, attribute_bytes(kept[name], self._exact.label))]
        attributes += body_bytes(node)
        called = self._functions.get(node.op_identifier())
        if called is not None:
            return pack("call", *called.name, called.digest, depth, place, inputs, *attributes)
        return pack("node", plain_domain(node.domain), node.op_type, depth, place, inputs, *attributes)

    def attributes(self, node: ir.Node) -> dict[str, ir.Attr]:
        """The attributes that say something: those equal to the schema's or the function's default say nothing."""
        called = self._functions.get(node.op_identifier())
        defaults = self._law(node).defaults if called is None else called.defaults
        exact = self._exact.label
        return {
            n: a for n, a in node.attributes.items() if n not in defaults or attribute_bytes(a, exact) != defaults[n]
        }

    def input_count(self, node: ir.Node) -> int:
        """How many inputs are left without the trailing absent ones."""
        count = len(node.inputs)
        least = self._law(node).min_inputs
        while count > least and node.inputs[count - 1] is None:
            count -= 1
        return count

    def present_outputs(self, node: ir.Node, used: set[int]) -> list[bool]:
        """Which outputs to keep: an optional one that nothing reads is as good as absent."""
        optional = self._law(node).optional_outputs
        present = [i in used or bool(out.name and i not in optional) for i, out in enumerate(node.outputs)]
        while present and not present[-1]:
            present.pop()
        return present

    def is_commutative(self, node: ir.Node) -> bool:
        """May the first two operands change places?"""
        return node.op_identifier() not in self._functions and is_commutative(*self._operator(node))

    def _operator(self, node: ir.Node) -> tuple[str, str, int]:
        domain = plain_domain(node.domain)
        return domain, node.op_type, self._opsets.get(domain, 0)

    def _law(self, node: ir.Node) -> Law:
        return Law() if node.op_identifier() in self._functions else law(*self._operator(node))


def plain_domain(domain: str) -> str:
    """'ai.onnx' is another spelling of ''."""
    return "" if domain == "ai.onnx" else domain
