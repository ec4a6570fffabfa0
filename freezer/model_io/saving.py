"""Saves a model: deterministic bytes, whole files, weights shared where they can be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from freezer.errors import LimitError, UsageError
from freezer.model_io.atomic import Pending, whole_files
from freezer.model_io.convert import serialise, to_proto
from freezer.model_io.data_file import DataWriter, Progress, refer
from freezer.model_io.slots import Slot, replaced, slots
from freezer.model_io.target import check_data_name, check_target, data_path
from freezer.options import PLACES

LARGEST_INLINE = 1_900_000_000  # bytes of constants in the model file; protobuf ends at 2 GiB
_SMALLEST_MOVED = 1024  # bytes


@dataclass(frozen=True)
class Saved:
    """What was written.

    path: the model file, of nbytes bytes. own_bytes: nbytes and those of data_file, which was written
    beside it, if any. shared_bytes: what the model refers to in shared_files, which were there before.
    """

    path: Path
    nbytes: int
    own_bytes: int
    shared_bytes: int
    data_file: Path | None
    shared_files: tuple[Path, ...] = ()


def save(
    model: ir.Model, path: str | os.PathLike, *, source: str | os.PathLike | None = None,
    external_data: str = "auto", data_file: str | None = None, overwrite: bool = True,
    progress: Progress | None = None,
) -> Saved:  # fmt: skip
    """Write the model, which is unchanged afterwards.

    External tensors that lie in the output's folder stay where they are; others are copied, in a stream.
    source: the file the model came from, which is never written to.
    external_data: where other constants go. "auto": inline, unless there are more than LARGEST_INLINE bytes;
    "inline": inline, external ones too; "external": beside the model, from a KiB on.
    data_file: a name in the output's folder, not taken; by default OUT.data, or OUT.1.data and so on.
    progress: called with the bytes of the data file written so far.
    Raises UsageError for a path that cannot be meant, LimitError for more than 2 GiB inline, FreezerError
    if the system refuses; then no file has changed.
    """
    if external_data not in PLACES:
        raise UsageError(f"external data can be {', '.join(PLACES)}; not '{external_data}'")
    target, stored = Path(path), list(slots(model))
    check_target(target, source, {s.tensor.path for s in stored if isinstance(s.tensor, ir.ExternalTensor)}, overwrite)
    check_data_name(data_file, target)
    if external_data == "inline":
        return _save_inline(model, target, stored)
    here = _homes(stored, target.parent)
    shared = [s for s in stored if _lies_in(s.tensor, here)]
    moved = _to_move(stored, here, external_data)
    if not moved:
        return _save_one(model, target, shared)
    return _save_with_data(model, target, shared, moved, data_file, progress)


def _save_one(model: ir.Model, target: Path, shared: list[Slot]) -> Saved:
    content = serialise(to_proto(model))
    with whole_files(target) as (file,):
        file.file.write(content)
    return Saved(target, len(content), len(content), *_shared(shared, None))


def _save_inline(model: ir.Model, target: Path, stored: list[Slot]) -> Saved:
    total = sum(s.tensor.nbytes for s in stored)
    if total > LARGEST_INLINE:
        raise LimitError(f"the model has {total} bytes of constants; inline there is room for {LARGEST_INLINE}")
    external = [(s, _content(s.tensor)) for s in stored if isinstance(s.tensor, ir.ExternalTensor)]
    with replaced(external):
        return _save_one(model, target, [])


def _content(tensor: ir.TensorProtocol) -> ir.Tensor:
    return ir.Tensor(
        tensor.numpy(), dtype=tensor.dtype,
        name=tensor.name, doc_string=tensor.doc_string, metadata_props=dict(tensor.metadata_props),
    )  # fmt: skip


def _save_with_data(
    model: ir.Model, target: Path, shared: list[Slot], moved: list[Slot], name: str | None, progress: Progress | None
) -> Saved:
    with whole_files(target.with_name(f"{target.name}.data"), target) as (data, file):
        writer = DataWriter(data.file, progress)
        offsets = [writer.append(slot.tensor) for slot in moved]
        _settle_name(data, name, target)
        with replaced((s, refer(s.tensor, data.path.name, o)) for s, o in zip(moved, offsets, strict=True)):
            content = serialise(to_proto(model))
        file.file.write(content)
    return Saved(target, len(content), len(content) + writer.nbytes, *_shared(shared, data.path))


def _settle_name(data: Pending, name: str | None, target: Path) -> None:
    data.file.flush()
    data.path = data_path(data.temporary, name, target)


def _to_move(stored: list[Slot], here: set[str], mode: str) -> list[Slot]:
    """The tensors that go to the data file."""
    inline = [s for s in stored if not isinstance(s.tensor, ir.ExternalTensor)]
    too_much = sum(s.tensor.nbytes for s in inline) > LARGEST_INLINE
    return [
        s for s in stored
        if (isinstance(s.tensor, ir.ExternalTensor) and not _lies_in(s.tensor, here))
        or ((mode == "external" or too_much) and _movable(s.tensor))
    ]  # fmt: skip


def _movable(tensor: ir.TensorProtocol) -> bool:
    if isinstance(tensor, ir.ExternalTensor) or tensor.dtype == ir.DataType.STRING:
        return False
    return tensor.nbytes >= _SMALLEST_MOVED


def _homes(stored: Iterable[Slot], folder: Path) -> set[str]:
    """The ways in which external tensors call that folder."""
    names = {os.fspath(s.tensor.base_dir) for s in stored if isinstance(s.tensor, ir.ExternalTensor)}
    return {name for name in names if os.path.realpath(name) == os.path.realpath(folder)}


def _lies_in(tensor: ir.TensorProtocol, here: set[str]) -> bool:
    if not isinstance(tensor, ir.ExternalTensor):
        return False
    return os.fspath(tensor.base_dir) in here


def _shared(shared: list[Slot], data: Path | None) -> tuple[int, Path | None, tuple[Path, ...]]:
    tensors = [s.tensor for s in shared if isinstance(s.tensor, ir.ExternalTensor)]
    ranges = {(t.base_dir, t.location, t.offset or 0, t.nbytes) for t in tensors}
    files = {Path(folder) / location for folder, location, _, _ in ranges}
    return sum(n for *_, n in ranges), data, tuple(sorted(files))
