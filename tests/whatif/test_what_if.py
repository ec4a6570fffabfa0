"""What freezing would buy, without a value."""

from __future__ import annotations

import onnx
import onnx_ir as ir
import pytest

from freezer.api import what_if
from tests.test_floors import ROOT

FIXTURES = ROOT / "fixtures" / "third_party"
HEAD = '<ir_version: 10, opset_import: ["": 18]>\n'


def gains(text: str) -> dict[str, object]:
    found = what_if(onnx.parser.parse_model(HEAD + text))
    return {" + ".join(g.frozen): g for g in found.gains}


def test_a_flag_resolves_its_if_and_drops_the_smaller_branch():
    found = gains("""g (float[N] x, bool flag) => (float[N] y) {
        y = If (flag) <
            then_branch = t () => (float[N] a) { p = Exp (x)  q = Exp (p)  a = Exp (q) },
            else_branch = e () => (float[N] b) { b = Neg (x) }
        >
    }""")
    assert found["flag"].kind == "knob" and found["flag"].why == "a single flag, decides an If"
    assert (found["flag"].control_flow, found["flag"].nodes) == (1, 1)
    assert found["x"].control_flow == 0


def test_a_dimension_makes_shapes_static_not_contents():
    found = gains("""g (float[N,4] x) => (int64[2] s, float[N,4] y) { s = Shape (x)  y = Exp (x) }""")
    assert (found["N"].kind, found["N"].nodes) == ("dimension", 1)
    assert (found["x"].kind, found["x"].nodes) == ("data", 2)


@pytest.mark.parametrize("placeholder", ["?", "unk", "None", "-1"])
def test_what_exporters_write_for_no_name_is_no_dimension(placeholder):
    text = "g (float[N,4] x, float[M,4] z) => (float[N,4] y, float[M,4] w) { y = Exp (x)  w = Exp (z) }"
    model = onnx.parser.parse_model(HEAD + text)
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_param = placeholder
    names = {name for g in what_if(model).gains for name in g.frozen}
    assert names == {"x", "z", "shape of x", "shape of z"}


def test_random_numbers_are_never_static():
    found = what_if(onnx.parser.parse_model(HEAD + """g (float[4] x) => (float[4] y) {
        n = RandomNormalLike (x)
        y = Add (n, x)
    }"""))  # fmt: skip
    assert found.random == 2 and found.gains[0].nodes == 0


def test_two_inputs_buy_together_what_neither_buys_alone():
    found = gains("""g (float[2] a, float[2] b, float[9] x) => (float[9] y) {
        s = Add (a, b)
        t = Mul (s, s)
        u = ReduceSum <keepdims = 0> (t)
        y = Mul (x, u)
        z = Exp (y)
        v = Exp (z)
    }""")
    assert found["a"].nodes == 0 and found["a + b"].nodes == 3


def test_a_loop_is_static_with_all_it_reads():
    found = gains("""g (int64 trips, float[2] x, float[9] w) => (float[2] y, float[9] z)
    <bool go = {1}>
    {
        y = Loop (trips, go, x) <body = b (int64 i, bool c, float[2] v) => (bool k, float[2] o) {
            k = Identity (c)
            o = Add (v, x)
        }>
        z = Exp (w)
    }""")
    assert found["trips"].control_flow == 1 and found["trips"].nodes == 0
    assert found["trips + x"].nodes == 1


def test_an_input_that_chooses_among_few_rows_is_a_knob():
    found = gains("""g (int64[N] kind, int64[N] word, float[2,8] kinds, float[999,8] words) => (float[N,8] y)
    <float[2,8] small = {0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}>
    {
        a = Gather (small, kind)
        b = Gather (words, word)
        y = Add (a, b)
    }""")
    assert found["kind"].why.startswith("chooses among 2 rows") and found["word"].kind != "knob"


@pytest.mark.parametrize(
    ("file", "first"),
    [("silero_vad_v6.onnx", {"sr"}), ("minilm_int8.onnx", {"attention_mask", "token_type_ids"}),
     ("piper_joe_medium.onnx", {"scales"})],
)  # fmt: skip
def test_the_knob_of_a_real_model_comes_first(file, first):
    found = what_if(FIXTURES / file)
    assert set(found.gains[0].frozen) <= first and found.gains[0].kind == "knob"


def test_what_scales_does_not_buy():
    found = what_if(FIXTURES / "piper_joe_medium.onnx")
    assert found.gains[0].nodes < found.nodes / 100 and found.random > found.nodes / 2


def test_no_weight_is_read(monkeypatch):
    def refuse(self: ir.ExternalTensor) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(ir.ExternalTensor, "numpy", refuse)
    monkeypatch.setattr(ir.TensorProtoTensor, "numpy", refuse)
    assert what_if(FIXTURES / "minilm_int8.onnx").nbytes > 20_000_000
