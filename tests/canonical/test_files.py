"""A shuffled, renamed copy of a real file has its fingerprint. The files are those of FREEZER_CORPUS, if it is set."""

from __future__ import annotations

import os
from pathlib import Path

import onnx_ir as ir
import pytest

from freezer.canonical import canonicalize, fingerprint
from freezer.errors import ModelError
from freezer.model_io import load
from tests.canonical.shuffle import shuffle

FOLDER = os.environ.get("FREEZER_CORPUS", "")
FILES = sorted(Path(FOLDER).glob("**/*.onnx")) if FOLDER else []


@pytest.mark.skipif(not FILES, reason="FREEZER_CORPUS names no folder with ONNX files")
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
