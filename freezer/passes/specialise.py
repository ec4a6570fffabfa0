"""The fixed point: facts, folding, rules and control flow, driven by a worklist.

Every node is visited once in topological order, then again, upstream first, when something it reads, or the
last user of something it makes, has changed. A visit
  1. removes the node if nothing reads it,
  2. enters its bodies,
  3. computes what is known of its outputs,
  4. folds it if that is all there is to know,
  5. resolves its control flow, or tries the rules for its op type.
Contents that facts do not give are asked of the worker: one batch when the worklist is empty.
"""

from __future__ import annotations

import onnx_ir as ir

from freezer.evaluate.batch import collect, reads
from freezer.evaluate.evaluator import Evaluator, independent_of
from freezer.facts.declared import declared
from freezer.facts.fact import Fact
from freezer.facts.table import Facts, known
from freezer.model_io.walk import all_nodes, subgraphs
from freezer.naming import Names
from freezer.options import Options
from freezer.passes.control_flow import resolve
from freezer.passes.edit import Editor
from freezer.passes.half import keeps_moves, keeps_rounding, read_unrounded
from freezer.passes.learning import Learner
from freezer.passes.log import Log
from freezer.passes.origins import Origins
from freezer.passes.ranks import decided_by_failure, decided_by_ranks
from freezer.passes.storage import SMALL, small_frontier
from freezer.passes.tensors import from_elements
from freezer.passes.worklist import Worklist, siblings_of
from freezer.rewrite import Residual, Rewrite
from freezer.rules import BY_OP, Rule

# A neighbour that is not of its operator surfaces as one of these; a rule has no side effects to undo.
_GIVE_UP = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


