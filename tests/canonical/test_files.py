"""A shuffled, renamed copy of a real file has its fingerprint: the fixtures, and the folder FREEZER_CORPUS names."""

from __future__ import annotations

import os
from pathlib import Path

import onnx_ir as ir
import pytest

from freezer.canonical import canonicalize, fingerprint
from freezer.errors import ModelError
from freezer.model_io import load
from tests.canonical.shuffle import shuffle

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "third_party"
FOLDERS = [FIXTURES, *map(Path, filter(None, [os.environ.get("FREEZER_CORPUS")]))]
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("**/*.onnx"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shuffled_copy_has_the_same_fingerprint(path: Path) -> None:
    try:
        source = load(path).model
    except ModelError as error:
        pytest.skip(str(error))
    expected = fingerprint(source)
    assert fingerprint(canonicalize(source)) == expected
    shuffled = shuffle(source, seed=1)
    assert [node.name for node in shuffled.graph] != [node.name for node in load(path).model.graph]
    assert fingerprint(shuffled) == expected
    assert isinstance(shuffled, ir.Model)
