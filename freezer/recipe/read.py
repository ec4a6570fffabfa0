"""Reads recipes.

source = "silero_vad.onnx"      # paths are relative to the recipe's folder
source_sha256 = "a4e0..."       # of the .onnx file; external data is not hashed
output = "vad16k.onnx"          # unless the command line says where

[set]                           # a text is a VALUE as for --set; numbers, booleans and lists are themselves
sr = 16000
mask = "@mask.npy"

[files]                         # sha256 of each file that a value names
"mask.npy" = "07f3..."

[dims]
batch = 1

[shapes]
input = "1,576"

[options]                       # the fields of freezer.options.Options, .Running and .Saving
prune_inputs = true
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from freezer.bindings import RawValue, parse_value
from freezer.errors import ModelError, UsageError
from freezer.options import PLACES, Options, Running, Saving
from freezer.recipe.values import moved, sha256_of, value_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Sizes = list[Any]
Kind = TypeVar("Kind", Options, Running, Saving)
# Of the options whose default is None.
_TYPES = {"largest_constant": int, "fuel": int, "memory": int, "then": str, "tolerance": float, "allow_link": str,
          "data_file": str}  # fmt: skip
_TABLES = ("set", "dims", "shapes", "options")
_KEYS = {"source", "source_sha256", "output", "files", *_TABLES}


@dataclass
class Recipe:
    """What to freeze.

    source: the model, None where it is left open; source_sha256: of that file, "" where it is not said.
    sets: input -> VALUE text, files in it relative to `folder`. dims: symbol -> size. shapes: input -> sizes, None
    keeps one. options: fields of Options, Running and Saving. files: value file, as it is named in `sets` -> sha256.
    folder: of the recipe. output: where the result goes, None where that is left open.
    """

    source: Path | None = None
    source_sha256: str = ""
    sets: dict[str, str] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, Sizes] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    folder: Path = Path()
    output: Path | None = None

    def chosen(self, kind: type[Kind]) -> Kind:
        """The options of a kind: Options, Running or Saving."""
        return kind(**{f.name: self.options[f.name] for f in fields(kind) if f.name in self.options})

    def texts(self) -> dict[str, str]:
        """The VALUE texts, files in them named from the current folder."""
        return {name: moved(text, self.folder) for name, text in self.sets.items()}

    def value_files(self) -> list[str]:
        """The files that values are read from, named from the current folder."""
        return [name for text in self.texts().values() if (name := value_file(text)) is not None]

    def values(self) -> dict[str, RawValue]:
        """The values, read. Raises UsageError for a file that is wrong, ModelError for one that changed."""
        self.check_files()
        return {name: parse_value(text) for name, text in self.texts().items()}

    def check_files(self) -> None:
        """Raise ModelError if a value file is not the one that the recipe was written for."""
        for name, expected in self.files.items():
            _expect(self.folder / name, expected, f"the value file '{name}'", "[files]")

    def check_source(self, path: Path) -> None:
        """Raise ModelError if the model is not the one that the recipe was written for."""
        if self.source_sha256:
            _expect(path, self.source_sha256, "the source", "source_sha256")


def _expect(path: Path, expected: str, what: str, key: str) -> None:
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{what} '{path}' cannot be read: {error.strerror}") from None
    if found != expected:
        raise ModelError(
            f"{what} '{path}' has changed: its sha256 is {found}, the recipe was written for {expected}; "
            f"restore the file, or change {key} in the recipe"
        )


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises UsageError, which names the line of a mistake."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"the recipe '{path}' cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the recipe '{path}' is not TOML: {error}") from None


def read_recipe(path: str | os.PathLike) -> Recipe:
    """A recipe file. Raises UsageError for what a recipe cannot hold."""
    document = read_toml(Path(path))
    return to_recipe(document, Path(path), _KEYS, Options, Running, Saving)


def to_recipe(document: Mapping[str, Any], path: Path, keys: set[str], *kinds: type) -> Recipe:
    """The recipe in a TOML document or a table of one.

    path: of the file. keys: what may stand in it, with options of these kinds. Raises UsageError.
    """
    if unknown := sorted(document.keys() - keys):
        raise UsageError(f"the recipe '{path}' has the unknown key '{unknown[0]}'; known are {', '.join(sorted(keys))}")
    for key in ("source", "source_sha256", "output"):
        if not isinstance(document.get(key, ""), str):
            raise UsageError(f"the recipe '{path}': {key} must be a text")
    tables = {key: table(document, key, path) for key in (*_TABLES, "files")}
    source, output = (path.parent / document[k] if k in document else None for k in ("source", "output"))
    return Recipe(
        source, document.get("source_sha256", ""),
        {name: value_text(value, name, path) for name, value in tables["set"].items()},
        {name: size(value, f"dims.{name}", path) for name, value in tables["dims"].items()},
        {name: sizes(value, name, path) for name, value in tables["shapes"].items()},
        check_options(tables["options"], path, *kinds),
        {name: str(value) for name, value in tables["files"].items()}, path.parent, output,
    )  # fmt: skip


def table(document: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    """A table of a document, {} if there is none. Raises UsageError if it is something else."""
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise UsageError(f"the recipe '{path}': {key} must be a table, [{key}]")
    return found


def value_text(value: Any, name: str, path: Path) -> str:
    """The VALUE text of a TOML value."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value) if not isinstance(value, dict) else _refuse(name, path)
    except TypeError:
        return _refuse(name, path)


def _refuse(name: str, path: Path) -> str:
    raise UsageError(f"the recipe '{path}': set.{name} must be a number, boolean, list, or text as for --set")


def size(value: Any, where: str, path: Path) -> int:
    """A size. Raises UsageError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"the recipe '{path}': {where} must be an integer >= 0, not {value!r}")
    return value


def sizes(value: Any, name: str, path: Path) -> Sizes:
    """A shape: "1,_,80", or a list in which "_" keeps a dimension."""
    items = [d.strip() for d in value.split(",")] if isinstance(value, str) and value.strip() else value or []
    if not isinstance(items, list):
        raise UsageError(f"the recipe '{path}': shapes.{name} must be like '1,_,80', not {value!r}")
    numbers = [int(d) if isinstance(d, str) and d.isascii() and d.isdigit() else d for d in items]
    return [None if d == "_" else size(d, f"shapes.{name}", path) for d in numbers]


def check_options(options: dict[str, Any], path: Path, *kinds: type) -> dict[str, Any]:
    """The options, folders named from the current one. Raises UsageError for one that `kinds` do not have."""
    defaults = {f.name: f.default for kind in kinds for f in fields(kind)}
    for name, value in options.items():
        if name not in defaults:
            raise UsageError(f"the recipe '{path}' has no option '{name}'; there are {', '.join(sorted(defaults))}")
        kind = _TYPES.get(name, type(defaults[name]))
        if not isinstance(value, (float, int) if kind is float else kind) or (kind is not bool and value is True):
            raise UsageError(f"the recipe '{path}': options.{name} must be of type {kind.__name__}, not {value!r}")
    if options.get("external_data", "auto") not in PLACES:
        raise UsageError(f"the recipe '{path}': options.external_data must be one of {', '.join(PLACES)}")
    return {name: str(path.parent / v) if name == "allow_link" else v for name, v in options.items()}