class Specialiser:
    """Brings one model to its fixed point. The model's inputs are bound already."""

    def __init__(
        self, model: ir.Model, names: Names, evaluator: Evaluator, options: Options, log: Log, origins: Origins
    ) -> None:
        self.model = model
        self.options = options
        self.evaluator = evaluator
        self.log = log
        self.facts = Facts(dict(model.opset_imports))
        evaluator.nbytes_of = lambda value: self.facts.of(value).nbytes
        self.editor = Editor(model, self.facts, names, self._touch, origins)
        self._learner = Learner(model, self.facts, evaluator, log, self._touch)
        self.unfoldable = self._learner.unfoldable
        self._worklist = Worklist()
        self._visited: set[ir.Node] = set()
        self._entered: set[ir.Graph] = set()
        self.decided: dict[ir.Node, tuple[bool]] = {}
        self._for_reference: set[ir.Node] = set()
        self._late = False

    def run(self) -> None:
        """To the fixed point, small static values stored; the large ones wait for the storage plan."""
        with self.log.stage("specialise"):
            for value in self.model.graph.inputs:
                self.facts.set(value, declared(value))
            self._walk(self.model.graph)
            self.settle()
        self.run_wanted()
        self._late = True
        for node in all_nodes(self.model.graph):
            if any(rule.late for rule in self._rules_for(node)):
                self._touch(node)
        with self.log.stage("specialise"):
            self.settle()
        self.run_wanted()

    def run_wanted(self) -> None:
        """Ask for small contents until none is wanted."""
        while True:
            if wanted := self.wanted():
                self.evaluate(wanted)
            elif not self._ask_reference() and not self._ask_ranks():
                return

    def _ask_ranks(self) -> bool:
        """Ifs that a required rank decides are visited again, to be inlined. True if there were any."""
        if all(n.op_type != "If" for n in all_nodes(self.model.graph)):
            return False
        before = self.log.changes
        avoided = decided_by_failure(self.model, self.facts)
        self.log.notes += [_only_way(node, taken) for node, taken in avoided.items()]
        self.decided = {n: (taken,) for n, taken in (decided_by_ranks(self.model, self.facts) | avoided).items()}
        for node in self.decided:
            self._touch(node)
        self.settle()
        return self.log.changes > before

    def _ask_reference(self) -> bool:
        """Nodes that onnxruntime has no kernel for, on constants alone: onnx's reference evaluator. True if one ran."""
        ready = [n for n in self._for_reference if n.graph is not None and all(known(v) for v in reads(n))]
        self._for_reference.difference_update(ready)
        found = [self.evaluator.evaluate_by_reference(n).tensors for n in ready]
        for value, tensor in (item for tensors in found for item in tensors.items()):
            if self.log.spend("evaluate_by_reference", value.name):
                self.editor.fold(value, tensor)
        self.settle()
        return any(found)

    def wanted(self) -> list[ir.Value]:
        """Small static values that something dynamic reads."""
        if self.log.fuel is not None and self.log.changes >= self.log.fuel:
            return []
        return small_frontier(self.model.graph, self.facts, self.unfoldable)

    def evaluate(self, values: list[ir.Value]) -> None:
        """Store static values, and follow what that makes known."""
        with self.log.stage("evaluate"):
            halves = {v for v in values if read_unrounded(v, self.facts)}
            found = self.evaluator.evaluate(self._affordable(values), halves)
            for node, reason in found.failed.items():
                self._refuse(node, reason)
            self._for_reference |= found.unsupported
        with self.log.stage("specialise"):
            for value, tensor in found.tensors.items():
                if self.facts.of(value).nbytes is None and tensor.nbytes > SMALL:
                    self._measure(value, tensor)
                elif self.log.spend("evaluate", value.name):
                    self.editor.fold(value, tensor)
            self.settle()

    def _affordable(self, values: list[ir.Value]) -> list[ir.Value]:
        """The values that can be computed without making anything larger than the limit."""
        limit, refused = self.evaluator.largest, set()
        for node in collect(values).nodes:
            if any((self.facts.of(v).nbytes or 0) > limit for v in node.outputs):
                self._refuse(node, f"its output would be larger than {limit} bytes (--largest-constant)")
                refused.add(node)
        return independent_of(values, refused) if refused else values

    def settle(self) -> None:
        """Visit until nothing is left to visit."""
        while self._worklist or self.editor.touch_around_losses():
            for node in self._worklist:
                self._visit(node)

    def _touch(self, node: ir.Node) -> None:
        self._worklist.add(node)

    def _walk(self, graph: ir.Graph) -> None:
        """The first visits, in topological order; what they touch meanwhile is visited after."""
        self._entered.add(graph)
        for node in graph:
            if node not in self._visited:
                self._visit(node)

    def _visit(self, node: ir.Node) -> None:
        if node.graph is None:
            return
        self._visited.add(node)
        if not any(v.uses() or v.is_graph_output() for v in node.outputs):
            self.editor.remove(node)
            return
        if self._learner.is_malformed(node):
            return
        self._enter_bodies(node)
        self._worklist.place(node)
        self._learn(node, self._learner.facts_of(node))
        if not self._fold(node) and not resolve(node, self):
            self._apply_rules(node)

    def _enter_bodies(self, node: ir.Node) -> None:
        """Facts of the bodies' inputs first, then the first visits of their nodes."""
        graphs = subgraphs(node)
        if graphs:
            self._learner.enter(node)
        for graph in graphs:
            if graph not in self._entered:
                self._walk(graph)

    def _learn(self, node: ir.Node, facts: list[Fact]) -> None:
        for value, fact in zip(node.outputs, facts, strict=True):
            if self.facts.set(value, fact):
                for user in value.consumers():
                    if user in self._visited:
                        self._touch(user)
                if value.is_graph_output() and value.graph in self.editor.owner:
                    self._touch(self.editor.owner[value.graph])

    def _fold(self, node: ir.Node) -> bool:
        """Store outputs whose every element is known; the node goes when no other output is read."""
        live = [v for v in node.outputs if v.uses() or v.is_graph_output()]
        if node.op_type == "Constant" and node.domain == "" and all(v.is_graph_output() for v in live):
            return True
        for value in live:
            fact = self.facts.of(value)
            if fact.known_elements is not None and fact.dtype is not None and self.log.spend("know", value.name):
                self.editor.fold(value, from_elements(fact))
        return not any(v.uses() or v.is_graph_output() for v in node.outputs)

    def _rules_for(self, node: ir.Node) -> list[Rule]:
        rules = BY_OP.get((node.domain, node.op_type), ())
        return [r for r in rules if (self._late or not r.late) and (self.options.relaxed or not r.relaxed)]

    def _apply_rules(self, node: ir.Node) -> None:
        for rule in self._rules_for(node):
            try:
                answer = rule(node, self.facts)
            except _GIVE_UP:
                continue
            if isinstance(answer, Rewrite) and self._allowed(node, answer) and self.log.spend(rule.__name__, node.name):
                if rule.relaxed:
                    self.log.relaxed[rule.__name__] += 1
                siblings = siblings_of(node) if rule.late else []
                self.editor.apply(node, answer)
                for sibling in siblings:
                    self._touch(sibling)
                return
            if isinstance(answer, Residual):
                self.log.reasons[node] = answer.reason

    def _allowed(self, node: ir.Node, rewrite: Rewrite) -> bool:
        """An Identity may be what makes an outer value an output; a half precision node, where it is rounded."""
        if node.op_type == "Identity" and not self.editor.drops_identity(node, rewrite.outputs):
            return False
        if self.options.relaxed:
            return True
        if not rewrite.nodes and not keeps_rounding(node, rewrite.outputs, self.facts):
            return False
        return keeps_moves(node, rewrite, self.facts)

    def _measure(self, value: ir.Value, tensor: ir.TensorProtocol) -> None:
        """A static value turned out to be large: keep its type and shape, and leave storing it to the plan."""
        node = value.producer()
        assert node is not None
        self._learner.measure(value, tensor)
        self._touch(node)

    def _refuse(self, node: ir.Node, reason: str) -> None:
        """A static node that cannot be evaluated stays, and nothing that reads it is static."""
        self._learner.refuse(node, f"evaluating it failed: {reason}")
        self._touch(node)


def _only_way(node: ir.Node, taken: bool) -> str:
    return (
        f"If '{node.name or node.outputs[0].name}' is its {'then' if taken else 'else'} branch: no run passes the other"
    )
