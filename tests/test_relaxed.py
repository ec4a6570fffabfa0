"""--relaxed on a real file: its fusions, the tolerance, and what happens where that is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

import freezer
from freezer.errors import VerificationError

MODEL = Path(__file__).parents[1] / "fixtures" / "third_party" / "ppocr_cls_v2.onnx"
SHAPES = {"x": [1, 3, 48, 192]}


def test_batch_normalisation_goes_into_weights():
    exact, relaxed = (freezer.freeze(MODEL, shapes=SHAPES, relaxed=r).report for r in (False, True))
    assert exact.after.ops["BatchNormalization"] == relaxed.relaxed["normalise_inside_product"] == 35
    assert "BatchNormalization" not in relaxed.after.ops
    assert exact.verification["status"] == "equal" and relaxed.verification["status"] == "close"
    assert relaxed.verification["tolerance"]["float32"] == 1e-5


def test_a_difference_beyond_the_tolerance_says_what_to_do():
    with pytest.raises(VerificationError, match=r"Leave out --relaxed, or allow more: --tolerance SHARE"):
        freezer.freeze(MODEL, shapes=SHAPES, relaxed=True, tolerance=1e-9)
