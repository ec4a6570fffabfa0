"""Ops of ai.onnx.ml."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import integer, integers, tensor
from freezer.facts.transfer.content import INT64

_FLOAT, _STRING = ir.DataType.FLOAT, ir.DataType.STRING
_ML = "ai.onnx.ml"


@transfer("Scaler", "Normalizer", domain=_ML)
def to_float(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Floats of the operand's shape."""
    return [Fact(_FLOAT, facts.shape(node.inputs[0]))]


@transfer("Imputer", "Binarizer", domain=_ML)
def same(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's type and shape."""
    fact = facts.of(node.inputs[0])
    return [Fact(fact.dtype, fact.shape)]


@transfer("LabelEncoder", domain=_ML)
def label_encoder(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The type of the values; in version 1 strings become numbers and back."""
    fact = facts.of(node.inputs[0])
    if "classes_strings" in node.attributes:
        return [Fact(INT64 if fact.dtype == _STRING else _STRING if fact.dtype == INT64 else None, fact.shape)]
    for name, found in (("values_strings", _STRING), ("values_int64s", INT64), ("values_floats", _FLOAT)):
        if name in node.attributes:
            return [Fact(found, fact.shape)]
    values = tensor(node, "values_tensor")
    return None if values is None else [Fact(values.dtype, fact.shape)]


@transfer("ArrayFeatureExtractor", domain=_ML)
def array_feature_extractor(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Columns of the last axis; a vector counts as one row."""
    x, columns = facts.of(node.inputs[0]), facts.shape(node.inputs[1])
    if not x.shape or not columns:
        return [Fact(x.dtype)]
    count: Dim = 1
    for dim in columns:
        count = count * dim
    return [Fact(x.dtype, ((1,) if len(x.shape) == 1 else x.shape[:-1]) + (count,))]


@transfer("OneHotEncoder", domain=_ML)
def one_hot_encoder(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Floats with one more axis, a place for each category."""
    shape = facts.shape(node.inputs[0])
    categories = integers(node, "cats_int64s", None) or _strings(node, "cats_strings")
    return [Fact(_FLOAT, None if shape is None or not categories else (*shape, len(categories)))]


def _strings(node: ir.Node, name: str) -> tuple[str, ...]:
    attribute = node.attributes.get(name)
    if attribute is None or attribute.is_ref() or attribute.type != ir.AttributeType.STRINGS:
        return ()
    return tuple(attribute.value)


@transfer("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier", domain=_ML)
def classifier(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Labels of the type of the classes, and scores."""
    shape = facts.shape(node.inputs[0])
    strings = any(_strings(node, name) for name in ("classlabels_strings", "classes_strings"))
    rows = (shape[0],) if shape is not None and len(shape) == 2 else None
    return [Fact(_STRING if strings else INT64, rows), Fact(_FLOAT)]


@transfer("LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor", domain=_ML)
def regressor(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Floats, a column a target."""
    shape, targets = facts.shape(node.inputs[0]), integer(node, "n_targets" if "Tree" in node.op_type else "targets", 1)
    known = shape is not None and len(shape) == 2 and node.op_type != "SVMRegressor"
    return [Fact(_FLOAT, (shape[0], targets) if known else None)]  # type: ignore[index]


@transfer("ZipMap", domain=_ML)
def zip_map(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """A sequence of maps: no tensor."""
    return [UNKNOWN]
