"""The report as people read it, and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from rich.console import Console

import freezer
from freezer.passes.log import Stayed
from freezer.report.build import Reason, grouped
from freezer.report.terminal import kept_words, show
from freezer.report.values import size_words, tensor_words, value_words

TEXT = """<ir_version: 10, opset_import: ["": 18, "odd": 1]>
g (float[N] x, float scale, bool hard, int64 n) => (float[N] y, float[N] z, float one)
<float one = {1}> {
   y = If (hard) <
      then_branch = t () => (float[N] a) { s = Sign (x)  a = Mul (s, scale) },
      else_branch = e () => (float[N] b) { b = Tanh (x) }>
   true = Constant <value = bool {1}> ()
   z = Loop (n, true, x) <
      body = b (int64 i, bool c, float[N] v) => (bool cc, float[N] w) { cc = Identity (c)  w = Cos (v) }>
}"""


def shown(report, width: int = 60) -> str:
    text = io.StringIO()
    show(report, Console(file=text, width=width, highlight=False, soft_wrap=True))
    return text.getvalue()


@pytest.fixture(scope="module")
def frozen(tmp_path_factory) -> freezer.Frozen:
    result = freezer.freeze(onnx.parser.parse_model(TEXT), {"hard": False}, dims={"N": 4}, verify=False)
    result.save(tmp_path_factory.mktemp("out") / "[bold]out.onnx")
    return result


def test_every_input_has_its_fate(frozen):
    lines = shown(frozen.report).splitlines()
    assert "input   x      float32 [N]  now float32 [4]" in lines
    assert "input   hard   bool []      frozen to false" in lines
    assert "input   scale  float32 []   nothing reads it (--prune-inputs drops it)" in lines
    assert "input   n      int64 []" in lines
    assert "output  one    float32 []" in lines, "it was constant before"


def test_sums_dims_and_what_stays(frozen):
    text = shown(frozen.report)
    assert "dims    N=4" in text and "\nnodes                    7       4\n" in text
    assert "control flow  1 If, 1 Loop  1 Loop" in text
    assert "stayed    1 Loop 'Loop': the number of iterations" in text and "'n'" in text
    assert "not verified (--no-verify)" in text


def test_names_are_not_read_as_markup(frozen):
    assert "[bold]out.onnx" in shown(frozen.report)


def test_names_cannot_control_the_terminal():
    model = onnx.parser.parse_model(TEXT)
    model.graph.input[1].name = model.graph.node[0].attribute[0].g.node[1].input[1] = "sc\x1b[2Jale\n"
    report = freezer.freeze(model, {"hard": False}, verify=False).report
    text = shown(report) + "\n".join(freezer.inspect(model).lines())
    assert "\x1b" not in text and text.count("sc\\x1b[2Jale\\n") >= 2


def test_nothing_is_cut_on_a_narrow_terminal(frozen):
    assert shown(frozen.report, width=20) == shown(frozen.report, width=200)


def test_a_verdict_of_each_kind(frozen):
    verdict = {"status": "equal", "message": "equal bit for bit", "loads_optimised": True, "optimised_reason": ""}
    assert "verified  equal bit for bit" in shown(replace(frozen.report, verification=verdict))
    verdict |= {"status": "unverified", "message": "not verified: nothing here runs the original"}
    assert "\nnot verified  nothing here runs the original\n" in shown(replace(frozen.report, verification=verdict))
    verdict |= {"status": "equal", "loads_optimised": False, "optimised_reason": "no kernel"}
    assert "with all optimisations it does not load: no kernel" in shown(replace(frozen.report, verification=verdict))


def test_json_holds_the_same(frozen):
    found = json.loads(json.dumps(frozen.report.to_dict()))
    assert found["freezer"] == freezer.__version__
    assert found["frozen"] == {"hard": {"dtype": "bool", "shape": [], "value": [False]}}
    assert found["before"]["control_flow"] == {"If": 1, "Loop": 1} and found["after"]["control_flow"] == {"Loop": 1}
    assert found["dims"] == {"N": 4} and found["dead_inputs"] == ["scale"] and found["constant_outputs"] == []
    assert found["saved"]["own_bytes"] == found["saved"]["nbytes"] > 0 and found["saved"]["shared_files"] == []
    assert found["reasons"][0]["op_type"] == "Loop" and {"load", "specialise", "save"} <= set(found["seconds"])


def test_reasons_that_differ_only_in_names_are_one():
    stayed = [Stayed(f"n{i}", "If", f"condition 'c{i}' depends on 'x'") for i in range(3)]
    stayed += [Stayed("n9", "If", "another"), Stayed("n8", "Loop", "condition 'c' depends on 'x'")]
    assert grouped(stayed) == [
        Reason("condition 'c0' depends on 'x'", 3, "If", "n0"), Reason("another", 1, "If", "n9"),
        Reason("condition 'c' depends on 'x'", 1, "Loop", "n8"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nbytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (1_270_000, "1.27 MB"), (5e12, "5000.00 GB")],
)
def test_sizes(nbytes, words):
    assert size_words(nbytes) == words


def test_values_in_words():
    assert value_words({"dtype": "float32", "shape": [2], "value": [0.5, 1.0]}) == "[0.5, 1.0]"
    assert value_words({"dtype": "int64", "shape": [1, 64], "sha256": "ab"}) == "int64 [1, 64]"
    assert value_words({"dtype": "int64", "shape": [0], "value": []}) == "[]"
    assert value_words({"dtype": "float32", "shape": [], "value": [float(np.float32(0.1))]}) == "0.1"
    assert value_words({"dtype": "float64", "shape": [], "value": [0.1]}) == "0.1"
    assert value_words({"dtype": "float32", "shape": [1], "value": ["nan"]}) == '["nan"]'
    assert value_words({"dtype": "bool", "shape": [1], "value": [True]}) == "[true]"
    assert value_words({"dtype": "string", "shape": [], "value": ["é"]}) == '"é"'
    tensor = onnx.helper.make_tensor("s", onnx.TensorProto.STRING, [2], [b"a", b"\xff"])
    assert tensor_words(ir.from_proto(tensor)) == "string [2] 'a', '\ufffd'"


def test_one_value_is_not_called_many(frozen):
    one, two = ([{"value": f"v{i}", "nbytes": 3000} for i in range(n)] for n in (1, 2))
    words = [kept_words(replace(frozen.report, kept=kept)) for kept in (one, two)]
    assert words[0] == "1 static value at run time: storing it would take 3.00 KB"
    assert words[1] == "2 static values at run time: storing them would take 6.00 KB"


@pytest.mark.parametrize(("prune", "said"), [(False, "nothing reads 11 of them (--prune-inputs"), (True, "pruned")])
def test_many_inputs_with_defaults_are_a_line(capsys, prune, said):
    names = [f"w{i}" for i in range(12)]
    inputs, values = (", ".join(form.format(n) for n in names) for form in ("float[1] {}", "float[1] {} = {{1}}"))
    text = f'<ir_version: 10, opset_import: ["": 18]>\ng (float[1] x, {inputs}) => (float[1] y) <{values}>'
    model = onnx.parser.parse_model(text + " { y = Add (x, w0) }")
    for options, lines in (({}, 2), ({"values": {"w1": [2.0]}}, 3)):
        show(freezer.freeze(model, verify=False, prune_inputs=prune, **options).report)
        found = capsys.readouterr().out
        assert f"and {14 - lines} inputs that have defaults" in found and said.replace("11", str(13 - lines)) in found
        assert found.count("input   ") == lines - 1
