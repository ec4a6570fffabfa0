"""The storage plan: which static values to store, and which to compute at run time.

The static part of a model is what could be evaluated now; its frontier is what dynamic nodes read
of it. Some values are much larger than what makes them (Expand, DequantizeLinear), so storing the
frontier may grow the file. Demand flows from the frontier back: a demanded value is either stored,
at the price of its bytes, or computed, at the price of its node and of demanding what that reads.
The cheapest choice is a minimum cut (the project-selection form): source - demanded - computed - sink.
A node that stays costs NODE_PRICE bytes, or less, if the file would grow; more, as far as it may grow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import onnx_ir as ir

from freezer.evaluate.batch import collect, reads
from freezer.facts.table import Facts, known
from freezer.model_io.walk import all_nodes
from freezer.passes.min_cut import Edge, minimum_cut

SMALL = 2048  # bytes: a value up to this is stored without asking
NODE_PRICE, _LEAST_PRICE = 32768, 64  # bytes a node is worth
_NODE_BYTES = 64  # a node's own size in the file, roughly


def small_frontier(graph: ir.Graph, facts: Facts, unfoldable: set[ir.Node]) -> list[ir.Value]:
    """Frontier values that are small or whose size is not known: evaluate these first."""
    found = (v for v in frontier(graph, facts, unfoldable))
    return [v for v in found if (facts.of(v).nbytes or 0) <= SMALL]


def frontier(graph: ir.Graph, facts: Facts, unfoldable: set[ir.Node]) -> list[ir.Value]:
    """Static values computed by nodes, which a dynamic node or a graph output reads, in topological order."""
    return [v for n in all_nodes(graph) if n not in unfoldable for v in n.outputs if _on_frontier(v, facts)]


def _on_frontier(value: ir.Value, facts: Facts) -> bool:
    fact = facts.of(value)
    node = value.producer()
    if not fact.static or (fact.dtype is None and fact.type is not None):
        return False
    if value.is_graph_output():
        return not (node is not None and node.op_type == "Constant" and node.domain == "")
    return any(not facts.of(u.outputs[0]).static for u in value.consumers())


@dataclass
class Plan:
    """store: values to evaluate and store. compute: frontier values that stay computed."""

    store: list[ir.Value] = field(default_factory=list)
    compute: list[ir.Value] = field(default_factory=list)


def plan(model: ir.Model, facts: Facts, unfoldable: set[ir.Node], budget: int, growth: int = 0) -> Plan:
    """The plan with the fewest run-time nodes whose stored bytes grow the model by at most `budget`.

    growth: how much of that the user allowed; a node may be worth as much.
    """
    wanted = frontier(model.graph, facts, unfoldable)
    if not wanted:
        return Plan()
    region = _Region(wanted, facts)
    prices = _prices(max(NODE_PRICE, growth))
    best = region.store_all(prices[0]) or region.cut(prices[0])
    if region.growth(best) <= budget:
        return best
    # A lower price never stores more, so the highest one that fits is found by halving.
    first = bisect_left(prices[1:-1], True, key=lambda price: region.growth(region.cut(price)) <= budget)
    return region.cut(prices[1:][first])


def _prices(highest: int) -> list[int]:
    """Powers of two below the highest price, which comes first."""
    return [highest >> i for i in range((highest // _LEAST_PRICE).bit_length())]


class _Region:
    """The static nodes behind some frontier values, and what keeping or storing them costs."""

    def __init__(self, wanted: list[ir.Value], facts: Facts) -> None:
        self.wanted = wanted
        self.facts = facts
        batch = collect(wanted)
        self.nodes = batch.nodes
        inside = set(self.nodes)
        self.freed = {v: _nbytes(v, facts) for v in batch.constants if _only_read_by(v, inside)}

    def store_all(self, price: int) -> Plan | None:
        """Everything, where no cut can be cheaper: each value costs no more than its node, or than what it frees."""
        if all(_nbytes(v, self.facts) <= price or self._frees_as_much(v) for v in self.wanted):
            return Plan(store=list(self.wanted))
        return None

    def _frees_as_much(self, value: ir.Value) -> bool:
        """Whether the value is made from constants that only its own chain of nodes reads, and that are as large."""
        batch = collect([value])
        inside = set(batch.nodes)
        freed = sum(self.freed.get(v, 0) for v in batch.constants if _only_read_by(v, inside))
        return all(_only_read_by(v, inside) for n in batch.nodes for v in n.outputs if v is not value) and (
            _nbytes(value, self.facts) <= freed
        )

    def cut(self, price: int) -> Plan:
        """The cheapest choice when a run-time node costs `price` bytes."""
        edges: list[Edge] = [("source", ("demanded", value), None) for value in self.wanted]
        for node in self.nodes:
            edges += self._edges(node, price + _NODE_BYTES)
        edges += ((("demanded", value), "sink", nbytes) for value, nbytes in self.freed.items())
        return self._read(minimum_cut(edges, "source", "sink"))

    def growth(self, plan: Plan) -> int:
        """Bytes stored less bytes freed."""
        kept = set(collect(plan.compute).constants) if plan.compute else set()
        stored = sum(_nbytes(v, self.facts) for v in plan.store)
        return stored - sum(b for v, b in self.freed.items() if v not in kept)

    def _edges(self, node: ir.Node, price: int) -> Iterator[Edge]:
        """Computing any output demands all inputs; storing an output cuts it off from its node."""
        for value in node.outputs:
            if value.uses() or value.is_graph_output():
                capacity = None if self.facts.of(value).nbytes is None else _nbytes(value, self.facts)
                yield ("demanded", value), ("computed", node), capacity
        yield ("computed", node), "sink", price
        yield from ((("computed", node), ("demanded", value), None) for value in reads(node))

    def _read(self, demanding: set[Any]) -> Plan:
        """Store what is demanded while its node is not computed."""
        result = Plan()
        for node in self.nodes:
            for value in node.outputs:
                if ("demanded", value) in demanding and ("computed", node) not in demanding:
                    result.store.append(value)
        stored = set(result.store)
        result.compute = [v for v in self.wanted if v not in stored]
        return result


def _nbytes(value: ir.Value, facts: Facts) -> int:
    tensor = known(value)
    return tensor.nbytes if tensor is not None else facts.of(value).nbytes or 0


def _only_read_by(value: ir.Value, nodes: Iterable[ir.Node]) -> bool:
    return not value.is_graph_output() and all(u in nodes for u in value.consumers())
