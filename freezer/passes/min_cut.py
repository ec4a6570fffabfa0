"""A minimum cut, by Dinic's algorithm. networkx has one too, but importing it takes 0.5 s."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable

Edge = tuple[Hashable, Hashable, "int | None"]


def minimum_cut(edges: Iterable[Edge], source: Hashable, sink: Hashable) -> set[Hashable]:
    """The nodes on the source's side of a minimum cut: as many as a minimum cut can have there.

    edges: from, to, capacity >= 0, None for one without limit. Every path to the sink has a limited edge.
    """
    network = _Network(edges, source, sink)
    while levels := network.levels():
        network.augment(levels)
    return network.source_side()


class _Network:
    """ends, left: of each edge where it ends and what more can flow; edge i ^ 1 is edge i backwards."""

    def __init__(self, edges: Iterable[Edge], source: Hashable, sink: Hashable) -> None:
        self.source, self.sink = source, sink
        listed = list(edges)
        endless = 1 + sum(capacity or 0 for _, _, capacity in listed)
        self.ends: list[Hashable] = []
        self.left: list[int] = []
        self.out: dict[Hashable, list[int]] = {source: [], sink: []}
        for start, end, capacity in listed:
            self._add(start, end, endless if capacity is None else capacity)
            self._add(end, start, 0)

    def _add(self, start: Hashable, end: Hashable, capacity: int) -> None:
        self.out.setdefault(start, []).append(len(self.ends))
        self.ends.append(end)
        self.left.append(capacity)

    def levels(self) -> dict[Hashable, int] | None:
        """Each node's distance from the source over edges that are not full; None if the sink is out of reach."""
        found = {self.source: 0}
        waiting = deque([self.source])
        while waiting:
            node = waiting.popleft()
            for edge in self.out[node]:
                if self.left[edge] and self.ends[edge] not in found:
                    found[self.ends[edge]] = found[node] + 1
                    waiting.append(self.ends[edge])
        return found if self.sink in found else None

    def augment(self, levels: dict[Hashable, int]) -> None:
        """Fill shortest paths until none is left; each node forgets the edges that led nowhere."""
        untried = {node: iter(self.out[node]) for node in levels}
        path: list[int] = []
        while True:
            node = self.ends[path[-1]] if path else self.source
            if node == self.sink:
                path = self._fill(path)
                continue
            edge = next((e for e in untried[node] if self._leads_on(e, levels, node)), None)
            if edge is not None:
                path.append(edge)
            elif path:
                path.pop()
            else:
                return

    def _leads_on(self, edge: int, levels: dict[Hashable, int], node: Hashable) -> bool:
        return self.left[edge] > 0 and levels.get(self.ends[edge]) == levels[node] + 1

    def _fill(self, path: list[int]) -> list[int]:
        """Send what fits down a path; the part of it before its first full edge."""
        flow = min(self.left[e] for e in path)
        for edge in path:
            self.left[edge] -= flow
            self.left[edge ^ 1] += flow
        return path[: next(i for i, e in enumerate(path) if not self.left[e])]

    def source_side(self) -> set[Hashable]:
        """The nodes that the sink cannot be reached from."""
        reaching = {self.sink}
        waiting = deque(reaching)
        while waiting:
            for edge in self.out[waiting.popleft()]:
                start = self.ends[edge]
                if self.left[edge ^ 1] and start not in reaching:
                    reaching.add(start)
                    waiting.append(start)
        return self.out.keys() - reaching
