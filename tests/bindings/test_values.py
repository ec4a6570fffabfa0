"""Values: how they are written, and what a dtype accepts."""

from __future__ import annotations

import doctest
import io
import json
import os
import zipfile

import ml_dtypes
import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, numpy_helper

import freezer.bindings.formulas
import freezer.bindings.names
import freezer.bindings.raw
from freezer.bindings import bind, parse_value
from freezer.errors import UsageError
from tests.bindings.models import model_of, model_with


@pytest.mark.parametrize("module", [freezer.bindings.raw, freezer.bindings.names, freezer.bindings.formulas])
def test_the_examples_in_docstrings_run(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def frozen(value: object, dtype: int = TensorProto.FLOAT, shape: list | None = None) -> ir.TensorProtocol:
    """What is frozen into an input x of that type; texts are parsed."""
    given = parse_value(value) if isinstance(value, str) else value
    return bind(model_of("x", dtype, shape), {"x": given}).values["x"]


@pytest.mark.parametrize(
    "text, dtype, shape, expected",
    [
        ("16000", TensorProto.INT64, [], 16000),
        ("16000.0", TensorProto.INT64, [], 16000),
        ("1.6e4", TensorProto.INT32, [], 16000),
        ("-128", TensorProto.INT8, [], -128),
        ("18446744073709551615", TensorProto.UINT64, [], 2**64 - 1),
        ("-9223372036854775808", TensorProto.INT64, [], -(2**63)),
        ("[1, 2]", TensorProto.FLOAT, [2], [1.0, 2.0]),
        ("[[0.1], [0.2]]", TensorProto.FLOAT, [2, 1], [[np.float32(0.1)], [np.float32(0.2)]]),
        ("0.1", TensorProto.FLOAT16, [], np.float16(0.1)),
        ("0.1", TensorProto.DOUBLE, [], 0.1),
        ("3.4028235e38", TensorProto.FLOAT, [], np.finfo(np.float32).max),
        ("65504", TensorProto.FLOAT16, [], 65504),
        ("NaN", TensorProto.FLOAT, [], np.nan),
        ("-inf", TensorProto.FLOAT, [], -np.inf),
        ("-0.0", TensorProto.FLOAT, [], -0.0),
        ("true", TensorProto.BOOL, [], True),
        ("0", TensorProto.BOOL, [], False),
        ("[true, false]", TensorProto.BOOL, [2], [True, False]),
        ("1+2j", TensorProto.COMPLEX64, [], 1 + 2j),
        ("0.5", TensorProto.COMPLEX128, [], 0.5 + 0j),
        ("1.5", TensorProto.BFLOAT16, [], 1.5),
        ("448", TensorProto.FLOAT8E4M3FN, [], 448),
        ("-8", TensorProto.INT4, [], -8),
        ("15", TensorProto.UINT4, [], 15),
        ("ones", TensorProto.FLOAT, [2, 2], [[1, 1], [1, 1]]),
        ("zeros[2]", TensorProto.INT64, None, [0, 0]),
        ("zeros[]", TensorProto.INT64, None, 0),
        ("zeros[1,0,3]", TensorProto.FLOAT, None, np.zeros((1, 0, 3))),
        ("full(0.5)[2]", TensorProto.FLOAT, ["n"], [0.5, 0.5]),
        ("full(true)", TensorProto.BOOL, [2], [True, True]),
        ("ones", TensorProto.BOOL, [1], [True]),
        ("arange", TensorProto.INT64, [4], [0, 1, 2, 3]),
        ("arange", TensorProto.INT64, [2, 3], [[0, 1, 2], [0, 1, 2]]),
        (" 5 ", TensorProto.INT64, [], 5),
    ],
)
def test_literals_and_fills(text, dtype, shape, expected):
    tensor = frozen(text, dtype, shape)
    assert tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.numpy().astype(np.asarray(expected).dtype), expected)
    if isinstance(expected, float):
        assert np.signbit(tensor.numpy().astype(float)) == np.signbit(expected)


def test_a_literal_becomes_the_bytes_onnx_stores():
    assert frozen("[1, -2, 3]", TensorProto.INT4, [3]).tobytes() == bytes([0xE1, 0x03])
    assert frozen("1.0", TensorProto.BFLOAT16, []).tobytes() == b"\x80\x3f"


@pytest.mark.parametrize(
    "text, expected",
    [("hello", b"hello"), ('"a b"', b"a b"), ("@x", None), ("été", "été".encode()), ("", b""), ('"@x"', b"@x")],
)
def test_words_are_strings_for_string_inputs(text, expected):
    if expected is None:
        with pytest.raises(UsageError, match="must be a file ending in"):
            frozen(text, TensorProto.STRING, [])
    else:
        assert list(frozen(text, TensorProto.STRING, []).string_data()) == [expected]


