"""Writes several models whose constants overlap: what more than one has goes once into one data file."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx_ir as ir

from freezer.errors import UsageError
from freezer.model_io import serialise, to_proto
from freezer.model_io.atomic import whole_files
from freezer.model_io.convert import from_proto
from freezer.model_io.data_file import DataWriter, refer
from freezer.model_io.read import read_model
from freezer.model_io.saving import LARGEST_INLINE
from freezer.model_io.slots import Slot, replaced, slots
from freezer.model_io.target import check_target, data_path

_SMALLEST = 1024  # bytes of a constant that is worth a place in the data file


@dataclass
class Written:
    """paths: name -> file. sizes: name -> bytes of its file, bytes it refers to. data_file: what was written for
    all, of nbytes bytes, None if nothing was. shared_files: those that were there before.
    """

    paths: dict[str, Path] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    data_file: Path | None = None
    nbytes: int = 0
    shared_files: list[Path] = field(default_factory=list)


def stage(model: ir.Model, stem: Path) -> None:
    """Write STEM.onnx and STEM.data: the source's external data stays where it is, other large constants go to .data.

    Places are absolute, so only write_together() can read it.
    """
    data = stem.with_name(f"{stem.name}.data")
    moved: list[tuple[Slot, ir.ExternalTensor]] = []
    with open(data, "wb") as file:
        writer = DataWriter(file)
        for slot in slots(model):
            tensor = slot.tensor
            if isinstance(tensor, ir.ExternalTensor):
                moved.append((slot, refer(tensor, os.path.realpath(tensor.path), tensor.offset or 0)))
            elif tensor.nbytes >= _SMALLEST and tensor.dtype != ir.DataType.STRING:
                moved.append((slot, refer(tensor, str(data), writer.append(tensor))))
    with replaced(moved):
        content = serialise(to_proto(model))
    stem.with_name(f"{stem.name}.onnx").write_bytes(content)


def write_together(names: Sequence[str], staging: Path, folder: Path, source: Path) -> Written:
    """FOLDER/NAME.onnx for every staged name, all or none, and their common constants in one data file."""
    written = Written({name: folder / f"{name}.onnx" for name in names})
    if not names:
        return written
    for path in written.paths.values():
        check_target(path, source)
    shelf = _Shelf(staging, folder)
    for name in names:
        shelf.count(_read(staging, name))
    here = folder / f"{source.stem}.onnx"
    with whole_files(folder / "weights.data", *written.paths.values()) as (data, *files):
        shelf.writer = DataWriter(data.file)
        for name in names:
            shelf.place(_read(staging, name))
        data.file.flush()
        data.path = data_path(data.temporary, None, here)
        if data.path in written.paths.values():
            raise UsageError(f"a variant is called '{data.path.name}', as the data file; give it another name")
        for name, file in zip(names, files, strict=True):
            content, shared = shelf.settle(_read(staging, name), data.path.name)
            file.file.write(content)
            written.sizes[name] = len(content), shared
        written.data_file, written.nbytes = data.path, shelf.writer.nbytes
    if not written.nbytes:
        written.data_file.unlink()
        written.data_file = None
    written.shared_files = sorted(shelf.kept)
    return written


def _read(staging: Path, name: str) -> ir.Model:
    return from_proto(read_model(staging / f"{name}.onnx"))


class _Shelf:
    """Which constants are in how many models, and where each that is shared lies."""

    def __init__(self, staging: Path, folder: Path) -> None:
        self.staging, self.folder = os.path.realpath(staging), os.path.realpath(folder)
        self.kept: set[Path] = set()
        self.writer: DataWriter | None = None
        self._models: Counter[Hashable] = Counter()
        self._places: dict[Hashable, int] = {}
        self._keys: dict[tuple[str, int, int], Hashable] = {}

    def count(self, model: ir.Model) -> None:
        tensors = [s.tensor for s in slots(model) if isinstance(s.tensor, ir.ExternalTensor)]
        own = sum(t.nbytes for t in tensors if self._is_staged(t))
        self._models.update({self._key(t): 1 + (own > LARGEST_INLINE) for t in tensors})

    def place(self, model: ir.Model) -> None:
        """Copy what is shared and not yet there."""
        assert self.writer is not None
        for slot in slots(model):
            if isinstance(slot.tensor, ir.ExternalTensor) and self._is_shared(slot.tensor):
                key = self._key(slot.tensor)
                if key not in self._places:
                    self._places[key] = self.writer.append(slot.tensor)

    def settle(self, model: ir.Model, data: str) -> tuple[bytes, int]:
        """The model's final bytes, and how many bytes it refers to."""
        changes: list[tuple[Slot, ir.TensorProtocol]] = []
        referred: dict[tuple[str, int], int] = {}
        for slot in slots(model):
            if isinstance(slot.tensor, ir.ExternalTensor):
                new = self._final(slot.tensor, data)
                changes.append((slot, new))
                if isinstance(new, ir.ExternalTensor):
                    referred[str(new.location), new.offset or 0] = new.nbytes
        with replaced(changes):
            return serialise(to_proto(model)), sum(referred.values())

    def _final(self, tensor: ir.ExternalTensor, data: str) -> ir.TensorProtocol:
        if self._lies_here(tensor):
            self.kept.add(Path(tensor.path))
            return refer(tensor, os.path.relpath(tensor.path, self.folder), tensor.offset or 0)
        if self._is_shared(tensor):
            return refer(tensor, data, self._places[self._key(tensor)])
        content = ir.Tensor(tensor.numpy(), dtype=tensor.dtype, name=tensor.name, doc_string=tensor.doc_string)
        content.metadata_props.update(tensor.metadata_props)
        return content

    def _is_staged(self, tensor: ir.ExternalTensor) -> bool:
        return os.path.dirname(tensor.path) == self.staging

    def _lies_here(self, tensor: ir.ExternalTensor) -> bool:
        return not self._is_staged(tensor) and os.path.commonpath([tensor.path, self.folder]) == self.folder

    def _is_shared(self, tensor: ir.ExternalTensor) -> bool:
        if self._lies_here(tensor):
            return False
        return not self._is_staged(tensor) or self._models[self._key(tensor)] > 1

    def _key(self, tensor: ir.ExternalTensor) -> Hashable:
        """Equal for equal bytes. Weights of the source are known by their place and never read."""
        place = (str(tensor.path), tensor.offset or 0, tensor.nbytes)
        if not self._is_staged(tensor):
            return place
        if place not in self._keys:
            with open(tensor.path, "rb") as file:
                file.seek(place[1])
                self._keys[place] = hashlib.sha256(file.read(tensor.nbytes)).digest()
        return self._keys[place]
