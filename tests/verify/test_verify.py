from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from models import Bound, bound, judged, parse
from onnx import TensorProto

from freezer.evaluate.child import Child, Limits
from freezer.model_io import load
from freezer.verification import Verification, start_judge, verify


@pytest.fixture(scope="module")
def child():
    with start_judge(Limits(cpu=300, wall=60)) as started:
        yield started


SCALED = "g (float[n,4] x, float s) => (float[n,4] y) { y = Mul(x, s) }"


def scaled(factor):
    return f"g (float[n,4] x) => (float[n,4] y) <float s = {{{factor}}}> {{ y = Mul(x, s) }}"


def test_a_correct_residual_is_equal(child):
    verdict = judged(SCALED, scaled(2), bound({"s": np.array(2, np.float32)}), child=child)
    assert (verdict.status, verdict.equal, verdict.loads_optimised) == ("equal", True, True)
    assert verdict.message.startswith("equal bit for bit: 1 output, 3 feeds, onnxruntime ")
    assert len(set(verdict.feeds)) == 3 and all("n=" in line for line in verdict.feeds)
    assert verdict.to_dict()["outputs"][0]["dtype"] == "float32"


def test_one_ulp_is_different_and_located(child):
    verdict = judged(SCALED, scaled("2.0000002"), bound({"s": np.array(2, np.float32)}), child=child)
    first = verdict.first_difference
    assert verdict.equal is False and first is not None and first.name == "y"
    assert first.max_ulp in (1, 2) and first.feed == 0
    assert verdict.message.startswith("output 'y' differs on feed 0: ")


def test_the_sign_of_zero_counts(child):
    verdict = judged("g (float[n] x) => (float[n] y) <float z = {0.0}> { y = Add(x, z) }",
                     "g (float[n] x) => (float[n] y) { y = Identity(x) }", bound(n=4000), child=child)  # fmt: skip
    assert verdict.status == "different" and verdict.first_difference.feed == 2


def test_a_size_mistaken_for_another_is_found(child):
    original = "g (float[n] x, float[m] y) => (int64[1] z) { z = Shape(x) }"
    residual = "g (float[n] x, float[m] y) => (int64[1] z) { z = Shape(y) }"
    assert judged(original, residual, child=child).status == "different"


def test_a_residual_that_fails_where_the_original_runs_is_different(child):
    original = "g (float[n] x) => (float[n] y) { y = Neg(x) }"
    residual = """g (float[n] x) => (float[n] y) { e = Constant<value = int64[1] {5}>() y = Reshape(x, e) }"""
    assert "fails on feed 0 where the original runs" in judged(original, residual, bound(n=4), child=child).message
    assert "does not load" in judged(original, original.replace("Neg", "Foo"), child=child).message
    assert "were ['y']" in judged(original, "g (float[n] x) => (float[n] z) { z = Neg(x) }", child=child).message


def test_a_default_that_was_frozen_is_fed(child):
    text = "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Mul(x, w) }"
    residual = "g (float[2] x) => (float[2] y) <float[2] w = {5, 6}> { y = Mul(x, w) }"
    assert judged(text, residual, bound({"w": np.array([5, 6], np.float32)}), child=child).equal
    assert not judged(text, residual, bound({"w": np.array([1, 2], np.float32)}), child=child).equal


def test_a_default_that_is_not_frozen_must_still_count(child):
    text = "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Mul(x, w) }"
    folded = "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}, float[2] v = {1, 2}> { y = Mul(x, v) }"
    assert judged(text, text, child=child).equal
    assert not judged(text, folded, child=child).equal


def test_before_ir_version_4_a_frozen_initializer_is_written_into_the_copy(child):
    proto = parse("g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Mul(x, w) }")
    proto.ir_version, proto.opset_import[0].version = 3, 8
    residual = "g (float[2] x) => (float[2] y) <float[2] w = {5, 6}> { y = Mul(x, w) }"
    assert judged(proto, residual, bound({"w": np.array([5, 6], np.float32)}), child=child).equal


