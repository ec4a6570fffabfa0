from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from freezer.verification import max_ulp, ulp_distance


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_a_step_is_one_ulp_at_any_size_and_across_zero(dtype):
    start = np.array([1.0, -1.0, 256.0, 0.0, -3.5]).astype(dtype)
    bits = start.view(f"u{start.itemsize}")
    assert ulp_distance(start, (bits + 1).view(dtype)).tolist() == [1] * 5
    least = np.array([1], f"u{start.itemsize}")
    below = (least | (1 << (8 * start.itemsize - 1))).astype(least.dtype).view(dtype)
    assert ulp_distance(least.view(dtype), below).tolist() == [2]


def test_zeros_of_both_signs_are_one_number():
    assert max_ulp(np.array([0.0, -0.0]), np.array([-0.0, 0.0])) == 0


def test_nans_are_equal_to_each_other_and_far_from_numbers():
    nan = np.float32("nan")
    assert ulp_distance(np.array([nan, nan, 1], np.float32), np.array([nan, 1, nan], np.float32)).tolist() == [
        0,
        2**64 - 1,
        2**64 - 1,
    ]


def test_the_ends_of_the_line_do_not_overflow():
    big = np.array([np.finfo(np.float64).max])
    assert max_ulp(big, -big) == 2 * 0x7FEF_FFFF_FFFF_FFFF


def test_scalars_and_empty_arrays():
    assert ulp_distance(np.array(1.0), np.array(1.0)).shape == ()
    assert max_ulp(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)) == 0


def test_different_types_or_shapes_are_an_error():
    with pytest.raises(ValueError, match=r"float32\[2\] with float64\[2\]"):
        ulp_distance(np.zeros(2, np.float32), np.zeros(2))
