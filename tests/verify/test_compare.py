from __future__ import annotations

import numpy as np
import pytest

from freezer.verification.compare import compare

ONE = np.array([1.0, 2.0], np.float32)


def bits(*words):
    return np.array(words, np.uint32).view(np.float32)


@pytest.mark.parametrize(
    "a, b, note",
    [
        (np.array([0.0]), np.array([-0.0]), "1 of 1 elements differ"),
        (bits(0x7FC00000, 0), bits(0x7FC00001, 0), "1 of 2 elements differ"),
        (ONE, ONE.astype(np.float64), "float32[2] became float64[2]"),
        (ONE, ONE[None], "float32[2] became float32[1, 2]"),
        (np.array(["a", "b"], object), np.array(["a", "c"], object), "1 of 2 strings differ"),
        ([ONE, ONE], [ONE, ONE + 1], "element 1 of 2 differs"),
        ([ONE], [ONE, ONE], "list of 1 became list of 2"),
        ([{"a": 0.5}], [{"a": 0.25}], "element 0 of 1 differs"),
        ({1: 0.5}, {1: -0.5}, "the value of key 1 differs"),
        (None, ONE, "NoneType of - became ndarray of -"),
    ],
)
def test_what_differs_is_said(a, b, note):
    found = compare(a, b)
    assert (found["equal"], found["note"]) == (False, note)
    assert compare(a, a)["equal"] and compare(b, b)["equal"]


def test_distances_are_measured():
    found = compare(ONE, np.array([1.0, np.nextafter(np.float32(2), np.float32(3))], np.float32))
    assert found["max_ulp"] == 1 and found["max_abs"] == pytest.approx(2.4e-7, rel=0.01)
    assert compare(np.array([1, 5]), np.array([1, 2]))["max_abs"] == 3


def test_results_of_every_kind_equal_themselves():
    values = [
        np.array(["a"], object),
        np.array(True),
        np.zeros((0, 2)),
        [{"a": np.float32(1)}],
        {2: "x"},
        bits(0x7FC01234),
    ]
    assert all(compare(v, v)["equal"] for v in values)
