"""Values from files: .npy, .npz, .json and .pb."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError

from freezer.bindings.names import did_you_mean
from freezer.errors import FreezerError, UsageError
from freezer.model_io.tensors import check_tensor

LARGEST_VALUE = 1 << 31  # bytes


def read_value(name: str) -> tuple[bool, Any]:
    """Whether the file's content has a dtype of its own, and the content: an array or tensor, or nested lists.

    name: FILE.npy, FILE.npz:KEY, FILE.json or FILE.pb (a TensorProto). Raises UsageError.
    """
    path, _, key = name.rpartition(".npz:")
    if path:
        return True, _read_npz(Path(f"{path}.npz"), key)
    suffix = Path(name).suffix.lower()
    if suffix not in _READERS:
        raise UsageError(f"'@{name}' must be a file ending in {', '.join(_READERS)} (FILE.npz:KEY)")
    return suffix != ".json", _READERS[suffix](Path(name))


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file; never waits for a FIFO. Raises UsageError."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(number, "rb") as file:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"the value file '{path}' is not a regular file")
            if status.st_size > LARGEST_VALUE:
                raise UsageError(f"the value file '{path}' has more than {LARGEST_VALUE} bytes")
            return file.read()
    except OSError as error:
        hint = _close_names(path) if isinstance(error, FileNotFoundError) else ""
        raise UsageError(f"the value file '{path}' cannot be read: {error.strerror}{hint}") from None


def _close_names(path: Path) -> str:
    try:
        return did_you_mean(path.name, os.listdir(path.parent)[:10000], list_all=False)
    except OSError:
        return ""


def _read_npy(path: Path) -> np.ndarray:
    return _load_array(io.BytesIO(read_regular(path)), path)


def _load_array(file: Any, path: Path) -> np.ndarray:
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, MemoryError, OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"the value file '{path}' holds no array that can be read: {_line(error)}") from None
    return array


def _read_npz(path: Path, key: str = "") -> np.ndarray:
    try:
        with zipfile.ZipFile(io.BytesIO(read_regular(path))) as archive:
            sizes = {i.filename.removesuffix(".npy"): i for i in archive.infolist()}
            if not key and len(sizes) == 1:
                key = next(iter(sizes))
            if key not in sizes:
                raise UsageError(f"'{path}' has no array '{key}'{did_you_mean(key, sizes)}; write @{path}:KEY")
            if sizes[key].file_size > LARGEST_VALUE:
                raise UsageError(f"the array '{key}' in '{path}' has more than {LARGEST_VALUE} bytes")
            with archive.open(sizes[key]) as file:
                return _load_array(file, path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UsageError(f"the value file '{path}' is not an .npz archive: {_line(error)}") from None


def _read_json(path: Path) -> Any:
    from freezer.bindings.raw import parse_literal

    try:
        return parse_literal(read_regular(path).decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"the value file '{path}' must hold a JSON number, text or nested list: {_line(error)}"
        ) from None


def _read_tensor(path: Path) -> ir.TensorProtocol:
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(read_regular(path))
        check_tensor(tensor, _refuse_external)
    except (DecodeError, FreezerError) as error:
        raise UsageError(f"the value file '{path}' holds no TensorProto: {_line(error)}") from None
    return ir.serde.deserialize_tensor(tensor)


def _refuse_external(tensor: onnx.TensorProto, nbytes: int) -> None:
    raise UsageError("its data is in another file")


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


_READERS = {".npy": _read_npy, ".npz": _read_npz, ".json": _read_json, ".pb": _read_tensor}
