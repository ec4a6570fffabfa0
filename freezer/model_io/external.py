"""External data: which file a tensor may refer to, and where in it.

A location comes from the model, so it may be hostile: it is resolved one component at a time without
following links, and must end at a regular file with one name, inside the model's folder.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from pathlib import Path

import onnx

from freezer.errors import ModelError

_KEYS = {"location", "offset", "length"}


class DataFolder:
    """The folder that external data must lie in.

    folder: None for a model given as an object without one. allow_link: links (symbolic, or a file with
    more than one name) are allowed if what they lead to lies below this folder. bytes_by_file: what the
    tensors checked so far refer to.
    """

    def __init__(self, folder: Path | None, allow_link: str | os.PathLike | None = None) -> None:
        self.folder = folder
        self.allow_link = None if allow_link is None else os.path.realpath(allow_link)
        self.bytes_by_file: Counter[Path] = Counter()
        self._files: dict[str, tuple[Path, int]] = {}

    def check(self, tensor: onnx.TensorProto, nbytes: int) -> None:
        """Raise ModelError unless the tensor's `nbytes` bytes lie in a file it may read. Reads no content.

        Entries that do not say where the data is are dropped.
        """
        name, where = tensor.name, _entries(tensor)
        location = where.get("location", "")
        if self.folder is None:
            raise ModelError(
                f"tensor '{name}' is external data in '{location}', but a model given as an object has no folder: "
                "give its path, or base_dir"
            )
        if location not in self._files:
            self._files[location] = (self.folder / location, self._resolve(name, location))
        path, size = self._files[location]
        offset = _integer(name, "offset", where.get("offset", "0"))
        length = _integer(name, "length", where.get("length", str(nbytes)))
        if length != nbytes:
            raise ModelError(f"tensor '{name}' needs {nbytes} bytes; its external data in '{location}' has {length}")
        if offset + length > size:
            raise ModelError(
                f"tensor '{name}' is bytes {offset} to {offset + length} of '{location}', which has only {size}: "
                "the file is cut short or belongs to another model"
            )
        self.bytes_by_file[path] += length
        if not where.keys() <= _KEYS:
            _drop_other_keys(tensor)

    def _resolve(self, tensor: str, location: str) -> int:
        """The size of the file at a location."""
        assert self.folder is not None
        refusal = f"tensor '{tensor}' refers to external data in '{location}'"
        parts = location.replace("\\", "/").split("/") if os.name == "nt" else location.split("/")
        if not location or "\0" in location or os.path.isabs(location) or os.path.splitdrive(location)[0]:
            raise ModelError(f"{refusal}, which is not a path relative to the model")
        if ".." in parts:
            raise ModelError(f"{refusal}, which leaves the model's folder")
        try:
            status = self._walk(refusal, [p for p in parts if p not in ("", ".")])
        except FileNotFoundError:
            raise ModelError(f"{refusal}, which is missing: put that file into {self.folder}") from None
        except OSError as error:
            raise ModelError(f"{refusal}, which cannot be read: {error.strerror}") from None
        return status.st_size

    def _walk(self, refusal: str, parts: list[str]) -> os.stat_result:
        path = os.fspath(self.folder or "")
        status = os.stat(path or ".")
        for part in parts:
            path = os.path.join(path, part)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return self._linked(f"{refusal}, which is behind the symbolic link {path}", parts)
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{refusal}, which is not a regular file")
        if status.st_nlink != 1:
            return self._linked(f"{refusal}, a file with {status.st_nlink} names (hard links)", parts)
        return _readable(path, status)

    def _linked(self, refusal: str, parts: list[str]) -> os.stat_result:
        if self.allow_link is None:
            raise ModelError(f"{refusal}: copy the file, or allow links into its folder (--allow-link FOLDER)")
        path = os.path.realpath(os.path.join(self.folder or "", *parts), strict=True)
        if os.path.commonpath([path, self.allow_link]) != self.allow_link:
            raise ModelError(f"{refusal} and leads to {path}, outside {self.allow_link} (--allow-link)")
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{refusal}, which is not a regular file")
        return _readable(path, status)


def _readable(path: str, status: os.stat_result) -> os.stat_result:
    if not os.access(path, os.R_OK):
        raise PermissionError(13, "no permission")
    return status


def _entries(tensor: onnx.TensorProto) -> dict[str, str]:
    entries: dict[str, str] = {}
    for entry in tensor.external_data:
        if not (isinstance(entry.key, str) and isinstance(entry.value, str)):
            raise ModelError(f"tensor '{tensor.name}' has external data whose place is not UTF-8 text")
        if entry.key in entries:
            raise ModelError(f"tensor '{tensor.name}' gives '{entry.key}' of its external data twice")
        entries[entry.key] = entry.value
    return entries


def _drop_other_keys(tensor: onnx.TensorProto) -> None:
    kept = [(e.key, e.value) for e in tensor.external_data if e.key in _KEYS]
    del tensor.external_data[:]
    for key, value in kept:
        tensor.external_data.add(key=key, value=value)


def _integer(tensor: str, key: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 19:
        return int(text)
    raise ModelError(f"tensor '{tensor}' has the {key} '{text[:40]}' in its external data; expected an integer >= 0")
