"""What the specialiser did, and what it left and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import onnx_ir as ir

from freezer.model_io.walk import all_nodes


class Stayed(NamedTuple):
    """One node that stayed in the residual although something tried to resolve it."""

    node: str
    op_type: str
    reason: str


class Kept(NamedTuple):
    """A static value that is computed at run time because storing it would cost more."""

    value: str
    op_type: str
    nbytes: int


@dataclass
class Log:
    """events: how often each rule or pass fired. stages: seconds. reasons: by node, while it lives.

    fuel: the most changes that may be made, None for no limit; last: the latest change, in words. Specialising
    with less and less fuel finds the change that first made a result differ. notes: what the user may not expect.
    """

    fuel: int | None = None
    last: str = ""
    events: Counter[str] = field(default_factory=Counter)
    relaxed: Counter[str] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    residuals: list[Stayed] = field(default_factory=list)
    reasons: dict[ir.Node, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """How many changes have been made."""
        return self.events.total()

    def spend(self, event: str, where: str | None) -> bool:
        """Record a change that is about to be made; False if there is no fuel left for it."""
        if self.fuel is not None and self.changes >= self.fuel:
            return False
        self.events[event] += 1
        self.last = f"{event} at '{where}'"
        return True

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start

    def settle(self, model: ir.Model) -> None:
        """Keep the reasons of the nodes that are still in the model."""
        stayed = [(n, self.reasons[n]) for n in all_nodes(model.graph) if n in self.reasons]
        self.residuals = [Stayed(n.name or n.outputs[0].name or "", n.op_type, r) for n, r in stayed]
