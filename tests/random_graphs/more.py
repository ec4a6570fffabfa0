"""Scans, sequences and calls of functions for random models."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.random_graphs.maker import BOOL, F32, I64, Maker

_TEXT = """<ir_version: 10, opset_import: ["": 18, "lab": 1]> g (float[1] x) => (float[1] y) { y = Neg (x) }
<domain: "lab", opset_import: ["": 18]> scaled <alpha: float = 0.25> (a, b) => (c) {
    k = Constant <value_float: float = @alpha> ()  l = Mul (a, k)  m = ReduceMax <keepdims = 0> (b)  c = Add (l, m) }
<domain: "lab", opset_import: ["": 18, "lab": 1]> chosen (c, a) => (r) {
    r = If (c) <then_branch = t () => (p) { p = lab.scaled <alpha = 2.0> (a, a) },
                else_branch = e () => (q) { q = Neg (a) }> }"""
FUNCTIONS = list(onnx.parser.parse_model(_TEXT).functions)


def call(m: Maker) -> None:
    """A local function, with an attribute, without it, or one with an If in it that calls another."""
    a, b, c = m.pick(F32), m.pick(F32), m.pick(BOOL, rank=0)
    if a is None or b is None or 0 in b[2]:
        return
    if c is not None and 0 not in a[2] and m.rng.random() < 0.5:
        m.add("chosen", [c[0], a[0]], F32, a[2], domain="lab")
    else:
        attributes = {"alpha": m.rng.choice([0.0, -0.0, 1.0, 0.5])} if m.rng.random() < 0.5 else {}
        m.add("scaled", [a[0], b[0]], F32, a[2], domain="lab", **attributes)


def scan(m: Maker) -> None:
    """A Scan over the first axis of one value, with one state, forwards or backwards."""
    states = [v for v in m.values if v[1] is F32]
    pairs = [(s, v) for v in states for s in states if v[2] and v[2][0] and s[2] == v[2][1:]]
    if m.depth or not pairs:
        return
    state, value = m.rng.choice(pairs)
    inner = Maker(m.rng, 2, list(m.values), prefix=f"{m.name()}scan_", steps=m.steps)
    entries = [inner.name(), inner.name()]
    inner.values += [(name, F32, state[2]) for name in entries]
    for _ in range(m.rng.randrange(1, 4)):
        inner.step()
    same = [w[0] for w in inner.values if w[1] is F32 and w[2] == state[2]]
    inner.add("Add", [m.rng.choice(same), entries[0]], F32, state[2])
    inner.add("Identity", [m.rng.choice([*same, entries[1]])], F32, state[2])
    exits = [v[0] for v in inner.values[-2:]]
    graph = helper.make_graph(inner.nodes, "body", [_value(n) for n in entries], [_value(n) for n in exits],
                              inner.constants)  # fmt: skip
    names = [m.name(), m.name()]
    backward = {side: [m.rng.randrange(2)] for side in ("scan_input_directions", "scan_output_directions")}
    m.nodes.append(helper.make_node("Scan", [state[0], value[0]], names, body=graph, num_scan_inputs=1, **backward))
    m.values += [(names[0], F32, state[2]), (names[1], F32, value[2])]


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def sequence(m: Maker) -> None:
    """A sequence of values of one shape, of which one is read, or all are joined."""
    first = m.pick(F32, I64, BOOL)
    if first is None:
        return
    alike = [w for w in m.values if w[1:] == first[1:]]
    members, made = m.rng.choices(alike, k=m.rng.randrange(1, 4)), m.name()
    m.nodes.append(helper.make_node("SequenceConstruct", [w[0] for w in members], [made]))
    if m.rng.random() < 0.3:
        longer = m.name()
        m.nodes.append(helper.make_node("SequenceInsert", [made, first[0]], [longer]))
        made, members = longer, [*members, first]
    if first[2] and m.rng.random() < 0.4:
        m.add("ConcatFromSequence", [made], first[1], (len(members) * first[2][0], *first[2][1:]), axis=0)
    else:
        place = m.constant(np.array(m.rng.randrange(-len(members), len(members)), I64))
        m.add("SequenceAt", [made, place], *first[1:])
