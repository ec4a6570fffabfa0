"""Loading: every kind of model, every way a file can be broken."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper

from freezer.errors import LimitError, ModelError, UsageError
from freezer.model_io import load, to_kind, to_proto
from tests.model_io.models import add, external_add, external_tensor, parsed, write


def test_a_path_gives_a_private_model_and_the_original_bytes(tmp_path):
    path = write(add(), tmp_path / "m.onnx")
    source = load(path)
    source.model.graph.inputs[0].name = "changed"
    assert source.kind == "path" and source.path == path
    assert source.proto_bytes() == path.read_bytes()
    assert source.sha256() == load(str(path)).sha256()


@pytest.mark.parametrize("kind", ["proto", "ir", "graphsurgeon"])
def test_an_object_is_not_changed_and_comes_back_as_its_kind(kind):
    given = to_kind(ir.from_proto(add()), kind)
    before = to_proto(given).SerializeToString() if kind == "ir" else None
    source = load(given)
    source.model.graph.initializers["w"].name = "other"
    source.model.graph.inputs[0].name = "z"
    assert source.kind == kind and source.path is None
    assert [v.name for v in onnx.ModelProto.FromString(source.proto_bytes()).graph.input] == ["x"]
    if kind == "ir":
        assert to_proto(given).SerializeToString() == before
    assert type(to_kind(source.model, kind)) is type(given)


def test_a_proto_is_not_changed():
    given = add()
    before = given.SerializeToString()
    source = load(given)
    source.model.graph.initializers["w"].name = "other"
    assert given.SerializeToString() == before


def test_an_ir_model_keeps_its_tensors_names():
    given = ir.from_proto(add())
    tensor = given.graph.initializers["w"].const_value
    tensor.name = "other"
    load(given)
    assert tensor.name == "other" and given.graph.initializers["w"].shape == (1,)


def test_what_cannot_be_kept_is_said():
    model = add()
    model.training_info.add()
    assert load(model).notes == ["the model's training_info is not kept"]


def test_a_path_with_a_nul_is_no_path():
    with pytest.raises(ModelError, match="is not a path"):
        load("a\0b")


def test_another_object_is_refused():
    with pytest.raises(UsageError, match="cannot load a builtins"):
        load(3)


def test_a_file_that_changes_afterwards_is_noticed(tmp_path):
    path = write(add(), tmp_path / "m.onnx")
    source = load(path)
    write(parsed("g (float[n] x) => (float[n] y) { y = Neg(x) }"), path)
    with pytest.raises(ModelError, match="changed while"):
        source.proto_bytes()


BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"hello, this is text, and not a model at all", "not an ONNX model"),
    "lfs": (b"version https://git-lfs\noid sha256:12\n", "git lfs pull"),
    "zip": (b"PK\x03\x04" + bytes(40), "zip archive"),
    "pickle": (b"\x80\x02" + bytes(40), "pickle"),
    "zeros": (bytes(100), "not an ONNX model"),
    "truncated": (add().SerializeToString()[:-5], "cut short"),
    "only a header": (onnx.ModelProto(ir_version=8).SerializeToString(), "no IR version or no graph"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_explained(tmp_path, name):
    content, message = BROKEN[name]
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=message) as error:
        load(tmp_path / "m.onnx")
    assert "\n" not in str(error.value)


def test_a_missing_file_suggests_close_names(tmp_path):
    write(add(), tmp_path / "model.onnx")
    with pytest.raises(ModelError, match=r"did you mean '.*model\.onnx'"):
        load(tmp_path / "modle.onnx")
    with pytest.raises(ModelError, match="does not exist either"):
        load(tmp_path / "no" / "model.onnx")


def test_a_folder_a_fifo_and_a_device_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo.onnx")
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "fifo.onnx", "regular"), ("/dev/zero", "regular")):
        with pytest.raises(ModelError, match=message):
            load(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = write(add(), tmp_path / "m.onnx")
    path.chmod(0)
    with pytest.raises(ModelError, match="cannot be read: Permission denied"):
        load(path)


def test_a_file_beyond_2_gib_is_refused_unread(tmp_path):
    with open(tmp_path / "m.onnx", "wb") as file:
        file.truncate((2 << 30) + 1)
    with pytest.raises(ModelError, match="less than 2 GiB"):
        load(tmp_path / "m.onnx")


def nested(depth: int) -> onnx.ModelProto:
    """Ifs in Ifs; the innermost branch reads x of the main graph."""
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["o"])], "b", [], [out])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "b", [], [out])
    graph.input.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"]))
    graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def deep_bytes(depth: int) -> bytes:
    """A one-branch If chain, written by hand, since protobuf refuses to build it."""
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["o"])], "b", [], [out]).SerializeToString()
    for _ in range(depth):
        attribute = b"\x0a\x01t" + b"\x32" + varint(len(graph)) + graph + b"\xa0\x01\x05"
        node = b"\x12\x01o\x22\x02If\x2a" + varint(len(attribute)) + attribute
        graph = b"\x0a" + varint(len(node)) + node
    return b"\x08\x08\x3a" + varint(len(graph)) + graph + b"\x42\x02\x10\x11"


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def test_nesting_as_deep_as_protobuf_allows_loads(tmp_path):
    model = load(write(nested(7), tmp_path / "m.onnx")).model
    assert len(list(model.graph.subgraphs())) == 2**8 - 2


def test_deeper_nesting_is_an_error_and_not_a_crash(tmp_path):
    (tmp_path / "m.onnx").write_bytes(deep_bytes(20000))
    with pytest.raises(ModelError):
        load(tmp_path / "m.onnx")


@pytest.mark.parametrize("versions, expected", [((13, 13), 13), ((11, 13), 13), ((13, 11), 11)])
def test_duplicate_opset_imports_are_read_as_onnxruntime_reads_them(versions, expected):
    model = add()
    del model.opset_import[:]
    model.opset_import.add(domain="ai.onnx", version=versions[0])
    model.opset_import.add(domain="", version=versions[1])
    assert load(model).model.opset_imports == {"": expected}


def test_constants_that_an_old_ir_version_lists_as_inputs_are_no_inputs():
    model = add()
    model.ir_version = 3
    model.graph.input.add(name="w").type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    source = load(model)
    assert [v.name for v in source.model.graph.inputs] == ["x"]
    assert source.model.ir_version == 4 and "1 left the inputs" in source.notes[0]
    model.ir_version = 4
    assert [v.name for v in load(model).model.graph.inputs] == ["x", "w"]


def test_untyped_attributes_of_ir_version_1_get_their_type():
    model = parsed("g (float[n] x) => (float[n] y) { y = LeakyRelu<alpha = 0.5>(x) }")
    model.graph.node[0].attribute[0].ClearField("type")
    assert load(model).model.graph.node(0).attributes["alpha"].as_float() == 0.5
    model.graph.node[0].attribute[0].i = 3
    with pytest.raises(ModelError, match=r"'alpha' of the LeakyRelu node .* has no type"):
        load(model)


def test_types_with_maps_survive():
    model = add()
    type_ = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    model.graph.output[0].type.CopyFrom(type_)
    assert to_proto(load(model).model).graph.output[0].type == type_


def test_types_of_initializers_are_not_written():
    source = load(add())
    assert not to_proto(source.model).graph.value_info


def sparse_model(indices: list, dims: list[int], values=(5.0, 7.0)) -> onnx.ModelProto:
    model = parsed("g (float[n] x) => (float[n] y) { y = Add(x, w) }")
    content = helper.make_tensor("w", TensorProto.FLOAT, [len(values)], values)
    flat = np.array(indices, np.int64)
    places = helper.make_tensor("w_i", TensorProto.INT64, flat.shape, flat.reshape(-1))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(content, places, dims))
    return model


@pytest.mark.parametrize("indices", [[1, 5], [[0, 1], [1, 2]]])
def test_sparse_initializers_become_dense(indices):
    tensor = load(sparse_model(indices, [2, 3])).model.graph.initializers["w"].const_value
    assert tensor.numpy().tolist() == [[0, 5, 0], [0, 0, 7]]


def test_a_sparse_constant_node_becomes_dense():
    model = parsed("g () => (float[n] y) { y = Constant<value = float {0}>() }")
    sparse = sparse_model([1, 5], [6]).graph.sparse_initializer[0]
    model.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("sparse_value", sparse))
    attributes = load(model).model.graph.node(0).attributes
    assert attributes["value"].as_tensor().numpy().tolist() == [0, 5, 0, 0, 0, 7]


@pytest.mark.parametrize(
    "indices, dims",
    [([5, 1], [6]), ([1, 1], [6]), ([1, 6], [6]), ([-1, 2], [6]), ([1], [6]), ([[0, 3], [1, 0]], [2, 3])],
)
def test_sparse_indices_must_be_inside_and_rise(indices, dims):
    with pytest.raises(ModelError, match="sparse tensor 'w'"):
        load(sparse_model(indices, dims))


def test_a_sparse_bomb_is_refused_before_it_is_allocated():
    with pytest.raises(LimitError, match="sparse tensor 'w' would take"):
        load(sparse_model([1, 5], [1 << 20, 1 << 20]))


TENSORS = {
    "short raw data": (dict(data_type=1, dims=[3], raw_data=bytes(8)), "needs 12 bytes of raw data; the file has 8"),
    "long raw data": (dict(data_type=1, dims=[1], raw_data=bytes(8)), "needs 4 bytes of raw data; the file has 8"),
    "no data": (dict(data_type=1, dims=[1 << 40]), "items of float_data; the file has 0"),
    "negative": (dict(data_type=1, dims=[-1], raw_data=b""), "negative dimension -1"),
    "overflow": (dict(data_type=1, dims=[1 << 32, 1 << 32], raw_data=b""), "more elements than can be addressed"),
    "hidden overflow": (dict(data_type=1, dims=[1 << 62, 1 << 62, 0], raw_data=b""), "more elements than"),
    "rank": (dict(data_type=1, dims=[1] * 65, raw_data=bytes(4)), "65 dimensions"),
    "unknown type": (dict(data_type=99, dims=[1], raw_data=bytes(4)), "unknown element type 99"),
    "no type": (dict(dims=[1], raw_data=bytes(4)), "unknown element type 0"),
    "raw strings": (dict(data_type=8, dims=[1], raw_data=bytes(4)), "strings, which cannot be raw data"),
    "wrong field": (dict(data_type=7, dims=[1], float_data=[1.0]), "items of int64_data; the file has 0"),
    "two fields": (
        dict(data_type=1, dims=[1], float_data=[1.0], int32_data=[1]),
        "data in float_data and in int32_data",
    ),
    "raw and more": (dict(data_type=1, dims=[1], raw_data=bytes(4), float_data=[1.0]), "in raw_data and in float_data"),
    "packed int4": (dict(data_type=22, dims=[3], int32_data=[1, 2, 3]), "needs 2 items of int32_data; the file has 3"),
}


@pytest.mark.parametrize("place", ["initializer", "attribute", "subgraph", "function"])
@pytest.mark.parametrize("name", TENSORS)
def test_tensors_whose_data_does_not_fit_are_refused(name, place):
    fields, message = TENSORS[name]
    tensor = TensorProto(name="w", **fields)
    with pytest.raises(ModelError, match=message):
        load(placed(tensor, place))


def placed(tensor: TensorProto, place: str) -> onnx.ModelProto:
    """A model with the tensor in that place."""
    if place == "initializer":
        return external_add(tensor)
    if place == "attribute":
        model = parsed("g () => (float[n] y) { y = Constant<value = float {0}>() }")
        model.graph.node[0].attribute[0].t.CopyFrom(tensor)
    elif place == "subgraph":
        branch = "b () => (float[n] t) { t = Identity(w) }"
        model = parsed(f"g (bool c) => (float[n] y) {{ y = If(c) <then_branch = {branch}, else_branch = {branch}> }}")
        for attribute in model.graph.node[0].attribute:
            attribute.g.initializer.append(tensor)
            attribute.g.initializer[0].name = "w"
    else:
        model = onnx.parser.parse_model(
            '<ir_version: 8, opset_import: ["": 17, "f": 1]> g () => (float[n] y) { y = f.F() }'
            '<domain: "f", opset_import: ["": 17]> F () => (o) { o = Constant<value = float {0}>() }'
        )
        model.functions[0].node[0].attribute[0].t.CopyFrom(tensor)
    return model


def test_loading_imports_no_heavy_package_and_reads_no_weights(tmp_path):
    """4 GB of external data, in a process that may use 250 MB more than its imports."""
    with open(tmp_path / "w.data", "wb") as file:
        file.truncate(4 << 30)
    tensor = external_tensor("w", 1 << 30, location="w.data", offset=0, length=4 << 30)
    path = write(external_add(tensor), tmp_path / "m.onnx")
    code = f"""
import resource, sys
from freezer.model_io import load, save
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = load({str(path)!r}).model
saved = save(model, {str(tmp_path / "out.onnx")!r}, source={str(path)!r})
assert saved.shared_bytes == 4 << 30 and saved.own_bytes < 1000 and saved.data_file is None, saved
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
assert not {{"torch", "onnxruntime", "onnx_graphsurgeon", "networkx"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=os.getcwd(), timeout=60)
