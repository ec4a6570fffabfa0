"""freezer as a library: four kinds of model in, the same kind out, and the caller's object unchanged."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import onnx_ir as ir
import pytest

import freezer

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[N] x, float scale, bool hard) => (float[N] y) {
   y = If (hard) <
      then_branch = t () => (float[N] a) { s = Sign (x)  a = Mul (s, scale) },
      else_branch = e () => (float[N] b) { b = Tanh (x) }>
}"""


def proto() -> onnx.ModelProto:
    return onnx.parser.parse_model(TEXT)


def ops(model) -> list[str]:
    if isinstance(model, gs.Graph):
        return [n.op for n in model.nodes]
    graph = model.graph
    return [n.op_type for n in (graph.node if isinstance(model, onnx.ModelProto) else graph)]


@pytest.mark.parametrize("kind", ["proto", "ir", "graphsurgeon", "path"])
def test_the_kind_that_came_in_comes_out(kind, tmp_path):
    onnx.save(proto(), tmp_path / "model.onnx")
    given = {
        "proto": proto(), "ir": ir.from_proto(proto()), "graphsurgeon": gs.import_onnx(proto()),
        "path": tmp_path / "model.onnx",
    }[kind]  # fmt: skip
    frozen = freezer.freeze(given, {"hard": True, "scale": 2.0})
    assert ops(frozen.model) == ["Sign", "Mul"]
    assert isinstance(frozen.model, ir.Model if kind == "path" else type(given))
    assert frozen.report.verification["status"] == "equal"
    if kind != "path":
        assert ops(given) == ["If"]


def test_saving_gives_a_model_that_runs(tmp_path):
    freezer.freeze(proto(), {"hard": False}, prune_inputs=True).save(tmp_path / "out.onnx")
    saved = onnx.load(tmp_path / "out.onnx")
    assert [i.name for i in saved.graph.input] == ["x"] and ops(saved) == ["Tanh"]


def test_a_dead_input_is_kept_and_named():
    report = freezer.freeze(proto(), {"hard": False}).report
    assert report.dead_inputs == ["scale"] and [v.name for v in report.after.inputs] == ["x", "scale"]


def test_an_output_that_becomes_constant_is_named():
    report = freezer.freeze(proto(), {"hard": True, "scale": 3.0, "x": np.array([1, -2], np.float32)}).report
    assert report.constant_outputs == ["y"] and report.after.nodes == 0


def test_freezing_in_two_steps_is_freezing_at_once():
    once = freezer.freeze(proto(), {"hard": True, "scale": 2.0}, verify=False).model
    for first, second in (("hard", "scale"), ("scale", "hard")):
        values = {"hard": True, "scale": 2.0}
        step = freezer.freeze(proto(), {first: values[first]}, verify=False).model
        twice = freezer.freeze(step, {second: values[second]}, verify=False).model
        assert freezer.fingerprint(ir.from_proto(twice)) == freezer.fingerprint(ir.from_proto(once))


def test_a_planted_fault_is_caught_and_named(monkeypatch):
    """A rule that is wrong on purpose: the verdict names the output, the bisection names the rule."""
    from freezer.rewrite import Rewrite
    from freezer.rules import BY_OP
    from freezer.rules.registry import on

    @on("Sign")
    def drop_sign(node, facts):
        return Rewrite([node.inputs[0]])

    monkeypatch.setitem(BY_OP, ("", "Sign"), [drop_sign])
    with pytest.raises(freezer.FreezerError, match=r"'y'.*drop_sign.*nothing was written"):
        freezer.freeze(proto(), {"hard": True})


def test_public_names_all_exist():
    for name in freezer.__all__:
        assert getattr(freezer, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'thaw'"):
        _ = freezer.thaw


ODD = """<ir_version: 10, opset_import: ["": 18]>
g (float[2] x, float[2] unused, float[2] w) => (float[2] x, float[2] y) <float[2] w = {1, 2}> { y = Mul (x, w) }"""


@pytest.mark.parametrize(
    ("values", "options", "inputs", "constant", "dead"),
    [
        ({"x": [1.0, 2.0]}, {}, ["unused", "w"], ["x"], ["unused"]),
        ({"unused": [1.0, 2.0]}, {}, ["x", "w"], [], []),
        ({"w": [3.0, 4.0]}, {}, ["x", "unused"], [], ["unused"]),
        ({}, {"freeze_defaults": True}, ["x", "unused"], [], ["unused"]),
        ({"x": [1.0, 2.0], "w": [2.0, 2.0]}, {"prune_inputs": True}, [], ["x", "y"], []),
    ],
)
def test_odd_interfaces_are_frozen_and_reported(values, options, inputs, constant, dead):
    """An input that is an output too, one that nobody reads, one with a default."""
    frozen = freezer.freeze(onnx.parser.parse_model(ODD), values, **options)
    assert [i.name for i in frozen.model.graph.input] == inputs
    assert [o.name for o in frozen.model.graph.output] == ["x", "y"]
    assert frozen.report.constant_outputs == constant and frozen.report.dead_inputs == dead
    assert frozen.report.verification["status"] == "equal"
    onnx.checker.check_model(frozen.model)


def test_verify_tells_two_models_apart():
    frozen = freezer.freeze(proto(), {"hard": True, "scale": 2.0}, verify=False).model
    assert freezer.verify(proto(), frozen, {"hard": True, "scale": 2.0}).equal is True
    verdict = freezer.verify(proto(), frozen, {"hard": True, "scale": 3.0})
    assert verdict.equal is False and "'y'" in verdict.message


def test_verify_stays_a_function_whatever_was_imported_before():
    import freezer.verification.verification

    assert callable(freezer.verify) and freezer.verify is not freezer.verification


def test_every_kind_of_model_has_one_fingerprint(tmp_path):
    onnx.save(proto(), tmp_path / "model.onnx")
    kinds = [proto(), ir.from_proto(proto()), gs.import_onnx(proto()), tmp_path / "model.onnx"]
    assert len({freezer.fingerprint(model) for model in kinds}) == 1
    assert not freezer.diff(kinds[0], kinds[3]) and freezer.diff(kinds[0], onnx.parser.parse_model(ODD))
    assert [type(freezer.canonicalize(model)) for model in kinds[:3]] == [type(model) for model in kinds[:3]]


def test_sizes_that_the_original_cannot_run_with_are_no_fault_of_the_residual():
    text = """<ir_version: 10, opset_import: ["": 18]>
    g (float[n,k] x) => (float[n,2] y) <float[4,2] w = {1, 2, 3, 4, 5, 6, 7, 8}> { y = MatMul (x, w) }"""
    with pytest.raises(freezer.FreezerError) as raised:
        freezer.freeze(onnx.parser.parse_model(text), dims={"k": 3})
    message = str(raised.value)
    assert message.startswith("the original fails with these values and sizes, and the residual does not load: no feed")
    assert message.endswith("nothing was written. Give values and sizes that the model runs with")
