"""freezer bisect MODEL OUT, on files that were made wrong."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import freezer as library
from freezer.proof import blame
from tests.cli.run import freezer

TEXT = """<ir_version: 10, opset_import: ["": 18]>
g (float[N] x, float scale, float shift) => (float[N] y) {
   [half] h = Mul (scale, shift)
   [first] a = Exp (x)
   [second] b = Mul (a, h)
   [third] c = Add (b, shift)
   [other] d = Abs (x)
   [last] y = Sub (c, d)
}"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.onnx").write_bytes(onnx.parser.parse_model(TEXT).SerializeToString())
    frozen = library.freeze(tmp_path / "m.onnx", {"scale": 0.5, "shift": 3.0}, verify=False)
    frozen.save(tmp_path / "out.onnx")
    return tmp_path


def change(folder, plant):
    model = onnx.load(folder / "out.onnx")
    plant(model.graph)
    onnx.save(model, folder / "out.onnx")
    return freezer("bisect", folder / "m.onnx", folder / "out.onnx")


def node(graph, name):
    return next(n for n in graph.node if n.name == name)


def test_a_right_file_has_nothing_to_find(folder):
    done = change(folder, lambda graph: None)
    assert done.returncode == 0 and done.stdout.startswith("nothing differs: equal bit for bit"), done.stderr


def test_a_planted_constant_is_found_and_named(folder):
    planted = []

    def plant(graph):
        name = next(i for i in node(graph, "second").input if i != "a")
        tensor = next(t for t in graph.initializer if t.name == name)
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) + np.float32(1), name))
        planted.append(name)

    done = change(folder, plant)
    assert done.returncode == 1, done.stderr
    assert "value     'b' is the first that differs, after 1 alike" in done.stdout
    assert "by Mul 'second', OUT by Mul 'second'" in done.stdout
    assert f"constant  '{planted[0]}', which it reads" in done.stdout


def test_a_planted_node_is_found_and_named(folder):
    done = change(folder, lambda graph: setattr(node(graph, "third"), "op_type", "Div"))
    assert done.returncode == 1, done.stderr
    assert "value     'c' is the first" in done.stdout and "by Add 'third', OUT by Div 'third'" in done.stdout
    assert "constant " not in done.stdout and "rewrite " not in done.stdout


def test_a_constant_in_place_of_a_node_is_found(folder):
    def plant(graph):
        graph.node.remove(node(graph, "other"))
        graph.initializer.append(numpy_helper.from_array(np.float32([7]), "d"))

    done = change(folder, plant)
    assert done.returncode == 1, done.stderr
    assert "by Abs 'other', OUT by a constant" in done.stdout


def test_the_work_of_another_engine_is_compared_with_the_source(folder):
    model = onnx.load(folder / "out.onnx")
    node(model.graph, "third").op_type = "Div"
    onnx.helper.set_model_props(
        model, {p.key: p.value for p in model.metadata_props} | {"freezer.0.options": '{"engine": "onnxslim"}'}
    )
    onnx.save(model, folder / "out.onnx")
    found = blame(folder / "out.onnx", folder / "m.onnx")
    assert found.parting is not None and found.parting.value.name == "c"
    assert not found.again and found.rewrite is None


def test_a_wrong_rule_is_named(folder, monkeypatch):
    from freezer.rewrite import Rewrite
    from freezer.rules import BY_OP
    from freezer.rules.registry import on

    @on("Abs")
    def drop_abs(node, facts):
        return Rewrite([node.inputs[0]])

    monkeypatch.setitem(BY_OP, ("", "Abs"), [drop_abs])
    wrong = library.freeze(folder / "m.onnx", {"scale": 0.5, "shift": 3.0}, verify=False)
    wrong.save(folder / "wrong.onnx")
    found = blame(folder / "wrong.onnx", folder / "m.onnx")
    assert found.rewrite is not None and "drop_abs" in found.rewrite and not found.again
    assert found.parting is not None and found.parting.value.name == "y" and found.parting.alike == 4


def test_a_file_that_is_not_frozen_is_refused(folder):
    done = freezer("bisect", folder / "m.onnx", folder / "m.onnx")
    assert done.returncode == 1 and "has no metadata of a freeze" in done.stderr
