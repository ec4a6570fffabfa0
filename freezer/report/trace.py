"""What became of every node of the source, and where every constant of the residual came from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx_ir as ir

from freezer.errors import ModelError, UsageError
from freezer.facts.table import known
from freezer.model_io.atomic import whole_files
from freezer.model_io.walk import graphs_in
from freezer.passes.log import Log
from freezer.passes.origins import Origins
from freezer.passes.why import live_inputs
from freezer.report.values import size_words

KEPT, CHANGED, FOLDED, INLINED, REMOVED = "kept", "changed", "folded", "inlined", "removed"
FORMAT = 1
_MOST_WORDS = 4000  # residual nodes that get a reason: finding each one's live inputs takes a walk


@dataclass(frozen=True)
class Fate:
    """What became of one node of the source.

    scope: the path of the body it was in ("If_3/then_branch"), "" in the main graph.
    fate: "kept": it is in the residual, in its place. "changed": other nodes stand for it. "folded": it was
    evaluated. "inlined": control flow or a call that its body replaced, or a node that lives on outside of its body.
    "removed": nothing stands for it.
    into: names of the nodes and constants of the residual that stand for it. why: in words.
    """

    op_type: str
    scope: str
    fate: str
    into: list[str]
    why: str


@dataclass(frozen=True)
class Trace:
    """nodes: source node to its fate. constants: residual constant to the source nodes it was computed from.
    reasons: residual node to why it is there.
    """

    nodes: dict[str, Fate]
    constants: dict[str, list[str]]
    reasons: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"format": FORMAT, **asdict(self)}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Save as JSON, whole or not at all."""
        with whole_files(Path(path)) as (pending,):
            pending.file.write(json.dumps(self.to_dict(), indent=1).encode())

    @staticmethod
    def read(path: str | os.PathLike[str]) -> Trace:
        """A trace that was saved. UsageError if there is no such file, ModelError if it is no trace."""
        try:
            content = json.loads(Path(path).read_bytes())
            nodes = {name: Fate(**fate) for name, fate in content["nodes"].items()}
            return Trace(nodes, dict(content["constants"]), dict(content["reasons"]))
        except OSError as error:
            raise UsageError(f"cannot read the trace '{path}': {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"'{path}' is no trace; freezer freeze --trace FILE writes one") from error


def trace_of(model: ir.Model, log: Log, origins: Origins) -> Trace:
    """The trace of a finished specialisation; model is its residual."""
    return _Tracer(model, log, origins).trace()


class _Tracer:
    """live: for each source node, the residual nodes that stand for it. first: the source node itself."""

    def __init__(self, model: ir.Model, log: Log, origins: Origins) -> None:
        self.origins = origins
        self.log = log
        self.constants = {v.name or "": v for g in graphs_in(model.graph) for v in g.initializers.values()}
        self.residual = [n for g in graphs_in(model.graph) for n in g]
        self.present: set[ir.Value | ir.Node] = set(self.residual)
        self.live: dict[str, list[ir.Node]] = {}
        for node in self.residual:
            for name in origins.of.get(node, ()):
                self.live.setdefault(name, []).append(node)
        self.first: dict[str, ir.Node] = {}
        for node, names in origins.of.items():
            for name in names:
                self.first.setdefault(name, node)

    def trace(self) -> Trace:
        constants = {name: list(self._behind(value)) for name, value in self.constants.items()}
        into: dict[str, list[str]] = {}
        for constant, nodes in constants.items():
            for node in nodes:
                into.setdefault(node, []).append(constant)
        fates = {name: self._fate(name, into.get(name, [])) for name in self.origins.sources}
        return Trace(fates, {c: nodes for c, nodes in constants.items() if nodes}, self._reasons())

    def _behind(self, value: ir.Value) -> dict[str, None]:
        """The source nodes that a constant was computed from, the last one first."""
        found: dict[str, None] = {}
        todo: list[ir.Value | ir.Node] = [value]
        seen: set[ir.Value | ir.Node] = set()
        while todo:
            current = todo.pop()
            if current in seen or current in self.present:  # what runs was not evaluated
                continue
            seen.add(current)
            if isinstance(current, ir.Node):
                found.update(dict.fromkeys(self.origins.of.get(current, ())))
                gone = self.origins.gone.get(current)
                todo.extend(gone.reads if gone is not None else [v for v in current.inputs if v is not None])
            elif (made := self.origins.made.get(current)) is not None:
                todo.append(made)
            elif (node := current.producer()) is not None:
                todo.append(node)
        return found

    def _fate(self, name: str, constants: list[str]) -> Fate:
        source, node = self.origins.sources[name], self.first[name]
        live = self.live.get(name, [])
        into = [n.name or "" for n in live] + constants
        if node in live and node.graph is source.home:
            return Fate(source.op_type, source.scope, KEPT, into, self.log.reasons.get(node, ""))
        if live:
            moved = any(n.op_type == source.op_type for n in live) and source.scope
            fate, why = (INLINED, "its body's place was taken") if moved else (CHANGED, self._event(node))
            return Fate(source.op_type, source.scope, fate, into, why)
        if constants:
            return Fate(source.op_type, source.scope, FOLDED, into, "evaluated")
        gone = self.origins.gone.get(node)
        fate = INLINED if gone is not None and gone.event.startswith(("inline", "unroll")) else REMOVED
        return Fate(source.op_type, source.scope, fate, into, self._event(node))

    def _event(self, node: ir.Node) -> str:
        """The change that took a node out, or the node around it."""
        gone = self.origins.gone.get(node)
        if gone is not None and gone.event:
            return gone.event
        while gone is not None and gone.owner is not None:
            gone = self.origins.gone.get(gone.owner)
            if gone is not None and gone.event:
                return f"it was not taken: {gone.event}"
        return "nothing that is left reads it"

    def _reasons(self) -> dict[str, str]:
        return dict(self._why(node) for node in self.residual[:_MOST_WORDS])

    def _why(self, node: ir.Node) -> tuple[str, str]:
        kept = {k.value: k.nbytes for k in self.log.kept}
        size = next((kept[v.name] for v in node.outputs if v.name in kept), None)
        if node in self.log.reasons:
            return node.name or "", self.log.reasons[node]
        if size is not None:
            return node.name or "", f"it is static, but storing it would take {size_words(size)}"
        return node.name or "", f"it depends on {live_inputs(node.outputs[0])}" if _is_live(node) else "it is static"


def _is_live(node: ir.Node) -> bool:
    return any(v is not None and known(v) is None for v in node.inputs) or not node.inputs


def names_of(trace: Trace) -> Iterator[str]:
    """Every name a trace knows: source nodes, residual nodes, constants."""
    yield from trace.nodes
    yield from trace.reasons
    yield from trace.constants
