"""External data: what a hostile model may not refer to."""

from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from freezer.errors import ModelError
from freezer.model_io import load, to_kind
from tests.model_io.models import external_add, external_tensor, write, write_weights
from tests.model_io.test_load import placed


def test_a_good_file_is_referred_to_and_read_when_needed(tmp_path):
    weights = write_weights(tmp_path)
    tensor = external_tensor("w", 2, location="w.data", offset=8, length=8)
    source = load(write(external_add(tensor), tmp_path / "m.onnx"))
    found = source.model.graph.initializers["w"].const_value
    assert found.numpy().tolist() == weights[2:].tolist()
    assert source.data_files == {tmp_path / "w.data": 8}


def test_offset_and_length_may_be_absent(tmp_path):
    write_weights(tmp_path)
    source = load(write(external_add(external_tensor("w", 2, location="./w.data")), tmp_path / "m.onnx"))
    assert source.model.graph.initializers["w"].const_value.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("place", ["initializer", "attribute", "subgraph", "function"])
def test_tensors_are_found_in_every_place(tmp_path, place):
    weights = write_weights(tmp_path)
    good = external_tensor("w", 4, location="w.data", offset=0, length=16)
    source = load(write(placed(good, place), tmp_path / "m.onnx"))
    assert source.data_files.keys() == {tmp_path / "w.data"}
    from freezer.model_io.slots import slots

    external = [s.tensor for s in slots(source.model) if s.tensor.size == 4]
    assert external and all(np.array_equal(t.numpy(), weights) for t in external)
    bad = external_tensor("w", 4, location="../w.data", offset=0, length=16)
    with pytest.raises(ModelError, match="leaves the model's folder"):
        load(write(placed(bad, place), tmp_path / "m.onnx"))


def test_sparse_tensors_are_checked_too(tmp_path):
    from tests.model_io.test_load import sparse_model

    write_weights(tmp_path)
    for part in ("values", "indices"):
        model = sparse_model([1, 5], [6])
        tensor = getattr(model.graph.sparse_initializer[0], part)
        tensor.CopyFrom(external_tensor(tensor.name, 2, location="/etc/passwd"))
        tensor.data_type = TensorProto.FLOAT if part == "values" else TensorProto.INT64
        with pytest.raises(ModelError, match="not a path relative to the model"):
            load(write(model, tmp_path / "m.onnx"))
    model = sparse_model([1, 5], [6])
    model.graph.sparse_initializer[0].values.CopyFrom(external_tensor("w", 2, location="w.data"))
    dense = load(write(model, tmp_path / "m.onnx")).model.graph.initializers["w"].const_value
    assert dense.numpy().tolist() == [0, 1, 0, 0, 0, 2]


ENTRIES = {
    "missing": (dict(location="v.data"), r"'w' refers to external data in 'v.data', which is missing: put that file"),
    "no location": (dict(offset=0), "not a path relative"),
    "absolute": (dict(location="/etc/passwd"), "not a path relative"),
    "nul": (dict(location="w.data\0x"), "not a path relative"),
    "parent": (dict(location="../w.data"), "leaves the model's folder"),
    "parent inside": (dict(location="sub/../w.data"), "leaves the model's folder"),
    "folder": (dict(location="sub"), "not a regular file"),
    "the folder itself": (dict(location="."), "not a regular file"),
    "through a file": (dict(location="w.data/x"), "cannot be read"),
    "fifo": (dict(location="fifo"), "not a regular file"),
    "link": (dict(location="link"), "behind the symbolic link"),
    "dangling link": (dict(location="dangling"), "behind the symbolic link"),
    "linked folder": (dict(location="linked/w.data"), "behind the symbolic link"),
    "hard link": (dict(location="hard"), "2 names"),
    "negative offset": (dict(location="w.data", offset=-4), "offset '-4'"),
    "no integer": (dict(location="w.data", offset="0x10"), "offset '0x10'"),
    "float": (dict(location="w.data", offset="0.0"), "offset '0.0'"),
    "other digits": (dict(location="w.data", offset="١"), "offset '١'"),
    "huge": (dict(location="w.data", offset="9" * 30), "offset '9999"),
    "long": (dict(location="w.data", length=20), "needs 16 bytes; .* has 20"),
    "short": (dict(location="w.data", length=12), "needs 16 bytes; .* has 12"),
    "zero": (dict(location="w.data", length=0), "needs 16 bytes; .* has 0"),
    "beyond the end": (dict(location="w.data", offset=4, length=16), "bytes 4 to 20 of 'w.data', which has only 16"),
    "overflow": (dict(location="w.data", offset=2**63 - 1, length=16), "which has only 16"),
    "memory address": (dict(location="*/_ORT_MEM_ADDR_/*", offset=140000000, length=16), "missing"),
}


