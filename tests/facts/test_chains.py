"""What exporters write to compute shapes: text models, and what is known of their values."""

from __future__ import annotations

import onnx.parser
import onnx_ir as ir
import pytest

from freezer.facts.declared import declared
from freezer.facts.dims import symbol
from freezer.facts.fact import Fact
from freezer.facts.table import Facts
from freezer.facts.transfer import infer

B, S = symbol("B"), symbol("S")


def facts_of(text: str, opset: int = 18) -> dict[str, Fact]:
    """The facts of the values of a graph, by name."""
    model = ir.from_proto(onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : {opset}]>\n{text}'))
    facts = Facts(dict(model.opset_imports))
    for value in model.graph.inputs:
        facts.set(value, declared(value))
    for node in model.graph:
        for value, fact in zip(node.outputs, infer(node, facts) or (), strict=False):
            facts.set(value, fact)
    return {v.name or "": facts.of(v) for node in model.graph for v in node.outputs}


def test_reshape_to_heads_and_back() -> None:
    found = facts_of("""
        g (float[B, S, 768] x) => (float y) <int64 zero = {0}, int64 one = {1}, int64[1] axis = {0},
            int64[1] heads = {12}, int64[1] size = {64}, int64[1] rest = {-1}>
        {
            shape = Shape(x)
            b = Gather<axis = 0>(shape, zero)
            s = Gather<axis = 0>(shape, one)
            b1 = Unsqueeze(b, axis)
            s1 = Unsqueeze(s, axis)
            target = Concat<axis = 0>(b1, s1, heads, size)
            split = Reshape(x, target)
            turned = Transpose<perm = [0, 2, 1, 3]>(split)
            again = Transpose<perm = [0, 2, 1, 3]>(turned)
            flat = Concat<axis = 0>(b1, s1, rest)
            y = Reshape(again, flat)
        }""")
    assert found["target"].elements == (B, S, 12, 64) and found["target"].low == 0
    assert found["split"].shape == (B, S, 12, 64)
    assert found["turned"].shape == (B, 12, S, 64)
    assert found["y"].shape == (B, S, 768)


def test_a_symbol_in_a_target_may_be_0_and_copy() -> None:
    """[S, B] in the place of [B, S]: for S = 0 the runtime copies B."""
    found = facts_of("""
        g (float[B, S] x, float[S, B] z) => (float y, float w) <int64[2] swap = {1, 0}>
        {
            shape = Shape(x)
            target = Gather(shape, swap)
            y = Reshape(x, target)
            w = Reshape(z, target)
            v = Reshape<allowzero = 1>(x, target)
        }""")
    assert found["target"].elements == (S, B)
    assert S not in found["y"].shape and B not in found["y"].shape
    assert found["w"].shape == found["v"].shape == (S, B)


def test_minus_one_divides_what_is_left() -> None:
    found = facts_of("""
        g (float[B, S, 12, 64] x) => (float y)
            <int64[2] a = {-1, 768}, int64[3] b = {0, 0, -1}, int64[2] c = {0, -1}, int64[1] d = {-1}>
        {
            y = Reshape(x, a)
            w = Reshape(x, b)
            v = Reshape(x, c)
            u = Reshape(x, d)
            n = Size(x)
        }""")
    assert found["y"].shape == (B * S, 768)
    assert found["w"].shape == (B, S, 768)
    assert found["v"].shape == (B, S * 768)
    assert found["u"].shape == found["n"].elements == (B * S * 768,)


def test_expand_with_minus_one_turned_to_one() -> None:
    """torch's expand(-1, S): Where(Equal(target, -1), ones, target)."""
    found = facts_of("""
        g (float[1, S] mask, int64[B, S] ids) => (float y) <int64[1] minus = {-1}, int64[1] place = {0}>
        {
            dims = Shape(ids)
            b = Gather(dims, place)
            target = Concat<axis = 0>(b, minus)
            rank = Shape(target)
            ones = ConstantOfShape<value = int64[1] {1}>(rank)
            open = Equal(target, minus)
            safe = Where(open, ones, target)
            y = Expand(mask, safe)
        }""")
    assert found["open"].elements == (False, True)
    assert found["safe"].elements == (B, 1)
    assert found["y"].shape == (B, S)


