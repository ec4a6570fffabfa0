"""A shuffled, renamed copy of a real file has its fingerprint: the fixtures, and the folder FREEZER_CORPUS names."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
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


NUMBERS = (ir.AttributeType.INT, ir.AttributeType.INTS, ir.AttributeType.FLOATS)


def changed(attribute: ir.Attr) -> ir.Attr:
    """The attribute with its (first) number one larger."""
    value = attribute.value
    more = value + 1 if attribute.type == ir.AttributeType.INT else [value[0] + 1, *value[1:]]
    return ir.Attr(attribute.name, attribute.type, more)


def loaded(path: Path) -> ir.Model:
    """The canonical form, in which every constant is an initializer that something reads."""
    try:
        return canonicalize(load(path).model)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_bit_of_a_constant_counts(path: Path) -> None:
    model, rng = loaded(path), random.Random(0)
    expected = fingerprint(model)
    constants = [v for v in model.graph.initializers.values() if v.const_value.dtype.numpy().kind in "iuf"]
    for value in rng.sample(constants, min(3, len(constants))):
        tensor = value.const_value
        content = np.frombuffer(bytearray(tensor.tobytes()), np.uint8)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        changed = content.view(tensor.dtype.numpy()).reshape(tensor.shape.numpy())
        value.const_value = ir.Tensor(changed, dtype=tensor.dtype, name=value.name)
        assert fingerprint(model) != expected
        value.const_value = tensor
    assert fingerprint(model) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_attribute_and_the_order_of_operands_count(path: Path) -> None:
    model = loaded(path)
    expected = fingerprint(model)
    node = next(n for n in model.graph.all_nodes() if any(a.type in NUMBERS for a in n.attributes.values()))
    name = next(k for k, a in node.attributes.items() if a.type in NUMBERS)
    attribute = node.attributes[name]
    node.attributes[name] = changed(attribute)
    assert fingerprint(model) != expected
    node.attributes[name] = attribute
    ordered = [n for n in model.graph if n.op_type in ("Sub", "Div", "Pow", "MatMul", "Gather", "Less")]
    for node in ordered[:3]:
        first, second = node.inputs[:2]
        node.replace_input_with(0, second)
        node.replace_input_with(1, first)
        assert first is second or fingerprint(model) != expected
        node.replace_input_with(0, first)
        node.replace_input_with(1, second)
    assert fingerprint(model) == expected
