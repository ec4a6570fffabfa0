"""What freezing each input, each dimension and some pairs of them would make static."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import onnx_ir as ir

from freezer.whatif.binding_times import CONTROL_FLOW, NEVER, BindingTimes, binding_times
from freezer.whatif.knobs import knob

_DATA = 0.6  # who makes more of the compute static than this, of what is not yet, is the data
_MOST_PAIRED, _PAIRS = 10, 3


@dataclass(frozen=True)
class Gain:
    """frozen: names of inputs and dimensions. kind: "knob", "dimension", "input", "data" or "pair".

    nodes: that become static, or go with a branch. control_flow: If, Loop and Scan resolved. nbytes: of constants
    that only static nodes read. compute: share of the estimated compute, 0 to 1. why: what makes it look like a knob.
    """

    frozen: list[str]
    kind: str
    nodes: int
    control_flow: int
    nbytes: int
    compute: float
    why: str = ""


@dataclass(frozen=True)
class WhatIf:
    """gains: the best first. static: nodes that depend on nothing. random: nodes that no freezing decides."""

    nodes: int
    control_flow: int
    nbytes: int
    static: int
    random: int
    gains: list[Gain]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def what_if(model: ir.Model) -> WhatIf:
    """Rank what could be frozen; no value is needed, and no weight is read."""
    times = binding_times(model)
    scale = _Scale(times)
    inputs = {v.name or "": v for v in model.graph.inputs}
    singles = [scale.gain([n], knob(inputs[n]) if n in inputs else None) for n in times.atoms]
    singles.sort(key=_rank)
    best = [g.frozen[0] for g in singles if g.kind != "data"][:_MOST_PAIRED]
    pairs = sorted((scale.pair(a, b) for a, b in combinations(best, 2)), key=lambda g: (-g.control_flow, -g.nodes))
    together = [p for p in pairs if p.compute < _DATA and scale.is_more(p)][:_PAIRS]
    return WhatIf(
        nodes=len(times.nodes), control_flow=sum(n.op_type in CONTROL_FLOW for n in times.nodes),
        nbytes=sum(times.constants.values()), static=sum(not n.needs for n in times.nodes),
        random=sum(bool(n.needs & NEVER) for n in times.nodes),
        gains=[g for g in singles if g.kind != "data"] + together + [g for g in singles if g.kind == "data"],
    )  # fmt: skip


def _rank(gain: Gain) -> tuple[int, int, int, int]:
    order = ["knob", "dimension", "input", "data"].index(gain.kind)
    return order, -gain.control_flow, -gain.nodes, -gain.nbytes


class _Scale:
    """Adds up what a choice of atoms buys; nodes that need the same are counted together."""

    def __init__(self, times: BindingTimes) -> None:
        self.times = times
        self.count, self.cost = Counter[int](), Counter[int]()
        self.decided, self.branches, self.bytes = Counter[int](), Counter[int](), Counter(times.constants)
        for node in times.nodes:
            self.count[node.needs] += 1
            self.cost[node.needs] += node.cost
            if node.decided_by:
                self.decided[node.decided_by] += 1
                self.branches[node.decided_by] += node.smaller_branch[0]
                self.bytes[node.decided_by] += node.smaller_branch[1]
        self.live = sum(c for needs, c in self.cost.items() if needs) or 1

    def gain(self, names: list[str], why: str | None = None) -> Gain:
        """why: what makes an input look like a knob; None for a dimension."""
        chosen = 0
        for name in names:
            chosen |= self.times.atoms[name]
        chosen = self.times.with_shapes(chosen)
        compute = self._sum(self.cost, chosen) / self.live
        kind = "dimension" if why is None else "knob" if why else "data" if compute > _DATA else "input"
        nodes = self._sum(self.count, chosen) + self._sum(self.branches, chosen)
        return Gain(
            names, kind, nodes, self._sum(self.decided, chosen), self._sum(self.bytes, chosen), compute,
            why or "",
        )  # fmt: skip

    def pair(self, a: str, b: str) -> Gain:
        found = self.gain([a, b])
        return Gain(found.frozen, "pair", found.nodes, found.control_flow, found.nbytes, found.compute)

    def is_more(self, pair: Gain) -> bool:
        """Whether two buy together what neither buys alone."""
        alone = [self.gain([name]) for name in pair.frozen]
        return pair.nodes > sum(g.nodes for g in alone) or pair.control_flow > sum(g.control_flow for g in alone)

    def _sum(self, table: Counter[int], chosen: int) -> int:
        return sum(number for needs, number in table.items() if needs and not needs & ~chosen)
