"""A loaded model, and the original it came from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import onnx_ir as ir

from freezer.errors import ModelError
from freezer.model_io.convert import serialise

_CHUNK = 1 << 22


@dataclass
class Source:
    """What `load` gives.

    model: a private copy that may be changed; sorted, every external tensor with a checked place.
    path: the file, None for a model given as an object. kind: "path", "proto", "ir" or "graphsurgeon".
    folder: where external data lies. data_files: external files, with the bytes the model refers to.
    notes: what loading had to change, in words.
    """

    model: ir.Model
    path: Path | None
    kind: str
    folder: Path | None
    data_files: dict[Path, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    original: Callable[[], onnx.ModelProto] | None = None
    stamp: tuple[int, int] | None = None

    def proto_bytes(self) -> bytes:
        """The model as it was given, serialised; external data stays external. ModelError if the file changed."""
        if self.path is None:
            assert self.original is not None
            return serialise(self.original())
        content = self.path.read_bytes()
        self._check_unchanged()
        return content

    def sha256(self) -> str:
        """Of the file's bytes, or of the serialised model if it was given as an object."""
        if self.path is None:
            return hashlib.sha256(self.proto_bytes()).hexdigest()
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        self._check_unchanged()
        return digest.hexdigest()

    def nbytes(self) -> int:
        """Bytes of the model itself, without external data."""
        return os.path.getsize(self.path) if self.path is not None else len(self.proto_bytes())

    def _check_unchanged(self) -> None:
        assert self.path is not None
        if self.stamp is not None and stamp_of(self.path) != self.stamp:
            raise ModelError(f"'{self.path}' changed while freezer was working with it; run again")


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and modification time."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns
