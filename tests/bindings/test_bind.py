"""Inputs, dimensions and shapes: unified across the whole interface."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from freezer.bindings import Bindings, bind, parse_value
from freezer.errors import UsageError
from tests.bindings.models import model_with

LLM = model_with(
    "int64[batch, seq] ids", "int64[batch, past_plus_seq] mask", "float[batch, 4, past, 16] cache",
    outputs="float[batch, seq, 100] logits, float[batch, 4, past_plus_seq, 16] present",
)  # fmt: skip


def parsed(**values: str) -> dict:
    return {name: parse_value(text) for name, text in values.items()}


def test_a_value_binds_symbols_of_all_inputs_and_says_so():
    found = bind(model_with("int64[batch, seq] ids", "int64[batch, seq] mask"), parsed(mask="ones[1,128]"))
    assert found.dims == {"batch": 1, "seq": 128}
    assert found.shapes == {"ids": (1, 128), "mask": (1, 128)}
    assert found.notes == ["mask [1, 128] binds batch=1, seq=128"]
    assert found.origins == {"mask": "ones[1,128]"}
    assert found.values["mask"].name == "mask" and found.values["mask"].dtype == ir.DataType.INT64


def test_nothing_given_binds_nothing():
    assert bind(LLM).dims == {} and bind(LLM).values == {} and bind(LLM).notes == []
    assert bind(LLM).shapes["mask"] == ("batch", "past + seq")
    assert isinstance(bind(LLM), Bindings)


def test_the_model_is_not_changed():
    model = model_with("int64[batch, seq] ids")
    before = ir.to_proto(model).SerializeToString()
    bind(model, {"ids": np.ones((1, 2), np.int64)}, {"batch": 1}, {"ids": [1, None]})
    assert ir.to_proto(model).SerializeToString() == before


def test_a_contradiction_names_both_sides():
    with pytest.raises(UsageError) as error:
        bind(LLM, parsed(ids="ones[1,4]", cache="zeros[2,4,0,16]"))
    assert str(error.value) == "'cache' [2, 4, 0, 16] makes the dimension 'batch' 2, but 'ids' [1, 4] makes it 1"
    with pytest.raises(UsageError, match=r"'ids' \[1, 4\] makes the dimension 'seq' 4, but --dim seq=5 makes it 5"):
        bind(LLM, parsed(ids="ones[1,4]"), {"seq": 5})
    with pytest.raises(UsageError, match=r"the shape \[\?, 7\] of 'ids' makes .* 7, but --dim seq=5"):
        bind(LLM, dims={"seq": 5}, shapes={"ids": [None, 7]})


def test_a_symbol_that_one_input_uses_twice():
    model = model_with("float[n, n] x")
    assert bind(model, {"x": np.ones((2, 2), np.float32)}).dims == {"n": 2}
    with pytest.raises(UsageError, match=r"makes the dimension 'n' 3, but 'x' .* makes it 2"):
        bind(model, {"x": np.ones((2, 3), np.float32)})


def test_a_formula_is_bound_when_its_symbols_are():
    found = bind(LLM, dims={"past": 3, "seq": 4})
    assert found.dims["past + seq"] == 7 and found.shapes["mask"] == ("batch", 7)
    assert found.notes == ["past + seq is 7: past=3 (--dim past=3), seq=4 (--dim seq=4)"]


def test_a_formula_leaves_its_last_symbol_no_choice():
    found = bind(LLM, parsed(mask="ones[1,16]", ids="ones[1,16]"))
    assert found.dims == {"batch": 1, "past + seq": 16, "seq": 16, "past": 0}
    assert found.shapes["cache"] == (1, 4, 0, 16)
    assert any(note.startswith("past is 0: ") for note in found.notes)


def test_a_formula_alone_is_a_symbol_of_its_own_name():
    found = bind(LLM, dims={"past + seq": 16})
    assert found.dims == {"past + seq": 16} and found.shapes["ids"] == ("batch", "seq")


@pytest.mark.parametrize(
    "dims, message",
    [
        ({"past": 3, "seq": 4, "past + seq": 8}, r"past=3 .*, seq=4 .* makes the dimension 'past \+ seq' 7, but --dim"),
        ({"past + seq": 3, "seq": 4}, "the dimension 'past' would be -1"),
    ],
)
def test_a_formula_that_contradicts(dims, message):
    with pytest.raises(UsageError, match=message):
        bind(LLM, dims=dims)


def named(*dims: str) -> ir.Model:
    """A model with one input whose dims have these names, whatever they are."""
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, list(dims))
    out = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1])
    return ir.from_proto(onnx.helper.make_model(onnx.helper.make_graph([], "g", [value], [out]), ir_version=10))


@pytest.mark.parametrize(
    "formula, dims, expected",
    [
        ("a*b", {"a": 2, "b": 3}, 6),
        ("2*a + b - 1", {"a": 2, "b": 3}, 6),
        ("2*(a+b)", {"a": 2, "b": 3}, 10),
        ("(a + 1)//2 + b", {"a": 4, "b": 0}, 2),
        ("a//b", {"a": 4, "b": 0}, None),
        ("a + c", {"a": 4, "b": 0}, None),
        ("a +", {"a": 4, "b": 0}, None),
        ("a b", {"a": 4, "b": 0}, None),
        ("(" * 150 + "a" + ")" * 49, {"a": 4, "b": 0}, None),
        ("a**b", {"a": 9, "b": 9}, None),
        ("a" + "*a" * 5000, {"a": 9, "b": 9}, None),
        ("__import__('os')+a", {"a": 9, "b": 9}, None),
    ],
)
def test_formulas(formula, dims, expected):
    assert bind(named("a", "b", formula), dims=dims).dims.get(formula) == expected


def test_names_that_are_no_identifiers_are_plain_symbols():
    model = named("a-b", "p2o.DynamicDimension.0", "input:0", "unk__214", "a/b")
    dims = {"a-b": 1, "p2o.DynamicDimension.0": 2, "input:0": 3, "unk__214": 4, "a/b": 5}
    assert bind(model, dims=dims).shapes["x"] == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("placeholder", ["?", "", "None", "-1", "unk"])
def test_placeholders_are_no_names(placeholder):
    model = named(placeholder, placeholder, "n")
    assert bind(model, parsed(x="zeros[2,3,4]")).dims == {"n": 4}
    with pytest.raises(UsageError, match="has no dimension"):
        bind(model, dims={placeholder: 1})


def test_negative_dims_are_unknown():
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [-1, 3])
    graph = onnx.helper.make_graph([], "g", [value], [])
    model = ir.from_proto(onnx.helper.make_model(graph, ir_version=10))
    assert bind(model).shapes == {"x": (None, 3)}
    assert bind(model, shapes={"x": [2, None]}).shapes == {"x": (2, 3)}


def test_a_symbol_of_an_output_or_an_inner_value_can_be_bound():
    model = model_with("float[n] x", outputs="float[m] y")
    assert bind(model, dims={"m": 3}).dims == {"m": 3}
    text = """<ir_version: 10, opset_import: ["": 21]> g (float[n] x) => (float[n] y) <float[k] t>
        { t = Abs(x) y = Neg(t) }"""
    assert bind(ir.from_proto(onnx.parser.parse_model(text)), dims={"k": 3}).dims == {"k": 3}


@pytest.mark.parametrize(
    "dims, message",
    [
        ({"bach": 1}, "the model has no dimension 'bach'; did you mean 'batch'?"),
        ({"zzz": 1}, "no dimension 'zzz'; there are 'batch', 'past', 'past + seq', 'seq'"),
        ({"batch": -1}, "'batch' must be an integer >= 0, not -1"),
        ({"batch": True}, "not True"),
        ({"batch": 1.0}, "not 1.0"),
    ],
)
def test_dims_that_cannot_be_meant(dims, message):
    with pytest.raises(UsageError) as error:
        bind(LLM, dims=dims)
    assert message in str(error.value)


def test_where_no_dimension_has_a_name_a_shape_is_the_way():
    with pytest.raises(UsageError, match="no dimension 'batch'; none has a name: use --shape"):
        bind(model_with("float[2,3] x"), dims={"batch": 1})


def test_shapes_bind_symbols_and_unnamed_dims_and_none_keeps():
    found = bind(LLM, shapes={"cache": [1, None, None, 16]})
    assert found.shapes["cache"] == (1, 4, "past", 16) and found.shapes["ids"] == (1, "seq")
    assert found.given_shapes == {"cache": (1, None, None, 16)}
    assert found.notes == ["cache [1, ?, ?, 16] binds batch=1"]


@pytest.mark.parametrize(
    "shapes, message",
    [
        ({"caches": [1]}, "cannot bind the shape of 'caches': the model has no such input; did you mean 'cache'?"),
        ({"cache": [1, 4]}, "the model expects shape [batch, 4, past, 16], not [1, 4]"),
        ({"cache": [1, 5, 0, 16]}, "has 5 at axis 1, but the model's shape is [batch, 4, past, 16]"),
        ({"cache": [1, -4, 0, 16]}, "-4 is not an integer from 0"),
    ],
)
def test_shapes_that_do_not_fit(shapes, message):
    with pytest.raises(UsageError) as error:
        bind(LLM, shapes=shapes)
    assert message in str(error.value)


def test_a_shape_for_an_input_of_unknown_rank_and_a_value_that_contradicts_it():
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, None)
    model = ir.from_proto(onnx.helper.make_model(onnx.helper.make_graph([], "g", [value], []), ir_version=10))
    assert bind(model).shapes == {}
    assert bind(model, shapes={"x": [1, 2]}).shapes == {"x": (1, 2)}
    assert bind(model, parsed(x="zeros"), shapes={"x": [1, 2]}).values["x"].shape == (1, 2)
    with pytest.raises(UsageError, match=r"has shape \[1, 3\], and its shape was given as \[1, 2\]"):
        bind(model, parsed(x="zeros[1,3]"), shapes={"x": [1, 2]})
    with pytest.raises(UsageError, match=r"of any rank; the value 'zeros' needs a shape: write zeros\[1,64\]"):
        bind(model, parsed(x="zeros"))


def test_a_fill_takes_its_shape_from_all_that_is_bound():
    found = bind(LLM, parsed(mask="ones", ids="arange", cache="zeros[1,4,2,16]"), {"seq": 3})
    assert found.values["mask"].numpy().tolist() == [[1] * 5]
    assert found.values["ids"].numpy().tolist() == [[0, 1, 2]]


def test_a_fill_whose_size_is_not_bound_names_the_symbol():
    with pytest.raises(UsageError) as error:
        bind(LLM, parsed(ids="zeros"), {"seq": 64})
    assert "'zeros' needs the size of 'batch': use --dim batch=1 or zeros[1,64]" in str(error.value)
    with pytest.raises(UsageError, match="needs the size of a dimension without a name: use --shape x=1,2 or ones"):
        bind(named("?", "n"), parsed(x="ones"), {"n": 2})


@pytest.mark.parametrize(
    "name, message", [("rs", "did you mean 'sr'?"), ("SR", "did you mean 'sr'?"), ("qqqqq", "there are 'input', 'sr'")]
)
def test_an_unknown_input_suggests_close_names(name, message):
    with pytest.raises(UsageError) as error:
        bind(model_with("float[n] input", "int64 sr"), {name: 16000})
    assert f"cannot freeze '{name}': the model has no such input" in str(error.value) and message in str(error.value)


def with_defaults() -> ir.Model:
    text = """<ir_version: 10, opset_import: ["": 21]>
        g (float[n] x, float[1] scale, int64[k] axes) => (float[n] y)
        <float[1] scale = {2}, int64[1] axes = {0}> { y = Mul(x, scale) }"""
    return ir.from_proto(onnx.parser.parse_model(text))


def test_defaults_stay_unless_they_are_frozen():
    assert bind(with_defaults()).values == {}
    found = bind(with_defaults(), parsed(scale="[3]"))
    assert found.values.keys() == {"scale"} and found.values["scale"].numpy().tolist() == [3]


def test_all_defaults_can_be_frozen_and_a_value_takes_precedence():
    found = bind(with_defaults(), parsed(scale="[3]"), freeze_defaults=True)
    assert {n: t.numpy().tolist() for n, t in found.values.items()} == {"scale": [3], "axes": [0]}
    assert found.origins == {"scale": "[3]"} and found.dims == {"k": 1}


def test_python_values():
    found = bind(
        model_with("int64 sr", "float[3] scales", "bool[1] flag"),
        {"sr": 16000.0, "scales": (1, 0.5, 2), "flag": [True]},
    )
    assert found.values["sr"].numpy() == 16000
    assert found.values["scales"].numpy().dtype == np.float32
    assert found.origins == {"sr": "16000.0", "scales": "(1, 0.5, 2)", "flag": "[True]"}
