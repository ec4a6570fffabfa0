"""Files that are no models, places that cannot be written, and what the model may not decide."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.case import Case, Make, data, parsed, text, write

_GOOD = "g (float[4] x) => (float[4] y) { y = Neg (x) }"
_LARGE = "g (int64 n) => (float[N] y) { s = Unsqueeze (n, z) y = ConstantOfShape (s) }"


def _content() -> bytes:
    return parsed(_GOOD).SerializeToString()


def _unreadable(folder: Path) -> None:
    write(_content(), folder)
    (folder / "m.onnx").chmod(0)


def _locked(folder: Path) -> None:
    """A folder that nothing may be written into."""
    write(_content(), folder)
    (folder / "locked").mkdir(mode=0o500)


def _with_folder(folder: Path) -> None:
    write(_content(), folder)
    (folder / "sub").mkdir()


def _with_fifo(folder: Path) -> None:
    write(_content(), folder)
    os.mkfifo(folder / "fifo")


def _linked_output(folder: Path) -> None:
    write(_content(), folder)
    os.symlink("m.onnx", folder / "alias")


def _external_output(folder: Path) -> None:
    (folder / "w.data").write_bytes(bytes(16))
    from tests.hostile.external import initializer, tensor

    write(initializer(tensor()), folder)


def _weights(folder: Path) -> None:
    """A model of 40 kB."""
    model = parsed("g (float[10000] x) => (float[10000] y) { y = Add (x, w) }")
    model.graph.initializer.add(name="w", data_type=1, dims=[10000], raw_data=bytes(40000))
    write(model, folder)


CONTENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "one byte": (b"\x08", "not an ONNX model"),
    "text": (b"hello", "not an ONNX model"),
    "HTML": (b"<!doctype html><html>", "XML or HTML"),
    "zip": (b"PK\x03\x04" + bytes(40), "zip archive"),
    "gzip": (b"\x1f\x8b" + bytes(40), "gzip data"),
    "pickle": (b"\x80\x02}q\x00.", "Python pickle"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    "zeros": (bytes(1000), "not an ONNX model"),
    "noise": (random.Random(0).randbytes(4000), "not an ONNX model"),
    "no graph": (b"\x08\x08", "not an ONNX model"),
    "a length of exabytes": (b"\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "not an ONNX model"),
    "a group that never ends": (b"\x08\x08" + b"\x3b" * 50, "not an ONNX model"),
}


def _cut(count: int) -> Make:
    return lambda folder: write(_content()[:count], folder)


def cases() -> Iterator[Case]:
    for name, (content, words) in CONTENTS.items():
        yield Case(f"file: {name}", data(content), words)
    for count in (1, 2, 5, 11, 17, 30, len(_content()) - 1):
        yield Case(
            f"file cut after {count} bytes", _cut(count), "not an ONNX model|imports no operator set|no IR version"
        )
    yield Case("file: missing", lambda folder: None, "there is no file 'm.onnx'")
    yield Case("file: in a missing folder", lambda folder: None, "does not exist either", model="gone/m.onnx")
    yield Case("file: a folder", lambda f: (f / "m.onnx").mkdir(), "is a folder")
    yield Case("file: a FIFO", lambda f: os.mkfifo(f / "m.onnx"), "not a regular file")
    yield Case("file: a device", lambda f: None, "not a regular file", model="/dev/zero")
    yield Case("file: a link in a circle", lambda f: os.symlink("m.onnx", f / "m.onnx"), "cannot be read")
    yield Case("file: 64 GB with holes", _holes, "less than 2 GiB")
    if os.getuid():
        yield Case("file: no permission", _unreadable, "cannot be read: Permission denied")
        yield Case("output: no permission", _locked, "Permission denied", output="locked/o.onnx")
    good = text(_GOOD)
    yield Case("output: the source", good, "is the source itself", code=2, output="m.onnx")
    yield Case("output: the source by a link", _linked_output, "is the source itself", code=2, output="alias")
    yield Case("output: the source by another path", good, "is the source itself", code=2, output="../model/m.onnx")
    yield Case("output: the weights", _external_output, "holds weights", code=2, output="w.data")
    yield Case("output: folder missing", good, "does not exist; create it", code=2, output="gone/out2.onnx")
    yield Case("output: a folder", _with_folder, "is a folder", code=2, output="sub")
    yield Case("output: ends in a slash", _with_folder, "is a folder", code=2, output="sub/")
    yield Case("output: a FIFO", _with_fifo, "not a regular file", code=2, output="fifo")
    yield Case("output: a device", good, "not a regular file", code=2, output="/dev/full")
    yield Case("output: a name too long", good, "File name too long|cannot write", output="o" * 300)
    yield Case("output: disk full", _weights, "nothing was written", file_size=20000)
    external = ["--external-data", "external"]
    yield Case(
        "output: disk full, with a data file", _weights, "nothing was written", arguments=external, file_size=9000
    )
    path = ["--external-data", "external", "--data-file", "../canary"]
    yield Case("output: data file elsewhere", _weights, "must be a plain file name", code=2, arguments=path)
    taken = ["--external-data", "external", "--data-file", "m.onnx"]
    yield Case("output: data file over the source", _weights, "exists already", code=2, arguments=taken)


def _holes(folder: Path) -> None:
    with open(folder / "m.onnx", "wb") as file:
        file.truncate(64 << 30)
