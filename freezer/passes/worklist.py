"""The nodes that wait to be visited again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import onnx_ir as ir

MOST_SIBLINGS = 256


class Worklist:
    """Nodes in the order of their first visits: who is upstream comes first, so that a change passes each node once.

    First come, first served would visit a node once for each way that leads to it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, ir.Node]] = []
        self._waiting: set[ir.Node] = set()
        self._places: dict[ir.Node, int] = {}
        self._now = 0
        self._entries = 0

    def place(self, node: ir.Node) -> None:
        """Give a node its place, at its first visit, after those of its bodies."""
        if node not in self._places:
            self._now = self._places[node] = len(self._places)

    def add(self, node: ir.Node) -> None:
        """Have a node visited; one without a place comes where the latest visit was."""
        if node not in self._waiting:
            self._waiting.add(node)
            self._entries += 1
            heapq.heappush(self._heap, (self._places.setdefault(node, self._now), self._entries, node))

    def __bool__(self) -> bool:
        return bool(self._heap)

    def __iter__(self) -> Iterator[ir.Node]:
        """Take nodes out, until none is left; what is added meanwhile comes too."""
        while self._heap:
            self._now, _, node = heapq.heappop(self._heap)
            self._waiting.discard(node)
            yield node


def siblings_of(node: ir.Node) -> list[ir.Node]:
    """The other readers of what a node reads first: a late rule may have waited for them all to be alike."""
    first = node.inputs[0] if node.inputs else None
    readers = first.consumers() if first is not None else ()
    return [reader for reader in readers if reader is not node] if len(readers) <= MOST_SIBLINGS else []
