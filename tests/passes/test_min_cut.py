"""The minimum cut, against networkx."""

from __future__ import annotations

import random

import networkx
import pytest

from freezer.passes.min_cut import minimum_cut


def random_edges(seed: int) -> list[tuple[int, int, int | None]]:
    """A graph over 0 .. 13 in which every edge into the sink, 13, is limited; no edge twice."""
    draw = random.Random(seed)
    pairs = {(a, b) for a in range(13) for b in range(1, 14) if a != b and draw.random() < draw.choice([0.1, 0.3])}
    limited = lambda b: b == 13 or draw.random() < 0.7  # noqa: E731
    return [(a, b, draw.randrange(6) if limited(b) else None) for a, b in sorted(pairs)] + [(0, 20, 3), (21, 13, 2)]


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_cut_that_networkx_finds(seed):
    edges = random_edges(seed)
    graph = networkx.DiGraph()
    for start, end, capacity in edges:
        graph.add_edge(start, end, **({} if capacity is None else {"capacity": capacity}))
    expected, (side, _) = networkx.minimum_cut(graph, 0, 13)
    found = minimum_cut(edges, 0, 13)
    assert sum(c or 0 for a, b, c in edges if a in found and b not in found) == expected
    assert not [(a, b) for a, b, c in edges if c is None and a in found and b not in found]
    assert found == side


def test_a_long_chain_needs_no_stack():
    edges = [(i, i + 1, 5 if i != 7000 else 4) for i in range(20000)]
    assert minimum_cut(edges, 0, 20000) == set(range(7001))


def test_a_sink_out_of_reach():
    assert minimum_cut([("s", "a", 1)], "s", "t") == {"s", "a"}