def test_range_and_slice_of_positions() -> None:
    found = facts_of(
        """
        g (int64[B, S] ids, float[512, 8] table) => (float y)
            <int64 zero = {0}, int64 one = {1}, int64[1] start = {0}, int64[1] last = {9223372036854775807},
             int64[1] minus = {-1}, int64[1] axis1 = {1}>
        {
            s = Shape<start = 1, end = 2>(ids)
            n = Squeeze(s)
            positions = Range(zero, n, one)
            rows = Slice(table, start, s)
            tail = Slice(ids, axis1, last, axis1)
            body = Slice(ids, start, minus, axis1)
            both = Add(tail, body)
            turned = Slice(ids, minus, least, axis1, minus)
            y = Gather(table, positions)
        }""".replace("int64[1] axis1", "int64[1] least = {-9223372036854775808}, int64[1] axis1")
    )
    assert found["positions"].shape == (S,) and found["positions"].low == 0
    assert found["y"].shape == (S, 8)
    assert str(found["rows"].shape[0]) == "min[512, 1*S]"
    assert found["tail"].shape == found["body"].shape == found["both"].shape
    assert found["turned"].shape == (B, S)


def test_strided_convolutions_of_symbols() -> None:
    found = facts_of("""
        g (float[B, 3, H, W] x, float[8, 3, 3, 3] w, float[16, 8, 3, 3] v) => (float y)
        {
            a = Conv<pads = [1, 1, 1, 1], strides = [2, 2]>(x, w)
            y = Conv<pads = [1, 1, 1, 1], strides = [2, 2]>(a, v)
            p = MaxPool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [1, 1]>(y)
            q = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(y)
        }""")
    assert [str(d) for d in found["y"].shape] == ["B", "16", "//[3 + 1*H, 4]", "//[3 + 1*W, 4]"]
    assert found["p"].shape == found["y"].shape
    assert str(found["q"].shape[2]) == "?q:2", "a window larger than the input gives one position, not none"


def test_masks_of_ranges_are_bounded() -> None:
    found = facts_of("""
        g (float[B, S] x) => (bool y) <int64 zero = {0}, int64 seven = {7}, int64 minus = {-1}>
        {
            place = ArgMax<axis = 1, keepdims = 0>(x)
            found = NonZero(x)
            never = Less(place, minus)
            always = GreaterOrEqual(found, zero)
            mixed = Less(found, seven)
            y = Or(never, never)
        }""")
    assert found["place"].low == 0 and found["place"].high is None
    assert (found["never"].low, found["never"].high) == (0, 0) == (found["y"].low, found["y"].high)
    assert (found["always"].low, found["always"].high) == (1, 1)
    assert found["mixed"].low is None


@pytest.mark.parametrize(
    ("expression", "elements"),
    [
        ("Div(minus7, two)", (-3,)), ("Mod(minus7, two)", (1,)), ("Mod<fmod = 1>(minus7, two)", (-1,)),
        ("Div(s2, two)", (S,)), ("Add(most, two)", None), ("Neg(least)", None), ("Mul(s, zero)", (0,)),
        ("Max(s, zero)", (S,)), ("Min(s, zero)", (0,)), ("Sub(s2, s)", (S,)), ("Greater(s, minus7)", (True,)),
        ("Less(unknown, s)", None), ("Equal(unknown1, unknown)", (False,)), ("Less(unknown, unknown1)", None),
        ("Cast<to = 9>(s1)", (True,)), ("Cast<to = 6>(s)", (S,)), ("Cast<to = 6>(unknown)", None),
        ("Cast<to = 6>(most)", None), ("Pow(two, two)", (4,)), ("ReduceProd<keepdims = 1>(both)", (S * S * 2,)),
        ("Clip(minus7, zero)", (0,)), ("Where(yes, s, two)", (S,)), ("And(no, maybe)", (False,)),
        ("Sign(minus7)", (-1,)), ("ReduceSum(ends)", None),
    ],
)  # fmt: skip
def test_elements(expression: str, elements: tuple | None) -> None:
    found = facts_of(f"""
        g (float[S] x, int64[1] u, bool[1] maybe) => (float y)
            <int64[1] minus7 = {{-7}}, int64[1] two = {{2}}, int64[1] zero = {{0}}, int64[1] one = {{1}},
             int64[1] most = {{9223372036854775807}}, int64[1] least = {{-9223372036854775808}},
             int64[3] ends = {{9223372036854775807, 3, -9223372036854775807}}, bool[1] yes = {{1}}, bool[1] no = {{0}}>
        {{
            s = Shape(x)
            s1 = Add(s, one)
            s2 = Mul(s, two)
            both = Concat<axis = 0>(s, s2)
            unknown = Add(u, zero)
            unknown1 = Add(unknown, one)
            y = {expression}
        }}""")
    assert found["y"].elements == elements
