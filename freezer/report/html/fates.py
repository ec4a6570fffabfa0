"""What is said of each node of a drawing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from freezer.report.html.drawing import Tell, Told
from freezer.report.html.skeleton import Leaf, Skeleton

if TYPE_CHECKING:
    from freezer.report.html.tables import End
    from freezer.report.trace import Fate, Trace

_ENDS = ("input", "output")
KEPT, NEW, GONE, FROZEN = "kept", "new", "gone", "frozen"
_MOST_OTHERS = 12


def tell_source(residual: Skeleton, trace: Trace | None, interface: Iterable[End] = ()) -> Tell:
    """For the original: the fate of each node, and what it became."""
    said = {(end.kind, end.name): end for end in interface}
    ends, nodes = _ends(residual.leaves), _nodes(residual.leaves)

    def tell(leaf: Leaf) -> Told:
        if leaf.op in _ENDS:
            return _end(leaf, said.get((leaf.op, leaf.name)), (leaf.op, leaf.name) in ends)
        fate = trace.nodes.get(leaf.name) if trace is not None else None
        if fate is not None:
            return Told(fate.fate, fate.why, tuple(n for n in fate.into[:_MOST_OTHERS] if n != leaf.name))
        return Told(KEPT if (leaf.op, leaf.name) in nodes else GONE)

    return tell


def tell_residual(source: Skeleton, trace: Trace | None, interface: Iterable[End] = ()) -> Tell:
    """For the residual: whether each node is as it was, why it is there, and what it came from."""
    said = {(end.kind, end.name): end for end in interface}
    nodes = _nodes(source.leaves)
    origins: dict[str, list[str]] = {}
    for name, fate in ({} if trace is None else trace.nodes).items():
        for target in fate.into:
            origins.setdefault(target, []).append(name)

    def tell(leaf: Leaf) -> Told:
        if leaf.op in _ENDS:
            return _end(leaf, said.get((leaf.op, leaf.name)), True)
        why = trace.reasons.get(leaf.name, "") if trace is not None else ""
        others = tuple(name for name in origins.get(leaf.name, ())[:_MOST_OTHERS] if name != leaf.name)
        return Told(_fate(leaf, nodes, trace), why, others)

    return tell


def _end(leaf: Leaf, end: End | None, kept: bool) -> Told:
    """An input or output; one that is gone was frozen, or nothing read it."""
    fate = KEPT if kept else FROZEN if end is None or end.state == "frozen" else GONE
    return Told(fate, "" if end is None else f"{end.type}, {end.now}")


def _fate(leaf: Leaf, nodes: set[tuple[str, str]], trace: Trace | None) -> str:
    fate: Fate | None = None if trace is None else trace.nodes.get(leaf.name)
    if fate is not None:
        return fate.fate if leaf.op.rpartition(".")[2] == fate.op_type else NEW
    return KEPT if (leaf.op, leaf.name) in nodes else NEW


def _ends(leaves: Iterable[Leaf]) -> set[tuple[str, str]]:
    return {(leaf.op, leaf.name) for leaf in leaves if leaf.op in _ENDS}


def _nodes(leaves: Iterable[Leaf]) -> set[tuple[str, str]]:
    return {(leaf.op, leaf.name) for leaf in leaves if leaf.op not in _ENDS}