def test_string_lists_arrays_and_fills():
    for value in ('["a", "b"]', ["a", "b"], np.array(["a", "b"]), np.array([b"a", b"b"]), np.array(["a", "b"], object)):
        assert list(frozen(value, TensorProto.STRING, [2]).string_data()) == [b"a", b"b"]
    assert list(frozen('full("a")', TensorProto.STRING, [2]).string_data()) == [b"a", b"a"]
    assert list(frozen("full(a)", TensorProto.STRING, [1]).string_data()) == [b"a"]


LOSSES = [
    ("16000.5", TensorProto.INT64, "int64, shape []; the value 16000.5 is not an integer"),
    ("true", TensorProto.INT64, "the value true is not an integer"),
    ("NaN", TensorProto.INT64, "the value nan is not an integer"),
    ("128", TensorProto.INT8, "the value 128 is outside -128 to 127"),
    ("-1", TensorProto.UINT8, "the value -1 is outside 0 to 255"),
    ("9223372036854775808", TensorProto.INT64, "outside -9223372036854775808 to"),
    ("1e19", TensorProto.INT64, "is outside"),
    ("8", TensorProto.INT4, "the value 8 is outside -8 to 7"),
    ("16777217", TensorProto.FLOAT, "16777217 is not exact in this type; the nearest is 1.67772e+07"),
    ("2049", TensorProto.FLOAT16, "2049 is not exact in this type"),
    ("257", TensorProto.BFLOAT16, "257 is not exact in this type"),
    ("1e39", TensorProto.FLOAT, "1e+39 is outside what this type can hold"),
    ("1e-50", TensorProto.FLOAT, "1e-50 is outside what this type can hold"),
    ("65520.0", TensorProto.FLOAT16, "outside what this type can hold"),
    ("Infinity", TensorProto.FLOAT8E4M3FN, "inf is outside what this type can hold"),
    ("500.0", TensorProto.FLOAT8E4M3FN, "outside what this type can hold"),
    ("100.0", TensorProto.FLOAT4E2M1, "outside what this type can hold"),
    ("NaN", TensorProto.FLOAT4E2M1, "outside what this type can hold"),
    ("0.0", TensorProto.FLOAT8E8M0, "outside what this type can hold"),
    ("true", TensorProto.FLOAT, "the value true is not a number"),
    ('"1"', TensorProto.FLOAT, "the value '1' is not a number"),
    ("2", TensorProto.BOOL, "the value 2 is not true or false"),
    ("1.0", TensorProto.BOOL, "the value 1.0 is not true or false"),
    ("16", TensorProto.STRING, 'the value 16 is not a string; write "16" with its quotes'),
    ("abc", TensorProto.FLOAT, "the value 'abc' is not JSON, ones, zeros, full"),
    ("True", TensorProto.BOOL, "write true"),
    ("null", TensorProto.FLOAT, "is not JSON"),
    ('{"a": 1}', TensorProto.FLOAT, "is not JSON"),
    ("1e400", TensorProto.DOUBLE, "is not JSON"),
    ("x+j", TensorProto.COMPLEX64, "is not a complex number"),
    ("[" * 100000, TensorProto.FLOAT, "is not JSON"),
    ("full([1])", TensorProto.FLOAT, "filled with one value"),
    ("full(0.5)", TensorProto.INT64, "0.5 is not an integer"),
    ("ones[a]", TensorProto.FLOAT, "must be integers"),
    ("ones[-1]", TensorProto.FLOAT, "must be integers"),
    ("arange", TensorProto.INT64, "needs at least one axis"),
]