@pytest.fixture
def folder(tmp_path):
    """A model folder with a canary outside it, links to that, and things that are no files."""
    inner = tmp_path / "inner"
    (inner / "sub").mkdir(parents=True)
    write_weights(inner)
    write_weights(tmp_path, name="canary")
    os.symlink(tmp_path / "canary", inner / "link")
    os.symlink(tmp_path / "nothing", inner / "dangling")
    os.symlink(inner, inner / "linked")
    os.link(tmp_path / "canary", inner / "hard")
    os.mkfifo(inner / "fifo")
    return inner


@pytest.mark.parametrize("name", ENTRIES)
def test_bad_references_are_refused(folder, name):
    entries, message = ENTRIES[name]
    with pytest.raises(ModelError, match=message) as error:
        load(write(external_add(external_tensor("w", 4, **entries)), folder / "m.onnx"))
    assert "\n" not in str(error.value)


def test_a_key_given_twice_is_refused(folder):
    tensor = external_tensor("w", 4, location="w.data")
    tensor.external_data.add(key="location", value="w.data")
    with pytest.raises(ModelError, match="gives 'location' of its external data twice"):
        load(write(external_add(tensor), folder / "m.onnx"))


def test_strings_cannot_be_external(folder):
    tensor = external_tensor("w", 4, location="w.data")
    tensor.data_type = TensorProto.STRING
    with pytest.raises(ModelError, match="strings, which cannot be external"):
        load(write(external_add(tensor), folder / "m.onnx"))


@pytest.mark.parametrize("location", ["link", "hard"])
def test_links_into_an_allowed_folder_are_followed(folder, location):
    path = write(external_add(external_tensor("w", 4, location=location)), folder / "m.onnx")
    assert load(path, allow_link=folder.parent).model.graph.initializers["w"].const_value.numpy()[0] == 1
    if location == "link":
        with pytest.raises(ModelError, match=r"outside .*--allow-link"):
            load(path, allow_link=folder / "sub")


def test_an_allowed_link_must_lead_somewhere_regular(folder):
    os.symlink(folder / "fifo", folder / "to_fifo")
    for location, message in (("dangling", "missing"), ("to_fifo", "not a regular file")):
        with pytest.raises(ModelError, match=message):
            load(
                write(external_add(external_tensor("w", 4, location=location)), folder / "m.onnx"),
                allow_link=folder.parent,
            )


def test_a_packed_dtype_needs_half_the_bytes(tmp_path):
    (tmp_path / "w.data").write_bytes(bytes([0x21, 0x03]))
    tensor = external_tensor("w", 3, location="w.data", length=2)
    tensor.data_type = TensorProto.INT4
    source = load(write(external_add(tensor), tmp_path / "m.onnx"))
    assert source.model.graph.initializers["w"].const_value.numpy().astype(int).tolist() == [1, 2, 3]


def test_an_object_needs_a_folder_for_external_data(tmp_path):
    write_weights(tmp_path)
    model = external_add(external_tensor("w", 4, location="w.data"))
    with pytest.raises(ModelError, match="a model given as an object has no folder"):
        load(model)
    source = load(model, base_dir=tmp_path)
    assert source.model.graph.initializers["w"].const_value.numpy().tolist() == [1, 2, 3, 4]
    again = load(to_kind(source.model, "ir"))
    assert again.kind == "ir" and again.folder == tmp_path
    assert onnx.ModelProto.FromString(again.proto_bytes()).graph.initializer[0].external_data[0].value == "w.data"