@pytest.mark.parametrize(
    "random",
    [
        "n = RandomNormalLike(x)  y = Add(x, n)",
        "t = Constant<value = bool {1}>() r = Constant<value = float {0.5}>() y = Dropout(x, r, t)",
        "p = Sigmoid(x) y = Bernoulli(p)",
        """c = Constant<value = bool {1}>() y = If (c) <then_branch = t () => (float[5,3] z) { n = RandomUniformLike(x)
           z = Mul(n, x) }, else_branch = e () => (float[5,3] w) { w = Neg(x) }>""",
    ],
)
def test_random_nodes_agree_wherever_they_stand(child, random):
    original = f"g (float[5,3] x) => (float[5,3] y) {{ {random} }}"
    residual = f"g (float[5,3] x) => (float[5,3] y) {{ a = Abs(x) b = Abs(a) {random} }}"
    assert judged(original, residual, child=child).equal


def test_random_nodes_agree_after_runs_that_failed(child):
    """Numbers of more than 1 fail as a size, after the random node has drawn."""
    size = "z = Sub(n, n) b = Add(x, z) a = Abs(b) u = Ceil(a) m = ReduceMax<keepdims = 1>(u) t = Cast<to = 7>(m)"
    body = f"n = RandomNormal<shape = [20]>() {size} g = Reshape(c, t)"
    original = f"g (float[20] x) => (float[20] y) <float[1] c = {{1}}> {{ {body} y = "
    verdict = judged(original + "Add(n, g) }", original + "Add(g, n) }", child=child)
    assert verdict.equal and not any(line.startswith("normal") for line in verdict.feeds), verdict


def external(proto, tensor, directory, name, values, offset=64):
    """Move a tensor's data into a file beside the model."""
    data = np.array(values, np.float32).tobytes()
    (directory / name).write_bytes(b"\0" * offset + data)
    tensor.ClearField("float_data")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", name), ("offset", offset), ("length", len(data))):
        tensor.external_data.add(key=key, value=str(value))
    return proto


def test_external_data_of_the_main_graph_and_of_subgraphs(child, tmp_path):
    text = """g (float[4] x, bool c) => (float[4] y) <float[4] w = {0, 0, 0, 0}> { a = Add(x, w) y = If (c)
        <then_branch = t () => (float[4] z) <float[4] v = {0, 0, 0, 0}> { z = Mul(a, v) },
         else_branch = e () => (float[4] u) { u = Neg(w) }> }"""
    proto = parse(text)
    external(proto, proto.graph.initializer[0], tmp_path, "w.bin", [1, 2, 3, 4])
    external(proto, proto.graph.node[1].attribute[0].g.initializer[0], tmp_path, "v.bin", [5, 6, 7, 8], offset=1)
    folded = """g (float[4] x) => (float[4] y) <float[4] w = {1, 2, 3, 4}, float[4] v = {5, 6, 7, 8}>
        { a = Add(x, w)  y = Mul(a, v) }"""
    original, values = load(proto, base_dir=tmp_path), bound({"c": np.array(True)})
    assert verify(original, ir.from_proto(parse(folded)), values, child=child).equal
    wrong = ir.from_proto(parse(folded.replace("8}", "9}")))
    assert verify(original, wrong, values, child=child).equal is False


def test_a_data_file_that_was_not_checked_is_not_opened(child, tmp_path):
    proto = parse("g (float[4] x) => (float[4] y) <float[4] w = {0, 0, 0, 0}> { y = Add(x, w) }")
    external(proto, proto.graph.initializer[0], tmp_path, "w.bin", [1, 2, 3, 4])
    original = load(proto, base_dir=tmp_path)
    proto.graph.initializer[0].external_data[0].value = str(tmp_path / "w.bin")
    moved = replace(original, original=lambda: proto)
    verdict = verify(moved, original.model, bound(), child=child)
    assert verdict.equal is None and "which was not checked" in verdict.message


def test_a_model_that_kills_the_child_is_survived(child):
    fine = parse("g (float[n] x) => (float[n] y) { y = Min(x, x) }")
    fatal = onnx.ModelProto.FromString(fine.SerializeToString())
    fatal.graph.node[0].input[1] = ""
    assert "the child process died (SIG" in judged(fine, fatal, child=child).message
    assert judged(fatal, fine, child=child).status == "unverified"
    assert judged(fine, fine, child=child).equal


def test_a_feed_that_kills_the_child_is_passed_over(child):
    text = "g (int64[n] x, int64[n] k) => (int64[n] y) { y = Div(x, k) }"
    verdict = judged(text, text, bound(n=64), child=child)
    assert verdict.equal and verdict.feeds[0] == "ones"


