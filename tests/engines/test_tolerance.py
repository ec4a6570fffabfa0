"""What a tolerance lets pass: small differences of the dtypes it names, relative to the largest value."""

from __future__ import annotations

import numpy as np
import pytest

from freezer.verification.compare import compare
from tests.verify.models import judged

LINE = "g (float[4] x) => (float[4] y) <float[1] c = {%s}> { y = Mul(x, c) }"
TWO = "g (float[4] x) => (float[4] y, int64[4] z) <float[1] c = {%s}> { y = Mul(x, c) z = Cast<to=7>(y) }"
TOLERANCE = {"float32": 1e-5}


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ([1, 100], [1, 101], 0.01),
        ([1, -100], [1.5, -100], 0.005),
        ([0.0, 2], [-0.0, 2], 0.0),
        ([np.nan, np.inf, 4], [np.nan, np.inf, 5], 0.25),
        ([np.nan, 4], [4, 4], None),
        ([np.inf, 4], [-np.inf, 4], None),
        ([np.inf, 4], [3e38, 4], None),
        ([0, 0], [0, 1e-30], None),
        ([1e-30, 0], [1e-30, 0], "equal"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distance_relative_to_the_largest_value(a, b, share, dtype) -> None:
    found = compare(np.array(a, dtype), np.array(b, dtype))
    if share == "equal":
        assert found["equal"] and "max_rel" not in found
    elif share is None:
        assert found["max_rel"] is None
    else:
        assert found["max_rel"] == pytest.approx(share, rel=1e-5)


@pytest.mark.parametrize(
    ("other", "tolerance", "status"),
    [
        ("1.5", TOLERANCE, "equal"),
        ("1.500001", TOLERANCE, "close"),
        ("1.500001", None, "different"),
        ("1.500001", {"float64": 1e-5}, "different"),
        ("1.5001", TOLERANCE, "different"),
        ("1.5001", {"float32": 1e-3}, "close"),
    ],
)
def test_verdict(other, tolerance, status) -> None:
    verdict = judged(LINE % "1.5", LINE % other, tolerance=tolerance)
    assert verdict.status == status and verdict.tolerance == tolerance
    assert verdict.equal is {"equal": True, "close": None, "different": False}[status]
    if status == "close":
        shares = [o.max_rel for o in verdict.outputs]
        assert verdict.message.startswith(f"equal within {tolerance['float32']:g} (float32) of each output's largest")
        assert verdict.first_difference is None and all(0 < s <= tolerance["float32"] for s in shares)


def test_integers_have_no_tolerance() -> None:
    verdict = judged(TWO % "1.5", TWO % "1.6", tolerance={"float32": 0.5})
    assert verdict.status == "different" and verdict.first_difference.name == "z"
    assert [o.status for o in verdict.outputs] == ["close", "different"]
