"""External data: places it may not lie in, numbers that are none, in every kind of tensor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from tests.hostile.case import Case, Make, parsed, write

CANARY = "../canary"  # lies beside every case's folder
_ADD = "g (float[4] x) => (float[4] y) { y = Add (x, x) }"


def tensor(name: str = "w", count: int = 4, **entries: Any) -> TensorProto:
    """A float tensor whose content lies elsewhere."""
    made = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[count], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": "w.data", **entries}.items():
        made.external_data.add(key=key, value=str(value))
    return made


def initializer(made: TensorProto) -> onnx.ModelProto:
    model = parsed("g (float[4] x) => (float[4] y) { y = Add (x, x) }")
    model.graph.initializer.append(made)
    model.graph.node[0].input[1] = made.name
    return model


def attribute(made: TensorProto) -> onnx.ModelProto:
    model = parsed(_ADD)
    model.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=made))
    model.graph.node[1].input[1] = "w"
    return model


def subgraph(made: TensorProto) -> onnx.ModelProto:
    model = parsed("""g (bool c, float[4] x) => (float[4] y) {
        y = If (c) <then_branch = t () => (p) { p = Neg (x) }, else_branch = e () => (q) { q = Abs (x) }> }""")
    body = model.graph.node[0].attribute[0].g
    body.initializer.append(made)
    body.node[0].op_type = "Add"
    body.node[0].input.append(made.name)
    return model


def function(made: TensorProto) -> onnx.ModelProto:
    model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 17, "f": 1]>
        g (float[4] x) => (float[4] y) { y = f.twice (x) }
        <domain: "f", opset_import: ["": 17]> twice (a) => (b) { b = Add (a, a) }""")
    model.functions[0].node.insert(0, helper.make_node("Constant", [], ["w"], value=made))
    model.functions[0].node[1].input[1] = "w"
    return model


def sparse_values(made: TensorProto) -> onnx.ModelProto:
    model = parsed(_ADD)
    entry = model.graph.sparse_initializer.add(dims=[9])
    entry.values.CopyFrom(made)
    entry.indices.CopyFrom(helper.make_tensor("i", TensorProto.INT64, [4], [0, 1, 2, 3]))
    return model


def sparse_indices(made: TensorProto) -> onnx.ModelProto:
    model = parsed(_ADD)
    entry = model.graph.sparse_initializer.add(dims=[9])
    entry.values.CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [4], [0, 1, 2, 3]))
    entry.indices.CopyFrom(made)
    entry.indices.data_type = TensorProto.INT64
    return model


PLACES = (initializer, attribute, subgraph, function, sparse_values, sparse_indices)


def _with(prepare: Callable[[Path], Any], place: Callable[[TensorProto], onnx.ModelProto], **entries: Any) -> Make:
    def make(folder: Path) -> None:
        (folder / "w.data").write_bytes(bytes(range(32)))
        prepare(folder)
        write(place(tensor(**entries)), folder)

    return make


def _nothing(folder: Path) -> None:
    pass


def _link_folder(folder: Path) -> None:
    (folder / "real" / "sub").mkdir(parents=True)
    (folder / "real" / "sub" / "w.data").write_bytes(bytes(16))
    os.symlink("real", folder / "link")
    os.symlink("sub", folder / "real" / "hop")
    os.symlink(folder.parent, folder / "out")


def _hard_link(folder: Path) -> None:
    os.link(folder.parent / "canary", folder / "hard")


