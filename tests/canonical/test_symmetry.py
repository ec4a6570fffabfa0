"""Graphs that look the same from many sides: equal fingerprints exactly if isomorphic; networkx is the judge."""

from __future__ import annotations

from random import Random

import networkx
import onnx_ir as ir
import pytest
from networkx.algorithms.isomorphism import DiGraphMatcher

from freezer.canonical import fingerprint, order
from freezer.errors import LimitError

Nodes = list[tuple[str, list[int]]]  # operator and operands; 0 is the input, 1 the first node
COMMUTATIVE = {"Add"}


def graph_model(nodes: Nodes, seed: int | None = None) -> ir.Model:
    """The graph whose last node is the output; a seed shuffles nodes, names and the operands of Add."""
    rng = Random(seed)
    float3 = ir.TensorType(ir.DataType.FLOAT)
    x = ir.Value(name="x", type=float3, shape=ir.Shape([3]))
    values, made = [x], []
    for op, operands in nodes:
        inputs = [values[i] for i in operands]
        if seed is not None and op in COMMUTATIVE and rng.random() < 0.5:
            inputs.reverse()
        made.append(ir.Node("", op, inputs, outputs=[ir.Value(name=f"v{rng.random()}")]))
        values.append(made[-1].outputs[0])
    y = values[-1]
    y.name, y.type, y.shape = "y", float3, ir.Shape([3])
    if seed is not None:
        rng.shuffle(made)  # the order of a file need not be topological for the canonical form
    return ir.Model(ir.Graph([x], [y], nodes=made, opset_imports={"": 17}, name="g"), ir_version=10)


def incidence(nodes: Nodes) -> networkx.DiGraph:
    """A labelled graph that is isomorphic to another one exactly when the models are."""
    graph, live, todo = networkx.DiGraph(), set(), [len(nodes)]
    while todo:
        node = todo.pop()
        if node and node not in live:
            live.add(node)
            todo += nodes[node - 1][1]
    graph.add_node(0, label="x")
    for node in live:
        op, operands = nodes[node - 1]
        graph.add_node(node, label=op + ("!" if node == len(nodes) else ""))
        for slot, operand in enumerate(operands):
            graph.add_node((node, slot), label="operand" if op in COMMUTATIVE else f"operand {slot}")
            graph.add_edges_from([(operand, (node, slot)), ((node, slot), node)])
    return graph


def isomorphic(a: Nodes, b: Nodes) -> bool:
    return DiGraphMatcher(incidence(a), incidence(b), lambda x, y: x["label"] == y["label"]).is_isomorphic()


def all_four_node_wirings() -> list[Nodes]:
    """Two equal nodes, two nodes over them wired in all ways, and one that joins these."""
    pairs = [(i, j) for i in (1, 2) for j in (1, 2)]
    return [
        [("Relu", [0]), ("Relu", [0]), (op, [*left]), (op, [*right]), (join, [3, 4])]
        for op in ("Add", "Sub")
        for join in ("Add", "Sub")
        for left in pairs
        for right in pairs
    ]


def test_all_wirings_of_four_nodes() -> None:
    family = all_four_node_wirings()
    prints = [fingerprint(graph_model(nodes)) for nodes in family]
    for i, a in enumerate(family):
        for j in range(i):
            assert (prints[i] == prints[j]) == isomorphic(a, family[j]), (a, family[j])


def regular_layers(rng: Random) -> Nodes:
    """Layers in which every value is used equally often, joined by a tree of Adds: nothing to hold on to."""
    nodes: Nodes = [("Relu", [0]) for _ in range(rng.choice([2, 3, 4]))]
    layer = list(range(1, len(nodes) + 1))
    for _ in range(rng.choice([1, 2])):
        width, pool = rng.choice([2, 4]), []
        while len(pool) < 2 * width:
            pool += rng.sample(layer, len(layer))
        op = rng.choice(["Add", "Add", "Sub"])
        layer = []
        for k in range(width):
            nodes.append((op, pool[2 * k : 2 * k + 2]))
            layer.append(len(nodes))
    while len(layer) > 1:
        nodes.append(("Add", layer[:2]))
        layer = [*layer[2:], len(nodes)]
    return nodes


def crossed(nodes: Nodes, rng: Random) -> Nodes:
    """Two operands exchanged: every statistic of the graph stays."""
    made = [(op, list(operands)) for op, operands in nodes]
    first, second = rng.sample(range(len(made)), 2)
    a, b = made[first][1], made[second][1]
    if a[0] <= second and b[-1] <= first:
        a[0], b[-1] = b[-1], a[0]
    return made


@pytest.mark.parametrize("seed", range(150))
def test_regular_graphs(seed: int) -> None:
    rng = Random(seed)
    nodes = regular_layers(rng)
    expected = fingerprint(graph_model(nodes))
    for shuffle in range(4):
        assert fingerprint(graph_model(nodes, shuffle)) == expected
    other = crossed(nodes, rng)
    assert (fingerprint(graph_model(other, 1)) == expected) == isomorphic(nodes, other)


def quads(count: int) -> Nodes:
    """Pairs that only an exchange of everything at once leaves the same."""
    nodes: Nodes = []
    for _ in range(count):
        x, base = len(nodes), len(nodes)
        a, b, c, d = (base + i for i in range(1, 5))
        nodes += [("Relu", [x])] * 4
        nodes += [("Sub", [a, c]), ("Sub", [b, d]), ("Add", [a, b]), ("Add", [c, d])]
        nodes += [("Sub", [base + 7, base + 8]), ("Add", [base + 5, base + 6]), ("Sub", [base + 9, base + 10])]
    return nodes


def ladder(count: int) -> Nodes:
    """Two equal nodes, added, again and again."""
    nodes: Nodes = []
    for _ in range(count):
        x = len(nodes)
        nodes += [("Relu", [x]), ("Relu", [x]), ("Add", [x + 1, x + 2])]
    return nodes


def towers(count: int) -> Nodes:
    """Two equal towers, joined on every floor."""
    nodes: Nodes = [("Relu", [0]), ("Relu", [0]), ("Add", [1, 2])]
    a, b, joined = 1, 2, 3
    for _ in range(count):
        base = len(nodes)
        nodes += [("Relu", [a]), ("Relu", [b]), ("Add", [base + 2, base + 1]), ("Sub", [joined, base + 3])]
        a, b, joined = base + 1, base + 2, base + 4
    return nodes


def chain(count: int) -> Nodes:
    """One after the other."""
    return [("Relu", [i]) for i in range(count)]


@pytest.mark.parametrize(
    "nodes", [quads(150), ladder(1500), towers(800), chain(20_000)], ids=["quads", "ladder", "towers", "chain"]
)
def test_large_symmetric_graphs(nodes: Nodes) -> None:
    assert fingerprint(graph_model(nodes)) == fingerprint(graph_model(nodes, 7))


def test_a_hopeless_graph_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "TERMS_TRIED", 0)
    monkeypatch.setattr(order, "TRIES", 0)
    with pytest.raises(LimitError, match="too symmetric"):
        fingerprint(graph_model(quads(1)))