@pytest.mark.parametrize("text, dtype, message", LOSSES)
def test_what_would_lose_something_is_refused(text, dtype, message):
    with pytest.raises(UsageError) as error:
        frozen(text, dtype, [])
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text, dtype, shape, message",
    [
        ("[1,2]", TensorProto.INT64, [], "the model expects int64, shape []; the value has shape [2]"),
        ("1", TensorProto.INT64, [1], "the value has shape []: write [1]"),
        ("1", TensorProto.INT64, ["b", 1], "shape [b, 1]; the value has shape []: write [[1]]"),
        ("1", TensorProto.INT64, [3], "the value has shape []"),
        ("[[1],[1,2]]", TensorProto.INT64, [2, 2], "a list whose items differ in shape"),
        ("[[1],2]", TensorProto.INT64, [2, 1], "a list whose items differ in shape"),
        ("[1,2,3]", TensorProto.INT64, [2], "shape [2]; the value has shape [3]"),
        ("ones[2]", TensorProto.INT64, [3], "the value has shape [2]"),
        ("zeros[1000000,1000000]", TensorProto.INT64, None, "more than 2147483648 bytes"),
        ("arange[300]", TensorProto.INT8, None, "goes to 299, which this type does not hold exactly"),
        ("arange[4000]", TensorProto.FLOAT16, None, "does not hold exactly"),
        ("arange[2]", TensorProto.STRING, None, "arange is not a string"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(text, dtype, shape, message):
    with pytest.raises(UsageError) as error:
        frozen(text, dtype, shape)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "value, dtype, advice",
    [
        (np.ones(2), TensorProto.FLOAT, "has dtype float64: convert it with .astype(np.float32)"),
        (np.float64(1), TensorProto.FLOAT, ".astype(np.float32)"),
        ([np.float64(1)], TensorProto.FLOAT, ".astype(np.float32)"),
        (np.ones(2, np.int32), TensorProto.INT64, ".astype(np.int64)"),
        (np.ones(2, np.int64), TensorProto.BOOL, ".astype(np.bool)"),
        (np.ones(2, np.float32), TensorProto.BFLOAT16, ".astype(ml_dtypes.bfloat16)"),
        (np.ones(2, np.float32), TensorProto.FLOAT8E5M2, ".astype(ml_dtypes.float8_e5m2)"),
        (np.ones(2, np.float32), TensorProto.STRING, ".astype(str)"),
        (np.array([1, "a"], object), TensorProto.STRING, "objects that are not all strings"),
        (np.zeros(2, "V2"), TensorProto.FLOAT, "which ONNX does not know"),
        (np.zeros(2, "M8[s]"), TensorProto.INT64, "which ONNX does not know"),
        (object(), TensorProto.FLOAT, "is a object, which is not a tensor"),
        (None, TensorProto.FLOAT, "is a NoneType, which is not a tensor"),
        (numpy_helper.from_array(np.ones(2)), TensorProto.FLOAT, ".astype(np.float32)"),
        (TensorProto(data_type=1, dims=[3]), TensorProto.FLOAT, "is a TensorProto that cannot be used"),
        (TensorProto(data_type=1, dims=[3], data_location=1), TensorProto.FLOAT, "data is in another file"),
    ],
)
def test_arrays_are_not_converted(value, dtype, advice):
    with pytest.raises(UsageError) as error:
        frozen(value, dtype, None)
    assert advice in str(error.value)


@pytest.mark.parametrize(
    "dtype",
    [np.float32, np.int64, np.bool_, np.float16, np.complex64, ml_dtypes.bfloat16, ml_dtypes.int4,
     ml_dtypes.float8_e4m3fn],
)  # fmt: skip
def test_arrays_of_every_kind(dtype):
    array = np.array([1, 0, 1]).astype(dtype)
    code = ir.DataType.from_numpy(array.dtype).value
    tensor = ir.tensor(array)
    for value in (array, tensor, ir.to_proto(tensor)):
        found = frozen(value, code, [3])
        assert found.dtype == code and found.tobytes() == tensor.tobytes()


def test_other_byte_orders_and_strides_are_the_same_values():
    assert frozen(np.arange(3, dtype=">i8"), TensorProto.INT64, [3]).tobytes() == np.arange(3).tobytes()
    assert frozen(np.arange(6)[::2], TensorProto.INT64, [3]).tobytes() == np.array([0, 2, 4]).tobytes()
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert frozen(transposed, TensorProto.FLOAT, [3, 2]).tobytes() == transposed.tobytes()


def test_what_is_frozen_shares_nothing_with_what_was_given():
    array, tensor = np.ones(2, np.float32), ir.tensor(np.ones(2, np.float32), name="mine")
    first, second = frozen(array, TensorProto.FLOAT, [2]), frozen(tensor, TensorProto.FLOAT, [2])
    array[0] = 5
    second.name = "other"
    assert first.numpy().tolist() == [1, 1] and tensor.name == "mine"


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    assert frozen(torch.ones(2, requires_grad=True), TensorProto.FLOAT, [2]).numpy().tolist() == [1, 1]
    assert frozen(torch.ones(2, dtype=torch.bfloat16), TensorProto.BFLOAT16, [2]).tobytes() == b"\x80\x3f" * 2
    assert frozen(torch.arange(4).reshape(2, 2).T, TensorProto.INT64, [2, 2]).numpy().tolist() == [[0, 2], [1, 3]]
    with pytest.raises(UsageError, match="has dtype float32"):
        frozen(torch.ones(2), TensorProto.INT64, [2])


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    array = np.arange(3, dtype=np.float32)
    np.save("a.npy", array)
    np.save("empty.npy", np.zeros((1, 0, 2), np.float32))
    np.save("object.npy", np.array([{}], object), allow_pickle=True)
    np.savez("a.npz", one=array, two=array + 1)
    np.savez_compressed("single.npz", one=array)
    json_file = tmp_path / "a.json"
    json_file.write_text(json.dumps([0, 1, 2]))
    (tmp_path / "a.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())
    return tmp_path


@pytest.mark.parametrize("text", ["@a.npy", "@a.npz:one", "@single.npz", "@a.json", "@a.pb"])
def test_values_from_files(files, text):
    assert frozen(text, TensorProto.FLOAT, [3]).numpy().tolist() == [0, 1, 2]


def test_a_file_with_a_dtype_is_not_converted_and_one_without_is(files):
    assert frozen("@a.json", TensorProto.INT64, [3]).dtype == ir.DataType.INT64
    with pytest.raises(UsageError, match="has dtype float32"):
        frozen("@a.npy", TensorProto.INT64, [3])


def test_empty_arrays_from_files(files):
    assert frozen("@empty.npy", TensorProto.FLOAT, [1, "n", 2]).shape == (1, 0, 2)


def test_strings_from_json(files):
    (files / "s.json").write_text('[["a", "é"]]')
    assert list(frozen("@s.json", TensorProto.STRING, [1, 2]).string_data()) == [b"a", "é".encode()]


def hostile_files(folder) -> dict[str, str]:
    """name -> what the error says."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 40,), }".replace("1 << 40", str(1 << 40))
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    (folder / "huge.npy").write_bytes(content)
    (folder / "text.npy").write_bytes(b"hello")
    (folder / "none.npy").write_bytes(b"")
    (folder / "text.npz").write_bytes(b"hello")
    (folder / "text.pb").write_bytes(b"hello")
    (folder / "null.json").write_text("null")
    (folder / "deep.json").write_text("[" * 100000)
    (folder / "latin.json").write_bytes(b'"\xe9"')
    (folder / "short.pb").write_bytes(TensorProto(data_type=1, dims=[1 << 40]).SerializeToString())
    external = TensorProto(data_type=1, dims=[1], data_location=1)
    external.external_data.add(key="location", value="/etc/passwd")
    (folder / "external.pb").write_bytes(external.SerializeToString())
    os.mkfifo(folder / "fifo.npy")
    (folder / "folder.npy").mkdir()
    return {
        "object.npy": "allow_pickle=False", "huge.npy": "holds no array", "text.npy": "holds no array",
        "none.npy": "holds no array", "text.npz": "not an .npz archive", "text.pb": "holds no TensorProto",
        "null.json": "must hold a JSON number", "deep.json": "must hold a JSON number", "latin.json": "must hold",
        "short.pb": "holds no TensorProto", "external.pb": "in another file", "fifo.npy": "not a regular file",
        "folder.npy": "cannot be read", "b.npy": "No such file or directory; did you mean 'a.npy'",
        "a.npz:three": "no array 'three'; there are 'one', 'two'", "a.npz": "has no array ''",
        "a.txt": "ending in .npy", "no/a.npy": "No such file", "": "ending in .npy",
    }  # fmt: skip


def test_hostile_value_files_are_explained(files):
    for name, message in hostile_files(files).items():
        with pytest.raises(UsageError) as error:
            parse_value(f"@{name}")
        assert message in str(error.value), (name, str(error.value))
        assert "\n" not in str(error.value)


def test_an_archive_that_unpacks_to_too_much_is_refused(files):
    content = io.BytesIO()
    np.save(content, np.zeros(1 << 20, np.float32))
    with zipfile.ZipFile(files / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content.getvalue())
    from freezer.bindings import files as module

    limit, module.LARGEST_VALUE = module.LARGEST_VALUE, 1 << 20
    try:
        with pytest.raises(UsageError, match="more than 1048576 bytes"):
            parse_value("@bomb.npz:x")
    finally:
        module.LARGEST_VALUE = limit


def test_only_tensors_can_be_frozen():
    model = model_with("seq(float[n]) s", "optional(float[n]) o")
    for name, kind in (("s", "a sequence"), ("o", "an optional")):
        with pytest.raises(UsageError, match=f"cannot freeze '{name}': it is {kind}"):
            bind(model, {name: 1})
