"""Where boxes and lines go: layered from top to bottom, by fast_sugiyama, else by networkx."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

WIDTH, HEIGHT = 168, 40  # of a box
ACROSS, DOWN, BESIDE = 188, 76, 40  # between the centres of boxes, and between separate parts

Point = tuple[float, float]
Edge = tuple[int, int]


def place(count: int, edges: Iterable[Edge]) -> tuple[list[Point], list[list[Point]]]:
    """The centre of each box, and the points of a line for each edge, in its order. No edge leads back to its box."""
    edges = list(edges)
    # In the boxes' own order there is no cycle, whatever groups do.
    forward = {(min(edge), max(edge)) for edge in edges}
    drawn = {end for edge in forward for end in edge}
    alone = [box for box in range(count) if box not in drawn]
    ordered = sorted(forward | {(above, below) for above, below in zip(alone, alone[8:], strict=False)})
    lonely = [box for box in alone[:8] if box not in {above for above, _ in ordered}]
    at, bends = _placed(ordered) if ordered else ({}, {})
    right = max((x for x, _ in at.values()), default=-ACROSS)
    at.update((box, (right + (i + 1) * ACROSS, 0.0)) for i, box in enumerate(lonely))
    return [at[box] for box in range(count)], [_line(edge, at, bends) for edge in edges]


def _placed(edges: list[Edge]) -> tuple[dict[int, Point], dict[Edge, list[Point]]]:
    if find_spec("fast_sugiyama"):
        at, bends = _sugiyama(edges)
        if _are_apart(at.values()):  # rarely, in dense graphs, two boxes overlap
            return at, bends
    return _layers(edges)


def _are_apart(points: Iterable[Point]) -> bool:
    """Whether no boxes of a layer overlap."""
    ordered = sorted((y, x) for x, y in points)
    return all(a[0] != b[0] or b[1] - a[1] >= WIDTH for a, b in pairwise(ordered))


def straight(line: list[Point]) -> list[Point]:
    """Without the points on the way straight down."""
    inner = [b for a, b, c in zip(line, line[1:], line[2:], strict=False) if not a[0] == b[0] == c[0]]
    return [line[0], *inner, line[-1]]


def _line(edge: Edge, at: dict[int, Point], bends: dict[Edge, list[Point]]) -> list[Point]:
    between = bends.get((min(edge), max(edge)), [])
    return [at[edge[0]], *(between if edge[0] < edge[1] else reversed(between)), at[edge[1]]]


def _sugiyama(edges: list[Edge]) -> tuple[dict[int, Point], dict[Edge, list[Point]]]:
    from fast_sugiyama import from_edges

    at, bends, left = dict[int, Point](), dict[Edge, list[Point]](), 0.0
    real = {end for edge in edges for end in edge}
    parts: Any = from_edges(edges, vertex_spacing=100, dummy_vertices=True, dummy_size=0.25, check_layout=True)
    for places, width, height, lines in parts:
        here = {box: (left + x / 100 * ACROSS, (height - y) / 100 * DOWN) for box, (x, y) in places}
        at.update((box, point) for box, point in here.items() if box in real)
        bends.update(_bends(lines, here, real))
        left += width / 100 * ACROSS + WIDTH + BESIDE
    return at, bends


def _bends(lines: list[Edge], at: dict[int, Point], real: set[int]) -> dict[Edge, list[Point]]:
    """The points between the ends of each edge that passes layers."""
    after = {start: end for start, end in lines if start not in real}
    found = {}
    for start, step in lines:
        if start in real and step not in real:
            points, end = [], step
            while end not in real:
                points.append(at[end])
                end = after[end]
            found[start, end] = points
    return found


def _layers(edges: list[Edge]) -> tuple[dict[int, Point], dict[Edge, list[Point]]]:
    import networkx

    graph = networkx.DiGraph(edges)
    for layer, boxes in enumerate(networkx.topological_generations(graph)):
        for box in boxes:
            graph.nodes[box]["layer"] = layer
    at = networkx.multipartite_layout(graph, subset_key="layer", align="horizontal", scale=1)
    widest = max(len(boxes) for boxes in networkx.topological_generations(graph))
    deepest = max(data["layer"] for _, data in graph.nodes(data=True))
    span = {box: (float(x), graph.nodes[box]["layer"] * DOWN) for box, (x, _) in at.items()}
    reach = max(abs(x) for x, _ in span.values()) or 1.0
    wide = max(widest - 1, 1) * ACROSS / 2 if deepest else ACROSS
    return {box: (x / reach * wide, float(y)) for box, (x, y) in span.items()}, {}
