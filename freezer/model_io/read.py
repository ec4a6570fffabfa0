"""Reads a model file into protobuf, or says in one line why it cannot be."""

from __future__ import annotations

import difflib
import mmap
import os
import stat
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from freezer.errors import ModelError

_LARGEST_FILE = (1 << 31) - 1  # protobuf's own limit
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive (a PyTorch checkpoint?): export it to ONNX first",
    b"version https://git-lfs": "a Git LFS pointer: fetch the file itself with 'git lfs pull'",
    b"\x80\x02": "a Python pickle: export the model to ONNX first",
    b"<": "XML or HTML, perhaps a failed download",
    b"\x1f\x8b": "gzip data: unpack it first",
}


def read_model(path: Path) -> onnx.ModelProto:
    """Parse a model file; external data stays where it is. Raises ModelError."""
    try:
        content = open_regular(path)
    except FileNotFoundError:
        raise ModelError(f"there is no file '{path}'{_close_names(path)}") from None
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror}") from None
    except ValueError as error:  # a NUL
        raise ModelError(f"'{path}' is not a path: {error}") from None
    with content:
        return parse_model(memoryview(content), f"'{path}'")


def open_regular(path: Path) -> mmap.mmap:
    """The content of a regular file, mapped. Never waits for a FIFO or reads a device."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(number)
        if stat.S_ISDIR(status.st_mode):
            raise ModelError(f"'{path}' is a folder; give the model file in it")
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"'{path}' is not a regular file")
        if status.st_size == 0:
            raise ModelError(f"'{path}' is empty")
        if status.st_size > _LARGEST_FILE:
            raise ModelError(f"'{path}' has {status.st_size} bytes; an ONNX file has less than 2 GiB")
        return mmap.mmap(number, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(number)


def parse_model(content: memoryview | bytes, what: str) -> onnx.ModelProto:
    """Parse the bytes of a model; `what` names them in errors."""
    model = onnx.ModelProto()
    try:
        with memoryview(content) as view:
            model.ParseFromString(view)
    except DecodeError as error:
        raise ModelError(f"{what} is not an ONNX model, or is cut short{_format(content, error)}") from None
    finally:
        if isinstance(content, memoryview):
            content.release()
    return model


def _format(content: memoryview | bytes, error: DecodeError) -> str:
    head = bytes(content[:32]).lstrip()
    for magic, words in _OTHER_FORMATS.items():
        if head.startswith(magic):
            return f": it is {words}"
    return f" ({error})"


def _close_names(path: Path) -> str:
    try:
        names = os.listdir(path.parent)[:10000]
    except OSError:
        return f": the folder '{path.parent}' does not exist either"
    close = difflib.get_close_matches(path.name, names, 3, 0.6)
    return f"; did you mean {' or '.join(repr(os.fspath(path.parent / n)) for n in close)}?" if close else ""
