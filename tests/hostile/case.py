"""A hostile case: how to make its files, the command line, and how the command must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx

Make = Callable[[Path], Any]
HEAD = '<ir_version: 8, opset_import: ["": 17]>'


@dataclass
class Case:
    """make: writes what it needs into an empty folder, m.onnx among it. words: a regular expression the one line on
    stderr must match, "" for none; code: the exit code; reason: what stdout must match. arguments: after
    `freeze m.onnx -o out.onnx`. before, after: called with the folder around the command; after: what must hold then.
    """

    name: str
    make: Make
    words: str = ""
    code: int = 1
    arguments: list[str] = field(default_factory=list)
    reason: str = ""
    model: str = "m.onnx"
    output: str = "out.onnx"
    file_size: int | None = None  # RLIMIT_FSIZE of freezer's process: a full disk

    def __str__(self) -> str:
        return self.name


def parsed(text: str, head: str = HEAD) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"{head}\n{text}")


def write(model: onnx.ModelProto | bytes, folder: Path, name: str = "m.onnx") -> None:
    (folder / name).write_bytes(model if isinstance(model, bytes) else model.SerializeToString())


def text(source: str, head: str = HEAD) -> Make:
    """The model of this text."""
    return lambda folder: write(parsed(source, head), folder)


def data(content: bytes) -> Make:
    """A file of these bytes."""
    return lambda folder: write(content, folder)


def edited(source: str, edit: Callable[[onnx.ModelProto], Any], head: str = HEAD) -> Make:
    """The model of this text, changed."""

    def make(folder: Path) -> None:
        model = parsed(source, head)
        edit(model)
        write(model, folder)

    return make