def test_dying_with_optimisations_on_counts_only_if_the_original_loads(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    text = "g (float[n] x) => (float[n] y) { y = Neg(x) }"
    with Child("dying_judge") as dying:
        verdict = judged(text, text, child=dying)
        assert (verdict.status, verdict.loads_optimised) == ("different", False)
        assert "with its optimisations on" in verdict.message and "SIGSEGV" in verdict.message
        int4 = "g (int4[n] x) => (int4[n] y) { y = Identity(x) }"
        verdict = judged(int4, int4, child=dying)
        assert (verdict.status, verdict.loads_optimised) == ("equal", False)
        assert "nor does the original load" in verdict.optimised_reason


def test_what_only_the_checker_refuses_is_different(child):
    proto = parse("g (float[2] x) => (float[2] y) { y = Neg(z) z = Abs(x) }")
    residual = ir.from_proto(proto)
    original = load(parse("g (float[2] x) => (float[2] y) { z = Abs(x) y = Neg(z) }"))
    verdict = verify(original, residual, bound(), child=child)
    assert verdict.status == "different" and verdict.message.startswith("the ONNX checker refuses")
    assert verify(load(proto), residual, bound(), child=child).equal


def test_what_onnxruntime_cannot_run_goes_to_the_reference_evaluator(child):
    text = "g (bfloat16[n] x) => (bfloat16[n] y) { y = Exp(x) }"
    verdict = judged(text, text, child=child)
    assert verdict.equal and verdict.engine.startswith("onnx reference")
    assert judged(text, text.replace("Exp", "Abs"), child=child).equal is False


def test_a_last_bit_seen_by_the_reference_evaluator_proves_nothing(child):
    body = "c = Cast<to = 16>(z) w = Cast<to = 1>(x) v = Exp(c) y = Mul(w, w{})"
    text = "g (bfloat16[n] x, float[n] z) => (bfloat16[n] v, float[n] y) { " + body.format("") + " }"
    off = "g (bfloat16[n] x, float[n] z) => (bfloat16[n] v, float[n] y) <float k = {1.0000001}> { " + body.format("k)")
    off = off.replace("Mul(w, wk))", "Mul(w, u)").replace("y =", "u = Mul(w, k) y =") + " }"
    verdict = judged(text, off, child=child)
    assert verdict.status == "unverified" and "not verified bit for bit" in verdict.message


@pytest.mark.parametrize(
    "text",
    [
        "g (bfloat16[n] x) => (bfloat16[n] y) { y = Identity(x) }",
        "g (float8e4m3fn[n] x) => (float8e4m3fn[n] y) { y = Identity(x) }",
        "g (seq(float[n]) x, int64 i) => (seq(float[n]) y) { y = SequenceErase(x, i) }",
        "g (optional(float[n]) x) => (float[n] y) { y = OptionalGetElement(x) }",
        "g (string[n] s) => (string[n] y) { y = Identity(s) }",
        """g (float[n,2] x) => (seq(map(int64, float)) y)
            { y = ai.onnx.ml.ZipMap<classlabels_int64s = [3, 4]>(x) }""",
    ],
)
def test_every_kind_of_value_goes_through(child, text):
    proto = parse(text)
    twin = parse(text.replace("n]", "m]").replace("n,", "m,"))
    assert judged(proto, twin, child=child).equal


def test_no_feed_is_unverified_with_the_reason(child):
    text = (
        "g (float[2,3] x, float[2,3] w) => (float[2,3] y) { s = Shape(x) t = Concat<axis = 0>(s, s) y = Reshape(x, t) }"
    )
    verdict = judged(text, text, child=child)
    assert verdict.equal is None and "no feed was found that the original runs on" in verdict.message


def test_a_verification_begins_before_the_residual_exists_and_can_be_given_up():
    original = load(parse(SCALED))
    begun = Verification(original, bound({"s": np.array(2, np.float32)}), feeds=5)
    verdict = begun.finish(ir.from_proto(parse(scaled(2))))
    assert verdict.equal and len(verdict.feeds) == 5
    with start_judge() as child:
        Verification(original, Bound(), child=child).close()
        assert judged(SCALED, SCALED, child=child).equal


def test_the_parent_imports_no_runtime():
    code = "import freezer.verification, sys; sys.exit(any(m in sys.modules for m in ('onnxruntime', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
