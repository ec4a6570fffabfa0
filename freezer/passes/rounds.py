"""Rounds after the first fixed point: merge what is equal, store what pays, spread what repeats."""

from __future__ import annotations

import onnx_ir as ir

from freezer.passes import tidy
from freezer.passes.cse import merge_equal_nodes
from freezer.passes.log import Kept
from freezer.passes.merge_constants import ConstantMerger
from freezer.passes.size import model_bytes
from freezer.passes.specialise import Specialiser
from freezer.passes.spread import candidates, new_constants, repeating_part, spread
from freezer.passes.storage import NODE_PRICE, plan


class Rounds:
    """The rounds over one model, which may take `most_bytes` (size.model_bytes).

    declared: what size.declared_bytes says once dims are known. bound: the frozen inputs. originals: the constants that
    the source had itself.
    """

    def __init__(
        self, specialiser: Specialiser, most_bytes: int, declared: dict[str, int],
        bound: set[ir.Value], originals: set[ir.Value],
    ) -> None:  # fmt: skip
        self.specialiser = specialiser
        self.most_bytes = most_bytes
        self.declared = declared
        self.bound = bound
        self.originals = originals
        self._merger = ConstantMerger()

    def run(self) -> None:
        """Round after round, while one changes something."""
        log = self.specialiser.log
        before = -1
        while log.changes != before:
            before = log.changes
            self._merge()
            computed = self._store()
            if log.changes == before:
                self._spread(computed)

    def _merge(self) -> None:
        specialiser = self.specialiser
        model, editor, log = specialiser.model, specialiser.editor, specialiser.log
        with log.stage("merge"):
            tidy.drop_unused_constants(model)
            self._merger.merge(model, editor, log)
            merge_equal_nodes(model, editor, log)
        with log.stage("specialise"):
            specialiser.settle()

    def _store(self) -> list[ir.Value]:
        """Store what the plan wants; the frontier values that stay computed."""
        specialiser = self.specialiser
        model, facts, log = specialiser.model, specialiser.facts, specialiser.log
        with log.stage("plan"):
            budget = self.most_bytes - model_bytes(model, self.declared)
            choice = plan(model, facts, specialiser.unfoldable, budget, specialiser.options.max_growth)
        log.kept = [Kept(v.name or "", _op_type(v), facts.of(v).nbytes or 0) for v in choice.compute]
        wanted = choice.store or specialiser.wanted()
        if wanted:
            specialiser.evaluate(wanted)
            specialiser.run_wanted()
        return choice.compute

    def _spread(self, computed: list[ir.Value]) -> None:
        """Large new constants, and values too large to store, become an Expand of the part that repeats."""
        editor, log = self.specialiser.editor, self.specialiser.log
        found = self.specialiser.evaluator.evaluate(candidates(computed, self.bound, editor)).tensors
        for value in new_constants(editor.model, self.originals, NODE_PRICE):
            assert value.const_value is not None
            found[value] = value.const_value
        for value, tensor in found.items():
            part = repeating_part(tensor.numpy()) if tensor.dtype != ir.DataType.STRING else None
            if part is not None and log.spend("spread", value.name):
                spread(value, part, tuple(tensor.shape.numpy()), editor)
        self.specialiser.settle()


def _op_type(value: ir.Value) -> str:
    node = value.producer()
    return node.op_type if node is not None else ""
