"""Writes external data: a stream, never all weights in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import onnx_ir as ir

from freezer.errors import ModelError

_PAGE = 4096  # tensors of a page or more start on one, so that they can be mapped
_WORD = 64
_CHUNK = 1 << 24

Progress = Callable[[int], None]


class DataWriter:
    """Appends tensors to a file. Equal ranges of the same source file are written once.

    progress: called with the bytes written so far.
    """

    def __init__(self, file: BinaryIO, progress: Progress | None = None) -> None:
        self._file = file
        self._progress = progress or (lambda _: None)
        self._placed: dict[tuple[str, int, int], int] = {}
        self.nbytes = 0

    def append(self, tensor: ir.TensorProtocol) -> int:
        """Write a tensor's bytes; their offset."""
        if not isinstance(tensor, ir.ExternalTensor):
            offset = self._align(tensor.nbytes)
            self._write(memoryview(tensor.tobytes()))
            return offset
        key = (tensor.path, tensor.offset or 0, tensor.nbytes)
        if key not in self._placed:
            self._placed[key] = self._align(tensor.nbytes)
            with open(tensor.path, "rb") as source:
                copy_range(source, self._file, key[1], key[2], self._advance)
        return self._placed[key]

    def _align(self, nbytes: int) -> int:
        """Pad to the offset that `nbytes` bytes are written at."""
        gap = -self.nbytes % (_PAGE if nbytes >= _PAGE else _WORD)
        self._file.write(bytes(gap))
        self.nbytes += gap
        return self.nbytes

    def _write(self, content: memoryview) -> None:
        for start in range(0, len(content), _CHUNK):
            self._advance(self._file.write(content[start : start + _CHUNK]))

    def _advance(self, nbytes: int) -> None:
        self.nbytes += nbytes
        self._progress(self.nbytes)


def copy_range(source: BinaryIO, target: BinaryIO, offset: int, nbytes: int, advance: Progress) -> None:
    """Append bytes of one file to another, in the kernel where it can. Raises ModelError if the source is short."""
    end = offset + nbytes
    target.flush()
    with suppress(OSError, AttributeError):  # other file systems, old kernels, other systems
        while offset < end and (
            count := os.copy_file_range(source.fileno(), target.fileno(), min(end - offset, 1 << 30), offset)
        ):
            offset += count
            advance(count)
    target.seek(0, os.SEEK_END)
    source.seek(offset)
    while offset < end:
        chunk = source.read(min(_CHUNK, end - offset))
        if not chunk:
            raise ModelError(f"'{source.name}' became shorter while it was copied")
        target.write(chunk)
        offset += len(chunk)
        advance(len(chunk))


def refer(tensor: ir.TensorProtocol, location: str, offset: int) -> ir.ExternalTensor:
    """A tensor whose bytes lie in another file."""
    shape = ir.Shape([int(d) for d in tensor.shape])  # type: ignore[arg-type]
    return ir.ExternalTensor(
        location, offset, tensor.nbytes, tensor.dtype,
        shape=shape, name=tensor.name or "", doc_string=tensor.doc_string, metadata_props=dict(tensor.metadata_props),
    )  # fmt: skip
