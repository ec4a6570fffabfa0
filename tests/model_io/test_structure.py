"""Names: missing, doubled, shadowed, out of order, in circles."""

from __future__ import annotations

import onnx
import pytest

from freezer.errors import ModelError
from freezer.model_io import load, to_proto
from freezer.naming import make_names_unique
from tests.model_io.models import add, parsed

BROKEN = {
    "missing": ("g (float[n] x) => (float[n] y) { y = Add(x, ghost) }", r"makes 'y' reads 'ghost', which nothing"),
    "missing output": ("g (float[n] x) => (float[n] z) { y = Neg(x) }", "output 'z' of the graph is not produced"),
    "twice": ("g (float[n] x) => (float[n] y) { y = Neg(x) y = Abs(x) }", "'y' is defined twice .* the Abs node"),
    "one node twice": ("g (float[n] x) => (float[n] y) { y, y = Split(x) }", "'y' is defined twice"),
    "over an input": ("g (float[n] x) => (float[n] y) { x = Neg(x) y = Neg(x) }", "'x' is defined twice"),
    "input twice": ("g (float[n] x, float[n] x) => (float[n] y) { y = Neg(x) }", "'x' is defined twice as an input"),
    "cycle": (
        "g (float[n] x) => (float[n] y) { a = Add(x, c) b = Neg(a) c = Abs(b) y = Neg(c) }",
        r"a cycle: .*'a' \(Add\)",
    ),
    "self": ("g (float[n] x) => (float[n] y) { y = Add(x, y) }", r"a cycle: 'y' \(Add\) -> 'y' \(Add\)"),
    "cycle through a subgraph": (
        """g (bool c, float[n] x) => (float[n] y) {
            y = If(c) <then_branch = t () => (float[n] p) { p = Neg(z) },
                else_branch = e () => (float[n] q) { q = Neg(x) }>
            z = Abs(y) }""",
        r"a cycle: .*\(If\)",
    ),
    "inner value from outside": (
        """g (bool c, float[n] x) => (float[n] y) {
            t = If(c) <then_branch = t () => (float[n] p) { p = Neg(x) },
                else_branch = e () => (float[n] q) { q = Neg(x) }>
            y = Neg(p) }""",
        "reads 'p', which nothing",
    ),
    "outer value as branch output": (
        """g (bool c, float[n] x) => (float[n] y) {
            y = If(c) <then_branch = t () => (float[n] x) { }, else_branch = e () => (float[n] q) { q = Neg(x) }> }""",
        "output 'x' of a subgraph of the If node .* is not produced",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_graphs_are_explained(name):
    text, message = BROKEN[name]
    with pytest.raises(ModelError, match=message):
        load(parsed(text))


def test_an_initializer_may_be_an_input_but_not_twice_or_nameless():
    model = add()
    model.graph.initializer.append(model.graph.initializer[0])
    with pytest.raises(ModelError, match="'w' is defined twice as an initializer"):
        load(model)
    model.graph.initializer[1].name = ""
    with pytest.raises(ModelError, match="initializer of the graph has no name"):
        load(model)


FUNCTIONS = '<ir_version: 8, opset_import: ["": 17, "f": 1]> g (float[n] x) => (float[n] y) {{ y = f.F(x) }} {}'


@pytest.mark.parametrize(
    "functions, message",
    [
        ('<domain: "f", opset_import: ["f": 1]> F (a) => (o) { o = f.F(a) }', "calls itself: 'f::F' -> 'f::F'"),
        (
            '<domain: "f", opset_import: ["f": 1]> F (a) => (o) { o = f.G(a) }'
            '<domain: "f", opset_import: ["f": 1]> G (a) => (o) { o = f.F(a) }',
            "calls itself",
        ),
        (
            '<domain: "f", opset_import: ["": 17]> F (a) => (o) { o = Neg(a) }'
            '<domain: "f", opset_import: ["": 17]> F (a) => (o) { o = Abs(a) }',
            "'f::F' is defined twice",
        ),
        ('<domain: "f", opset_import: ["": 17]> F (a) => (o) { o = Neg(x) }', "reads 'x', which nothing"),
        ('<domain: "f", opset_import: ["": 17]> F (a) => (o) { p = Neg(a) }', "output 'o' of function 'F'"),
    ],
)
def test_broken_functions_are_explained(functions, message):
    with pytest.raises(ModelError, match=message):
        load(onnx.parser.parse_model(FUNCTIONS.format(functions)))


def test_unsorted_graphs_are_sorted():
    model = parsed("g (float[n] x) => (float[n] y) { y = Neg(b) b = Abs(a) a = Exp(x) }")
    assert [n.op_type for n in load(model).model.graph] == ["Exp", "Abs", "Neg"]


def test_a_subgraph_that_reads_a_later_value_is_sorted_after_it():
    model = parsed(
        """g (bool c, float[n] x) => (float[n] y) {
        y = If(c) <then_branch = t () => (float[n] p) { p = Neg(z) },
                else_branch = e () => (float[n] q) { q = Neg(x) }>
        z = Abs(x) }"""
    )
    source = load(model)
    assert [n.op_type for n in source.model.graph] == ["Abs", "If"]
    inner = source.model.graph.node(1).attributes["then_branch"].as_graph().node(0)
    assert inner.inputs[0] is source.model.graph.node(0).outputs[0]


def test_a_sorted_graph_keeps_its_order():
    model = parsed("g (float[n] x) => (float[n] y) { a = Exp(x) b = Abs(x) c = Neg(x) y = Sum(c, a, b) }")
    assert [n.op_type for n in load(model).model.graph] == ["Exp", "Abs", "Neg", "Sum"]


SIBLINGS = """g (bool c, float[n] x) => (float[n] y) {
    t = Exp(x)
    u = If(c) <then_branch = a () => (float[n] t1) { s = Neg(t) t1 = Abs(s) },
               else_branch = b () => (float[n] t1) { s = Exp(t) t1 = Neg(s) }>
    y = Add(u, t) }"""


def test_names_reused_in_siblings_become_unique_and_the_interface_keeps_its_own():
    model = load(parsed(SIBLINGS)).model
    names = make_names_unique(model)
    proto = to_proto(model)
    defined = [o for g in graphs(proto.graph) for n in g.node for o in n.output]
    assert len(set(defined)) == len(defined) == 7
    assert all(name in names for name in defined)
    assert [n.output[0] for n in proto.graph.node] == ["t", "u", "y"]
    onnx.checker.check_model(proto)


def test_an_inner_value_that_shadows_an_outer_one_is_the_one_its_own_graph_reads():
    model = parsed(
        """g (bool c, float[n] x) => (float[n] y) {
        t = Exp(x)
        u = If(c) <then_branch = a () => (float[n] r) { t = Neg(x) r = Abs(t) },
                   else_branch = b () => (float[n] r) { r = Abs(t) }>
        y = Add(u, t) }"""
    )
    loaded = load(model).model
    outer = loaded.graph.node(0).outputs[0]
    shadow, reader = loaded.graph.node(1).attributes["then_branch"].as_graph()
    assert reader.inputs[0] is shadow.outputs[0] is not outer
    assert loaded.graph.node(1).attributes["else_branch"].as_graph().node(0).inputs[0] is outer
    make_names_unique(loaded)
    assert outer.name == "t" and shadow.outputs[0].name not in ("t", "x", "u", "y")
    assert to_proto(loaded).graph.node[1].attribute[0].g.node[1].input[0] == shadow.outputs[0].name


def test_an_initializer_of_a_body_that_shadows_one_of_the_main_graph_gets_another_name():
    model = add()
    branch = onnx.parser.parse_graph("b () => (float[n] r) <float[1] w = {5}> { r = Add(x, w) }")
    node = onnx.helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    model.graph.node.append(node)
    model.graph.input.add(name="c").type.tensor_type.elem_type = 9
    loaded = load(model).model
    make_names_unique(loaded)
    bodies = list(loaded.graph.subgraphs())
    contents = [v.const_value.numpy().tolist() for g in (loaded.graph, *bodies) for v in g.initializers.values()]
    names = [name for g in (loaded.graph, *bodies) for name in g.initializers]
    assert contents == [[2], [5], [5]] and len(set(names)) == 3 and names[0] == "w"


def graphs(graph: onnx.GraphProto):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from graphs(attribute.g)


@pytest.mark.parametrize("old, new", [(b"xname", b"\xffname"), (b"aname", b"\xffname"), (b"Neg", b"\xffeg")])
def test_names_that_are_no_text_are_refused(old, new):
    model = parsed("g (float[n] xname) => (float[n] y) { aname = Neg(xname) y = Abs(aname) }")
    broken = onnx.ModelProto.FromString(model.SerializeToString().replace(old, new))
    with pytest.raises(ModelError, match="UTF-8"):
        load(broken)


def test_control_characters_in_names_do_not_reach_the_terminal():
    model = parsed("g (float[n] x) => (float[n] y) { y = Neg(x) }")
    model.graph.node[0].input[0] = "a\nb\x1b[2J"
    with pytest.raises(ModelError) as error:
        load(model)
    assert str(error.value).isprintable()
