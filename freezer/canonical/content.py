"""What a tensor holds, as bytes: read in pieces, so that a weight of many GB never lies in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import onnx_ir as ir

from freezer.canonical.encode import pack
from freezer.errors import ModelError

PIECE = 1 << 22  # bytes; a multiple of every item size


def pieces(tensor: ir.TensorProtocol) -> Iterator[bytes]:
    """The elements of a tensor as ONNX's raw data (little-endian, sub-byte types packed), in pieces.

    Padding bits after the last element are zero, whatever the file holds. Not for strings.
    Raises ModelError when an external data file is missing or too short.
    """
    read = 0
    for piece in _external(tensor) if isinstance(tensor, ir.ExternalTensor) else _inline(tensor):
        read += len(piece)
        yield piece if read < tensor.nbytes else _without_padding(piece, tensor)


def digest(tensor: ir.TensorProtocol) -> bytes:
    """SHA-256 of dtype, shape and every bit of the elements; how and where they are stored does not count."""
    state = hashlib.sha256(kind(tensor))
    if tensor.dtype == ir.DataType.STRING:
        state.update(pack(*strings(tensor)))
    else:
        for piece in pieces(tensor):
            state.update(piece)
    return state.digest()


def kind(tensor: ir.TensorProtocol) -> bytes:
    """dtype and shape alone: what is left of a constant when its value is ignored."""
    return pack("constant", int(tensor.dtype), *dims(tensor))


def dims(tensor: ir.TensorProtocol) -> tuple[int, ...]:
    """The shape of a tensor, as ints."""
    return tuple(int(dim) for dim in tensor.shape.numpy())


def strings(tensor: ir.TensorProtocol) -> list[bytes]:
    """The elements of a string tensor, row by row."""
    flat = tensor.numpy().reshape(-1)
    return [item.encode() if isinstance(item, str) else bytes(item) for item in flat]


def _external(tensor: ir.ExternalTensor) -> Iterator[bytes]:
    left = tensor.nbytes
    try:
        with open(tensor.path, "rb") as file:
            file.seek(tensor.offset or 0)
            while left and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise ModelError(f"cannot read the external data of '{tensor.name}': {error}") from error
    if left:
        raise ModelError(f"the external data of '{tensor.name}' in {tensor.path} ends {left} bytes too early")


def _inline(tensor: ir.TensorProtocol) -> Iterator[bytes]:
    data = tensor.tobytes()
    if len(data) != tensor.nbytes:
        shape = list(dims(tensor))
        raise ModelError(f"tensor '{tensor.name}' holds {len(data)} bytes, its shape {shape} needs {tensor.nbytes}")
    view = memoryview(data)
    for start in range(0, len(data), PIECE):
        yield bytes(view[start : start + PIECE])


def _without_padding(piece: bytes, tensor: ir.TensorProtocol) -> bytes:
    used = tensor.size * tensor.dtype.bitwidth % 8
    return piece[:-1] + bytes([piece[-1] & ((1 << used) - 1)]) if used else piece


class Contents:
    """The digest of each tensor, computed once; or, with loose=True, its kind alone."""

    def __init__(self, loose: bool = False) -> None:
        self._loose = loose
        self._known: dict[int, tuple[ir.TensorProtocol, bytes]] = {}  # the tensor is kept: its id stays taken

    def label(self, tensor: ir.TensorProtocol) -> bytes:
        """What stands for this constant in the canonical bytes."""
        if self._loose:
            return kind(tensor)
        if id(tensor) not in self._known:
            self._known[id(tensor)] = (tensor, digest(tensor))
        return self._known[id(tensor)][1]
