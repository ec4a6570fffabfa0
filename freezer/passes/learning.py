"""What is known of a node's outputs, those of control flow, calls and malformed nodes included."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from freezer.evaluate.ask_types import ask_types
from freezer.evaluate.batch import reads
from freezer.evaluate.evaluator import Evaluator
from freezer.facts.determinism import is_deterministic
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.schema import well_formed
from freezer.facts.table import Facts, of_tensor
from freezer.facts.transfer import infer
from freezer.model_io.walk import subgraphs
from freezer.passes import bodies
from freezer.passes.log import Log


class Learner:
    """Computes facts; it changes no node.

    touch: called with a node whose facts changed by an assumption about the body it is in.
    unfoldable: nodes that cannot be evaluated, so that nothing that reads them is static.
    """

    def __init__(
        self, model: ir.Model, facts: Facts, evaluator: Evaluator, log: Log, touch: Callable[[ir.Node], None]
    ) -> None:
        self.model = model
        self.facts = facts
        self.evaluator = evaluator
        self.log = log
        self.touch = touch
        self.unfoldable: set[ir.Node] = set()
        self._malformed: dict[ir.Node, bool] = {}
        self._measured: dict[ir.Value, Fact] = {}

    def is_malformed(self, node: ir.Node) -> bool:
        """A node that is not one of its operator stays as it is, and nothing is known of its outputs."""
        if node not in self._malformed:
            self._malformed[node] = not (self._is_call(node) or well_formed(node, self.facts.opset_imports))
            if self._malformed[node]:
                self.refuse(node, f"it is no {node.op_type} of opset {self.facts.opset_imports.get(node.domain)}")
        return self._malformed[node]

    def refuse(self, node: ir.Node, reason: str) -> None:
        """Note that a node cannot be evaluated."""
        self.unfoldable.add(node)
        self.log.reasons[node] = reason

    def measure(self, value: ir.Value, tensor: ir.TensorProtocol) -> None:
        """A static value was computed and is too large to store without a plan: its type and shape are known now."""
        fact = of_tensor(tensor)
        self._measured[value] = Fact(fact.dtype, fact.shape, type=fact.type)

    def facts_of(self, node: ir.Node) -> list[Fact]:
        """Facts of all outputs of a node that is not malformed."""
        found = self._transfer(node)
        static = (
            node not in self.unfoldable
            and is_deterministic(node, self.facts)
            and all([self.facts.of(v).static for v in reads(node)])
        )
        if self._measured:
            pairs = zip(node.outputs, found, strict=True)
            found = [f if f.nbytes is not None else self._measured.get(v, f) for v, f in pairs]
        return [f if f.static == static else f.but(static=static) for f in found]

    def enter(self, node: ir.Node) -> None:
        """Facts of the inputs of a node's bodies, and of their nodes where a loop has to be followed."""
        if node.domain == "" and node.op_type == "Loop":
            bodies.enter_loop(node, self.facts, self._assume)
        elif node.domain == "" and node.op_type == "Scan":
            bodies.enter_scan(node, self.facts, self._assume)

    def _assume(self, graph: ir.Graph) -> None:
        """Facts of a body's nodes under an assumption; nothing is rewritten until it holds."""
        for node in graph:
            if self.is_malformed(node):
                continue
            if node.domain == "" and node.op_type in ("Loop", "Scan"):
                self.enter(node)
            else:
                for body in subgraphs(node):
                    self._assume(body)
            if any([self.facts.set(v, f) for v, f in zip(node.outputs, self.facts_of(node), strict=True)]):
                self.touch(node)

    def _is_call(self, node: ir.Node) -> bool:
        return bool(self.model.functions) and node.op_identifier() in self.model.functions

    def _transfer(self, node: ir.Node) -> list[Fact]:
        if self._is_call(node):
            return [UNKNOWN] * len(node.outputs)
        if node.domain == "" and node.op_type in _BODIES:
            return _BODIES[node.op_type](node, self.facts)
        found = infer(node, self.facts)
        return ask_types(node, self.facts, self.evaluator) if found is None else found


_BODIES = {"If": bodies.of_if, "Loop": bodies.of_loop, "Scan": bodies.of_scan}