LOCATIONS: dict[str, tuple[str, str, Callable[[Path], Any]]] = {  # name: location, words, what must be there
    "above": (CANARY, "leaves the model's folder", _nothing),
    "above through a folder": ("sub/../../canary", "leaves the model's folder", lambda f: (f / "sub").mkdir()),
    "dots inside": ("sub/../w.data", "leaves the model's folder", lambda f: (f / "sub").mkdir()),
    "absolute": ("/etc/hostname", "not a path relative to the model", _nothing),
    "absolute, two slashes": ("//etc/hostname", "not a path relative", _nothing),
    "device": ("/dev/zero", "not a path relative", _nothing),
    "nothing": ("", "not a path relative", _nothing),
    "NUL": ("w.data\0", "not a path relative", _nothing),
    "link at the end": ("soft", "behind the symbolic link", lambda f: os.symlink("w.data", f / "soft")),
    "link to the canary": ("soft", "behind the symbolic link", lambda f: os.symlink("../canary", f / "soft")),
    "link as first folder": ("link/sub/w.data", "behind the symbolic link", _link_folder),
    "link as second folder": ("real/hop/w.data", "behind the symbolic link", _link_folder),
    "link out of the folder": ("out/canary", "behind the symbolic link", _link_folder),
    "link in a circle": ("circle", "behind the symbolic link", lambda f: os.symlink("circle", f / "circle")),
    "link to nothing": ("soft", "behind the symbolic link", lambda f: os.symlink("gone", f / "soft")),
    "hard link to the canary": ("hard", r"2 names \(hard links\)", _hard_link),
    "FIFO": ("fifo", "not a regular file", lambda f: os.mkfifo(f / "fifo")),
    "folder": ("sub", "not a regular file", lambda f: (f / "sub").mkdir()),
    "the folder itself": (".", "not a regular file", _nothing),
    "missing": ("gone.data", "missing: put that file", _nothing),
    "file as a folder": ("w.data/x", "cannot be read", _nothing),
    "a name too long": ("w" * 5000, "cannot be read", _nothing),
    "terminal control": ("\x1b[2Jw", r"\\x1b\[2Jw', which is missing", _nothing),
}
NUMBERS: dict[str, tuple[dict[str, Any], str]] = {
    "offset with a fraction": ({"offset": "1.5"}, "has the offset '1.5'"),
    "offset in hex": ({"offset": "0x10"}, "has the offset '0x10'"),
    "offset negative": ({"offset": "-4"}, "has the offset '-4'"),
    "offset with a space": ({"offset": " 4"}, "has the offset ' 4'"),
    "offset empty": ({"offset": ""}, "has the offset ''"),
    "offset in other digits": ({"offset": "\u0664"}, "has the offset"),
    "offset past the end": ({"offset": 17}, "is bytes 17 to 33 of 'w.data', which has only 32"),
    "offset past 2^63": ({"offset": 1 << 63}, "which has only 32"),
    "offset past 2^64": ({"offset": "9" * 40}, "has the offset '9999"),
    "offset with a million digits": ({"offset": "9" * 1_000_000}, "has the offset '9999"),
    "length negative": ({"length": "-16"}, "has the length '-16'"),
    "length no number": ({"length": "all"}, "has the length 'all'"),
    "length too short": ({"length": 12}, "needs 16 bytes; its external data in 'w.data' has 12"),
    "length too long": ({"length": 17}, "needs 16 bytes"),
    "length zero": ({"length": 0}, "needs 16 bytes"),
    "length 2^62": ({"length": 1 << 62}, "needs 16 bytes"),
    "dims past the end": ({"count": 9}, "which has only 32"),
    "dims of exabytes": ({"count": 1 << 57}, "which has only 32"),
    "dims that overflow": ({"count": 1 << 62}, "more elements than can be addressed"),
    "dims negative": ({"count": -4}, "negative dimension -4"),
}


def _twice(folder: Path, key: str) -> None:
    made = tensor(location="w.data", offset=0, length=16)
    made.external_data.add(key=key, value="0")
    (folder / "w.data").write_bytes(bytes(32))
    write(initializer(made), folder)


def _holey(folder: Path) -> None:
    """64 GB that take no place on the disk, of which a page is referred to."""
    with open(folder / "w.data", "wb") as file:
        file.truncate(64 << 30)
    write(initializer(tensor(offset=(64 << 30) - 16, length=16)), folder)


def _holey_whole(folder: Path) -> None:
    """The same, all of it one tensor; Expand may not be evaluated for it."""
    with open(folder / "w.data", "wb") as file:
        file.truncate(64 << 30)
    model = parsed("g (int64 i) => (float[1] y) { a = Neg (w) y = Gather (a, i) }")
    model.graph.initializer.append(tensor(count=16 << 30, offset=0, length=64 << 30))
    write(model, folder)


def _string(folder: Path) -> None:
    (folder / "w.data").write_bytes(bytes(32))
    made = tensor()
    made.data_type = TensorProto.STRING
    write(initializer(made), folder)


def _unreadable_key(folder: Path) -> None:
    (folder / "w.data").write_bytes(bytes(32))
    model = initializer(tensor(location="w.data", checksum="12", offset=0)).SerializeToString()
    write(model.replace(b"checksum", b"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc"), folder)


def cases() -> Iterator[Case]:
    for name, (location, words, prepare) in LOCATIONS.items():
        yield Case(f"location: {name}", _with(prepare, initializer, location=location), words)
    for place in PLACES:
        label = place.__name__.replace("_", " ")
        yield Case(f"above, in: {label}", _with(_nothing, place, location=CANARY), "leaves the model's folder")
        yield Case(f"absolute, in: {label}", _with(_nothing, place, location="/etc/hostname"), "not a path relative")
        soft = _with(lambda f: os.symlink("../canary", f / "soft"), place, location="soft")
        yield Case(f"link, in: {label}", soft, "behind the symbolic link")
        yield Case(f"negative offset, in: {label}", _with(_nothing, place, offset=-1), "has the offset '-1'")
    for name, (entries, words) in NUMBERS.items():
        yield Case(f"external {name}", _with(_nothing, initializer, **entries), words)
    for key in ("location", "offset", "length"):
        yield Case(f"external {key} twice", lambda f, k=key: _twice(f, k), f"gives '{key}' of its external data twice")
    yield Case(
        "external key nobody knows", _with(_nothing, initializer, checksum="x"), code=0, arguments=["--no-verify"]
    )
    yield Case("external key that is no text", _unreadable_key, "not UTF-8")
    yield Case("external strings", _string, "strings, which cannot be external")
    yield Case("64 GB with holes, the last page", _holey, code=0)
    yield Case("64 GB with holes, all", _holey_whole, code=0, arguments=["--no-verify"])
    allowed = _with(lambda f: os.symlink("../canary", f / "soft"), initializer, location="soft")
    yield Case("link out of the allowed folder", allowed, "outside .*--allow-link", arguments=["--allow-link", "."])
